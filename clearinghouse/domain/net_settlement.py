"""What the events of net settlement do: cycles, exemptions and buy-in notices."""

from typing import TYPE_CHECKING

from clearinghouse.domain.fees import FEES
from clearinghouse.domain.ledger import HoldRelease, Journal, Leg
from clearinghouse.domain.net_cycle import NetCycle, journal_parts, net
from clearinghouse.domain.venue_accounts import CLEARINGHOUSE
from venue_protocol.events import BuyInNotified, SettlementCycle, SharesExempted
from venue_protocol.fails import Exemption
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant

if TYPE_CHECKING:
    from clearinghouse.domain.settlement import Settlement


def settle_cycle(settlement: "Settlement", cycle: SettlementCycle, time_us: int) -> None:
    """Pay and deliver all that is due, and report to each member what it gave and got."""

    def balance_e4(client_id: str) -> int:
        return settlement.ledger.position(client_id, CASH).quantity

    due = net(settlement.netting, cycle, time_us, balance_e4)
    waiting = dict(due.open_shares)
    for legs in due.legs:
        for part, some in enumerate(journal_parts(legs, CLEARINGHOUSE), 1):
            reference = f"net:{cycle.shard}:{cycle.number}:{legs[0].asset}:{part}"
            journal = settlement.write_journal("net_settlement", time_us, some, reference=reference)
            for leg in some:
                if leg.client_id not in (CLEARINGHOUSE, FEES):
                    left = waiting.pop(leg[:2], 0)
                    settlement.report_writer.netted(journal, leg, cycle.number, left)
    for (client_id, asset), left in sorted(waiting.items()):
        nothing = Leg(client_id, asset, 0)
        settlement.report_writer.netted(Journal(0, "", time_us, ()), nothing, cycle.number, left)
    _charge(settlement, cycle, time_us, due)


def _charge(settlement: "Settlement", cycle: SettlementCycle, time_us: int, due: NetCycle) -> None:
    """Move the charges of fails; each was held as a deposit, so it is covered."""
    for security_id, legs in due.charges.items():
        held = [HoldRelease(*leg[:2], -leg.amount) for leg in legs if leg.amount < 0]
        shortfall = settlement.ledger.post(legs, held)
        if shortfall is not None:
            raise BrokenInvariant(f"the charge of a fail is not covered: {shortfall}")
        reference = f"fails:{cycle.shard}:{cycle.number}:{security_id}"
        journal = settlement.write_journal(
            "fails_charge", time_us, tuple(legs), reference=reference
        )
        for leg in legs:
            settlement.report_writer.charged(journal, leg, security_id, cycle.number)


def exempt(settlement: "Settlement", event: SharesExempted, time_us: int) -> None:
    """Keep shares from delivery from here on; what is left of the deposit before is free."""
    exemption = Exemption(event.quantity, event.deposit_e4)
    freed_e4 = settlement.netting.exempt(event.client_id, event.security_id, exemption)
    if freed_e4:
        settlement.ledger.release(HoldRelease(event.client_id, CASH, freed_e4))


def notify(settlement: "Settlement", event: BuyInNotified, time_us: int) -> None:
    """Note that a client asks for the shares that it waits for."""
    settlement.netting.notice(event.client_id, event.security_id, event.shard, event.cycle)
