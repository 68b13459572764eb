"""Conservation over random histories with fees: books, holds and ledger together, as in a venue."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from clearinghouse.domain.fees import FEES
from clearinghouse.domain.ledger import Ledger, Leg, total
from clearinghouse.domain.settlement import Settlement
from matching_engine.domain.engine import MatchingEngine
from venue_protocol import codec
from venue_protocol.commands import AmendOrder, CancelOrder, Command, CommandBatch, PlaceOrder
from venue_protocol.commands import SetPhase as Phase
from venue_protocol.fee_schedule import NO_FEES, FeeRow, FeeSchedule
from venue_protocol.holds import CASH, amend_hold, held_amount, held_asset
from venue_protocol.orders import BUY, FOK, GTC, IOC, SELL, Side, TimeInForce

CLIENTS = ("ann", "bob", "cat")
AAPL = "AAPL"
SIDES: tuple[Side, ...] = (BUY, SELL)
TIMES_IN_FORCE: tuple[TimeInForce, ...] = (GTC, GTC, GTC, IOC, FOK)
CASH_E4, SHARES = 3_000_000, 60


class History:
    """An engine and a settlement; orders are taken as the door takes them: if they are covered."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.engine = MatchingEngine()
        self.settlement = Settlement(Ledger(), {}, 0, 0)
        self.schedule = NO_FEES
        self.collected_e4 = 0
        ledger = self.settlement.ledger
        for account, asset in (("bank", CASH), ("depository", AAPL)):
            ledger.position(account, asset).is_external = True
        for name in CLIENTS:
            for account, asset, amount in (("bank", CASH, CASH_E4), ("depository", AAPL, SHARES)):
                legs = (Leg(account, asset, -amount), Leg(name, asset, amount))
                self.settlement.transfer("deposit", 1, legs)

    def step(self) -> None:
        """One command, or another schedule."""
        kind = self.dice.random()
        if kind < 0.1:
            self.change_fees()
        elif kind < 0.2:
            phase = self.dice.choice(["opening_auction", "continuous", "continuous"])
            self.run(Phase("admin", phase))  # type: ignore[arg-type]
        elif kind < 0.3:
            self.cancel()
        elif kind < 0.45:
            self.amend()
        else:
            self.place()

    def change_fees(self) -> None:
        """Any schedule that a venue may have; orders of the one before stay in the book."""
        rows = []
        for tier in ("standard", "gold"):
            taker = self.dice.randint(0, 300)
            maker, auction = self.dice.randint(-taker, 300), self.dice.randint(0, 100)
            rows.append(FeeRow(self.dice.choice(["*", AAPL]), tier, maker, taker, auction))
        schedule = FeeSchedule(rows, {"cat": "gold"})
        if schedule.fault() is None:
            self.schedule = schedule

    def place(self) -> None:
        client, side = self.dice.choice(CLIENTS), self.dice.choice(SIDES)
        quantity, price_e4 = self.dice.randint(1, 9), self.dice.randint(9_990, 10_010)
        rates = self.schedule.rates(client, AAPL)
        held_bps = rates.held_bps if rates is not None else 0
        need = held_amount(side, price_e4, quantity, held_bps)
        if self.hold(client, held_asset(side, AAPL), need):
            tif: TimeInForce = self.dice.choice(TIMES_IN_FORCE)
            order = PlaceOrder(client, AAPL, side, "limit", tif, quantity, price_e4, fees=rates)
            self.run(order)

    def amend(self) -> None:
        if not self.engine.orders:
            return
        order = self.dice.choice(list(self.engine.orders.values()))
        side, client = self.engine.sides[order.side_index].side, order.owner.client_id
        quantity, price_e4 = self.dice.randint(1, 9), self.dice.randint(9_990, 10_010)
        added = amend_hold(side, order.price_e4, order.quantity, price_e4, quantity, order.held_bps)
        if self.hold(client, held_asset(side, AAPL), added):
            amend = AmendOrder(client, order.order_id, quantity, price_e4, added, None, AAPL, side)
            self.run(amend)

    def cancel(self) -> None:
        if self.engine.orders:
            order = self.dice.choice(list(self.engine.orders.values()))
            self.run(CancelOrder(order.owner.client_id, order.order_id))

    def hold(self, client: str, asset: str, amount: int) -> bool:
        """Hold so much, if it is available."""
        position = self.settlement.ledger.position(client, asset)
        if position.quantity - position.held < amount:
            return False
        position.held += amount
        return True

    def run(self, command: Command) -> None:
        """Match and settle one command, and look at everything."""
        first = self.engine.log_position + 1
        batch = CommandBatch(codec.SCHEMA, 0, first, 1_000 + first, [command])
        for event in self.engine.apply(batch).events:
            self.settlement.apply(event, batch.time_us)
            self.check()
        self.check_holds()

    def check(self) -> None:
        """Nothing is made or lost, every trade settles, `fees` only ever gets more."""
        ledger = self.settlement.ledger
        assert total(ledger, CASH) == total(ledger, AAPL) == 0
        assert not self.settlement.obligations, "the hold covered the fee"
        fees = ledger.position(FEES, CASH)
        assert fees.quantity >= self.collected_e4, "no trade costs the venue anything"
        assert fees.held == 0
        self.collected_e4 = fees.quantity

    def check_holds(self) -> None:
        """Held is exactly what open orders need, fees included."""
        needed = dict.fromkeys([(name, asset) for name in CLIENTS for asset in (CASH, AAPL)], 0)
        for order in self.engine.orders.values():
            side = self.engine.sides[order.side_index].side
            key = (order.owner.client_id, held_asset(side, AAPL))
            needed[key] += held_amount(side, order.price_e4, order.leaves, order.held_bps)
        for key, amount in needed.items():
            assert self.settlement.ledger.position(*key).held == amount, key


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 30))
def test_a_random_history_with_fees_makes_and_loses_nothing(seed: int) -> None:
    history = History(seed)
    for _ in range(120):
        history.step()
    reports = [codec.decode_report(report.encoded) for report in history.settlement.reports]
    assert sum(report.fee_e4 for report in reports) == history.collected_e4
    for name in CLIENTS:
        own = [report for report in reports if report.client_id == name]
        assert (
            sum(report.cash_e4 for report in own)
            == history.settlement.ledger.position(name, CASH).quantity
        )


def test_the_histories_have_fees_rebates_and_auctions_in_them() -> None:
    """Or the property above would prove little."""
    found = {"fee": 0, "rebate": 0, "auction": 0, "cut": 0}
    for seed in range(40):
        history = History(seed)
        for _ in range(120):
            history.step()
        for journal in history.settlement.journals:
            to_fees = [leg.amount for leg in journal.legs if leg.client_id == FEES]
            found["fee"] += any(amount > 0 for amount in to_fees)
            found["rebate"] += any(amount < 0 for amount in to_fees)
            found["cut"] += len(to_fees) == 2 and sum(to_fees) == 0
        found["auction"] += history.engine.phases.whole.phase != "continuous"
    assert all(found.values()), found
