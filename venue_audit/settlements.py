"""`./venue replay settlements`: balances and holdings retold from the settlement reports, step by
step.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from venue_audit import databases
from venue_audit.differences import Differences
from venue_audit.positions_check import PositionsCheck
from venue_audit.report_ledger import ClientBooks, ReportLedger
from venue_audit.snapshot import Snapshot
from venue_launcher.errors import CommandError
from venue_protocol.money import format_e4
from venue_protocol.settlement import SettlementReport
from venue_storage.clearing_rows import ReportRow

SPEEDS = {"1": 1, "10": 10, "max": None}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALL = (
    "SELECT sequence, client_id, client_sequence, report FROM settlement_reports ORDER BY sequence"
)
_OF_CLIENT = """
SELECT sequence, client_id, client_sequence, report FROM settlement_reports
WHERE client_id = %(client)s ORDER BY client_sequence
"""
_NEWEST = "SELECT last_report_sequence FROM settlement_heads"
_KNOWN = "SELECT 1 FROM clients WHERE client_id = %s"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose reports, which, and how fast."""
    parser.add_argument("--client", metavar="NAME", help="only this client's reports")
    parser.add_argument(
        "--from", dest="first", type=int, default=1, metavar="SEQ", help="tell from this report on"
    )
    parser.add_argument("--to", dest="last", type=int, metavar="SEQ", help="stop after this report")
    parser.add_argument(
        "--speed",
        choices=list(SPEEDS),
        default="max",
        help="as it happened, ten times faster, or without pauses",
    )
    databases.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Retell; 0 when the end is the live values (or --to came before it), 1 when they part."""
    with databases.opened(arguments) as found, Snapshot(found.clearing_url) as clearing:
        require_client(clearing, arguments.client)
        return Retelling(clearing, arguments.client, SPEEDS[arguments.speed]).run(
            arguments.first, arguments.last
        )


def require_client(clearing: Snapshot, client_id: str | None) -> None:
    """CommandError unless there is such a client."""
    if client_id is not None and clearing.one(_KNOWN, (client_id,)) is None:
        raise CommandError(f"there is no client {client_id}: see ./venue client list")


def report_rows(clearing: Snapshot, client_id: str | None) -> Iterator[ReportRow]:
    """The reports of one client, or of all, in sequence."""
    return map(
        ReportRow._make, clearing.stream(_OF_CLIENT if client_id else _ALL, {"client": client_id})
    )


class Retelling:
    """Tells reports in sequence, each with what it left its client with."""

    def __init__(
        self,
        clearing: Snapshot,
        client_id: str | None,
        speed: int | None = None,
        say: Callable[[str], None] = print,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clearing = clearing
        self._client_id = client_id
        self._speed = speed
        self._say = say
        self._pause = pause
        self._differences = Differences()
        self._ledger = ReportLedger(self._differences, is_whole=client_id is None)

    def run(self, first: int = 1, last: int | None = None) -> int:
        """Tell the reports from `first` to `last` (default: all); what was before counts, but is
        not told.
        """
        told_us: int | None = None
        stopped = False
        for row in report_rows(self._clearing, self._client_id):
            if last is not None and row.sequence > last:
                stopped = True
                break
            report = self._ledger.take(row)
            if report is None or row.sequence < first:
                continue
            if self._speed and told_us is not None:
                self._pause(max(0, report.time_us - told_us) / 1e6 / self._speed)
            told_us = report.time_us
            self._say(line(report))
        return self._conclude(stopped)

    def _conclude(self, stopped: bool) -> int:
        """Where every client stands, and whether that is where it stands live."""
        for client_id, books in sorted(self._ledger.clients.items()):
            self._say(f"{client_id}: {standing(books)}")
        if stopped:
            newest = self._clearing.number(_NEWEST)
            self._say(
                f"stopped after report {self._ledger.last_sequence} of {newest}: not compared "
                "with the live values"
            )
        else:
            PositionsCheck(self._clearing, self._differences).against_reports(
                self._ledger.clients, self._client_id
            )
        for difference in self._differences:
            self._say(f"PARTS {difference}")
        if not stopped and not self._differences.count:
            self._say(
                "these are exactly the live balances and holdings, and every hash chain holds"
            )
        return 1 if self._differences.count else 0


def line(report: SettlementReport) -> str:
    """One report in words: what moved, and what is there now."""
    said = f"{report.sequence:>8} {iso(report.time_us)} {report.client_id}: {movement(report)}"
    said += f"; balance {format_e4(report.balance_e4)}"
    return said + (f", {report.holding} {report.security_id}" if report.security_id else "")


def movement(report: SettlementReport) -> str:
    """What a report says happened."""
    if report.settlement_kind == "failed_trade":
        return f"trade {report.trade_id} could not be settled: {report.memo}"
    if report.settlement_kind == "trade":
        did = "bought" if report.side == "BUY" else "sold"
        price = format_e4(report.price_e4 or 0)
        cause = f"trade {report.trade_id}, order {report.order_id}"
        if report.fee_e4:
            paid = "fee" if report.fee_e4 > 0 else "rebate"
            cause += f", {paid} {format_e4(abs(report.fee_e4))}"
        if report.settlement_cycle is not None:
            cause += f", due in cycle {report.settlement_cycle}"
        return f"{did} {report.quantity} {report.security_id} at {price} ({cause})"
    if report.settlement_kind == "net_settlement":
        shares = f"{report.settled_shares:+} {report.security_id}"
        settled = shares if report.security_id else signed(report.settled_cash_e4)
        left = f", {report.open_shares:+} still open" if report.open_shares else ""
        return f"cycle {report.settlement_cycle} settled {settled}{left}"
    moved = (
        f"{report.shares:+} {report.security_id}" if report.security_id else signed(report.cash_e4)
    )
    return f"{report.settlement_kind} {moved}" + (f" ({report.memo})" if report.memo else "")


def signed(amount_e4: int) -> str:
    """Money with its sign."""
    return f"{'+' if amount_e4 > 0 else ''}{format_e4(amount_e4)}"


def standing(books: ClientBooks) -> str:
    """Balance and holdings in words."""
    holdings = ", ".join(
        f"{quantity} {security}"
        for security, quantity in sorted(books.holdings.items())
        if quantity
    )
    return f"balance {format_e4(books.balance_e4)}" + (f", {holdings}" if holdings else "")


def iso(time_us: int) -> str:
    """UTC, to the microsecond."""
    return (
        (_EPOCH + timedelta(microseconds=time_us))
        .isoformat(timespec="microseconds")
        .replace("+00:00", "Z")
    )
