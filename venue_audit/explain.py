"""`./venue explain CLIENT`: why a client has what it has. Summary, movements, counter-legs, running
balance.
"""

import argparse
import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

import msgspec

from venue_audit import databases
from venue_audit.account_summary import AccountSummary
from venue_audit.differences import JOURNALS, Differences
from venue_audit.positions_check import PositionsCheck
from venue_audit.report_ledger import ReportLedger
from venue_audit.settlements import iso, movement, report_rows, require_client, signed, standing
from venue_audit.snapshot import Snapshot
from venue_protocol import codec
from venue_protocol.holds import CASH
from venue_protocol.money import format_e4
from venue_protocol.settlement import SettlementReport
from venue_storage.clearing_rows import JournalRow, ReportRow

_ROWS_A_LOOKUP = 500
_JOURNALS = """
SELECT journal_id, journal_kind, time_us, trade_id, reference, accounts, assets, amounts
FROM journals WHERE journal_id = ANY (%s)
"""
_REFERENCE_PRICES = "SELECT security_id, reference_price_e4 FROM securities"
_LIVE = "SELECT balance_e4, held_e4 FROM accounts WHERE client_id = %s"


class Entry(msgspec.Struct, frozen=True):
    """One ledger entry of the client, and the entry it meets."""

    asset: str
    amount: str
    """Signed; dollars of cash, else whole shares."""
    counter_account: str
    """The other side: the clearinghouse in a trade (novation), the bank or issuer in a deposit."""
    counter_amount: str


class Movement(msgspec.Struct, frozen=True):
    """One settlement report with its journal."""

    sequence: int
    client_sequence: int
    time: str
    what: str
    journal_id: int
    entries: list[Entry]
    fee: str
    """Dollars that a trade cost on top, part of the entries; below zero: a rebate."""
    balance: str
    """Cash after it, dollars."""
    security: str | None
    holding: int | None
    """Shares of `security` after it."""
    trade_id: int | None
    order_id: int | None
    price: str | None
    quantity: int | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The client, --json, which databases."""
    parser.add_argument("client", help="the client's id")
    parser.add_argument(
        "--last", type=_count, metavar="N", help="only the newest N movements; all are checked"
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a line on standard output"
    )
    databases.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 when the movements end with the live values, 1 when they part."""
    with databases.opened(arguments) as found, Snapshot(found.clearing_url) as clearing:
        require_client(clearing, arguments.client)
        summary = summarize(clearing, arguments.client)
        if not arguments.json:
            print("\n".join([f"{arguments.client}:", *summary.lines(), ""]))
        explanation = Explanation(clearing, arguments.client)
        for moved in newest(explanation.movements(), arguments.last):
            print(
                json.dumps(msgspec.to_builtins(moved))
                if arguments.json
                else "\n".join(lines(moved))
            )
        ending = explanation.conclude() | {"summary": summary.as_json()}
        print(json.dumps(ending) if arguments.json else "\n".join(_ending_lines(ending)))
        return 0 if ending["equal"] else 1


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def summarize(clearing: Snapshot, client_id: str) -> AccountSummary:
    """The sums over the client's reports; what is no report is told by the movements."""
    reference_e4: dict[str, int] = dict(clearing.all(_REFERENCE_PRICES))
    return AccountSummary.of(_readable(report_rows(clearing, client_id)), reference_e4)


def _readable(rows: Iterable[ReportRow]) -> Iterator[SettlementReport]:
    for row in rows:
        with suppress(codec.CodecError):
            yield codec.decode_report(row.report)


def newest(movements: Iterable[Movement], last: int | None) -> Iterable[Movement]:
    """All of them as they come, or the last so many once all were read."""
    return movements if last is None else deque(movements, maxlen=last)


