"""`./venue export ledger`: the whole ledger as the text of beancount or hledger.

Each journal is a transaction, each of its entries a posting. At the end every account's position is
asserted, so that the program finds what the journals do not explain, to a ten-thousandth: beancount
would pass over a cent without `~ 0.00`, hledger asserts exactly.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from venue_audit import books, databases
from venue_audit.books import Balance
from venue_audit.ledger_accounts import account, commodity
from venue_audit.snapshot import Snapshot
from venue_launcher.terminal import report
from venue_protocol.holds import CASH
from venue_protocol.money import E4
from venue_protocol.times import format_utc
from venue_storage.clearing_rows import JournalRow

_MARKS = "SELECT security_id, mark_e4 FROM marks ORDER BY security_id"
_DAY_US = 86_400_000_000


class Posting(NamedTuple):
    """One entry: what the account got, ten-thousandths of a dollar or shares."""

    account: str
    asset: str
    amount: int


class Form(Protocol):
    """How a program writes a ledger down; each method gives whole lines."""

    def head(self, day: str, assets: Iterable[str], accounts: Iterable[str]) -> Iterator[str]:
        """Title, commodities, accounts."""
        ...

    def transaction(self, row: JournalRow, postings: Iterable[Posting]) -> Iterator[str]:
        """One journal."""
        ...

    def price(self, day: str, asset: str, price_e4: int) -> Iterator[str]:
        """What a share is worth."""
        ...

    def assertions(self, day: str, found: Iterable[Posting]) -> Iterator[str]:
        """What each account has at the beginning of the day."""
        ...


class Beancount:
    """beancount 3. Four decimals in every amount of cash: its tolerance is half of the last one."""

    def head(self, day: str, assets: Iterable[str], accounts: Iterable[str]) -> Iterator[str]:
        """Options and openings."""
        yield 'option "title" "Ledger of the venue"'
        yield f'option "operating_currency" "{CASH}"'
        yield 'option "booking_method" "NONE"'
        yield ""
        for asset in assets:
            yield f"{day} commodity {commodity(asset)}"
        for name in accounts:
            yield f"{day} open {name}"

    def transaction(self, row: JournalRow, postings: Iterable[Posting]) -> Iterator[str]:
        """Kind as payee, cause as narration, number and time as metadata."""
        yield ""
        kind, cause = _quoted(row.journal_kind), _quoted(cause_of(row))
        yield f"{format_utc(row.time_us)[:10]} * {kind} {cause}"
        yield f"  journal: {row.journal_id}"
        yield f"  time: {_quoted(format_utc(row.time_us))}"
        for each in postings:
            yield f"  {each.account}  {self._amount(each)}"

    def price(self, day: str, asset: str, price_e4: int) -> Iterator[str]:
        """A price directive."""
        yield f"{day} price {commodity(asset)} {_dollars(price_e4)} {CASH}"

    def assertions(self, day: str, found: Iterable[Posting]) -> Iterator[str]:
        """Exact: without the tolerance of zero a cent too much would be accepted."""
        yield ""
        for each in found:
            number, asset = self._amount(each).rsplit(" ", 1)
            yield f"{day} balance {each.account}  {number} ~ 0.00 {asset}"

    def _amount(self, each: Posting) -> str:
        return f"{_number(each)} {commodity(each.asset)}"


class Hledger:
    """hledger 1.25 and later."""

    def head(self, day: str, assets: Iterable[str], accounts: Iterable[str]) -> Iterator[str]:
        """Commodities with their decimals, and accounts."""
        yield "; Ledger of the venue"
        for asset in assets:
            yield f"commodity {'1000.0000' if asset == CASH else '1000.'} {self._name(asset)}"
        yield ""
        for name in accounts:
            yield f"account {name}"

    def transaction(self, row: JournalRow, postings: Iterable[Posting]) -> Iterator[str]:
        """Kind and cause as description, number and time as tags."""
        time = format_utc(row.time_us)
        cause = cause_of(row).replace(";", ",").replace("|", "/")
        yield ""
        yield f"{time[:10]} * {row.journal_kind} | {cause}  ; journal:{row.journal_id}, time:{time}"
        for each in postings:
            yield f"    {each.account}  {self._amount(each)}"

    def price(self, day: str, asset: str, price_e4: int) -> Iterator[str]:
        """A price directive."""
        yield f"P {day} {self._name(asset)} {_dollars(price_e4)} {CASH}"

    def assertions(self, day: str, found: Iterable[Posting]) -> Iterator[str]:
        """A transaction of nothing for each account, so that a fault is shown by itself."""
        for each in found:
            nothing = self._amount(each._replace(amount=0))
            yield ""
            yield f"{day} * balance"
            yield f"    {each.account}  {nothing} = {self._amount(each)}"

    def _amount(self, each: Posting) -> str:
        return f"{_number(each)} {self._name(each.asset)}"

    def _name(self, asset: str) -> str:
        return asset if asset.isalpha() else f'"{asset}"'


FORMS: Mapping[str, Form] = {"beancount": Beancount(), "hledger": Hledger()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is exported, and for which program."""
    parser.add_argument("what", choices=["ledger"], help="every journal, and every balance")
    parser.add_argument("--format", choices=sorted(FORMS), required=True, help="who shall read it")
    databases.add_arguments(parser)
    parser.epilog = (
        "An example: ./venue export ledger --format beancount > venue.beancount; bean-check "
        "venue.beancount. Or: --format hledger > venue.journal; hledger -f venue.journal check."
    )


