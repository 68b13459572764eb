"""Busts and corrections of a trade: what they move, to the ten-thousandth."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.corrections import (
    Correction,
    DoneCorrection,
    SettledTrade,
    after,
    bust,
    correct,
    settled_trade,
)
from clearinghouse.domain.fees import FEES
from clearinghouse.domain.ledger import Ledger, Leg, Position
from clearinghouse.domain.settlement import Settlement, trade_legs, trade_releases
from clearinghouse.domain.venue_accounts import CLEARINGHOUSE
from venue_protocol import codec
from venue_protocol.events import Trade
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.proposals import Fine, TradeBust, TradeCorrection, encode
from venue_protocol.settlement import SettlementReport

NOW_US = 1_700_000_000_000_000


def trade(**changes: object) -> Trade:
    """Ann buys 10 AAPL from Bob at $100.00."""
    plain = Trade(1, "AAPL", 1_000_000, 10, "BUY", 5, "ann", 1_000_000, 0, 4, "bob", 0)
    return msgspec.structs.replace(plain, **changes)


def desk(**holdings: tuple[int, int]) -> Settlement:
    """Cash and shares of each; nothing is held."""
    ledger = Ledger()
    for client_id, (cash_e4, shares) in holdings.items():
        ledger.positions[client_id, CASH] = Position(cash_e4)
        ledger.positions[client_id, "AAPL"] = Position(shares)
    return Settlement(ledger, {}, 0, 0)


def settled(settlement: Settlement, event: Trade) -> SettledTrade:
    """The trade as the store finds it, once it is settled."""
    for client_id, asset, amount in trade_releases(event):
        settlement.ledger.position(client_id, asset).held += amount
    settlement.apply(event, NOW_US)
    assert not settlement.obligations
    return settled_trade(reports(settlement)[-2:], [])


def reports(settlement: Settlement) -> list[SettlementReport]:
    return [codec.decode_report(report.encoded) for report in settlement.reports]


def standing(settlement: Settlement, client_id: str) -> tuple[int, int]:
    ledger = settlement.ledger
    return ledger.position(client_id, CASH).quantity, ledger.position(client_id, "AAPL").quantity


def do(settlement: Settlement, correction: Correction, details: str) -> DoneCorrection:
    assert settlement.correct(correction, NOW_US) is None
    return DoneCorrection(details, correction.legs)


FEES_OF_BOTH = {"buy_fee_bps": 5, "sell_fee_bps": 3, "buy_held_bps": 5}
REBATE = {"buy_fee_bps": 5, "sell_fee_bps": -2, "buy_held_bps": 5}


@pytest.mark.parametrize("rates", [{}, FEES_OF_BOTH, REBATE], ids=["free", "fees", "rebate"])
def test_the_legs_of_a_trade_are_found_again_in_its_reports(rates: dict[str, int]) -> None:
    settlement = desk(ann=(20_000_000, 0), bob=(0, 10), fees=(0, 0))
    event = trade(**rates)
    assert settled(settlement, event).legs == trade_legs(event)


@pytest.mark.parametrize("rates", [{}, FEES_OF_BOTH, REBATE], ids=["free", "fees", "rebate"])
def test_a_bust_gives_everything_back_fees_and_rebates_too(rates: dict[str, int]) -> None:
    settlement = desk(ann=(20_000_000, 0), bob=(0, 10), fees=(0, 0))
    found = settled(settlement, trade(**rates))
    do(settlement, bust(found, "bust:1", "why"), encode(TradeBust(1)))
    assert standing(settlement, "ann") == (20_000_000, 0)
    assert standing(settlement, "bob") == (0, 10)
    assert settlement.ledger.position(FEES, CASH).quantity == 0
    assert settlement.ledger.position(CLEARINGHOUSE, CASH).quantity == 0


def test_the_worked_example_of_the_documents() -> None:
    """docs/clearing.md, busts and corrections: $90.00, then 8 shares, then a bust, with fees."""
    settlement = desk(ann=(20_000_000, 0), bob=(0, 10), fees=(0, 0))
    found = settled(settlement, trade(buy_fee_bps=1, sell_fee_bps=1, buy_held_bps=1))
    assert standing(settlement, "ann") == (9_999_000, 10)
    price = TradeCorrection(1, price_e4=900_000)
    found = after(found, do(settlement, correct(found, 900_000, 10, "1", "why"), encode(price)))
    assert standing(settlement, "ann") == (10_999_000, 10)
    fewer = TradeCorrection(1, quantity=8)
    found = after(found, do(settlement, correct(found, 900_000, 8, "2", "why"), encode(fewer)))
    assert standing(settlement, "ann") == (12_799_000, 8)
    assert (found.price_e4, found.quantity, found.corrections) == (900_000, 8, 2)
    last = bust(found, "bust:1", "why")
    assert (last.moved("BUY"), last.moved("SELL")) == ((7_201_000, -8), (-7_199_000, 8))
    after_it = after(found, do(settlement, last, encode(TradeBust(1))))
    assert after_it.is_busted
    assert standing(settlement, "ann") == (20_000_000, 0) and standing(settlement, "bob") == (0, 10)
    assert settlement.ledger.position(FEES, CASH).quantity == 0


def test_a_bust_that_is_not_covered_changes_nothing() -> None:
    settlement = desk(ann=(20_000_000, 0), bob=(0, 10), fees=(0, 0))
    found = settled(settlement, trade())
    settlement.ledger.position("ann", "AAPL").held = 1
    before = standing(settlement, "ann"), standing(settlement, "bob"), len(settlement.reports)
    shortfall = settlement.correct(bust(found, "bust:1", "why"), NOW_US)
    assert shortfall is not None and (shortfall.client_id, shortfall.asset) == ("ann", "AAPL")
    after_it = standing(settlement, "ann"), standing(settlement, "bob"), len(settlement.reports)
    assert after_it == before and settlement.last_journal_id == 1


def test_a_trade_with_oneself_is_busted_without_moving_anything() -> None:
    """The engine lets no client trade with itself; the books of one that did would still hold."""
    settlement = desk(ann=(20_000_000, 10), fees=(0, 0))
    legs = trade_legs(trade(sell_client_id="ann"))
    own = SettledTrade(1, "AAPL", "ann", 5, "ann", 4, 10, 1_000_000, legs)
    do(settlement, bust(own, "bust:1", "why"), encode(TradeBust(1)))
    assert standing(settlement, "ann") == (20_000_000, 10)
    told = reports(settlement)
    assert [(report.cash_e4, report.shares) for report in told] == [(0, 0), (0, 0)]


def test_a_correction_names_what_it_corrects() -> None:
    settlement = desk(ann=(20_000_000, 0), bob=(0, 10), fees=(0, 0))
    found = settled(settlement, trade())
    do(settlement, correct(found, 900_000, 10, "proposal:1", "slip"), encode(TradeCorrection(1, 1)))
    bought, sold = reports(settlement)[-2:]
    assert (bought.settlement_kind, bought.trade_id, bought.order_id) == ("correction", 1, 5)
    assert (bought.price_e4, bought.quantity, bought.cash_e4) == (900_000, 10, 1_000_000)
    assert (sold.side, sold.order_id, sold.cash_e4, sold.shares) == ("SELL", 4, -1_000_000, 0)
    assert (bought.memo, bought.holding) == ("correction of trade 1: slip", 10)


def test_what_is_no_correction_can_not_be_applied_to_a_trade() -> None:
    settlement = desk(ann=(20_000_000, 0), bob=(0, 10), fees=(0, 0))
    found = settled(settlement, trade())
    with pytest.raises(BrokenInvariant):
        after(found, DoneCorrection(encode(Fine("ann", 1)), ()))
    with pytest.raises(BrokenInvariant):
        settled_trade(reports(settlement)[:1], [])


terms = st.tuples(st.integers(1, 10**7), st.integers(1, 10**5))


@given(st.lists(terms, max_size=5), st.booleans(), st.integers(-2, 5), st.integers(2, 9))
def test_each_asset_sums_to_zero_and_a_bust_ends_where_it_began(
    corrections: list[tuple[int, int]], is_busted: bool, maker_bps: int, taker_bps: int
) -> None:
    """Whatever is corrected, and however often: no ten-thousandth is made or lost."""
    rates = {"buy_fee_bps": taker_bps, "sell_fee_bps": maker_bps, "buy_held_bps": taker_bps}
    plenty = 10**15
    settlement = desk(ann=(plenty, plenty), bob=(plenty, plenty), fees=(plenty, 0))
    found = settled(settlement, trade(**rates))
    for price_e4, quantity in corrections:
        if (price_e4, quantity) == (found.price_e4, found.quantity):
            continue
        proposed = TradeCorrection(1, price_e4, quantity)
        correction = correct(found, price_e4, quantity, "c", "why")
        found = after(found, do(settlement, correction, encode(proposed)))
    if is_busted:
        do(settlement, bust(found, "bust:1", "why"), encode(TradeBust(1)))
        assert standing(settlement, "ann") == standing(settlement, "bob") == (plenty, plenty)
    else:
        fee_e4 = sum(leg.amount for leg in found.legs if leg[:2] == (FEES, CASH))
        shares = standing(settlement, "ann")[1] - plenty
        assert shares == found.quantity
        paid_e4 = found.price_e4 * found.quantity
        both = standing(settlement, "ann")[0] + standing(settlement, "bob")[0]
        assert both == 2 * plenty - fee_e4
        assert plenty - standing(settlement, "ann")[0] >= paid_e4
    sums: Counter[str] = Counter()
    for journal in settlement.journals:
        for leg in journal.legs:
            sums[leg.asset] += leg.amount
    assert not any(sums.values())
    assert {leg for journal in settlement.journals for leg in journal.legs} >= {
        Leg("ann", "AAPL", 10)
    }
