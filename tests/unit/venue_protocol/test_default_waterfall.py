"""The default waterfall, to the ten-thousandth of a dollar."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue_protocol import default_waterfall
from venue_protocol.default_waterfall import MEMBER, Means, contribution_of
from venue_protocol.securities import Security
from venue_protocol.settlement import CLEARING_CAPITAL
from venue_protocol.stock_loans import MarginRules, StockLoan

ANN, BOB, CAT = (contribution_of(name) for name in ("ann", "bob", "cat"))
AAPL = Security("AAPL", "Apple", 0, 100, 1, 5_000, 1_600_000)
MEANS = Means(300_000, {"bob": 2_000_000, "cat": 1_000_000}, 200_000)


def test_each_source_gives_only_what_those_before_it_lack() -> None:
    given_ = default_waterfall.draws(1_000_000, "ann", MEANS)
    assert given_ == {
        MEMBER: 300_000,
        CLEARING_CAPITAL: 200_000,
        BOB: 333_333,
        CAT: 166_667,
    }
    assert list(given_)[:2] == [MEMBER, CLEARING_CAPITAL]
    assert default_waterfall.draws(250_000, "ann", MEANS) == {MEMBER: 250_000}
    own = msgspec.structs.replace(MEANS, contributions_e4={"ann": 50_000, "bob": 1})
    assert default_waterfall.draws(400_000, "ann", own) == {
        MEMBER: 300_000,
        ANN: 50_000,
        CLEARING_CAPITAL: 50_000,
    }


def test_nothing_is_drawn_for_what_is_there_and_no_more_than_there_is() -> None:
    assert (
        default_waterfall.draws(0, "ann", MEANS) == default_waterfall.draws(-5, "ann", MEANS) == {}
    )
    assert sum(default_waterfall.draws(1 << 62, "ann", MEANS).values()) == 3_500_000


def test_what_is_left_goes_back_to_those_who_came_last_first() -> None:
    used = {MEMBER: 100, ANN: 50, CLEARING_CAPITAL: 30, BOB: 20, CAT: 10}
    loan = StockLoan("ann", "AAPL", pot_e4=45, used_e4=used)
    assert default_waterfall.given_back(loan) == {BOB: 20, CAT: 10, CLEARING_CAPITAL: 15}
    some = msgspec.structs.replace(loan, pot_e4=7)
    assert default_waterfall.given_back(some) == {BOB: 5, CAT: 2}
    everything = msgspec.structs.replace(loan, pot_e4=210)
    assert default_waterfall.given_back(everything) == used


def test_the_example_of_the_module() -> None:
    loan = StockLoan("ann", "AAPL", 10, 15_000_000, call_kind="margin")
    loan = default_waterfall.closing(loan, 1_600_000, MarginRules())
    assert (loan.pot_e4, loan.collateral_e4, loan.recalled) == (15_000_000, 0, 10)
    price_e4 = default_waterfall.limit_e4(1_600_000, 1, AAPL)
    assert price_e4 == 1_632_000
    means = Means(0, {"ann": 1_000_000}, 10_000_000)
    drawn = default_waterfall.draws(price_e4 * 10 - loan.pot_e4, "ann", means)
    assert drawn == {ANN: 1_000_000, CLEARING_CAPITAL: 320_000}
    loan = msgspec.structs.replace(
        loan, pot_e4=16_320_000 - 16_100_000, used_e4=default_waterfall.added(loan.used_e4, drawn)
    )
    back = default_waterfall.given_back(loan)
    assert back == {CLEARING_CAPITAL: 220_000}
    assert drawn[CLEARING_CAPITAL] - back[CLEARING_CAPITAL] == 100_000, "the capital lost $10.00"


def test_a_recall_moves_only_the_collateral_of_what_it_asks_for() -> None:
    loan = StockLoan("ann", "AAPL", 10, 15_000_000, call_kind="recall", recalled=4)
    after = default_waterfall.closing(loan, 1_000_000, MarginRules())
    assert (after.collateral_e4, after.pot_e4, after.recalled) == (9_000_000, 6_000_000, 4)


@pytest.mark.parametrize(
    ("attempt", "price_e4"), [(1, 1_632_000), (2, 1_664_000), (25, 2_400_000), (99, 2_400_000)]
)
def test_each_order_may_pay_more_up_to_the_edge_of_the_band(attempt: int, price_e4: int) -> None:
    assert default_waterfall.limit_e4(1_600_000, attempt, AAPL) == price_e4


def test_an_order_is_of_whole_lots_that_the_money_pays_for() -> None:
    loan = StockLoan("ann", "AAPL", 100, recalled=100)
    lots = msgspec.structs.replace(AAPL, lot=10)
    assert default_waterfall.quantity_of(loan, 1_000_000, 39_999_999, lots) == 30
    assert default_waterfall.quantity_of(loan, 1_000_000, 10**12, lots) == 100
    assert default_waterfall.quantity_of(loan, 1_000_000, 9, lots) == 0


members = st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 10**9), max_size=7)


@given(st.integers(0, 10**10), st.integers(0, 10**9), members, st.integers(0, 10**9), st.data())
def test_nothing_is_made_or_lost_and_those_who_come_last_lose_last(
    need_e4: int, free_e4: int, contributions: dict[str, int], capital_e4: int, data: st.DataObject
) -> None:
    means = Means(free_e4, contributions, capital_e4)
    drawn = default_waterfall.draws(need_e4, "a", means)
    whole = free_e4 + sum(contributions.values()) + capital_e4
    assert sum(drawn.values()) == min(need_e4, whole)
    has = {MEMBER: free_e4, CLEARING_CAPITAL: capital_e4}
    has |= {contribution_of(name): amount for name, amount in contributions.items()}
    assert all(0 < amount <= has[source] for source, amount in drawn.items())
    left_e4 = data.draw(st.integers(0, sum(drawn.values())))
    loan = StockLoan("a", "AAPL", pot_e4=left_e4, used_e4=drawn)
    back = default_waterfall.given_back(loan)
    assert sum(back.values()) == left_e4
    lost = {source: amount - back.get(source, 0) for source, amount in drawn.items()}
    assert all(loss >= 0 for loss in lost.values())
    order = [MEMBER, contribution_of("a"), CLEARING_CAPITAL]
    others = sum(loss for source, loss in lost.items() if source not in order)
    for place, source in enumerate(order):
        later = others + sum(lost.get(name, 0) for name in order[place + 1 :])
        assert not later or lost.get(source, 0) == has.get(source, 0), "it lost all it had first"
    moved = default_waterfall.movements("a", drawn, 1)
    assert sum(moved.values()) == 0 and moved["close_out"] == sum(drawn.values())


@given(st.integers(0, 10**9), members)
def test_a_shared_loss_is_exact_and_fair(amount: int, parts: dict[str, int]) -> None:
    amount = min(amount, sum(parts.values()))
    given_ = default_waterfall.shared(amount, parts)
    assert sum(given_.values()) == amount
    whole = sum(parts.values())
    for name, part in parts.items():
        assert 0 <= given_.get(name, 0) <= part
        assert abs(given_.get(name, 0) * whole - amount * part) < max(1, whole)
