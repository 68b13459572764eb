"""`./venue export ledger`: the whole ledger as the text of beancount or hledger.

Each journal is a transaction, each of its entries a posting. At the end every account's position is
asserted, so that the program finds what the journals do not explain, to a ten-thousandth: beancount
would pass over a cent without `~ 0.00`, hledger asserts exactly.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import NamedTuple, Protocol

from clearinghouse.domain.fees import FEES
from venue_audit import books, databases
from venue_audit.books import Balance
from venue_audit.ledger_accounts import account, commodity
from venue_audit.snapshot import Snapshot
from venue_launcher.terminal import report
from venue_protocol.holds import CASH
from venue_protocol.money import E4
from venue_protocol.settlement import SettlementReport
from venue_protocol.times import format_utc
from venue_storage.clearing_rows import JournalRow

_MARKS = "SELECT security_id, mark_e4 FROM marks ORDER BY security_id"
_DAY_US = 86_400_000_000


class Posting(NamedTuple):
    """One entry: what the account got, ten-thousandths of a dollar or shares."""

    account: str
    asset: str
    amount: int


class Entry(NamedTuple):
    """One transaction, before a program writes it down."""

    time_us: int
    kind: str
    cause: str
    """What it was written for, in words."""
    journal_id: int
    """0: no journal yet, a cycle of net settlement settles it later."""
    postings: tuple[Posting, ...]


class Form(Protocol):
    """How a program writes a ledger down; each method gives whole lines."""

    def head(self, day: str, assets: Iterable[str], accounts: Iterable[str]) -> Iterator[str]:
        """Title, commodities, accounts."""
        ...

    def transaction(self, entry: Entry) -> Iterator[str]:
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

    def transaction(self, entry: Entry) -> Iterator[str]:
        """Kind as payee, cause as narration, number and time as metadata."""
        yield ""
        yield f"{_day(entry.time_us)} * {_quoted(entry.kind)} {_quoted(entry.cause)}"
        yield f"  journal: {entry.journal_id}"
        yield f"  time: {_quoted(format_utc(entry.time_us))}"
        for each in entry.postings:
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

    def transaction(self, entry: Entry) -> Iterator[str]:
        """Kind and cause as description, number and time as tags."""
        time = format_utc(entry.time_us)
        cause = entry.cause.replace(";", ",").replace("|", "/")
        yield ""
        yield f"{time[:10]} * {entry.kind} | {cause}  ; journal:{entry.journal_id}, time:{time}"
        for each in entry.postings:
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
    first_us, last_us = books.span(clearing)
    if not last_us:
        return
    is_net = books.has_cycles(clearing)
    ending = [_settled(each) for each in found] + [_unsettled(each) for each in found if is_net]
    assets = dict.fromkeys(each.asset for each in found)
    yield from form.head(_day(first_us), assets, [each.account for each in ending])
    naming = _Naming({each.client_id: each.role for each in found}, is_net)
    entries = map(naming.of_journal, books.journals(clearing))
    for entry in chain(entries, _unsettled_entries(clearing, naming) if is_net else ()):
        last_us = max(last_us, entry.time_us)
        yield from form.transaction(entry)
    day = _day(last_us + _DAY_US)
    yield ""
    for security_id, mark_e4 in market.all(_MARKS):
        yield from form.price(day, security_id, mark_e4)
    yield from form.assertions(day, ending)


class _Naming:
    """Makes entries of journals and reports, with the names of the export."""

    def __init__(self, roles: Mapping[str, str], is_net: bool) -> None:
        self._roles = roles
        self._is_net = is_net

    def of_journal(self, row: JournalRow) -> Entry:
        """A journal. One of net settlement takes from what was unsettled what it settles."""
        postings = [self._posting(*leg) for leg in books.legs(row)]
        if row.journal_kind == "net_settlement":
            legs = books.legs(row)
            postings += [self._posting(who, asset, -moved, False) for who, asset, moved in legs]
        cause = f"trade {row.trade_id}" if row.trade_id is not None else row.reference
        return Entry(
            row.time_us,
            row.journal_kind,
            cause or row.journal_kind,
            row.journal_id,
            tuple(postings),
        )

    def of_reports(self, reports: Sequence[SettlementReport]) -> Entry:
        """What moved without a journal, told by its reports to all sides: receivable and payable.

        The account `fees` gets no reports: what is left over of cash is owed to it.
        """
        postings = []
        for told in reports:
            if told.security_id is not None and told.shares:
                leg = (told.client_id, told.security_id, told.shares)
                postings.append(self._posting(*leg, False))
            if told.cash_e4:
                postings.append(self._posting(told.client_id, CASH, told.cash_e4, False))
        fees_e4 = -sum(told.cash_e4 for told in reports)
        if fees_e4:
            postings.append(self._posting(FEES, CASH, fees_e4, False))
        first = reports[0]
        cause = f"trade {first.trade_id}, due in cycle {first.settlement_cycle}"
        return Entry(first.time_us, first.settlement_kind, cause, 0, tuple(postings))

    def _posting(self, client_id: str, asset: str, amount: int, is_settled: bool = True) -> Posting:
        name = account(client_id, self._roles[client_id], asset, is_settled=is_settled)
        return Posting(name, asset, amount)


def _unsettled_entries(clearing: Snapshot, naming: _Naming) -> Iterator[Entry]:
    """Trades that a cycle settles, one by one: both sides' reports stand beside each other."""
    by_cause = groupby(
        books.unsettled_reports(clearing),
        key=lambda told: (told.settlement_kind, told.trade_id, told.time_us),
    )
    return (naming.of_reports(list(reports)) for _, reports in by_cause)


def _settled(each: Balance) -> Posting:
    return Posting(account(each.client_id, each.role, each.asset), each.asset, each.settled)


def _unsettled(each: Balance) -> Posting:
    name = account(each.client_id, each.role, each.asset, is_settled=False)
    return Posting(name, each.asset, each.unsettled)


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
