"""`./venue ledger`: the double entry to look at. A trial balance, an account, one journal.

A debit is what an account got, a credit what it gave: of a client's cash, what came in and what
went out. (A bank's statement says it the other way round, for it shows its own side.)
"""

import argparse
import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from venue_audit import books, databases
from venue_audit.books import Balance
from venue_audit.settlements import iso, require_client
from venue_audit.snapshot import Snapshot
from venue_launcher.errors import CommandError
from venue_launcher.terminal import paint
from venue_protocol.holds import CASH
from venue_protocol.money import format_e4, format_for_people
from venue_storage.clearing_rows import JournalRow

_CLIENTS = "clients"
_ACTION = """
SELECT administrator, action, reason FROM administrative_actions
WHERE details::json->>'journal_id' = %s ORDER BY number LIMIT 1
"""
_REPORTS = """
SELECT client_id, report::json->>'memo' FROM settlement_reports
WHERE client_id = ANY (%s) AND report::json->>'journal_id' = %s ORDER BY sequence LIMIT 1
"""
_TRADE = """
SELECT security_id, quantity, price_e4, buy_order_id, sell_order_id FROM trades WHERE trade_id = %s
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which part of the ledger."""
    parser.add_argument("account", nargs="?", help="a client or account of the venue: its entries")
    parser.add_argument("--journal", type=int, metavar="N", help="one journal with all its legs")
    parser.add_argument("--asset", help="USD or a security; default: all")
    parser.add_argument(
        "--accounts", action="store_true", help="the trial balance with every client"
    )
    parser.add_argument(
        "--last", type=int, default=40, metavar="N", help="of an account: the newest N entries"
    )
    parser.add_argument("--json", action="store_true", help="one JSON list on standard output")
    databases.add_arguments(parser)
    parser.epilog = (
        "Without an account: the trial balance. What accounts got (debits) and gave (credits) is "
        "the same for each asset, and each position is the sum of its entries."
    )


def run(arguments: argparse.Namespace) -> int:
    """0 when the books balance, 1 when they part."""
    with databases.opened(arguments) as found, Snapshot(found.clearing_url) as clearing:
        if arguments.journal is not None:
            with Snapshot(found.market_url) as market:
                return _show_journal(clearing, market, arguments.journal, arguments.json)
        if arguments.account is not None:
            require_client(clearing, arguments.account)
            return _show_account(clearing, arguments)
        return _show_balance(clearing, arguments)


def _show_balance(clearing: Snapshot, arguments: argparse.Namespace) -> int:
    rows = [each for each in books.balances(clearing) if arguments.asset in (None, each.asset)]
    shown = rows if arguments.accounts else grouped(rows)
    parted = [each for each in rows if each.difference]
    unbalanced = {asset: total for asset, total in totals(rows).items() if any(total)}
    if arguments.json:
        print(json.dumps([_balance_view(each) for each in shown], indent=2))
    else:
        print("\n".join(trial_balance(shown)))
        print("\n".join(_verdict(parted, unbalanced)))
    return 1 if parted or unbalanced else 0


def grouped(rows: Iterable[Balance]) -> list[Balance]:
    """All clients of an asset as one account; the venue's own each by itself."""
    sums: dict[tuple[str, str, str], tuple[int, int, int]] = {}
    for each in rows:
        name = each.client_id if each.role == "venue" else _CLIENTS
        key = (name, each.role if name != _CLIENTS else _CLIENTS, each.asset)
        amounts = zip(sums.get(key, (0, 0, 0)), each[3:], strict=True)
        position, entered, unsettled = (before + more for before, more in amounts)
        sums[key] = (position, entered, unsettled)
    return [Balance(*key, *amounts) for key, amounts in sums.items()]


def totals(rows: Iterable[Balance]) -> dict[str, tuple[int, int]]:
    """Sum of positions and of entries for each asset: both are zero in sound books."""
    sums: dict[str, tuple[int, int]] = {}
    for each in rows:
        position, entered = sums.get(each.asset, (0, 0))
        sums[each.asset] = (position + each.position, entered + each.entered)
    return sums


