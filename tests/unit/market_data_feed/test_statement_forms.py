"""A statement as a page, as a table, as JSON: what is said, and that no text can do harm."""

import csv
from html.parser import HTMLParser

import pytest

from market_data_feed.adapters import statements_http
from market_data_feed.adapters.statements_http import MOST_MOVEMENTS, Statements, period
from service_runtime.clock import ManualClock
from tests.unit.venue_protocol.report_history import ReportHistory
from tests.unit.venue_protocol.test_statement import made
from venue_protocol.corporate_actions import Split
from venue_protocol.mark import MOST_TRADES, MarkTrade
from venue_protocol.refusals import Refused, RejectReason
from venue_protocol.statements import csv_rows, page, view
from venue_protocol.statements.fold import Discharge
from venue_protocol.statements.maker import Listing, Period, make, mark_at

BEGIN_US = 1_795_000_000_000_000


def told() -> ReportHistory:
    history = ReportHistory()
    history.add("deposit", 100_000_000, memo="starting position")
    history.buy("AAPL", 10, 1_001_000, fee_e4=4_301)
    history.add("fine", -100, memo='=HYPERLINK("x"),<script>alert(1)</script>')
    return history


class Text(HTMLParser):
    """The visible text, and the tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags = "", set[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_says_each_sum_to_the_ten_thousandth_and_runs_nothing() -> None:
    statement, lines = made(told().reports, prices_e4={"AAPL": 1_000_000})
    shown = Text(page.page(statement, lines, "Riverside"))
    for said in ("Riverside", "8,998.5599", "0.4301", "bought 10 AAPL", "$9,998.5599", "$100.10"):
        assert said in shown.text, said
    assert "script" not in shown.tags
    assert "<script>alert(1)</script>" in shown.text
    assert statement.last_hash in shown.text


def test_a_page_whose_sums_do_not_fit_says_so_first() -> None:
    reports = told().reports
    statement, lines = made([reports[0], reports[2]])
    shown = Text(page.page(statement, lines)).text
    assert "These sums do not fit." in shown and "fits the balance" not in shown


def test_the_table_is_read_by_a_reader_of_csv_and_sums_to_the_closing_balance() -> None:
    statement, lines = made(told().reports)
    rows = list(csv.DictReader("".join(csv_rows.rows(statement, lines)).splitlines()))
    assert [row["kind"] for row in rows] == ["opening", "deposit", "trade", "fine", "closing"]
    assert tuple(rows[0]) == csv_rows.COLUMNS
    moved = sum(round(float(row["cash"]) * 10_000) for row in rows[1:-1])
    assert moved == statement.closing.cash_e4 == round(float(rows[-1]["balance"]) * 10_000)
    assert rows[3]["memo"].startswith("'="), "a spreadsheet would run it"
    assert rows[2]["fee"] == "0.4301" and rows[2]["gross"] == "-1001.00"


def test_programs_get_money_as_strings_and_causes_in_order() -> None:
    statement, lines = made(told().reports)
    told_of = view.statement(statement)
    assert [(each["cause"], each["amount"]) for each in told_of["cash"]] == [
        ("deposits", "10000.00"),
        ("bought", "-1001.00"),
        ("fees", "-0.4301"),
        ("fines", "-0.01"),
    ]
    assert told_of["fits"] is True and told_of["closing"]["cash"] == "8998.5599"
    assert view.movement(lines[1])["realised"] == "0.00"


def test_a_period_never_reaches_beyond_now() -> None:
    assert period((None, None), 100) == Period(0, 100, True)
    assert period((10, 50), 100) == Period(10, 50, False)
    assert period((10, 500), 100) == Period(10, 100, True)
    assert period((200, None), 100) == Period(100, 100, True)


class FakeSource:
    """Ann's reports and some trades of AAPL."""

    def __init__(self, history: ReportHistory, trades: list[MarkTrade]) -> None:
        self._history, self._trades = history, trades
        self.listing = Listing(1_000_000, 100)

    def reports(self, client_id: str):  # type: ignore[no-untyped-def]
        return iter(self._history.reports)

    def amended_trades(self, client_id: str) -> set[int]:
        return set()

    def discharges(self, client_id: str) -> list[Discharge]:
        return []

    def listings(self) -> dict[str, Listing]:
        return {"AAPL": self.listing}

    def trades_until(self, security_id: str, time_us: int, passed: int) -> list[MarkTrade]:
        before = [each for each in self._trades if each.time_us < time_us]
        return before[::-1][passed : passed + MOST_TRADES]

    def marks_now(self) -> dict[str, int]:
        return {"AAPL": 1_111_100}


