"""`./venue statement CLIENT`: why a client has what it has, from the databases, also of a venue
that is stopped.
"""

import argparse
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from clearinghouse.domain.fees import FEES
from clearinghouse.domain.venue_accounts import CLEARINGHOUSE, EXTERNAL
from venue_audit import databases
from venue_audit.settlements import iso, require_client, signed
from venue_audit.snapshot import Snapshot
from venue_launcher.errors import CommandError
from venue_launcher.terminal import paint
from venue_protocol.mark import MOST_TRADES, MarkTrade
from venue_protocol.money import format_for_people
from venue_protocol.settlement import SettlementReport
from venue_protocol.statements import csv_rows, page, view
from venue_protocol.statements.fold import Discharge
from venue_protocol.statements.maker import Listing, Period, make
from venue_protocol.statements.statement import CAUSES, EARNINGS, Line, Statement
from venue_protocol.times import TimeError, parse_utc
from venue_storage import statement_rows

_REFERENCES = "SELECT security_id, reference_price_e4 FROM securities"
_MARKS = "SELECT security_id, mark_e4 FROM marks"
_LIVE_CASH = "SELECT balance_e4 FROM accounts WHERE client_id = %s"
_LIVE_SHARES = "SELECT security_id, quantity FROM securities_deposits WHERE client_id = %s"
_DAY_US = 86_400_000_000


