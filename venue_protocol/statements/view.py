"""A statement for programs: money as decimal strings, times as microseconds and as text."""

from collections.abc import Mapping
from typing import Any

from venue_protocol.money import format_e4
from venue_protocol.statements.statement import (
    CAUSES,
    EARNINGS,
    Line,
    Moment,
    SecurityLine,
    Statement,
)
from venue_protocol.times import format_utc

View = dict[str, Any]


def statement(made: Statement) -> View:
    """Everything but the movements."""
    return {
        "client_id": made.client_id,
        "currency": "USD",
        "from": format_utc(made.opening.time_us),
        "to": format_utc(made.closing.time_us),
        "opening": moment(made.opening),
        "closing": moment(made.closing),
        "cash": _amounts(made.cash, CAUSES),
        "paid_in": format_e4(made.paid_in_e4),
        "earned": _amounts(made.earned, EARNINGS),
        "securities": [security(line) for line in made.securities],
        "unsettled_cash": format_e4(made.unsettled_e4),
        "movement_count": made.movements,
        "last_report": made.last_report,
        "last_hash": made.last_hash,
        "fits": not made.faults,
        "faults": made.faults,
    }


def moment(at: Moment) -> View:
    """What was there."""
    return {
        "cash": format_e4(at.cash_e4),
        "shares_value": format_e4(at.shares_value_e4),
        "cost": format_e4(at.cost_e4),
        "unrealised": format_e4(at.unrealised_e4),
        "equity": format_e4(at.equity_e4),
    }


def security(line: SecurityLine) -> View:
    """One security over the period."""
    return {
        "security": line.security_id,
        "opening": line.opening,
        "bought": line.bought,
        "bought_for": format_e4(line.bought_e4),
        "sold": line.sold,
        "sold_for": format_e4(line.sold_e4),
        "other": line.other,
        "closing": line.closing,
        "borrowed": line.borrowed,
        "unsettled": line.unsettled,
        "cost": format_e4(line.cost_e4),
        "price": None if line.price_e4 is None else format_e4(line.price_e4),
        "value": format_e4(line.value_e4),
        "unrealised": format_e4(line.unrealised_e4),
        "realised": format_e4(line.realised_e4),
        "dividends": format_e4(line.dividends_e4),
    }


def movement(line: Line) -> View:
    """One movement."""
    return {
        "number": line.number,
        "sequence": line.sequence,
        "journal_id": line.journal_id,
        "time_us": line.time_us,
        "time": format_utc(line.time_us),
        "kind": line.kind,
        "cause": line.cause,
        "what": line.what,
        "security": line.security_id,
        "shares": line.shares,
        "price": None if line.price_e4 is None else format_e4(line.price_e4),
        "gross": format_e4(line.gross_e4),
        "fee": format_e4(line.fee_e4),
        "cash": format_e4(line.cash_e4),
        "balance": format_e4(line.balance_e4),
        "holding": line.holding,
        "realised": format_e4(line.realised_e4),
        "trade_id": line.trade_id,
        "order_id": line.order_id,
        "memo": line.memo,
    }


def _amounts(amounts: Mapping[str, int], words: Mapping[str, str]) -> list[View]:
    """In the order of a statement, each with its words."""
    return [
        {"cause": cause, "what": words[cause], "amount": format_e4(amounts[cause])}
        for cause in words
        if cause in amounts
    ]
