"""The two exceptions of the client library: refused, and no answer."""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """The venue refused the request and did nothing.

    `code` is one of the venue's closed list, for example `risk.insufficient_funds`.
    """

    def __init__(
        self,
        code: str,
        message: str,
        field: str | None = None,
        details: Mapping[str, Any] | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.field = field
        self.details = dict(details or {})
        self.http_status = http_status


class VenueUnavailable(Exception):
    """No definite answer within the client's patience.

    An order sent meanwhile is in an unknown state: place it again with the same client_order_id.
    """


def refusal_of(content: Any, http_status: int | None = None) -> Refused | None:
    """The refusal in a JSON answer of the shape `{"error": {...}}`; None for another answer."""
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, dict):
        return None
    code = str(error.get("code", "service.internal"))
    return Refused(
        code, str(error.get("message", "")), error.get("field"), error.get("details"), http_status
    )
