"""A synthetic venue on which everything that clearing knows happens at once, drawn from dice.

Trades, cycles, loans, corporate actions, busts, corrections, fines, withdrawals and transfers, in
any order; what the venue refuses is no fault. What it must keep is in `conservation` and the audit.
"""

from collections.abc import Callable
from contextlib import suppress

from clearinghouse.lending.administration import LoanAdministration
from clearinghouse.lending.desk import LoanDesk
from clearinghouse.lending.margin_run import MarginRun
from clearinghouse.lending.marks import MarginMarks
from order_entry_gateway.adapters.timer_store import PostgresTimers
from order_entry_gateway.domain.trading_phases import SessionCandidate
from order_entry_gateway.loops.timekeeper import Timekeeper
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from venue_protocol.commands import (
    ApplyCorporateAction,
    SetPhase,
    SetSettlement,
    StartSettlementCycle,
)
from venue_protocol.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    Split,
    SymbolChange,
)
from venue_protocol.holds import CASH
from venue_protocol.proposals import Fine, Proposed, TradeBust, TradeCorrection, Withdrawal
from venue_protocol.refusals import Refused
from venue_protocol.securities import Security

BOSS, SECOND = "boss", "second"
_SECOND_US = 1_000_000


class WholeClearinghouse:
    """Draws what happens next, and does it by the shipped desks."""

    def __init__(self, venue: SyntheticVenue) -> None:
        self.venue = venue
        self.dice = venue.dice
        marks = MarginMarks()
        desk, clock = venue.settlement_desk, venue.clock
        self.loans = LoanDesk(desk, clock, marks)
        self.loan_rules = LoanAdministration(desk, venue.store, clock, marks)
        self.margin = MarginRun(desk, venue.store, clock, marks, venue.stopping)
        self.timekeeper = Timekeeper(
            PostgresTimers(venue.clearing), venue.committer, venue.listed, clock, venue.stopping
        )
        self.refused: dict[str, int] = {}
        self.done: dict[str, int] = {}
        self._keys = 0
        venue.listed.refresh()
        for name in (BOSS, SECOND):
            venue.administration.create_client(name, "administrator")
        for security_id in venue.securities:
            venue.administration.deposit("lender", security_id, 2_000, f"pool {security_id}")
        self.loan_rules.set_rules({"is_open": True, "call_us": 5 * _SECOND_US})
        self.steps: dict[str, tuple[Callable[[], object], int]] = {
            "trading": (self._trade, 40),
            "mode": (self._change_mode, 2),
            "cycle": (self._cycle, 6),
            "borrow": (self._borrow, 6),
            "short sale": (self._sell_short, 4),
            "return": (self._return, 6),
            "margin run": (self._margin_run, 8),
            "recall": (self._recall, 3),
            "split": (self._split, 1),
            "dividend": (self._dividend, 1),
            "symbol change": (self._rename, 1),
            "delisting": (self._delist, 1),
            "bust": (self._bust, 3),
            "correction": (self._correct, 3),
            "fine": (self._fine, 1),
            "withdrawal": (self._withdraw, 2),
            "deposit": (venue.deposit, 2),
        }

    def play(self, steps: int) -> None:
        """So many steps, and everything settled and recorded at the end."""
        names = list(self.steps)
        weights = [weight for _, weight in self.steps.values()]
        for _ in range(steps):
            self.venue.clock.advance(self.dice.randrange(1, 400_000))
            (name,) = self.dice.choices(names, weights)
            self.step(name)
        self._catch_up()

    def step(self, name: str) -> None:
        """One step, or its refusal."""
        try:
            self.steps[name][0]()
            self.done[name] = self.done.get(name, 0) + 1
        except Refused as refused:
            code = f"{name}: {refused.refusal.reason.code}"
            self.refused[code] = self.refused.get(code, 0) + 1

    def _key(self) -> str:
        self._keys += 1
        return f"k{self._keys}"

    def _client(self) -> str:
        return self.dice.choice(self.venue.clients)

    def _security(self) -> str:
        return self.dice.choice(self.venue.securities)

    def _catch_up(self) -> None:
        self.venue.settle()
        self.venue.record()

    def _trade(self) -> None:
        self.venue.play(self.dice.randrange(1, 6))

    def _command(self, *commands: SetSettlement | StartSettlementCycle) -> None:
        for each in commands:
            shards = range(len(self.venue.engines))
            self.venue.commit([SessionCandidate(shard, each) for shard in shards])
        if self.dice.random() < 0.5:
            self._catch_up()

    def _change_mode(self) -> None:
        if self.dice.random() < 0.3:
            self._command(SetSettlement(BOSS, "gross"))
        else:
            self._command(SetSettlement(BOSS, "net", lag=self.dice.randrange(3)))

    def _cycle(self) -> None:
        self._command(StartSettlementCycle(BOSS))

    def _borrow(self) -> None:
        self.loans.borrow(self._client(), self._security(), self.dice.randrange(1, 15), self._key())

    def _sell_short(self) -> None:
        """A trader borrows, and all that it has goes at any price: a recall is then met through
        the book.
        """
        client_id, security_id = self.dice.choice(self.venue.clients[:4]), self._security()
        self.loans.borrow(client_id, security_id, self.dice.randrange(1, 15), self._key())
        ((free,),) = self.venue.read(
            "clearing",
            "SELECT quantity - held FROM securities_deposits"
            " WHERE client_id = %s AND security_id = %s",
            (client_id, security_id),
        )
        price_e4 = self.venue.listed[security_id].band_low_e4
        self.venue.commit([self.venue.place(client_id, "SELL", free, price_e4, security_id)])

    def _return(self) -> None:
        loans = self.venue.read(
            "clearing", "SELECT client_id, security_id, quantity FROM stock_loans"
        )
        if loans:
            client_id, security_id, quantity = self.dice.choice(sorted(loans))
            self.loans.return_shares(
                client_id, security_id, self.dice.randrange(1, quantity + 1), self._key()
            )

    def _margin_run(self) -> None:
        """One look; half of the time the gateway logs what waits for it, and some seconds pass."""
        self.margin.step()
        if self.dice.random() < 0.5:
            self.timekeeper.step()
            self.venue.commit([])
            self.venue.clock.advance(self.dice.randrange(3 * _SECOND_US))

    def _recall(self) -> None:
        loans = self.venue.read(
            "clearing", "SELECT client_id, security_id, quantity FROM stock_loans"
        )
        if loans:
            self.loan_rules.recall(*self.dice.choice(sorted(loans)))

    def _act(self, security_id: str, action: CorporateAction) -> None:
        """One action in a halt, with no orders within, and all settled before and after."""
        listed = self.venue.listed[security_id]
        shard = listed.shard
        self.venue.commit([SessionCandidate(shard, SetPhase(BOSS, "halted", security_id))])
        self._catch_up()
        if self.dice.random() < 0.3:
            self.margin.step()
        command = ApplyCorporateAction(
            BOSS, security_id, action, listed.reference_price_e4, listed.tick_e4, listed.lot
        )
        self.venue.commit([SessionCandidate(shard, command)])
        self._catch_up()
        self.venue.listed.refresh()
        after = self.venue.listed[security_id].successor or security_id
        if not isinstance(action, Delisting):
            self.venue.commit([SessionCandidate(shard, SetPhase(BOSS, "continuous", after))])

    def _split(self) -> None:
        security_id = self._security()
        new, old = self.dice.choice([(2, 1), (3, 2), (5, 4), (1, 2), (2, 3)])
        price_e4 = self.venue.listed[security_id].reference_price_e4 * old // new
        self._act(security_id, Split(new, old, price_e4))

    def _dividend(self) -> None:
        now_us = self.venue.clock.now_us()
        ex_us = now_us + self.dice.randrange(2 * _SECOND_US)
        record_us = ex_us + self.dice.randrange(2 * _SECOND_US)
        pay_us = record_us + self.dice.randrange(2 * _SECOND_US)
        dividend = CashDividend(self.dice.randrange(1, 5_000), ex_us, record_us, pay_us)
        self._act(self._security(), dividend)

    def _rename(self) -> None:
        security_id = self._security()
        after = f"R{self._key()}"
        self._act(security_id, SymbolChange(after, self.dice.random() < 0.5))
        self.venue.securities[self.venue.securities.index(security_id)] = after

    def _delist(self) -> None:
        """One goes, and one that is new comes."""
        security_id = self._security()
        listed = self.venue.listed[security_id]
        self._act(security_id, Delisting(self.dice.choice([0, self.dice.randrange(1, 3_000_000)])))
        name = f"D{self._key()}"
        new = Security(name, "newly listed", listed.shard, 100, 1, 5000, 1_000_000)
        self.venue.administration.list_security(new, 1_000_000)
        self.venue.securities[self.venue.securities.index(security_id)] = name
        for owner in ("lender", "maker0", "maker1"):
            self.venue.administration.deposit(owner, name, 2_000, self._key())
        self.venue.listed.refresh()

    def _trade_id(self) -> int | None:
        rows = self.venue.read("market", "SELECT trade_id FROM trades ORDER BY trade_id")
        return self.dice.choice(rows)[0] if rows else None

    def _propose(self, proposed: Proposed) -> None:
        by = SECOND if self.dice.random() < 0.5 else BOSS
        other = BOSS if by == SECOND else SECOND
        answer = self.venue.proposals.propose(proposed, "drawn", self._key(), by)
        number = answer.proposal.proposal_id
        try:
            self.venue.proposals.consent(number, other)
        except Refused:
            self.venue.proposals.decline(number, other)
            raise

    def _bust(self) -> None:
        trade_id = self._trade_id()
        if trade_id is not None:
            self._propose(TradeBust(trade_id))

    def _correct(self) -> None:
        trade_id = self._trade_id()
        if trade_id is not None:
            price_e4 = self.dice.randrange(9_000, 11_000) * 100
            quantity = self.dice.choice([None, self.dice.randrange(1, 15)])
            self._propose(TradeCorrection(trade_id, price_e4, quantity))

    def _fine(self) -> None:
        self._propose(Fine(self._client(), self.dice.randrange(1, 50_000)))

    def _withdraw(self) -> None:
        asset = self.dice.choice([CASH, *self.venue.securities])
        amount = self.dice.randrange(1, 20 if asset != CASH else 2_000_000)
        client_id = self._client()
        if self.dice.random() < 0.5:
            self.venue.administration.withdraw(client_id, asset, amount, self._key())
            return
        answer = self.venue.proposals.propose(
            Withdrawal(client_id, asset, amount), "mine", self._key(), client_id
        )
        with suppress(Refused):
            self.venue.proposals.consent(answer.proposal.proposal_id, BOSS)


def sums(venue: SyntheticVenue) -> dict[str, int]:
    """Each asset over all positions, those outside included."""
    rows = venue.read(
        "clearing",
        "SELECT 'USD', sum(balance_e4) FROM accounts UNION ALL"
        " SELECT security_id, sum(quantity) FROM securities_deposits GROUP BY security_id",
    )
    return {asset: int(amount) for asset, amount in rows}
