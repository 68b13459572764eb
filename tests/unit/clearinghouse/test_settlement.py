"""Settlement of events: both legs or neither, holds to the cent, reports that replay to the
balances.
"""

import random

import msgspec

from clearinghouse.domain.ledger import Ledger, Leg, Position, ReportChain, total
from clearinghouse.domain.settlement import Settlement, trade_legs
from clearinghouse.domain.venue_accounts import CLEARINGHOUSE
from venue_protocol import codec
from venue_protocol.events import AmendRejected, OrderAccepted, OrderAmended, OrderCanceled, Trade
from venue_protocol.holds import CASH
from venue_protocol.settlement import GENESIS_HASH, SettlementReport, report_hash

NOW_US = 1_700_000_000_000_000


def trade(
    quantity: int = 10, price_e4: int = 1_000_000, limit_e4: int = 1_005_000, trade_id: int = 1
) -> Trade:
    return Trade(trade_id, "AAPL", price_e4, quantity, "BUY", 5, "ann", limit_e4, 0, 4, "bob", 0)


def settlement(
    cash: int = 100_000_000, cash_held: int = 10_050_000, shares: int = 10, held: int = 10
) -> Settlement:
    ledger = Ledger()
    ledger.positions["ann", CASH] = Position(cash, cash_held)
    ledger.positions["bob", CASH] = Position(0, 0)
    ledger.positions["bob", "AAPL"] = Position(shares, held)
    return Settlement(ledger, {}, 0, 0)


def position(desk: Settlement, client_id: str, asset: str) -> tuple[int, int]:
    found = desk.ledger.position(client_id, asset)
    return found.quantity, found.held


def reports(desk: Settlement) -> list[SettlementReport]:
    return [codec.decode_report(report.encoded) for report in desk.reports]


def test_a_trade_moves_cash_and_shares_and_consumes_both_holds() -> None:
    desk = settlement()
    desk.apply(trade(), NOW_US)
    assert position(desk, "ann", CASH) == (90_000_000, 0)
    assert position(desk, "ann", "AAPL") == (10, 0)
    assert position(desk, "bob", CASH) == (10_000_000, 0)
    assert position(desk, "bob", "AAPL") == (0, 0)


def test_the_better_price_frees_the_unused_part_of_the_hold_at_once() -> None:
    """Case 20: limit 100.50, trade at 100.00: 4 of 10 filled, 6 x 100.50 stay held, to the cent."""
    desk = settlement()
    desk.apply(trade(quantity=4), NOW_US)
    assert position(desk, "ann", CASH) == (96_000_000, 6 * 1_005_000)


def priced(trade: Trade, buys: int, sells: int, held: int) -> Trade:
    return msgspec.structs.replace(trade, buy_fee_bps=buys, sell_fee_bps=sells, buy_held_bps=held)


def test_fees_move_with_their_trade_and_stay_in_the_account_of_the_venue() -> None:
    """Ann takes at 5 basis points of $1,000.00, Bob rested and gets 2: $0.50 and $0.20."""
    desk = settlement(cash_held=10 * 1_005_503)
    desk.apply(priced(trade(), 5, -2, 5), NOW_US)
    assert position(desk, "ann", CASH) == (89_995_000, 0)
    assert position(desk, "bob", CASH) == (10_002_000, 0)
    assert position(desk, "fees", CASH) == (3_000, 0)
    assert [journal.kind for journal in desk.journals] == ["trade"]
    assert total(desk.ledger) == 100_000_000
    assert [(report.client_id, report.cash_e4, report.fee_e4) for report in reports(desk)] == [
        ("ann", -10_005_000, 5_000),
        ("bob", 10_002_000, -2_000),
    ]


def test_what_the_hold_has_for_a_higher_fee_is_free_after_the_trade() -> None:
    """Ann's limit is $100.50 and 5 basis points may apply. She rests and pays 1 of 4 * $100.00."""
    desk = settlement(cash_held=10 * 1_005_503)
    desk.apply(priced(trade(quantity=4), 1, 5, 5), NOW_US)
    assert position(desk, "ann", CASH) == (100_000_000 - 4_000_400, 6 * 1_005_503)


def test_a_canceled_buy_frees_what_was_held_for_its_fee() -> None:
    desk = settlement(cash_held=10 * 1_005_503)
    desk.apply(OrderCanceled(5, "ann", "AAPL", "BUY", 1_005_000, 10, "requested", 5), NOW_US)
    assert position(desk, "ann", CASH) == (100_000_000, 0)


def test_a_fee_that_could_not_be_paid_moves_nothing_of_its_trade() -> None:
    """Never with rates that the hold covers: here the trade asks for more than was held."""
    desk = settlement(cash=10_050_000)
    desk.apply(priced(trade(price_e4=1_005_000), 5, 0, 0), NOW_US)
    assert position(desk, "ann", CASH) == (10_050_000, 0)
    assert position(desk, "fees", CASH) == (0, 0)
    assert [report.settlement_kind for report in reports(desk)] == ["failed_trade"] * 2


def test_novation_leaves_nothing_with_the_clearinghouse() -> None:
    legs = trade_legs(trade())
    through = [leg for leg in legs if leg.client_id == CLEARINGHOUSE]
    assert len(legs) == 8 and len(through) == 4
    assert {
        asset: sum(leg.amount for leg in through if leg.asset == asset) for asset in (CASH, "AAPL")
    } == {
        CASH: 0,
        "AAPL": 0,
    }


