"""The ledger moves all legs or none, and never lets a hold exceed what is there."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.fees import FEES, trade_fees_e4
from clearinghouse.domain.ledger import HoldRelease, Ledger, Leg, Position, Shortfall, total
from clearinghouse.domain.settlement import CLEARINGHOUSE, trade_legs, trade_releases
from venue_protocol.events import Trade
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.orders import BUY


def ledger_of(**cash: tuple[int, int]) -> Ledger:
    ledger = Ledger()
    for client_id, (quantity, held) in cash.items():
        ledger.positions[client_id, CASH] = Position(quantity, held)
    return ledger


def test_a_posting_moves_every_leg() -> None:
    ledger = ledger_of(ann=(100, 0), bob=(5, 0))
    assert ledger.post([Leg("ann", CASH, -40), Leg("bob", CASH, 40)]) is None
    assert (ledger.position("ann", CASH).quantity, ledger.position("bob", CASH).quantity) == (
        60,
        45,
    )


def test_legs_that_do_not_sum_to_zero_break_an_invariant_and_move_nothing() -> None:
    ledger = ledger_of(ann=(100, 0), bob=(5, 0))
    with pytest.raises(BrokenInvariant):
        ledger.post([Leg("ann", CASH, -40), Leg("bob", CASH, 41)])
    assert ledger.position("ann", CASH).quantity == 100


def test_a_shortfall_of_one_leg_moves_no_leg() -> None:
    ledger = ledger_of(ann=(100, 0), bob=(5, 0))
    shortfall = ledger.post([Leg("bob", CASH, -6), Leg("ann", CASH, 6)])
    assert shortfall == Shortfall("bob", CASH, -1, 0)
    assert (ledger.position("ann", CASH).quantity, ledger.position("bob", CASH).quantity) == (
        100,
        5,
    )
    assert not ledger.touched


def test_what_is_held_for_another_order_can_not_be_spent() -> None:
    ledger = ledger_of(ann=(100, 61), bob=(0, 0))
    assert ledger.post([Leg("ann", CASH, -40), Leg("bob", CASH, 40)]) == Shortfall(
        "ann", CASH, 60, 61
    )
    assert (
        ledger.post([Leg("ann", CASH, -40), Leg("bob", CASH, 40)], [HoldRelease("ann", CASH, 1)])
        is None
    )


def test_releasing_more_than_is_held_breaks_an_invariant() -> None:
    ledger = ledger_of(ann=(100, 10))
    with pytest.raises(BrokenInvariant):
        ledger.release(HoldRelease("ann", CASH, 11))
    assert ledger.position("ann", CASH).held == 10


def test_an_external_account_may_go_negative_and_no_other() -> None:
    ledger = ledger_of(ann=(0, 0))
    ledger.positions["bank", CASH] = Position(0, 0, is_external=True)
    assert ledger.post([Leg("bank", CASH, -7), Leg("ann", CASH, 7)]) is None
    assert ledger.position("bank", CASH).quantity == -7


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.integers(0, 50)), max_size=60
    )
)
def test_cash_is_conserved_and_never_negative(transfers: list[tuple[str, str, int]]) -> None:
    ledger = ledger_of(a=(100, 10), b=(100, 20), c=(0, 0), d=(5, 5))
    for payer, payee, amount in transfers:
        ledger.post([Leg(payer, CASH, -amount), Leg(payee, CASH, amount)])
        assert total(ledger) == 205
        assert all(
            0 <= position.held <= position.quantity for position in ledger.positions.values()
        )


_CLIENTS = ("ann", "bob", "cat")
_KEYS = [(client_id, asset) for client_id in _CLIENTS for asset in (CASH, "ACME")]


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 12), st.booleans()), min_size=6, max_size=6
    ),
    st.lists(
        st.tuples(
            st.sampled_from(_CLIENTS),
            st.sampled_from(_CLIENTS),
            st.integers(1, 9),
            st.integers(1, 9),
            st.integers(1, 9),
            st.sampled_from([(0, 0), (0, 0), (1_000, 0), (-1_500, 2_500), (2_000, 3_000)]),
        ),
        max_size=8,
    ),
)
def test_an_exchange_is_the_posting_of_its_legs(
    positions: list[tuple[int, int, bool]],
    trades: list[tuple[str, str, int, int, int, tuple[int, int]]],
) -> None:
    fast, plain = Ledger(), Ledger()
    for key, (quantity, held, is_external) in zip(_KEYS, positions, strict=True):
        fast.positions[key] = Position(quantity, held, is_external)
        plain.positions[key] = Position(quantity, held, is_external)
    for number, (buyer, seller, quantity, price_e4, limit_e4, rates) in enumerate(trades):
        trade = Trade(
            number, "ACME", price_e4, quantity, BUY, 1, buyer, limit_e4, 0, 2, seller, 0, *rates
        )
        outcomes = []
        for move in (
            partial(plain.post, trade_legs(trade), trade_releases(trade)),
            partial(
                fast.exchange,
                buyer,
                seller,
                "ACME",
                quantity,
                price_e4 * quantity,
                limit_e4 * quantity,
                trade_fees_e4(trade),
                FEES,
            ),
        ):
            try:
                outcomes.append(str(move()))
            except BrokenInvariant:
                outcomes.append("broken")
        assert outcomes[0] == outcomes[1]
        named = {
            key: position for key, position in plain.positions.items() if key[0] != CLEARINGHOUSE
        }
        assert {key: fast.positions[key] for key in named} == named
    assert fast.touched == plain.touched