def trial_balance(rows: Sequence[Balance]) -> list[str]:
    """A table for each asset: what every account has, on the side on which it stands."""
    said = []
    for asset in dict.fromkeys(each.asset for each in rows):
        of_asset = [each for each in rows if each.asset == asset]
        said += ["", paint(f"{asset:<40}{'debit':>22}{'credit':>22}", "bold")]
        for each in of_asset:
            later = f"   {shown(asset, each.unsettled)} to be settled" if each.unsettled else ""
            mark = f"   {shown(asset, each.difference)} not in journals" if each.difference else ""
            said.append(f"{each.client_id:<40}{_sides(asset, each.position)}{later}{mark}")
        debits = sum(each.position for each in of_asset if each.position > 0)
        gives = sum(-each.position for each in of_asset if each.position < 0)
        said.append(f"{'':<40}{shown(asset, debits):>22}{shown(asset, gives):>22}")
    return said[1:]


def _verdict(parted: Sequence[Balance], unbalanced: dict[str, tuple[int, int]]) -> list[str]:
    said = [""]
    for asset, (position, entered) in unbalanced.items():
        said.append(
            paint(
                f"DOES NOT BALANCE {asset}: positions sum to {shown(asset, position)}, entries to "
                f"{shown(asset, entered)}",
                "red",
            )
        )
    for each in parted:
        said.append(
            paint(
                f"PARTS {each.client_id} {each.asset}: it has {shown(each.asset, each.settled)} "
                f"that is settled, its entries make {shown(each.asset, each.entered)}",
                "red",
            )
        )
    sound = "debits and credits are equal for each asset, and each position is in the journals"
    return said if len(said) > 1 else ["", paint(sound, "green")]


def _show_account(clearing: Snapshot, arguments: argparse.Namespace) -> int:
    last: int | None = arguments.last if arguments.last > 0 and not arguments.json else None
    entries = deque(entries_of(clearing, arguments.account, arguments.asset), maxlen=last)
    if arguments.json:
        print(json.dumps(list(entries), indent=2))
    else:
        print("\n".join(_account_lines(arguments.account, list(entries))))
    return 0


def entries_of(clearing: Snapshot, client_id: str, asset: str | None) -> Iterator[dict[str, Any]]:
    """The account's entries, oldest first, each with what it met and the balance after it."""
    running: dict[str, int] = {}
    for row in books.journals(clearing, client_id):
        legs = books.legs(row)
        for place, (name, of_asset, amount) in enumerate(legs):
            if name != client_id or asset not in (None, of_asset):
                continue
            running[of_asset] = running.get(of_asset, 0) + amount
            yield {
                "journal_id": row.journal_id,
                "time": iso(row.time_us),
                "kind": row.journal_kind,
                "trade_id": row.trade_id,
                "reference": row.reference,
                "asset": of_asset,
                "debit": _plain(of_asset, max(amount, 0)),
                "credit": _plain(of_asset, max(-amount, 0)),
                "against": _counter(legs, place),
                "balance": _plain(of_asset, running[of_asset]),
            }


def _account_lines(client_id: str, entries: Sequence[dict[str, Any]]) -> list[str]:
    heads = f"{'time, UTC':<20}{'journal':>9} {'kind':<15}{'against':<24}{'asset':<8}"
    said = [paint(client_id, "bold"), f"{heads}{'debit':>16}{'credit':>16}{'balance':>18}"]
    for each in entries:
        debit, credit = (
            "" if each[side] in ("0", "0.00") else each[side] for side in ("debit", "credit")
        )
        said.append(
            f"{each['time'][:19]:<20}{each['journal_id']:>9} {each['kind']:<15}"
            f"{each['against']:<24}{each['asset']:<8}{debit:>16}{credit:>16}{each['balance']:>18}"
        )
    return said if entries else [*said, "no entries"]


