"""The one closed list of reasons for which the venue says no, each with its HTTP status."""

from enum import Enum
from typing import Any

import msgspec


class RejectReason(Enum):
    """One status per cause:

    `code` is what clients switch on, `http_status` what the door answers.
    """

    # 400: the request is not in the language
    MALFORMED = ("request.malformed", 400)
    DUPLICATE_KEY = ("request.duplicate_key", 400)
    MISSING_FIELD = ("request.missing_field", 400)
    UNKNOWN_FIELD = ("request.unknown_field", 400)
    INVALID_FIELD = ("request.invalid_field", 400)
    TOO_LARGE = ("request.too_large", 413)
    LENGTH_REQUIRED = ("request.length_required", 411)
    TIMED_OUT = ("request.timed_out", 408)
    UNSUPPORTED_MEDIA_TYPE = ("request.unsupported_media_type", 415)
    METHOD_NOT_ALLOWED = ("request.method_not_allowed", 405)
    # 401, 403, 404
    KEY_MISSING = ("auth.key_missing", 401)
    KEY_INVALID = ("auth.key_invalid", 401)
    FORBIDDEN = ("auth.forbidden", 403)
    CLIENT_SUSPENDED = ("client.suspended", 403)
    LOAN_NOT_ALLOWED = ("loan.not_allowed", 403)
    SECOND_PERSON_REQUIRED = ("proposal.second_person_required", 403)
    JOIN_CODE_INVALID = ("join.code_invalid", 403)
    UNKNOWN_PATH = ("request.unknown_path", 404)
    UNKNOWN_JOIN_CODE = ("join.code_unknown", 404)
    UNKNOWN_CLIENT = ("client.unknown", 404)
    UNKNOWN_SECURITY = ("security.unknown", 404)
    UNKNOWN_ORDER = ("order.unknown", 404)
    UNKNOWN_LOAN = ("loan.unknown", 404)
    UNKNOWN_TRADE = ("trade.unknown", 404)
    UNKNOWN_PROPOSAL = ("proposal.unknown", 404)
    # 409: at odds with what exists
    CLIENT_EXISTS = ("client.exists", 409)
    JOIN_CODE_EXISTS = ("join.code_exists", 409)
    JOIN_CODE_FULL = ("join.code_full", 409)
    LAST_ADMINISTRATOR = ("client.last_administrator", 409)
    SECURITY_EXISTS = ("security.exists", 409)
    SECURITY_DELISTED = ("security.delisted", 409)
    ACTION_NEEDS_HALT = ("action.needs_halt", 409)
    IDEMPOTENCY_KEY_REUSED = ("request.idempotency_key_reused", 409)
    LOAN_CLOSING = ("loan.closing", 409)
    CLIENT_ORDER_ID_REUSED = ("order.client_order_id_reused", 409)
    TRADE_BUSTED = ("trade.already_busted", 409)
    TRADE_OF_CLOSE_OUT = ("trade.of_close_out", 409)
    TRADE_BEFORE_ACTION = ("trade.before_corporate_action", 409)
    PROPOSAL_EXISTS = ("proposal.exists", 409)
    PROPOSAL_DECIDED = ("proposal.already_decided", 409)
    # 422: understood, and refused
    PRICE_NOT_POSITIVE = ("price.not_positive", 422)
    PRICE_OFF_TICK = ("price.off_tick", 422)
    PRICE_OUTSIDE_BAND = ("price.outside_band", 422)
    PRICE_REQUIRED = ("price.required", 422)
    PRICE_NOT_ALLOWED = ("price.not_allowed", 422)
    QUANTITY_NOT_POSITIVE = ("quantity.not_positive", 422)
    QUANTITY_OFF_LOT = ("quantity.off_lot", 422)
    QUANTITY_TOO_LARGE = ("quantity.too_large", 422)
    TIME_IN_FORCE_NOT_ALLOWED = ("order.time_in_force_not_allowed", 422)
    STOP_PRICE_REQUIRED = ("order.stop_price_required", 422)
    STOP_PRICE_NOT_ALLOWED = ("order.stop_price_not_allowed", 422)
    EXPIRE_TIME_REQUIRED = ("order.expire_time_required", 422)
    EXPIRE_TIME_NOT_ALLOWED = ("order.expire_time_not_allowed", 422)
    EXPIRE_TIME_PAST = ("order.expire_time_past", 422)
    POST_ONLY_NOT_ALLOWED = ("order.post_only_not_allowed", 422)
    POST_ONLY_WOULD_TRADE = ("order.post_only_would_trade", 422)
    MIN_QUANTITY_NOT_ALLOWED = ("order.min_quantity_not_allowed", 422)
    DISPLAY_QUANTITY_NOT_ALLOWED = ("order.display_quantity_not_allowed", 422)
    DISPLAY_QUANTITY_TOO_SMALL = ("order.display_quantity_too_small", 422)
    INSUFFICIENT_FUNDS = ("risk.insufficient_funds", 422)
    INSUFFICIENT_SHARES = ("risk.insufficient_shares", 422)
    LOAN_CALLED = ("loan.called", 422)
    LOAN_UNAVAILABLE = ("loan.unavailable", 422)
    ORDER_FILLED = ("order.already_filled", 422)
    ORDER_CANCELED = ("order.already_canceled", 422)
    ORDER_EXPIRED = ("order.already_expired", 422)
    ORDER_NOT_OPEN = ("order.not_open", 422)
    AMEND_BELOW_FILLED = ("order.amend_below_filled", 422)
    AMEND_CHANGES_NOTHING = ("order.amend_changes_nothing", 422)
    STARTING_CASH_FIXED = ("client.starting_cash_fixed", 422)
    AMOUNT_NOT_POSITIVE = ("amount.not_positive", 422)
    CORRECTION_CHANGES_NOTHING = ("trade.correction_changes_nothing", 422)
    NOT_IN_AUCTION = ("order.not_in_auction", 422)
    OPENING_ONLY_TOO_LATE = ("order.opening_only_too_late", 422)
    # 423, 429, 503: not now
    SESSION_CLOSED = ("session.closed", 423)
    SESSION_HALTED = ("session.halted", 423)
    ACTION_UNSETTLED = ("action.unsettled", 423)
    RATE_LIMITED = ("rate.limited", 429)
    TOO_MANY_PROPOSALS = ("proposal.too_many", 429)
    OVERLOADED = ("service.overloaded", 503)
    OUTCOME_UNKNOWN = ("service.outcome_unknown", 503)
    NOT_READY = ("service.not_ready", 503)
    INTERNAL = ("service.internal", 500)
    # 505: another version of HTTP than 1.0 or 1.1
    HTTP_VERSION = ("request.http_version", 505)

    def __init__(self, code: str, http_status: int) -> None:
        self.code = code
        self.http_status = http_status

    @classmethod
    def of_code(cls, code: str) -> "RejectReason":
        """The reason with this code; KeyError for a code that is not in the list."""
        return _BY_CODE[code]


_BY_CODE = {reason.code: reason for reason in RejectReason}


class Refusal(msgspec.Struct, frozen=True):
    """A no with its one reason and the fact that caused it. Nothing was done."""

    reason: RejectReason
    message: str
    field: str | None = None
    details: dict[str, Any] = {}


class Refused(Exception):
    """Carries a refusal from deep inside a request to its answer; `retry_after_s` goes into the
    header `Retry-After`.
    """

    def __init__(self, refusal: Refusal, retry_after_s: int | None = None) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.retry_after_s = retry_after_s


def refuse(reason: RejectReason, message: str, field: str | None = None, **details: Any) -> Refused:
    """The exception to raise for this refusal."""
    return Refused(Refusal(reason, message, field, details))


def unknown_client(client_id: str, field: str | None = "client_id") -> Refused:
    """The exception to raise for a client that does not exist; long names are cut."""
    return refuse(RejectReason.UNKNOWN_CLIENT, f"no client {client_id[:64]!r}", field)
