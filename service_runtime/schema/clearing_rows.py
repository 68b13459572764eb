"""Rows of `clearing_data` that are written many at a time, in the order of their columns."""

from typing import NamedTuple

from venue_protocol.trading_day import Phase


class LogRow(NamedTuple):
    """One command of the order log."""

    shard: int
    sequence: int
    time_us: int
    client_id: str
    client_order_id: str | None
    amended_order_id: int | None
    command: str
    """JSON."""


class PhaseRow(NamedTuple):
    """The phase that was commanded last: of a shard (security_id empty), or of a security that may differ from it."""

    shard: int
    security_id: str
    phase: Phase
    reason: str | None
    lasts_us: int | None
    time_us: int
    sequence: int


class BandRow(NamedTuple):
    """The volatility band of a security as commanded last; `band_bps` is None where it was switched off."""

    shard: int
    security_id: str
    band_bps: int | None
    limit_state_us: int
    pause_us: int
    auction_us: int


class JournalRow(NamedTuple):
    """One journal, its legs in three parallel tuples."""

    journal_id: int
    journal_kind: str
    time_us: int
    trade_id: int | None
    reference: str | None
    accounts: tuple[str, ...]
    assets: tuple[str, ...]
    amounts: tuple[int, ...]


class ReportRow(NamedTuple):
    """One settlement report: `report` is the JSON that is published."""

    sequence: int
    client_id: str
    client_sequence: int
    report: str