def trades(prices_e4: list[int], first_us: int) -> list[MarkTrade]:
    """Trades of different pairs of clients, a second apart."""
    return [
        MarkTrade(first_us + 1_000_000 * at, price_e4, 10, f"b{at}", f"s{at}")
        for at, price_e4 in enumerate(prices_e4)
    ]


def test_shares_count_at_the_mark_of_the_moment_and_now_at_that_of_the_standings() -> None:
    source = FakeSource(told(), trades([1_100_050, 1_100_050, 1_300_000, 1_300_000], 10_000_000))
    now = make(source, "ann", Period(0, 60_000_000, True), lambda line: None)
    then = make(source, "ann", Period(0, 11_500_000, False), lambda line: None)
    early = make(source, "ann", Period(0, 10_500_000, False), lambda line: None)
    assert [each.securities[0].price_e4 for each in (now, then, early)] == [
        1_111_100,
        1_100_000,
        1_000_000,
    ]


def test_the_mark_of_a_moment_is_found_behind_many_trades_of_few_clients() -> None:
    agreed = trades([1_100_000] * 4, 1_000_000)
    noise = [
        MarkTrade(900_000_000 + at, 9_000_000, 1, "ann", "bob") for at in range(2 * MOST_TRADES)
    ]
    source = FakeSource(told(), agreed + noise)
    assert mark_at(source, "AAPL", 1 << 60, Listing(1_000_000, 100)) == 1_100_000


def test_a_statement_waits_for_its_place_and_is_refused_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(statements_http, "_PATIENCE_S", 0.01)
    made_while_reading: list[int] = []

    class Asking(FakeSource):
        def listings(self) -> dict[str, Listing]:
            """While a statement is being made, others are asked for."""
            made_while_reading.append(1)
            if len(made_while_reading) < 3:
                statements.read("ann", (None, None), 0, 10)
            return super().listings()

    statements = Statements(Asking(told(), []), ManualClock(BEGIN_US))
    with pytest.raises(Refused) as refused:
        statements.read("ann", (None, None), 0, 10)
    assert refused.value.refusal.reason is RejectReason.OVERLOADED
    assert len(made_while_reading) == 2
    assert statements.read("ann", (None, None), 0, 10)[0].movements == 3, "both places are free"


def test_shares_of_before_a_split_count_at_the_reference_price_of_before_it() -> None:
    """Given 10 at $100.00, split 3 for 2 at 20 s: they cost $1,000.00 for ever."""
    listing = Listing(1_000_000, 100, ((20_000_000, Split(3, 2, 666_667)),))
    assert [listing.reference_at(at) for at in (0, 19_999_999, 20_000_000)] == [
        1_000_000,
        1_000_000,
        666_600,
    ]
    history = ReportHistory()
    history.add("deposit", 0, 10, security_id="AAPL", time_us=10_000_000)
    history.add("split", 0, 5, security_id="AAPL", time_us=20_000_000)
    history.add("deposit", 0, 3, security_id="AAPL", time_us=30_000_000)
    source = FakeSource(history, [])
    source.listing = listing
    statement = make(source, "ann", Period(0, 40_000_000, False), lambda line: None)
    assert statement.faults == []
    assert statement.paid_in_e4 == statement.closing.cost_e4 == 10_000_000 + 3 * 666_600
    assert statement.securities[0].price_e4 == 666_600


def test_trades_of_before_a_split_make_the_mark_in_new_shares() -> None:
    listing = Listing(1_000_000, 100, ((50_000_000, Split(2, 1, 500_000)),))
    source = FakeSource(told(), trades([1_100_000] * 4, 10_000_000))
    assert mark_at(source, "AAPL", 49_999_999, listing) == 1_100_000
    assert mark_at(source, "AAPL", 50_000_001, listing) == 550_000


@pytest.mark.parametrize(("after", "numbers"), [(0, [1, 2, 3]), (1, [2, 3]), (3, [])])
def test_lines_come_page_by_page_and_the_sums_are_of_the_whole(
    after: int, numbers: list[int]
) -> None:
    clock = ManualClock(BEGIN_US)
    statements = Statements(FakeSource(told(), []), clock)
    statement, lines = statements.read("ann", (None, None), after, MOST_MOVEMENTS)
    assert [line.number for line in lines] == numbers
    assert statement.movements == 3
    _, few = statements.read("ann", (None, None), 0, 1)
    assert len(few) == 2, "one more than asked, so that the page knows that another follows"
