"""Request bodies: strict JSON to a typed struct, or a refusal that says what is wrong with it."""

import json
import re
from typing import Any, TypeVar

import msgspec
from flask import request

from venue_protocol.identifiers import PATTERNS_IN_WORDS
from venue_protocol.refusals import RejectReason, refuse

T = TypeVar("T")

_STRING = re.compile(rb'"([^"]*)"(\s*:)?')
"""A string without escapes, and whether it is a key."""
_SHORT_BYTES = 1_024
_KEY_END = re.compile(rb'"\s*:')
_PATH = re.compile(r" - at `\$?\.?([^`]*)`$")
_TOO_LONG = re.compile(r"Expected `str` of length <= (\d+)")
_FIELD = re.compile(r"field `(\w+)`")
_MOST_NESTING = 8
_NAMELESS = "[...]"
"""What msgspec calls a place in an untyped object."""


def body_as(decoder: "msgspec.json.Decoder[T]") -> T:
    """The body of the current request, decoded; Refused with 400 or 413 if it is not one."""
    return decode_strictly(decoder, body_bytes())


def body_bytes() -> bytes:
    """The body of the current request, whole; Refused with 413 if it is too large."""
    return request.get_data(cache=False)


def decode_strictly(decoder: "msgspec.json.Decoder[T]", body: bytes | str) -> T:
    """`body` decoded; Refused if it is not JSON, not of the type, or has a key twice."""
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    if not body.strip():
        raise refuse(RejectReason.MALFORMED, "the body is empty")
    try:
        decoded = decoder.decode(body)
        twice = _has_duplicate_keys(body)
    except msgspec.ValidationError as error:
        raise _refuse_invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refuse(RejectReason.MALFORMED, f"the body is not JSON: {error}"[:300]) from None
    if twice:
        raise refuse(RejectReason.DUPLICATE_KEY, "an object in the body has the same key twice")
    return decoded


def _refuse_invalid(message: str) -> Exception:
    path = _PATH.search(message)
    field = path.group(1) or None if path else None
    if field == _NAMELESS:
        field = None
    named = _FIELD.search(message)
    if "missing required field" in message:
        return refuse(RejectReason.MISSING_FIELD, message, named.group(1) if named else field)
    if "unknown field" in message:
        return refuse(RejectReason.UNKNOWN_FIELD, message, named.group(1) if named else field)
    return refuse(RejectReason.INVALID_FIELD, _in_words(message, field), field)


def _in_words(message: str, field: str | None) -> str:
    """A text that does not fit its pattern or length, said without the pattern."""
    named = field or "a name"
    too_long = _TOO_LONG.match(message)
    if too_long:
        return f"{named} has more than {too_long.group(1)} characters"
    words = next(
        (words for pattern, words in PATTERNS_IN_WORDS.items() if repr(pattern) in message), None
    )
    return message if words is None else f"{named} must have {words}"


def _has_duplicate_keys(body: bytes) -> bool:
    """Whether some object repeats a key; `body` is valid JSON.

    A cheap look decides nearly always; else the slow parser does.
    """
    is_short = len(body) <= _SHORT_BYTES and body.isascii()
    if is_short and body.count(b"{") == 1 and b"[" not in body and b"\\" not in body:
        # One flat object, as most bodies are: its strings follow each other without escapes.
        keys = [text for text, is_key in _STRING.findall(body) if is_key]
        if len(set(keys)) == len(keys):
            return False
    if len(_KEY_END.findall(body)) == _count_keys(msgspec.json.decode(body), 0):
        return False
    repeats: list[bool] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        repeats.append(len(found) != len(pairs))
        return found

    json.loads(body, object_pairs_hook=note)
    return any(repeats)


def _count_keys(value: Any, depth: int) -> int:
    if depth > _MOST_NESTING:
        raise RecursionError(f"nested deeper than {_MOST_NESTING}")
    if isinstance(value, dict):
        return len(value) + sum(
            _count_keys(inner, depth + 1) for inner in value.values() if type(inner) in (dict, list)
        )
    if isinstance(value, list):
        return sum(_count_keys(inner, depth + 1) for inner in value)
    return 0
