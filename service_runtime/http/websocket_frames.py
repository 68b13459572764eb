"""WebSocket frames of a server (RFC 6455): unmasked, so the same bytes serve every subscriber."""

import struct
from typing import Any

import msgspec

_TEXT = 0x81
_CLOSE = 0x88
_MOST_CLOSE_REASON_BYTES = 123

_encoder = msgspec.json.Encoder()


def json_frame(message: Any) -> bytes:
    """One whole text frame with `message` as JSON."""
    return text_frame(_encoder.encode(message))


def text_frame(payload: bytes) -> bytes:
    """One whole text frame with `payload`, which is UTF-8."""
    size = len(payload)
    if size < 126:
        head = bytes((_TEXT, size))
    elif size < 1 << 16:
        head = struct.pack("!BBH", _TEXT, 126, size)
    else:
        head = struct.pack("!BBQ", _TEXT, 127, size)
    return head + payload


def close_frame(code: int, reason: str) -> bytes:
    """One close frame."""
    payload = struct.pack("!H", code) + reason.encode()[:_MOST_CLOSE_REASON_BYTES]
    return bytes((_CLOSE, len(payload))) + payload


def frame_boundary(frames: bytes | memoryview, offset: int) -> int:
    """The first end of a frame in `frames` that is not before `offset`.

    `frames` starts with a frame.
    """
    end = 0
    while end < offset:
        size = frames[end + 1] & 0x7F
        if size == 126:
            end += 4 + int.from_bytes(frames[end + 2 : end + 4], "big")
        elif size == 127:
            end += 10 + int.from_bytes(frames[end + 2 : end + 10], "big")
        else:
            end += 2 + size
    return end
