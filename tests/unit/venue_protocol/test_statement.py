"""Statements: what each kind of movement does to cash, cost and profit."""

from collections.abc import Iterable, Mapping

from tests.unit.venue_protocol.report_history import ReportHistory
from venue_protocol.settlement import SettlementReport
from venue_protocol.statements.fold import AMENDING_KINDS, Discharge, StatementFold
from venue_protocol.statements.statement import Line, Statement

REFERENCE_E4 = 1_000_000
FOR_EVER = 4_000_000_000_000_000


def made(
    reports: Iterable[SettlementReport],
    from_us: int = 0,
    to_us: int = FOR_EVER,
    prices_e4: Mapping[str, int] | None = None,
    opening_e4: Mapping[str, int] | None = None,
) -> tuple[Statement, list[Line]]:
    reports = list(reports)
    amended = {
        each.trade_id
        for each in reports
        if each.settlement_kind in AMENDING_KINDS and each.trade_id is not None
    }
    fold = StatementFold("ann", from_us, to_us, lambda _security, _time_us: REFERENCE_E4, amended)
    lines = [line for each in reports if (line := fold.take(each)) is not None]
    return fold.statement(opening_e4 or prices_e4 or {}, prices_e4 or {}), lines


def test_a_week_later_the_statement_says_why_there_are_9998_dollars_and_13_cents() -> None:
    """$10,000.00 - 10 x $100.10 + 10 x $100.00 - two fees of $0.43 and $0.44 = $9,998.13."""
    history = ReportHistory()
    history.deposit(100_000_000)
    history.buy("AAPL", 10, 1_001_000, fee_e4=4_300)
    history.sell("AAPL", 10, 1_000_000, fee_e4=4_400)
    statement, lines = made(history.reports)
    assert statement.faults == []
    assert statement.closing.cash_e4 == 99_981_300
    assert statement.cash == {
        "deposits": 100_000_000,
        "bought": -10_010_000,
        "sold": 10_000_000,
        "fees": -8_700,
    }
    assert statement.paid_in_e4 == 100_000_000
    assert statement.earned == {"realised": -10_000, "fees": -8_700}
    assert [line.balance_e4 for line in lines] == [100_000_000, 89_985_700, 99_981_300]
    assert lines[1].what == "bought 10 AAPL"
    assert statement.last_hash == history.reports[-1].hash


def test_a_period_begins_where_the_one_before_ended() -> None:
    history = ReportHistory()
    history.deposit(100_000_000)
    history.buy("AAPL", 3, 1_000_001)
    history.sell("AAPL", 1, 1_000_100)
    history.sell("AAPL", 1, 1_000_200)
    prices = {"AAPL": 1_000_300}
    first, _ = made(history.reports, 0, 3_500_000, prices)
    second, lines = made(history.reports, 3_500_000, FOR_EVER, prices)
    assert msg(first.closing) == msg(second.opening)
    assert [line.number for line in lines] == [4]
    assert second.securities[0].opening == 2
    assert first.realised_e4() + second.realised_e4() == made(history.reports)[0].realised_e4()


def msg(moment: object) -> tuple[int, ...]:
    return tuple(getattr(moment, name) for name in ("cash_e4", "shares_value_e4", "cost_e4"))


def test_a_bust_makes_the_cost_as_if_the_trade_had_never_been() -> None:
    """Bought 10 at $100 and 10 at $200, sold 10 at $180: $300. Without the $200: $800."""
    history = ReportHistory()
    history.deposit(100_000_000)
    history.buy("AAPL", 10, 1_000_000)
    dear = history.buy("AAPL", 10, 2_000_000, fee_e4=500)
    history.sell("AAPL", 10, 1_800_000)
    history.bust(dear)
    statement, lines = made(history.reports)
    assert statement.faults == []
    assert [line.realised_e4 for line in lines] == [0, 0, 0, 3_000_000, 5_000_000]
    assert statement.earned == {"realised": 8_000_000}
    assert statement.cash["busts"] == 20_000_000
    assert "fees" not in statement.cash
    assert statement.securities[0].closing == 0


def test_a_busted_sale_gives_the_shares_back_at_their_old_cost() -> None:
    history = ReportHistory()
    history.buy("AAPL", 10, 1_000_000)
    sale = history.sell("AAPL", 10, 1_200_000)
    history.bust(sale)
    statement, _ = made(history.reports, prices_e4={"AAPL": 1_100_000})
    assert statement.faults == []
    assert statement.earned == {"unrealised": 1_000_000}
    assert statement.securities[0].cost_e4 == 10_000_000


