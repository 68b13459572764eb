"""The worked day of docs/clearing.md: six members, three securities, 200 trades, and what can
happen to them; played net or gross by the shipped desks.
"""

from fractions import Fraction

from clearinghouse.lending.administration import LoanAdministration
from clearinghouse.lending.desk import LoanDesk
from clearinghouse.lending.margin_run import MarginRun
from clearinghouse.lending.marks import MarginMarks
from order_entry_gateway.adapters.timer_store import PostgresTimers
from order_entry_gateway.domain.trading_phases import SessionCandidate, SessionCommand
from order_entry_gateway.domain.validation import DeliveryCandidate
from order_entry_gateway.loops.timekeeper import Timekeeper
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from venue_protocol.commands import (
    ApplyCorporateAction,
    ExemptShares,
    SetPhase,
    SetSettlement,
    StartSettlementCycle,
)
from venue_protocol.corporate_actions import CashDividend, CorporateAction, Split
from venue_protocol.fee_schedule import FeeRow
from venue_protocol.proposals import TradeBust

MAKERS = ("ann", "bob", "cid", "dee")
TRADERS = ("eve", "fay")
MEMBERS = (*MAKERS, *TRADERS)
SECURITIES = ("AAPL", "MSFT", "GOOG")
_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US


class WorkedDay:
    """Plays the day in this mode of settlement."""

    def __init__(self, venue: SyntheticVenue, is_net: bool) -> None:
        self.venue = venue
        self.is_net = is_net
        self.trades = 0
        self._price_e4 = dict.fromkeys(SECURITIES, 1_000_000)
        desk, clock, marks = venue.settlement_desk, venue.clock, MarginMarks()
        self._loans = LoanDesk(desk, clock, marks)
        self._loan_rules = LoanAdministration(desk, venue.store, clock, marks)
        self._margin = MarginRun(desk, venue.store, clock, marks, venue.stopping)
        self._timekeeper = Timekeeper(
            PostgresTimers(venue.clearing), venue.committer, venue.listed, clock, venue.stopping
        )

    def play(self) -> None:
        """The whole day, to the last cycle."""
        self._open()
        self._trade(120)
        self._cycle()
        self._dividend()
        self._split()
        self._fail()
        self._trade(53)
        self._bust()
        self._default()
        self._command(SetPhase("boss", "closed"))
        self._cycle()

    def _open(self) -> None:
        administration = self.venue.administration
        for name in ("boss", "second"):
            administration.create_client(name, "administrator")
        for name in MAKERS:
            shares = dict.fromkeys(SECURITIES, 500)
            administration.create_client(name, "market_maker", 1_000_000_000, shares)
        for name in TRADERS:
            administration.create_client(name, "trader")
        self.venue.fees.set_fees(FeeRow("*", "standard", -1, 5, 0), "boss")
        administration.deposit("lender", "MSFT", 200, "pool")
        self._loan_rules.set_rules({"is_open": True, "fee_bps": 0})
        if self.is_net:
            self._command(SetSettlement("boss", "net"))

    def _trade(self, count: int) -> None:
        """Trades between two members drawn, near the last price."""
        dice = self.venue.dice
        for _ in range(count):
            security_id = dice.choice(SECURITIES)
            seller, buyer = dice.sample((*MAKERS, "eve"), 2)
            seller = seller if seller in MAKERS else next(each for each in MAKERS if each != buyer)
            price_e4 = self._price_e4[security_id] + 100 * dice.randrange(-50, 51)
            self.trade(seller, buyer, security_id, dice.randrange(1, 6), price_e4)

    def trade(
        self, seller: str, buyer: str, security_id: str, quantity: int, price_e4: int
    ) -> None:
        """One trade: the seller's order rests, the buyer's takes it."""
        self.venue.clock.advance(_SECOND_US)
        for client_id, side in ((seller, "SELL"), (buyer, "BUY")):
            self.venue.commit([self.venue.place(client_id, side, quantity, price_e4, security_id)])
        self._catch_up()
        self.trades += 1

    def _catch_up(self) -> None:
        self.venue.settle()
        self.venue.record()

    def _command(self, command: SessionCommand) -> None:
        self.venue.clock.advance(_SECOND_US)
        self.venue.commit([SessionCandidate(0, command)])
        self._catch_up()

    def _cycle(self) -> None:
        if self.is_net:
            self._command(StartSettlementCycle("boss"))

    def _act(self, security_id: str, action: CorporateAction) -> None:
        """Halt, apply, settle, go on."""
        self._command(SetPhase("boss", "halted", security_id, "corporate action"))
        listed = self.venue.listed[security_id]
        self._command(
            ApplyCorporateAction(
                "boss", security_id, action, listed.reference_price_e4, listed.tick_e4, listed.lot
            )
        )
        self.venue.listed.refresh()
        self._command(SetPhase("boss", "continuous", security_id))

    def _dividend(self) -> None:
        """$0.25 a share of MSFT, ex and of record now, paid a minute later."""
        now_us = self.venue.clock.now_us()
        self._act("MSFT", CashDividend(2_500, now_us, now_us, now_us + _MINUTE_US))
        self.venue.clock.advance(_MINUTE_US)
        self._command(SetPhase("boss", "continuous", "MSFT"))

    def _split(self) -> None:
        """3 for 2 in AAPL, with two orders open."""
        self.venue.commit([self.venue.place("ann", "BUY", 9, 900_000, "AAPL")])
        self.venue.commit([self.venue.place("bob", "SELL", 9, 1_200_100, "AAPL")])
        self._act("AAPL", Split(3, 2, 666_667))
        self._price_e4["AAPL"] = int(Fraction(1_000_000) * 2 / 3) // 100 * 100

    def _fail(self) -> None:
        """Bob sells 30 GOOG and keeps 20 back for a cycle; the sale is one of 20 trades."""
        if self.is_net:
            self._exempt(20, 500_000)
        self.trade("bob", "ann", "GOOG", 30, 1_000_000)
        self._trade(19)
        self._cycle()
        if self.is_net:
            self._exempt(0, 0)

    def _exempt(self, quantity: int, deposit_e4: int) -> None:
        self.venue.clock.advance(_SECOND_US)
        command = ExemptShares("bob", "GOOG", quantity, deposit_e4)
        self.venue.commit([DeliveryCandidate(0, command)])
        self._catch_up()

    def _bust(self) -> None:
        """The sale of 30 GOOG is undone."""
        ((trade_id,),) = self.venue.read(
            "market", "SELECT trade_id FROM trades WHERE quantity = 30"
        )
        proposed = self.venue.proposals.propose(
            TradeBust(trade_id), "erroneous quantity", "bust", "boss"
        )
        self.venue.proposals.consent(proposed.proposal.proposal_id, "second")
        self._catch_up()

    def _default(self) -> None:
        """Fay sells 40 borrowed MSFT, buys GOOG for all she has, and the price rises by half."""
        self._loans.borrow("fay", "MSFT", 40, "short")
        self.trade("fay", "dee", "MSFT", 40, self._price_e4["MSFT"])
        ((free_e4,),) = self.venue.read(
            "clearing", "SELECT balance_e4 - held_e4 FROM accounts WHERE client_id = 'fay'"
        )
        self.trade("cid", "fay", "GOOG", max(free_e4 // 1_010_000, 1), 1_000_000)
        self.venue.clock.advance(6 * _MINUTE_US)
        for seller, buyer in (("ann", "bob"), ("bob", "cid"), ("cid", "eve"), ("dee", "ann")):
            self.trade(seller, buyer, "MSFT", 1, 1_500_000)
        self.venue.commit([self.venue.place("ann", "SELL", 80, 1_490_000, "MSFT")])
        for seconds in (1, 61, 3, 1, 1, 1):
            self.venue.clock.advance(seconds * _SECOND_US)
            self._margin.step()
            self._timekeeper.step()
            self.venue.commit([])
            self._catch_up()

    def cash(self) -> dict[str, int]:
        """Balance of each account, ten-thousandths of a dollar."""
        return dict(self.venue.read("clearing", "SELECT client_id, balance_e4 FROM accounts"))

    def shares(self) -> dict[tuple[str, str], int]:
        """Shares of each account and security."""
        rows = self.venue.read(
            "clearing", "SELECT client_id, security_id, quantity FROM securities_deposits"
        )
        return {(client_id, security_id): quantity for client_id, security_id, quantity in rows}