class SnapshotSource:
    """Body of `StatementSource` on snapshots of both databases."""

    def __init__(self, clearing: Snapshot, market: Snapshot) -> None:
        self._clearing, self._market = clearing, market

    def reports(self, client_id: str) -> Iterator[SettlementReport]:
        """All reports of the client, oldest first."""
        return statement_rows.reports(self._clearing.all, client_id)

    def amended_trades(self, client_id: str) -> set[int]:
        """Trades of the client that a bust or correction has changed."""
        return statement_rows.amended_trades(self._clearing.all, client_id)

    def discharges(self, client_id: str) -> list[Discharge]:
        """Borrowed shares that were given back for the client, oldest first."""
        return statement_rows.discharges(self._clearing.all, client_id)

    def listings(self) -> Mapping[str, Listing]:
        """Of each listed security."""
        return statement_rows.listings(self._clearing.all)

    def trades_until(self, security_id: str, time_us: int, passed: int) -> list[MarkTrade]:
        """Trades before the time, newest first."""
        ask = partial(statement_rows.trades_until, self._market.all)
        return [MarkTrade(*row) for row in ask(security_id, time_us, passed, MOST_TRADES)]

    def marks_now(self) -> Mapping[str, int]:
        """The marks that the record has kept; the reference price where it has none."""
        first: dict[str, int] = dict(self._clearing.all(_REFERENCES))
        return first | dict(self._market.all(_MARKS))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The client, the period, and the form."""
    parser.add_argument("client", help="the client's id")
    parser.add_argument(
        "--from", dest="from_us", type=moment, metavar="TIME", help="a day, or a moment in UTC"
    )
    parser.add_argument(
        "--to", dest="to_us", type=partial(moment, is_end=True), metavar="TIME", help="its end"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--html", action="store_true", help="a page to read and to print")
    form.add_argument("--csv", action="store_true", help="one movement a row")
    form.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--last", type=int, default=20, metavar="N", help="in the terminal: the newest N movements"
    )
    databases.add_arguments(parser)
    parser.epilog = (
        "Times are UTC: 2026-11-21 or 2026-11-21T14:30:00Z. Profit is at average cost; "
        "docs/clearing.md says how each figure is made."
    )


def moment(text: str, is_end: bool = False) -> int:
    """Microseconds since the epoch of a moment, or of the begin (or end) of a day."""
    is_day = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None
    try:
        found_us = parse_utc(f"{text}T00:00:00Z" if is_day else text)
    except TimeError as error:
        raise argparse.ArgumentTypeError(f"{error}, or 2026-11-21") from None
    return found_us + _DAY_US if is_day and is_end else found_us


def run(arguments: argparse.Namespace) -> int:
    """0 when all sums fit, and the end is what is there now; 1 when they part."""
    from_us, to_us = arguments.from_us, arguments.to_us
    if from_us is not None and to_us is not None and from_us >= to_us:
        raise CommandError("--from must be before --to")
    with (
        databases.opened(arguments) as found,
        Snapshot(found.clearing_url) as clearing,
        Snapshot(found.market_url) as market,
    ):
        _require_client(clearing, arguments.client)
        now_us = time.time_ns() // 1_000
        end_us = now_us if to_us is None else min(to_us, now_us)
        reaches_now = to_us is None or to_us >= now_us
        lines: list[Line] = []
        made = make(
            SnapshotSource(clearing, market),
            arguments.client,
            Period(min(from_us or 0, end_us), end_us, reaches_now),
            lines.append,
        )
        parted = _parted(clearing, made) if reaches_now else []
    print(_shown(arguments, made, lines), end="")
    for fault in parted:
        print(paint(f"PARTS {fault}", "red"))
    return 1 if made.faults or parted else 0


def _require_client(clearing: Snapshot, client_id: str) -> None:
    """CommandError where there is no such client, or where it is an account without reports."""
    require_client(clearing, client_id)
    if client_id in (*EXTERNAL, CLEARINGHOUSE, FEES):
        raise CommandError(
            f"{client_id} is an account of the venue itself: see ./venue ledger {client_id}"
        )


def _parted(clearing: Snapshot, made: Statement) -> list[str]:
    """Where the end of the statement is not what the accounts hold now."""
    live = {"cash": clearing.number(_LIVE_CASH, (made.client_id,))}
    live |= dict(clearing.all(_LIVE_SHARES, (made.client_id,)))
    told = {"cash": made.closing.cash_e4}
    told |= {line.security_id: line.closing for line in made.securities}
    return [
        f"{name}: the accounts hold {live.get(name, 0)}, the statement ends with "
        f"{told.get(name, 0)}"
        for name in sorted(live | told)
        if live.get(name, 0) != told.get(name, 0)
    ]


def _shown(arguments: argparse.Namespace, made: Statement, lines: list[Line]) -> str:
    if arguments.html:
        return page.page(made, lines)
    if arguments.csv:
        return "".join(csv_rows.rows(made, lines))
    if arguments.json:
        movements = [view.movement(line) for line in lines]
        whole = view.statement(made) | {"movements": movements}
        return json.dumps(whole, indent=2) + "\n"
    return "\n".join(text(made, lines, arguments.last)) + "\n"


def text(made: Statement, lines: list[Line], last: int) -> list[str]:
    """For a terminal: the sums, the shares, and the newest movements."""
    since, until = iso(made.opening.time_us)[:19], iso(made.closing.time_us)[:19]
    said = [paint(f"{made.client_id}, {since} to {until} UTC", "bold"), ""]
    said += _sums("cash", made.opening.cash_e4, made.cash, CAUSES, made.closing.cash_e4)
    if made.unsettled_e4:
        said[-1:] = [_amount("  of it to be settled", made.unsettled_e4, _signed), ""]
    paid = {"paid_in": made.paid_in_e4} if made.paid_in_e4 else {}
    words = {"paid_in": "paid in, less paid out"} | EARNINGS
    said += _sums(
        "cash and shares", made.opening.equity_e4, paid | made.earned, words, made.closing.equity_e4
    )
    said += _table_of_shares(made)
    newest = lines[-last:] if last > 0 else []
    if len(newest) < len(lines):
        said.append(f"movements, the newest {len(newest)} of {len(lines):,} (--last N)")
    said += [_movement(line) for line in newest]
    said += ["", f"report {made.last_report:,} seals it all: {made.last_hash}"]
    said += [paint(f"DOES NOT FIT {fault}", "red") for fault in made.faults]
    return said if made.faults else [*said, paint("every sum fits", "green")]


def _sums(
    name: str, opening_e4: int, amounts: Mapping[str, int], words: Mapping[str, str], end_e4: int
) -> list[str]:
    said = [_amount(f"{name} at the beginning", opening_e4, format_for_people)]
    said += [
        _amount(f"  {words[each]}", amounts[each], _signed) for each in words if each in amounts
    ]
    return [*said, paint(_amount(f"{name} at the end", end_e4, format_for_people), "bold"), ""]


def _amount(words: str, amount_e4: int, shown: Callable[[int], str]) -> str:
    """Padded so that points stand below each other: two of four decimals may be missing."""
    number = shown(amount_e4)
    return f"{words:<36}{number + ' ' * (4 - len(number.partition('.')[2])):>22}"


def _signed(amount_e4: int) -> str:
    return f"{'+' if amount_e4 > 0 else ''}{format_for_people(amount_e4)}"


def _table_of_shares(made: Statement) -> list[str]:
    if not made.securities:
        return []
    heads = ("security", "opening", "bought", "sold", "other", "closing", "cost", "value", "earned")
    said = ["{:<10}{:>9}{:>9}{:>9}{:>8}{:>9}{:>15}{:>15}{:>13}".format(*heads)]
    for line in made.securities:
        said.append(
            f"{line.security_id:<10}{line.opening:>9,}{line.bought:>9,}{line.sold:>9,}"
            f"{line.other:>+8,}{line.closing:>9,}{format_for_people(line.cost_e4):>15}"
            f"{format_for_people(line.value_e4):>15}{_signed(line.realised_e4):>13}"
            + (f"  {line.borrowed:,} borrowed" if line.borrowed else "")
            + (f"  {line.unsettled:+,} to be settled" if line.unsettled else "")
        )
    return [*said, ""]


def _movement(line: Line) -> str:
    price = f" at {format_for_people(line.price_e4)}" if line.price_e4 is not None else ""
    fee = f", fee {format_for_people(line.fee_e4)}" if line.fee_e4 else ""
    trade = f", trade {line.trade_id}" if line.trade_id is not None else ""
    trade = "" if f"trade {line.trade_id}" in line.what else trade
    what = f"{line.what}{price}{trade}{fee}"
    cash = signed(line.cash_e4) if line.cash_e4 else ""
    return (
        f"{iso(line.time_us)[:19]} {what:<52} {cash:>13} {format_for_people(line.balance_e4):>16}"
    )