def test_a_bust_told_in_one_report_for_cash_and_one_for_shares_is_the_same() -> None:
    history = ReportHistory()
    dear = history.buy("AAPL", 10, 2_000_000, fee_e4=500)
    history.add("bust", -dear.cash_e4, 0, trade_id=dear.trade_id)
    history.add("bust", 0, -10, security_id="AAPL", trade_id=dear.trade_id)
    statement, _ = made(history.reports)
    assert statement.faults == []
    assert statement.earned == {}
    assert statement.closing.cash_e4 == 0
    assert statement.closing.cost_e4 == 0


def test_a_corrected_price_changes_the_cost() -> None:
    history = ReportHistory()
    trade = history.buy("AAPL", 10, 2_000_000)
    history.add("correction", 5_000_000, 0, security_id="AAPL", trade_id=trade.trade_id)
    statement, _ = made(history.reports)
    assert statement.faults == []
    assert statement.securities[0].cost_e4 == 15_000_000
    assert statement.earned == {}


def test_a_split_changes_the_shares_and_not_their_cost() -> None:
    history = ReportHistory()
    history.buy("AAPL", 10, 1_000_000)
    history.add("split", 0, 10, security_id="AAPL")
    history.sell("AAPL", 5, 600_000)
    statement, _ = made(history.reports)
    assert statement.faults == []
    assert statement.earned == {"realised": 500_000}
    assert statement.securities[0].cost_e4 == 7_500_000


def test_a_reverse_split_that_leaves_no_share_pays_and_realises_all() -> None:
    history = ReportHistory()
    history.buy("AAPL", 3, 1_000_000)
    history.add("split", 2_900_000, -3, security_id="AAPL")
    statement, _ = made(history.reports)
    assert statement.faults == []
    assert statement.earned == {"realised": -100_000}


def test_a_new_symbol_takes_the_cost_with_it() -> None:
    history = ReportHistory()
    history.buy("FB", 3, 1_000_000)
    history.add("symbol_change", 0, -3, security_id="FB", journal_id=9)
    history.add("symbol_change", 0, 3, security_id="META", journal_id=9)
    statement, _ = made(history.reports)
    assert statement.faults == []
    assert {line.security_id: line.cost_e4 for line in statement.securities} == {
        "FB": 0,
        "META": 3_000_000,
    }


def test_borrowed_shares_are_not_the_clients_own_and_a_short_sale_earns_when_bought_back() -> None:
    history = ReportHistory()
    history.add("stock_loan", 0, 10, security_id="AAPL")
    history.sell("AAPL", 10, 1_000_000)
    open_short, _ = made(history.reports, prices_e4={"AAPL": 1_050_000})
    assert open_short.closing.equity_e4 == -500_000
    assert open_short.earned == {"unrealised": -500_000}
    history.buy("AAPL", 10, 900_000)
    history.add("loan_fee", -700)
    history.add("loan_return", 0, -10, security_id="AAPL")
    closed, _ = made(history.reports)
    assert closed.faults == []
    assert closed.earned == {"realised": 1_000_000, "stock_loans": -700}


def test_a_close_out_ends_the_debt_and_its_cost_is_a_line_of_its_own() -> None:
    """10 borrowed and sold for $1,000; $1,610 of collateral bought them back: a loss of $610."""
    history = ReportHistory()
    history.deposit(100_000_000)
    history.add("stock_loan", 0, 10, security_id="AAPL")
    history.sell("AAPL", 10, 1_000_000)
    history.add("close_out", -16_320_000, memo="close-out of AAPL begins")
    history.add("close_out", 220_000, memo="close-out of ann AAPL done")
    fold = StatementFold(
        "ann", 0, FOR_EVER, lambda *_: REFERENCE_E4, (), [Discharge(45, 4_500_000, "AAPL", 10)]
    )
    lines = [line for each in history.reports if (line := fold.take(each)) is not None]
    statement = fold.statement({}, {})
    assert statement.faults == []
    assert statement.earned == {"realised": 10_000_000, "close_outs": -16_100_000}
    assert statement.securities[0].borrowed == statement.closing.cost_e4 == 0
    assert lines[3].what == "close-out of AAPL begins"