def run(arguments: argparse.Namespace) -> int:
    """0 once it is written to standard output."""
    with (
        databases.opened(arguments) as found,
        Snapshot(found.clearing_url) as clearing,
        Snapshot(found.market_url) as market,
    ):
        written = 0
        for line in lines(FORMS[arguments.format], clearing, market):
            written += 1
            sys.stdout.write(line + "\n")
    report(f"{written:,} lines for {arguments.format}")
    return 0


def lines(form: Form, clearing: Snapshot, market: Snapshot) -> Iterator[str]:
    """The whole export; journals are streamed, balances are in memory."""
    found = books.balances(clearing)
    roles = {each.client_id: each.role for each in found}
    names = [_account(each) for each in found]
    first_us, last_us = books.span(clearing)
    if not last_us:
        return
    assets = dict.fromkeys(each.asset for each in found)
    yield from form.head(_day(first_us), assets, names)
    for row in books.journals(clearing):
        yield from form.transaction(row, _postings(row, roles))
    day = _day(last_us + _DAY_US)
    yield ""
    for security_id, mark_e4 in market.all(_MARKS):
        yield from form.price(day, security_id, mark_e4)
    yield from form.assertions(
        day, (Posting(_account(each), each.asset, each.position) for each in found)
    )


def cause_of(row: JournalRow) -> str:
    """What a journal was written for, in words."""
    if row.trade_id is not None:
        return f"trade {row.trade_id}"
    return row.reference or row.journal_kind


def _postings(row: JournalRow, roles: Mapping[str, str]) -> Iterator[Posting]:
    for client_id, asset, amount in books.legs(row):
        yield Posting(account(client_id, roles[client_id], asset), asset, amount)


def _account(each: Balance) -> str:
    return account(each.client_id, each.role, each.asset)


def _number(each: Posting) -> str:
    """Dollars with four decimals, so that a ten-thousandth is never within a tolerance."""
    return _dollars(each.amount) if each.asset == CASH else str(each.amount)


def _dollars(amount_e4: int) -> str:
    sign = "-" if amount_e4 < 0 else ""
    dollars, rest = divmod(abs(amount_e4), E4)
    return f"{sign}{dollars}.{rest:04d}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _day(time_us: int) -> str:
    return format_utc(time_us)[:10]
