"""API keys and the roles of their owners.

Keys are stored as SHA-256 only. A key has 256 random bits, so no salt is needed: nobody can try
all of them.
"""

import hashlib
import secrets

ADMINISTRATOR = "administrator"

_KEY_BYTES = 32


def new_key() -> str:
    """A fresh API key; shown once, never stored."""
    return f"vk_{secrets.token_urlsafe(_KEY_BYTES)}"


def key_hash(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
