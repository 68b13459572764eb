"""The sums of statements, in histories drawn at random, and against a slow, obvious reference."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.venue_protocol.report_history import ReportHistory
from tests.unit.venue_protocol.test_statement import FOR_EVER, REFERENCE_E4, made, msg
from venue_protocol.settlement import SettlementReport

ACTION = st.tuples(
    st.sampled_from(
        ("deposit", "give", "take", "buy", "sell", "bust", "correct", "dividend", "split", "fine")
    ),
    st.sampled_from(("AAPL", "MSFT")),
    st.integers(1, 40),
    st.integers(1, 2_000_000),
    st.integers(-5, 300),
)


def played(actions: list[tuple[str, str, int, int, int]]) -> ReportHistory:
    """A history of these actions, each as far as it can be done."""
    history = ReportHistory()
    busted: set[int | None] = set()
    for what, security, quantity, price_e4, fee_e4 in actions:
        have = history.holdings.get(security, 0)
        trades = [
            each
            for each in history.reports
            if each.settlement_kind == "trade" and each.trade_id not in busted
        ]
        if what == "deposit":
            history.deposit(price_e4)
        elif what == "give":
            history.give(security, quantity)
        elif what == "take" and have >= quantity:
            history.give(security, -quantity)
        elif what == "buy":
            history.buy(security, quantity, price_e4, fee_e4)
        elif what == "sell" and have >= quantity:
            history.sell(security, quantity, price_e4, fee_e4)
        elif what == "bust" and trades:
            trade = trades[quantity % len(trades)]
            if history.holdings[trade.security_id or ""] >= trade.shares:
                busted.add(trade.trade_id)
                history.bust(trade)
        elif what == "correct" and trades:
            trade = trades[quantity % len(trades)]
            busted.add(trade.trade_id)
            fields = {"security_id": trade.security_id, "trade_id": trade.trade_id}
            history.add("correction", fee_e4, 0, **fields)
        elif what == "dividend" and have:
            history.add("dividend", have * quantity, 0, security_id=security)
        elif what == "split" and have and not busted:
            history.add("split", 0, have, security_id=security)
        elif what == "fine":
            history.add("fine", -quantity)
    return history


def slow_realised(reports: list[SettlementReport]) -> Fraction:
    """What all sales earned, in fractions: the whole history again, without what was busted."""
    busted = {each.trade_id for each in reports if each.settlement_kind == "bust"}
    changed = {
        each.trade_id: each.cash_e4 for each in reports if each.settlement_kind == "correction"
    }
    shares: dict[str, int] = {}
    cost: dict[str, Fraction] = {}
    earned = Fraction(0)
    for each in reports:
        name, moved = each.security_id or "", each.shares
        have, before = shares.get(name, 0), cost.get(name, Fraction(0))
        if each.settlement_kind == "split":
            shares[name] = have + moved
        elif each.settlement_kind in ("deposit", "withdrawal") and moved:
            value = moved * REFERENCE_E4 if moved > 0 else before * moved / have
            shares[name], cost[name] = have + moved, before + value
        elif each.settlement_kind == "trade" and each.trade_id not in busted:
            assert each.price_e4 is not None
            cash = -moved * each.price_e4 + changed.get(each.trade_id, 0)
            gone = before * -moved / have if moved < 0 else Fraction(cash)
            if moved < 0:
                earned += cash - gone
            shares[name] = have + moved
            cost[name] = before - (gone if moved < 0 else cash)
    return earned


@settings(deadline=None, max_examples=300)
@given(actions=st.lists(ACTION, max_size=40), cut=st.integers(0, 41_000_000))
def test_the_sums_fit_in_any_history_and_any_period(
    actions: list[tuple[str, str, int, int, int]], cut: int
) -> None:
    reports = played(actions).reports
    prices = {"AAPL": 1_234_567, "MSFT": 3}
    whole, lines = made(reports, prices_e4=prices)
    parts = made(reports, 0, cut, prices)[0], made(reports, cut, FOR_EVER, prices)[0]
    for each in (whole, *parts):
        assert each.faults == []
    assert whole.closing.cash_e4 == sum(each.cash_e4 for each in reports)
    assert sum(line.gross_e4 - line.fee_e4 for line in lines) == whole.closing.cash_e4
    assert len(lines) == len(reports) == parts[0].movements + parts[1].movements
    assert msg(parts[0].closing) == msg(parts[1].opening)
    assert msg(parts[1].closing) == msg(whole.closing)
    for cause in whole.cash | parts[0].cash | parts[1].cash:
        assert whole.cash.get(cause, 0) == sum(part.cash.get(cause, 0) for part in parts)


@settings(deadline=None, max_examples=300)
@given(actions=st.lists(ACTION, max_size=40))
def test_what_sales_earned_is_that_of_a_slow_obvious_reference(
    actions: list[tuple[str, str, int, int, int]],
) -> None:
    """No bust here makes shares short in the history without it: then both average the same.

    Each sale rounds by less than a ten-thousandth of a dollar.
    """
    kept = [each for each in actions if each[0] not in ("bust", "take")]
    reports = played(kept).reports
    statement, _ = made(reports)
    sales = sum(1 for each in reports if each.side == "SELL")
    assert abs(statement.realised_e4() - slow_realised(reports)) <= sales


@settings(deadline=None, max_examples=200)
@given(actions=st.lists(ACTION, max_size=30), pick=st.integers(0, 100))
def test_after_a_bust_all_is_as_if_the_trade_had_not_been(
    actions: list[tuple[str, str, int, int, int]], pick: int
) -> None:
    """The statement of a history with a busted trade ends as that of the history without it."""
    kept = [each for each in actions if each[0] in ("deposit", "buy", "sell", "dividend", "fine")]
    history = played(kept)
    trades = [each for each in history.reports if each.settlement_kind == "trade"]
    if not trades:
        return
    trade = trades[pick % len(trades)]
    without = ReportHistory()
    for each in history.reports:
        if each is not trade:
            fields = {
                name: getattr(each, name)
                for name in ("security_id", "trade_id", "side", "quantity", "price_e4")
            }
            without.add(each.settlement_kind, each.cash_e4, each.shares, **fields)
    history.bust(trade)
    prices = {"AAPL": 7, "MSFT": 9_999_999}
    busted, never = (
        made(history.reports, prices_e4=prices)[0],
        made(without.reports, prices_e4=prices)[0],
    )
    assert msg(busted.closing) == msg(never.closing)
    assert busted.earned == never.earned