def test_a_short_sale_is_carried_through_a_split_a_new_symbol_and_a_delisting() -> None:
    """10 borrowed and sold for $1,000; 20 are owed after 2 for 1, as META, and $30.00 for each in
    the end: a profit of $400.
    """
    history = ReportHistory()
    history.deposit(100_000_000)
    history.add("stock_loan", 0, 10, security_id="AAPL")
    history.sell("AAPL", 10, 1_000_000)
    history.add("loan_return", -6_000_000, memo="20 META delisted at 30.00")
    followed = [
        Discharge(45, 4_500_000, "AAPL", -10, is_exchange=False),
        Discharge(46, 4_600_000, "AAPL", 0, renamed="META"),
        Discharge(47, 4_700_000, "META", 20),
    ]
    fold = StatementFold("ann", 0, FOR_EVER, lambda *_: REFERENCE_E4, (), followed)
    for each in history.reports:
        fold.take(each)
    statement = fold.statement({}, {})
    assert statement.faults == []
    assert statement.earned == {"realised": 10_000_000, "stock_loans": -6_000_000}
    assert statement.closing.cost_e4 == 0
    fold = StatementFold("ann", 0, FOR_EVER, lambda *_: REFERENCE_E4, (), followed[:2])
    for each in history.reports[:3]:
        fold.take(each)
    statement = fold.statement({}, {})
    assert statement.faults == []
    assert [
        (line.security_id, line.borrowed) for line in statement.securities if line.borrowed
    ] == [("META", 20)]
    assert statement.closing.cost_e4 == -10_000_000


def test_what_was_done_is_said_with_its_reason() -> None:
    history = ReportHistory()
    trade = history.buy("AAPL", 10, 1_000_000)
    history.add(
        "bust",
        10_000_000,
        -10,
        security_id="AAPL",
        trade_id=trade.trade_id,
        memo="bust of trade 1000: erroneous price",
    )
    history.add("split", 0, 5, security_id="AAPL", memo="split 3 for 2")
    history.add("deposit", 100, memo="deposit")
    history.add("deposit", 0, 5, security_id="AAPL", memo="starting position")
    history.add("stock_loan", 0, memo="recall of 10 AAPL until noon")
    history.add("dividend", 30_000, security_id="AAPL", memo="0.30 a share")
    assert [line.what for line in made(history.reports)[1]] == [
        "bought 10 AAPL",
        "bust of trade 1000: erroneous price (AAPL)",
        "split 3 for 2 (AAPL)",
        "deposit",
        "deposit of 5 AAPL: starting position",
        "recall of 10 AAPL until noon",
        "dividend of AAPL: 0.30 a share",
    ]


def test_shares_given_count_at_the_reference_price_and_go_at_their_cost() -> None:
    history = ReportHistory()
    history.give("AAPL", 10)
    history.give("AAPL", -4)
    statement, _ = made(history.reports, prices_e4={"AAPL": REFERENCE_E4})
    assert statement.faults == []
    assert statement.paid_in_e4 == 6 * REFERENCE_E4
    assert statement.earned == {}


def test_a_missing_report_is_named() -> None:
    history = ReportHistory()
    history.deposit(100)
    history.deposit(10_000)
    history.deposit(200)
    statement, _ = made([history.reports[0], history.reports[2]])
    assert statement.faults[0] == "report 3 does not follow report 1"
    assert "leaves 10300 of cash" in statement.faults[1]


def test_a_report_of_the_clock_of_before_belongs_to_the_period_of_the_report_before_it() -> None:
    history = ReportHistory()
    history.add("deposit", 100, time_us=5_000)
    history.add("deposit", 200, time_us=4_999)
    assert made(history.reports, 5_000, 6_000)[0].closing.cash_e4 == 300
    assert made(history.reports, 0, 5_000)[0].closing.cash_e4 == 0


def test_what_a_cycle_has_not_settled_is_said_and_settling_moves_nothing_again() -> None:
    history = ReportHistory()
    history.deposit(100_000_000)
    fields = {"security_id": "AAPL", "journal_id": 0, "settlement_cycle": 7}
    history.add("trade", -10_000_000, 10, side="BUY", quantity=10, price_e4=1_000_000, **fields)
    history.add("trade", 4_040_000, -4, side="SELL", quantity=4, price_e4=1_010_000, **fields)
    before, _ = made(history.reports)
    assert (before.unsettled_e4, before.securities[0].unsettled) == (-5_960_000, 6)
    history.add("net_settlement", settlement_cycle=7, settled_cash_e4=-5_960_000)
    history.add("net_settlement", security_id="AAPL", settlement_cycle=7, settled_shares=6)
    after, lines = made(history.reports)
    assert (after.unsettled_e4, after.securities[0].unsettled) == (0, 0)
    assert after.faults == before.faults == []
    assert msg(after.closing) == msg(before.closing) and after.cash == before.cash
    assert lines[-2].what == "settlement cycle 7: 596.00 paid by you"
    assert lines[-1].what == "settlement cycle 7: 6 AAPL delivered to you"
