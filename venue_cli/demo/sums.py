"""Proof that a demo lost nothing: read straight from the books of the clearinghouse, as their owner."""

import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg2

from venue_cli.running import RunningVenue
from venue_protocol.identifiers import sharded_id
from venue_protocol.money import format_e4

_QUIET_PATIENCE_S = 60.0
_TURN_S = 0.25

_CASH = "SELECT coalesce(sum(balance_e4), 0) FROM accounts WHERE NOT is_external"
_SHARES = """
SELECT security_id, sum(quantity) FROM securities_deposits WHERE NOT is_external GROUP BY security_id
HAVING sum(quantity) <> 0 ORDER BY security_id
"""
_JOURNALS = "SELECT count(*) FILTER (WHERE journal_kind = 'trade'), coalesce(max(journal_id), 0) FROM journals"
_UNBALANCED = """
SELECT count(*) FROM (
    SELECT FROM ledger_entries WHERE journal_id > %s GROUP BY journal_id, asset HAVING sum(amount) <> 0
) AS unbalanced
"""
_UNBALANCED_ASSETS = "SELECT asset FROM ledger_entries GROUP BY asset HAVING sum(amount) <> 0 ORDER BY asset"
_ENTERED = "SELECT count(*) FROM journals WHERE journal_id > %s AND journal_kind <> 'trade'"
_HELD = """
SELECT count(*) FROM accounts LEFT JOIN securities_deposits USING (client_id)
WHERE starts_with(client_id, %s) AND (held_e4 <> 0 OR held <> 0)
"""
_TRADES = "SELECT count(*) FROM trades"

_HANDLED = "SELECT stream, sequence FROM stream_positions WHERE stream LIKE 'events.%'"
_SETTLED = "SELECT 'settlements', last_report_sequence FROM settlement_heads"
_RECORDED = "SELECT stream, sequence FROM stream_positions WHERE stream LIKE 'events.%' OR stream = 'settlements'"
_NEWEST_ORDER = """
SELECT shard, sequence FROM order_log WHERE command LIKE '{"kind":"place_order"%'
ORDER BY shard DESC, sequence DESC LIMIT 1
"""
_NEWEST_RECORDED_ORDER = "SELECT order_id FROM orders ORDER BY order_id DESC LIMIT 1"
_OPEN = """
SELECT count(*) FROM orders WHERE status IN ('new', 'partially_filled') AND starts_with(client_id, %s)
"""


@dataclass(frozen=True)
class Sums:
    """What all clients own together."""

    cash_e4: int
    shares: dict[str, int]
    trades_settled: int
    last_journal_id: int


@dataclass
class Verdict:
    """What was found wrong between two sums; nothing when all is well."""

    before: Sums
    after: Sums
    trades_matched: int
    faults: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The sums in words, then each fault or that there is none."""
        shares = ", ".join(f"{quantity:,} {name}" for name, quantity in self.after.shares.items())
        settled = self.after.trades_settled - self.before.trades_settled
        said = [
            f"total cash   before {_dollars(self.before)}  after {_dollars(self.after)}",
            f"total shares {'as before' if self.before.shares == self.after.shares else 'CHANGED'}: {shares}",
            f"trades       {settled:,} settled in this demo; {self.trades_matched:,} matched since the venue began",
        ]
        return said + (self.faults or ["every journal is balanced; no cent and no share was made or lost"])


def _dollars(sums: Sums) -> str:
    return f"${Decimal(format_e4(sums.cash_e4)):,}"


def read_sums(venue: RunningVenue) -> Sums:
    """The sums now, in one snapshot."""
    connection = psycopg2.connect(venue.owner_clearing_url)
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute(_CASH)
            ((cash_e4,),) = cursor.fetchall()
            cursor.execute(_SHARES)
            shares = {name: int(quantity) for name, quantity in cursor.fetchall()}
            cursor.execute(_JOURNALS)
            ((trades, last_journal_id),) = cursor.fetchall()
        return Sums(int(cash_e4), shares, int(trades), int(last_journal_id))
    finally:
        connection.close()


def judge(venue: RunningVenue, before: Sums, prefix: str) -> Verdict:
    """Compare the sums with those before, and check the double entry of every journal since."""
    after = read_sums(venue)
    verdict = Verdict(before, after, _count(venue.owner_market_url, _TRADES))
    verdict.faults += _drifts(before, after)
    if _count(venue.owner_clearing_url, _ENTERED, before.last_journal_id):
        verdict.faults.append("cash or shares entered or left the venue meanwhile: these sums can't be compared")
    unbalanced = _count(venue.owner_clearing_url, _UNBALANCED, before.last_journal_id)
    if unbalanced:
        verdict.faults.append(f"{unbalanced} journals do not sum to zero")
    for (asset,) in _rows(venue.owner_clearing_url, _UNBALANCED_ASSETS):
        verdict.faults.append(f"{asset} does not sum to zero over all journals")
    if after.trades_settled != verdict.trades_matched:
        verdict.faults.append(f"{verdict.trades_matched} trades were matched, {after.trades_settled} settled")
    if _count(venue.owner_clearing_url, _HELD, prefix):
        verdict.faults.append("something is still held although no order of the demo is open")
    return verdict


def _drifts(before: Sums, after: Sums) -> list[str]:
    drifts = []
    if after.cash_e4 != before.cash_e4:
        drifts.append(f"cash drifted by ${format_e4(after.cash_e4 - before.cash_e4)}")
    for name in sorted(before.shares.keys() | after.shares.keys()):
        drift = after.shares.get(name, 0) - before.shares.get(name, 0)
        if drift:
            drifts.append(f"{name} drifted by {drift} shares")
    return drifts


def wait_until_settled(venue: RunningVenue, prefix: str) -> bool:
    """Wait until every logged order is matched, settled and recorded, and no order of the demo's clients is open.

    False when the venue does not come to rest, as when others go on trading.
    """
    deadline = time.monotonic() + _QUIET_PATIENCE_S
    while not _is_settled(venue, prefix):
        if time.monotonic() > deadline:
            return False
        venue.check()
        time.sleep(_TURN_S)
    return True


def _is_settled(venue: RunningVenue, prefix: str) -> bool:
    """Positions first, then what they must have reached: so a late reading errs towards "not yet"."""
    handled = dict(_rows(venue.owner_clearing_url, _HANDLED))
    settled = dict(_rows(venue.owner_clearing_url, _SETTLED))
    recorded = dict(_rows(venue.owner_market_url, _RECORDED))
    newest = _rows(venue.owner_clearing_url, _NEWEST_ORDER)
    known = _rows(venue.owner_market_url, _NEWEST_RECORDED_ORDER)
    if {**handled, **settled} != recorded:
        return False
    if newest and (not known or known[0][0] < sharded_id(*newest[0])):
        return False
    return not _count(venue.owner_market_url, _OPEN, prefix)


def _count(url: str, statement: str, *parameters: object) -> int:
    return int(_rows(url, statement, *parameters)[0][0])


def _rows(url: str, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(url)
    try:
        connection.set_session(readonly=True)
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall())
    finally:
        connection.close()
