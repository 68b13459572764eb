"""What a bot counts as held where trading costs something."""

from decimal import Decimal

from trading_bots.account import Account
from trading_bots.commands import Place
from trading_bots.records import (
    FeeRates,
    OrderReport,
    Receipt,
    SecurityRules,
    SettlementReport,
)

RATES = FeeRates(maker_bps=-2, taker_bps=5, auction_bps=1)


def account() -> Account:
    rules = SecurityRules(security="AAPL", tick=Decimal("0.01"), reference_price=Decimal(100))
    made = Account("ann", lambda security: rules)
    made.correct(Decimal(10_000), {}, [])
    return made


def buy(name: str) -> Place:
    return Place(
        security="AAPL", side="buy", quantity=4, price=Decimal("100.05"), client_order_id=name
    )


def test_the_fee_on_a_share_is_rounded_up_to_a_ten_thousandth() -> None:
    assert RATES.held_on(Decimal("100.05")) == Decimal("0.0501")
    assert FeeRates(maker_bps=-2).held_on(Decimal("100.05")) == 0


def test_a_buy_holds_its_highest_fee_as_the_venue_does() -> None:
    """By the venue: 4 * (1,000,500 + 501) ten-thousandths. The next order is expected to cost as
    much before its answer comes.
    """
    bot = account()
    bot.working.sending(buy("one"))
    assert bot.cash.held == Decimal("400.20"), "nothing is known of fees yet"
    bot.working.answered(buy("one"), Receipt(order_id=7, status="new", fees=RATES))
    assert bot.cash.held == Decimal("400.4004")
    bot.working.sending(buy("two"))
    assert bot.cash.held == Decimal("800.8008")


def test_a_fill_counts_with_its_fee_until_it_is_settled() -> None:
    bot = account()
    bot.working.sending(buy("one"))
    bot.working.answered(buy("one"), Receipt(order_id=7, status="new", fees=RATES))
    report = OrderReport(
        kind="trade",
        status="filled",
        order_id=7,
        client_order_id="one",
        security="AAPL",
        side="BUY",
        quantity=4,
        filled=4,
        trade_id=3,
        last_price=Decimal("100.00"),
        last_quantity=4,
        fee=Decimal("0.20"),
    )
    bot.apply_report(report)
    assert bot.cash.available == Decimal("9599.80")
    bot.apply_settlement(
        SettlementReport(
            sequence=9,
            client_id="ann",
            client_sequence=2,
            settlement_kind="trade",
            cash=Decimal("-400.20"),
            shares=4,
            balance=Decimal("9599.80"),
            time_us=1,
            security="AAPL",
            holding=4,
            trade_id=3,
            order_id=7,
            fee=Decimal("0.20"),
        )
    )
    assert bot.cash.available == bot.cash.balance == Decimal("9599.80")