class Explanation:
    """A client's movements in order, checked on the way; `conclude` once all were read."""

    def __init__(self, clearing: Snapshot, client_id: str) -> None:
        self._clearing = clearing
        self._client_id = client_id
        self._differences = Differences()
        self._ledger = ReportLedger(self._differences, is_whole=False)

    def movements(self) -> Iterator[Movement]:
        """Every movement, oldest first, streamed."""
        rows = report_rows(self._clearing, self._client_id)
        while page := list(islice(rows, _ROWS_A_LOOKUP)):
            reports = [report for row in page if (report := self._ledger.take(row)) is not None]
            wanted = sorted({report.journal_id for report in reports})
            journals = {
                row[0]: JournalRow._make(row) for row in self._clearing.all(_JOURNALS, (wanted,))
            }
            for report in reports:
                yield self._movement(report, journals.get(report.journal_id))

    def conclude(self) -> dict[str, Any]:
        """Where the movements end, what is live, and where they part if they do."""
        clients = self._ledger.clients
        PositionsCheck(self._clearing, self._differences).against_reports(clients, self._client_id)
        balance_e4, held_e4 = self._clearing.one(_LIVE, (self._client_id,)) or (0, 0)
        books = clients.get(self._client_id)
        return {
            "client_id": self._client_id,
            "equal": not self._differences.count,
            "explained": standing(books) if books else "nothing has moved yet",
            "balance": format_e4(balance_e4),
            "held": format_e4(held_e4),
            "available": format_e4(balance_e4 - held_e4),
            "differences": [str(difference) for difference in self._differences],
        }

    def _movement(self, report: SettlementReport, journal: JournalRow | None) -> Movement:
        entries = entries_of(self._client_id, report, journal) if journal is not None else []
        self._check_journal(report, journal)
        return Movement(
            report.sequence,
            report.client_sequence,
            iso(report.time_us),
            movement(report),
            report.journal_id,
            entries,
            format_e4(report.fee_e4),
            format_e4(report.balance_e4),
            report.security_id,
            report.holding,
            report.trade_id,
            report.order_id,
            format_e4(report.price_e4) if report.price_e4 is not None else None,
            report.quantity,
        )

    def _check_journal(self, report: SettlementReport, journal: JournalRow | None) -> None:
        """The journal moved what the report says; a transfer of several assets has a report for
        each.
        """
        number = report.journal_id
        if not number:
            return
        if journal is None:
            self._differences.compare(
                "journal", str(number), "row", movement(report), None, JOURNALS, number
            )
            return
        for asset, amount in ((CASH, report.cash_e4), (report.security_id, report.shares)):
            if asset is not None and amount:
                moved = sum(
                    leg[2] for leg in _own_legs(self._client_id, journal) if leg[1] == asset
                )
                field = "amount_e4" if asset == CASH else "shares"
                self._differences.compare(
                    "journal", f"{number} {asset}", field, amount, moved, JOURNALS, number
                )


def entries_of(client_id: str, report: SettlementReport, journal: JournalRow) -> list[Entry]:
    """The client's entries in the assets its report names, each with the entry beside it that
    answers it.
    """
    legs = list(zip(journal.accounts, journal.assets, journal.amounts, strict=True))
    assets = {CASH if report.cash_e4 else None, report.security_id if report.shares else None}
    entries = []
    for place, (account, asset, amount) in enumerate(legs):
        if account == client_id and asset in assets:
            counter = _counter_leg(legs, place)
            entries.append(
                Entry(asset, _amount(asset, amount), counter[0], _amount(asset, counter[2]))
            )
    return entries


def _own_legs(client_id: str, journal: JournalRow) -> Iterator[tuple[str, str, int]]:
    legs = zip(journal.accounts, journal.assets, journal.amounts, strict=True)
    return (leg for leg in legs if leg[0] == client_id)


def _counter_leg(legs: Sequence[tuple[str, str, int]], place: int) -> tuple[str, str, int]:
    """Entries come in pairs: the one before an odd place, or after an even one."""
    _, asset, amount = legs[place]
    beside = place ^ 1
    if beside < len(legs) and legs[beside][1:] == (asset, -amount):
        return legs[beside]
    return "?", asset, -amount


def _amount(asset: str, amount: int) -> str:
    return signed(amount) if asset == CASH else f"{amount:+}"


def lines(moved: Movement) -> list[str]:
    """A movement in words: what happened, then each entry with its counter-leg and what is there
    now.
    """
    said = [f"{moved.sequence:>8} {moved.time} {moved.what}; fee {moved.fee}"]
    for entry in moved.entries:
        left = f"balance {moved.balance}" if entry.asset == CASH else f"holding {moved.holding}"
        met = f"{entry.counter_account} {entry.counter_amount}"
        said.append(
            f"{'':>9}{entry.asset:<8} {entry.amount:>14}  against {met:<30} journal "
            f"{moved.journal_id:<8} {left}"
        )
    return said


def _ending_lines(ending: dict[str, Any]) -> list[str]:
    said = [
        f"{ending['client_id']}: {ending['explained']}",
        f"live: balance {ending['balance']}, of which held {ending['held']}, available "
        f"{ending['available']}",
    ]
    said += [f"PARTS {difference}" for difference in ending["differences"]]
    return [*said, "every cent and share is explained"] if ending["equal"] else said
