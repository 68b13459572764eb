"""URLs of servers: on another virtual host, and as a message may show them."""

from urllib.parse import quote, urlsplit, urlunsplit


def with_vhost(url: str, name: str) -> str:
    """The same broker and user on another virtual host."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(name, safe='')}"))


def without_password(url: str) -> str:
    """The URL fit for a message."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{user}{parts.hostname or ''}{port}"))