def test_if_a_trade_can_not_settle_neither_leg_does_and_both_are_told() -> None:
    """Case 18. The holds of the failed quantity are released, the sums stay."""
    desk = settlement(shares=9, held=9)
    desk.ledger.positions["bob", "AAPL"] = Position(9, 10)
    desk.apply(trade(), NOW_US)
    assert position(desk, "ann", CASH) == (100_000_000, 0)
    assert position(desk, "bob", CASH) == (0, 0)
    assert position(desk, "bob", "AAPL") == (9, 0)
    assert [(report.client_id, report.settlement_kind) for report in reports(desk)] == [
        ("ann", "failed_trade"),
        ("bob", "failed_trade"),
    ]
    assert len(desk.obligations) == 1 and not desk.journals


def test_a_cancel_releases_exactly_the_hold_of_the_rest() -> None:
    desk = settlement()
    desk.apply(OrderCanceled(5, "ann", "AAPL", "BUY", 1_005_000, 6, "requested"), NOW_US)
    desk.apply(OrderCanceled(4, "bob", "AAPL", "SELL", 1_000_000, 3, "requested"), NOW_US)
    assert position(desk, "ann", CASH) == (100_000_000, 4 * 1_005_000)
    assert position(desk, "bob", "AAPL") == (10, 7)
    assert not desk.reports and not desk.journals


def test_an_amend_releases_what_the_new_terms_do_not_need() -> None:
    desk = settlement()
    desk.apply(
        OrderAmended(5, "ann", "AAPL", "BUY", 8, 1_000_000, 8, 1_005_000, 10, 2_050_000), NOW_US
    )
    desk.apply(AmendRejected(4, "bob", "order.already_filled", "AAPL", "SELL", 2), NOW_US)
    assert position(desk, "ann", CASH) == (100_000_000, 8_000_000)
    assert position(desk, "bob", "AAPL") == (10, 8)


def test_an_accepted_order_moves_nothing() -> None:
    desk = settlement()
    desk.apply(OrderAccepted(5, "ann", "AAPL", "BUY", "limit", "GTC", 10, 1_005_000), NOW_US)
    assert not desk.ledger.touched


def test_both_parties_get_a_report_that_names_trade_price_and_what_they_have_now() -> None:
    desk = settlement()
    desk.apply(trade(), NOW_US)
    bought, sold = reports(desk)
    assert (bought.client_id, bought.cash_e4, bought.shares, bought.balance_e4, bought.holding) == (
        "ann",
        -10_000_000,
        10,
        90_000_000,
        10,
    )
    assert (sold.client_id, sold.cash_e4, sold.shares, sold.balance_e4, sold.holding) == (
        "bob",
        10_000_000,
        -10,
        10_000_000,
        0,
    )
    assert bought.trade_id == sold.trade_id == 1 and bought.price_e4 == 1_000_000


def test_reports_are_chained_per_client_and_each_hash_verifies() -> None:
    desk = settlement(cash_held=30_150_000, shares=30, held=30)
    for number in (1, 2, 3):
        desk.apply(trade(trade_id=number), NOW_US + number)
    own = [report for report in reports(desk) if report.client_id == "ann"]
    assert [report.client_sequence for report in own] == [1, 2, 3]
    assert own[0].previous_hash == GENESIS_HASH
    assert all(report.hash == report_hash(report) for report in own)
    assert [report.previous_hash for report in own[1:]] == [report.hash for report in own[:-1]]
    assert desk.chains["ann"] == ReportChain(3, own[-1].hash)


def test_a_cent_changed_in_a_report_breaks_its_hash() -> None:
    desk = settlement()
    desk.apply(trade(), NOW_US)
    report = reports(desk)[0]
    assert report_hash(msgspec.structs.replace(report, cash_e4=report.cash_e4 + 100)) != report.hash


def test_random_trades_conserve_cash_and_shares_and_reports_replay_to_the_balances() -> None:
    """Case 21 in the small: 5,000 random trades, 0 cents and 0 shares of drift."""
    dice = random.Random(21)
    clients = [f"c{number}" for number in range(8)]
    desk = Settlement(Ledger(), {}, 0, 0)
    for client_id in ("bank", "depository"):
        for asset in (CASH, "AAPL"):
            desk.ledger.positions[client_id, asset] = Position(0, 0, is_external=True)
    for client_id in clients:
        desk.transfer("deposit", NOW_US, [Leg("bank", CASH, -(10**8)), Leg(client_id, CASH, 10**8)])
        desk.transfer(
            "issue", NOW_US, [Leg("depository", "AAPL", -500), Leg(client_id, "AAPL", 500)]
        )
    for number in range(1, 5001):
        buyer, seller = dice.sample(clients, 2)
        quantity, price_e4 = dice.randint(1, 5), 10_000 * dice.randint(90, 110)
        limit_e4 = price_e4 + 100 * dice.randint(0, 50)
        cash, shares = desk.ledger.position(buyer, CASH), desk.ledger.position(seller, "AAPL")
        if (
            cash.quantity - cash.held < quantity * limit_e4
            or shares.quantity - shares.held < quantity
        ):
            continue
        cash.held += quantity * limit_e4
        shares.held += quantity
        desk.apply(
            Trade(number, "AAPL", price_e4, quantity, "BUY", 1, buyer, limit_e4, 0, 2, seller, 0),
            NOW_US + number,
        )
    assert not desk.obligations
    assert total(desk.ledger) == 0 and total(desk.ledger, "AAPL") == 0
    assert all(found.held == 0 for found in desk.ledger.positions.values())
    cash, shares = dict.fromkeys(clients, 0), dict.fromkeys(clients, 0)
    for report in reports(desk):
        cash[report.client_id] += report.cash_e4
        shares[report.client_id] += report.shares
        assert report.balance_e4 == cash[report.client_id]
    assert cash == {
        client_id: desk.ledger.position(client_id, CASH).quantity for client_id in clients
    }
    assert shares == {
        client_id: desk.ledger.position(client_id, "AAPL").quantity for client_id in clients
    }
