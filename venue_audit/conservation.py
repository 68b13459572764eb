"""Proof that a demo lost nothing: read straight from the books of the clearinghouse, as their
owner.
"""

import textwrap
import time
from dataclasses import dataclass, field
from typing import Any

import psycopg2

from clearinghouse.domain.venue_accounts import EXTERNAL
from venue_launcher.running_venue import RunningVenue
from venue_protocol.holds import CASH
from venue_protocol.identifiers import sharded_id
from venue_protocol.money import format_e4, format_for_people

_QUIET_PATIENCE_S = 60.0
_AGREEMENT_PATIENCE_S = 5.0
_TURN_S = 0.25

_CASH = "SELECT coalesce(sum(balance_e4), 0) FROM accounts WHERE NOT is_external"
_SHARES = """
SELECT security_id, sum(quantity) FROM securities_deposits WHERE NOT is_external
GROUP BY security_id HAVING sum(quantity) <> 0 ORDER BY security_id
"""
_JOURNALS = (
    "SELECT count(*) FILTER (WHERE journal_kind = 'trade')"
    " + (SELECT coalesce(sum(trades), 0) FROM settlement_cycles)"
    " + (SELECT coalesce(sum(trades), 0) FROM net_volumes),"
    " coalesce(max(journal_id), 0) FROM journals"
)
_UNBALANCED = """
SELECT count(*) FROM (
    SELECT FROM ledger_entries WHERE journal_id > %s
    GROUP BY journal_id, asset HAVING sum(amount) <> 0
) AS unbalanced
"""
_UNBALANCED_ASSETS = (
    "SELECT asset FROM ledger_entries GROUP BY asset HAVING sum(amount) <> 0 ORDER BY asset"
)
_ENTERED = """
SELECT asset, sum(amount) FROM journals
CROSS JOIN LATERAL unnest(accounts, assets, amounts) AS leg(client_id, asset, amount)
WHERE journal_id > %s AND journal_id <= %s AND journal_kind <> 'trade' AND NOT client_id = ANY (%s)
GROUP BY asset HAVING sum(amount) <> 0 ORDER BY asset
"""
_HELD = """
SELECT count(*) FROM accounts LEFT JOIN securities_deposits USING (client_id)
WHERE starts_with(client_id, %s) AND (held_e4 <> 0 OR held <> 0)
"""
_TRADES = "SELECT count(*) FROM trades"

_HANDLED = "SELECT stream, sequence FROM stream_positions WHERE stream LIKE 'events.%'"
_SETTLED = "SELECT 'settlements', last_report_sequence FROM settlement_heads"
_RECORDED = (
    "SELECT stream, sequence FROM stream_positions WHERE stream LIKE 'events.%' OR stream = "
    "'settlements'"
)
_NEWEST_ORDER = """
SELECT shard, sequence FROM order_log WHERE command LIKE '{"kind":"place_order"%'
ORDER BY shard DESC, sequence DESC LIMIT 1
"""
_NEWEST_RECORDED_ORDER = "SELECT order_id FROM orders ORDER BY order_id DESC LIMIT 1"
_OPEN = """
SELECT count(*) FROM orders
WHERE status IN ('new', 'partially_filled') AND starts_with(client_id, %s)
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
    entered: dict[str, int]
    """By asset, deposits less withdrawals between the two (cash times 10^4)."""
    faults: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The sums in words, then each fault or that there is none."""
        shares = ", ".join(f"{quantity:,} {name}" for name, quantity in self.after.shares.items())
        settled = self.after.trades_settled - self.before.trades_settled
        said = wrapped(
            "total cash",
            f"before {_dollars(self.before.cash_e4)}  after {_dollars(self.after.cash_e4)}",
        )
        same = self.before.shares == self.after.shares
        said += wrapped("total shares", f"{'as before' if same else 'now'}: {shares}")
        if self.entered:
            said += wrapped(
                "deposits",
                f"{', '.join(_amounts(self.entered))} entered meanwhile, and are accounted for",
            )
        all_matched = f"{self.trades_matched:,} matched since the venue began"
        said += wrapped("trades", f"{settled:,} settled in this demo; {all_matched}")
        return said + (
            self.faults or ["every journal is balanced; no cent and no share was made or lost"]
        )


def wrapped(name: str, text: str) -> list[str]:
    """A named line of the report, folded at 79 columns."""
    return textwrap.wrap(f"{name:<12} {text}", 79, subsequent_indent=" " * 13, drop_whitespace=True)


def _dollars(cash_e4: int) -> str:
    return f"${format_for_people(cash_e4)}"


def _amounts(entered: dict[str, int]) -> list[str]:
    return [
        _dollars(amount) if asset == CASH else f"{amount:,} {asset}"
        for asset, amount in entered.items()
    ]


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
    after, matched = _sums_and_trades(venue)
    span = (before.last_journal_id, after.last_journal_id, list(EXTERNAL))
    entered = {
        asset: int(amount) for asset, amount in _rows(venue.owner_clearing_url, _ENTERED, *span)
    }
    verdict = Verdict(before, after, matched, entered)
    verdict.faults += _drifts(before, after, entered)
    unbalanced = _count(venue.owner_clearing_url, _UNBALANCED, before.last_journal_id)
    if unbalanced:
        verdict.faults.append(f"{unbalanced} journals do not sum to zero")
    for (asset,) in _rows(venue.owner_clearing_url, _UNBALANCED_ASSETS):
        verdict.faults.append(f"{asset} does not sum to zero over all journals")
    if after.trades_settled != verdict.trades_matched:
        verdict.faults.append(
            f"{verdict.trades_matched} trades were matched, {after.trades_settled} settled"
        )
    if _count(venue.owner_clearing_url, _HELD, prefix):
        verdict.faults.append("something is still held although no order of the demo is open")
    return verdict


def _sums_and_trades(venue: RunningVenue) -> tuple[Sums, int]:
    """The sums, and the trades matched by then; read again if they differ: others may trade."""
    deadline = time.monotonic() + _AGREEMENT_PATIENCE_S
    while True:
        after, matched = read_sums(venue), _count(venue.owner_market_url, _TRADES)
        if after.trades_settled == matched or time.monotonic() > deadline:
            return after, matched
        time.sleep(_TURN_S)


def _drifts(before: Sums, after: Sums, entered: dict[str, int]) -> list[str]:
    drifts = []
    cash_e4 = after.cash_e4 - before.cash_e4 - entered.get(CASH, 0)
    if cash_e4:
        drifts.append(f"cash drifted by ${format_e4(cash_e4)}")
    for name in sorted(before.shares.keys() | after.shares.keys() | (entered.keys() - {CASH})):
        drift = after.shares.get(name, 0) - before.shares.get(name, 0) - entered.get(name, 0)
        if drift:
            drifts.append(f"{name} drifted by {drift} shares")
    return drifts


def wait_until_settled(venue: RunningVenue, prefix: str) -> bool:
    """Wait until every logged order is matched, settled and recorded, and no order of the demo's
    clients is open.

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
    """Positions first, then what they must have reached: so a late reading errs towards "not
    yet".
    """
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
