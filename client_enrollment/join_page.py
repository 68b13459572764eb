"""The page at `/join`: a join code and a name in, a key out. Nothing from elsewhere."""

import base64
import hashlib

from flask import Response

from service_runtime.http.security_headers import page_policy, style_source

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto; padding: 0 1rem; }
:root { color-scheme: light dark; }
label { display: block; margin: 1rem 0; }
input { font: inherit; display: block; width: 100%; box-sizing: border-box; padding: .4rem; }
button { font: inherit; padding: .4rem 1rem; }
output { display: block; margin: 1.5rem 0; overflow-wrap: anywhere; }
"""
SCRIPT = """
const form = document.querySelector("form");
const output = document.querySelector("output");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  output.textContent = "…";
  const asked = { code: form.elements.code.value, client_id: form.elements.name.value.trim() };
  try {
    const answer = await fetch("/v1/enrollments", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(asked),
    });
    const said = await answer.json();
    output.textContent = answer.ok
      ? `Welcome, ${said.client_id}. Your key, shown this once: ${said.api_key}`
      : said.error.message;
    button.disabled = answer.ok;
  } catch (error) {
    output.textContent = "The venue did not answer. Ask the organiser if your name is taken now.";
    button.disabled = false;
  }
});
"""
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width">'
    f"<title>Join</title><style>{STYLE}</style>"
    "<h1>Join</h1><form>"
    '<label>Join code <input name="code" maxlength="64" autocomplete="off" required></label>'
    '<label>Your team\'s name, of a-z, 0-9, _ and - <input name="name" minlength="2" '
    'maxlength="32" pattern="[a-z][a-z0-9_\\-]+" required></label>'
    "<button>Join</button></form><output></output>"
    f"<script>{SCRIPT}</script></html>"
)


def response() -> Response:
    """The page with a policy that allows its own script and style, and to ask this service."""
    answer = Response(PAGE, content_type="text/html; charset=utf-8")
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    answer.headers["Content-Security-Policy"] = page_policy(
        style_source(STYLE), f"script-src 'sha256-{digest}'", "connect-src 'self'"
    )
    return answer
