"""Headers that tell a browser to do no more with an answer than it is meant for.

JSON can't be run, so it only says that its type is what it says. Pages name what they may load:
nothing but what `page_policy` lists, nothing from elsewhere, in no frame of another site.
"""

import base64
import hashlib

from flask import Flask, Response

_JSON = "application/json"


def page_policy(*allowed: str) -> str:
    """A Content-Security-Policy that allows nothing but these directives."""
    strict = ("default-src 'none'", "base-uri 'none'", "form-action 'none'")
    return "; ".join((*strict, "frame-ancestors 'none'", *allowed))


def style_source(style: str) -> str:
    """The directive that allows exactly this text of a `<style>` element."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"style-src 'sha256-{digest}'"


STRICT = page_policy()


def add_security_headers(app: Flask) -> None:
    """Put the headers on every answer of `app`.

    A route that serves a page sets a Content-Security-Policy of its own; all others get STRICT.
    """

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers["X-Content-Type-Options"] = "nosniff"
        # JSON is most answers, and no browser shows it as a page: it needs none of the rest.
        if response.mimetype != _JSON:
            headers.setdefault("Content-Security-Policy", STRICT)
            headers["X-Frame-Options"] = "DENY"
            headers["Referrer-Policy"] = "no-referrer"
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return response