def _show_journal(clearing: Snapshot, market: Snapshot, number: int, is_json: bool) -> int:
    row = books.journal(clearing, number)
    if row is None:
        raise CommandError(f"there is no journal {number}")
    cause = causes(clearing, market, row)
    if is_json:
        print(json.dumps(_journal_view(row) | {"causes": cause}, indent=2))
        return 0
    print(paint(f"journal {row.journal_id}: {row.journal_kind}", "bold"), iso(row.time_us))
    print("\n".join(f"  {line}" for line in cause))
    for asset in dict.fromkeys(row.assets):
        print(f"\n  {asset:<38}{'debit':>18}{'credit':>18}")
        legs = [leg for leg in books.legs(row) if leg[1] == asset]
        for client_id, _, amount in legs:
            print(f"  {client_id:<38}{_sides(asset, amount, 18)}")
        gets = sum(max(leg[2], 0) for leg in legs)
        gives = sum(max(-leg[2], 0) for leg in legs)
        print(f"  {'':<38}{shown(asset, gets):>18}{shown(asset, gives):>18}")
    return 0


def causes(clearing: Snapshot, market: Snapshot, row: JournalRow) -> list[str]:
    """What a journal was written for: its trade and orders, or who asked for it and why."""
    said = []
    if row.trade_id is not None:
        said.append(f"trade {row.trade_id}")
        trade = market.one(_TRADE, (row.trade_id,))
        if trade is not None:
            security, quantity, price_e4, buy, sell = trade
            price = format_for_people(price_e4)
            said.append(f"{quantity:,} {security} at {price}: order {buy} bought, {sell} sold")
    if row.reference:
        said.append(f"reference {row.reference}")
    action = clearing.one(_ACTION, (str(row.journal_id),))
    if action is not None:
        by, what, reason = action
        said.append(f"{what} by {by}" + (f": {reason}" if reason else ""))
    told = clearing.one(_REPORTS, (list(set(row.accounts)), str(row.journal_id)))
    if told is not None and told[1]:
        said.append(f"reported as: {told[1]}")
    return said


def shown(asset: str, amount: int) -> str:
    """For people: dollars with commas, or shares."""
    return format_for_people(amount) if asset == CASH else f"{amount:,}"


def _sides(asset: str, amount: int, width: int = 22) -> str:
    """The amount in the column of its side."""
    text = shown(asset, abs(amount))
    return f"{text:>{width}}{'':>{width}}" if amount >= 0 else f"{'':>{width}}{text:>{width}}"


def _plain(asset: str, amount: int) -> str:
    return format_e4(amount) if asset == CASH else str(amount)


def _counter(legs: Sequence[tuple[str, str, int]], place: int) -> str:
    """Whom the entry meets: the one beside it, or all on the other side of its asset."""
    name, asset, amount = legs[place]
    beside = place ^ 1
    if beside < len(legs) and legs[beside][1:] == (asset, -amount):
        return legs[beside][0]
    others = dict.fromkeys(
        leg[0] for leg in legs if leg[1] == asset and leg[0] != name and leg[2] * amount < 0
    )
    return next(iter(others), "") if len(others) == 1 else f"{len(others)} accounts"


def _balance_view(each: Balance) -> dict[str, Any]:
    return {
        "account": each.client_id,
        "role": each.role,
        "asset": each.asset,
        "position": _plain(each.asset, each.position),
        "entered": _plain(each.asset, each.entered),
        "unsettled": _plain(each.asset, each.unsettled),
        "difference": _plain(each.asset, each.difference),
    }


def _journal_view(row: JournalRow) -> dict[str, Any]:
    return {
        "journal_id": row.journal_id,
        "kind": row.journal_kind,
        "time": iso(row.time_us),
        "trade_id": row.trade_id,
        "reference": row.reference,
        "legs": [
            {"account": name, "asset": asset, "amount": _plain(asset, amount)}
            for name, asset, amount in books.legs(row)
        ],
    }
