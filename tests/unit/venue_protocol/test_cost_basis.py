"""Average cost in integers: what goes, what stays, and that nothing is lost on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue_protocol.statements.cost_basis import AmendedBasis, CostBasis, Move


def after(*moves: tuple[int, int]) -> tuple[int, int, int]:
    """Shares, cost and what was earned after exchanges of (shares, cash)."""
    basis = CostBasis()
    for shares, cash_e4 in moves:
        basis.apply(Move(shares, cash_e4))
    return basis.shares, basis.cost_e4, basis.realised_e4


@pytest.mark.parametrize(
    ("moves", "left"),
    [
        (((3, -10_000),), (3, 10_000, 0)),
        (((3, -10_000), (-1, 5_000)), (2, 6_667, 1_667)),
        (((3, -10_000), (-1, 5_000), (-2, 10_000)), (0, 0, 5_000)),
        (((2, -5), (-1, 0)), (1, 2, -3)),  # 2.5 goes: a half away from zero
        (((-10, 1_000),), (-10, -1_000, 0)),
        (((-10, 1_000), (4, -300)), (-6, -600, 100)),
        (((5, -500), (-15, 1_800)), (-10, -1_200, 100)),  # through zero: a third closes
        (((-10, 1_000), (0, -5)), (-10, -1_000, -5)),
    ],
)
def test_what_goes_and_what_stays(
    moves: tuple[tuple[int, int], ...], left: tuple[int, int, int]
) -> None:
    assert after(*moves) == left


MOVES = st.lists(
    st.builds(
        Move,
        st.integers(-50, 50),
        st.integers(-100_000, 100_000),
        st.integers(1, 6),
        st.booleans(),
    ),
    max_size=30,
)


@given(moves=MOVES)
def test_what_was_earned_is_the_cash_and_what_the_shares_left_cost(moves: list[Move]) -> None:
    basis = CostBasis()
    for move in moves:
        basis.apply(move)
    assert basis.realised_e4 == sum(move.cash_e4 for move in moves) + basis.cost_e4
    assert basis.shares or not basis.cost_e4


@given(moves=MOVES, change=st.tuples(st.integers(-50, 50), st.integers(-1_000, 1_000)))
def test_an_amended_trade_makes_the_basis_of_a_history_in_which_it_was_always_so(
    moves: list[Move], change: tuple[int, int]
) -> None:
    numbered = [move._replace(trade_id=number) for number, move in enumerate(moves, 1)]
    if not numbered:
        return
    basis = AmendedBasis(CostBasis(7, 700))
    earned_e4 = sum(basis.apply(move) for move in numbered)
    at = len(numbered) // 2
    earned_e4 += basis.amend(Move(*change, numbered[at].trade_id))
    slow = CostBasis(7, 700)
    for number, move in enumerate(numbered):
        more = change if number == at else (0, 0)
        slow.apply(move._replace(shares=move.shares + more[0], cash_e4=move.cash_e4 + more[1]))
    assert (basis.now.shares, basis.now.cost_e4) == (slow.shares, slow.cost_e4)
    assert earned_e4 == slow.realised_e4 == basis.now.realised_e4


def test_a_trade_that_is_not_known_can_not_be_amended() -> None:
    basis = AmendedBasis(CostBasis())
    basis.apply(Move(1, -5, 9))
    with pytest.raises(KeyError):
        basis.amend(Move(-1, 5, 8))
