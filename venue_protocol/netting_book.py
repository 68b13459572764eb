"""Continuous net settlement: what trades oblige to, summed, and settled in cycles.

A trade that is due in a cycle changes what both sides have to trade with at once (their positions,
as always); its payment and delivery are obligations to the clearinghouse until the cycle settles.
So `settled = quantity - unsettled`, and what is settled covers what is owed: nobody can sell what
it does not have, bought shares included.

An example, all due in cycle 7: Ann buys 10 AAPL from Bob at $100 and sells 4 to Cid at $101. She
pays $1,000 - $404 = $596 and gets 10 - 4 = 6 shares; Bob gives 10 and gets $1,000; Cid pays $404
and gets 4. Six movements; one by one, each trade is two payments and two deliveries: eight.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from venue_protocol.events import SettlementCycle, Trade
from venue_protocol.fails import BUY_IN_CYCLES, Exemption
from venue_protocol.holds import CASH
from venue_protocol.identifiers import shard_and_number
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.obligations import CycleRow, DeliveryTerms, ObligationRow, VolumeRow

Key = tuple[int, int, str, str]
"""Shard, cycle, client and security."""
VolumeKey = tuple[int, int, str]
"""Shard, cycle and security."""


@dataclass(slots=True)
class NetObligation:
    """See ObligationRow; a change of one is one too, and adds up field by field."""

    quantity: int = 0
    cash_e4: int = 0
    failed: int = 0
    failing_since: int = 0
    mark_e4: int = 0

    def since(self, number: int) -> int:
        """The cycle in which this side of the obligation failed first; `number` if it is new."""
        return self.failing_since if self.failed * self.quantity > 0 else number

    def add(self, other: "NetObligation") -> None:
        """Add a change."""
        self.quantity += other.quantity
        self.cash_e4 += other.cash_e4
        self.failed += other.failed
        self.failing_since += other.failing_since
        self.mark_e4 += other.mark_e4


@dataclass(slots=True)
class Volume:
    """See VolumeRow."""

    trades: int = 0
    quantity: int = 0
    value_e4: int = 0

    def add(self, other: "Volume") -> None:
        """Add a change."""
        self.trades += other.trades
        self.quantity += other.quantity
        self.value_e4 += other.value_e4


class NettingBook:
    """Obligations that are open. What is added is kept apart from what is stored.

    A transaction without a cycle need not load what is stored: it only adds. The cycle needs all of
    it. In the audit the book is whole from the first trade on.
    """

    def __init__(self, is_whole: bool = False) -> None:
        self.is_whole = is_whole
        """Whether `stored` has all that is stored."""
        self.stored: dict[Key, NetObligation] = {}
        self.added: dict[Key, NetObligation] = {}
        self.stored_volumes: dict[VolumeKey, Volume] = {}
        self.added_volumes: dict[VolumeKey, Volume] = {}
        self.settled: dict[int, int] = {}
        """The newest cycle of each shard that settled since the last `store`."""
        self.cycles: list[CycleRow] = []
        """What those settled."""
        self.exemptions: dict[tuple[str, str], Exemption] = {}
        """By client and security."""
        self.notices: dict[tuple[str, str], tuple[int, int]] = {}
        """Shard and cycle of the buy-in notices, by client and security."""
        self.changed: set[tuple[str, str]] = set()
        """Of which exemptions and notices changed since the last `store`."""

    def add_trade(
        self, trade: Trade, cycle: int, fees_e4: tuple[int, int] = (0, 0), fees: str = ""
    ) -> None:
        """Oblige the buyer to pay and the seller to deliver in this cycle, and the reverse.

        `fees_e4` of buyer and seller are due in it too, to the account `fees`.
        """
        shard = shard_and_number(trade.trade_id)[0]
        security_id, quantity = trade.security_id, trade.quantity
        cash_e4 = trade.price_e4 * quantity
        self.add(shard, cycle, trade.buy_client_id, security_id, quantity, -cash_e4 - fees_e4[0])
        self.add(shard, cycle, trade.sell_client_id, security_id, -quantity, cash_e4 - fees_e4[1])
        if any(fees_e4):
            self.add(shard, cycle, fees, security_id, 0, sum(fees_e4))
        key = (shard, cycle, security_id)
        volume = self.added_volumes.get(key)
        if volume is None:
            volume = self.added_volumes[key] = Volume()
        volume.trades += 1
        volume.quantity += quantity
        volume.value_e4 += cash_e4

    def add(
        self, shard: int, cycle: int, client_id: str, security_id: str, quantity: int, cash_e4: int
    ) -> None:
        """Add shares and cash that the client is to receive (negative: to give) in this cycle."""
        key = (shard, cycle, client_id, security_id)
        obligation = self.added.get(key)
        if obligation is None:
            obligation = self.added[key] = NetObligation()
        obligation.quantity += quantity
        obligation.cash_e4 += cash_e4

    def load(
        self,
        rows: Iterable[ObligationRow],
        volumes: Iterable[VolumeRow],
        terms: Iterable[DeliveryTerms],
    ) -> None:
        """Take over all that is stored."""
        for term in terms:
            if term.exempt:
                self.exemptions[term[:2]] = Exemption(term.exempt, term.deposit_e4)
            if term.notice_cycle:
                self.notices[term[:2]] = (term.notice_shard, term.notice_cycle)
        self.stored = {row[:4]: NetObligation(*row[4:]) for row in rows}
        self.stored_volumes = {row[:3]: Volume(*row[3:]) for row in volumes}
        self.is_whole = True

    def exempt(self, client_id: str, security_id: str, exemption: Exemption) -> int:
        """Keep shares from delivery from here on, or none; the rest of the deposit before."""
        key = (client_id, security_id)
        before = self.exemptions.pop(key, Exemption(0, 0))
        self.changed.add(key)
        if not exemption.quantity:
            return before.deposit_e4 + exemption.deposit_e4
        self.exemptions[key] = exemption
        return before.deposit_e4

    def charge(self, client_id: str, security_id: str, amount_e4: int) -> None:
        """Take the charge of a fail from its deposit."""
        key = (client_id, security_id)
        quantity, deposit_e4 = self.exemptions[key]
        self.exemptions[key] = Exemption(quantity, deposit_e4 - amount_e4)
        self.changed.add(key)

    def notice(self, client_id: str, security_id: str, shard: int, cycle: int) -> None:
        """Note that a client wants shares that it waits for; an earlier notice stays."""
        self.notices.setdefault((client_id, security_id), (shard, cycle))
        self.changed.add((client_id, security_id))

    def is_bought_in(self, cycle: SettlementCycle, security_id: str) -> bool:
        """Whether somebody's notice in the security is due: nothing is exempt any more."""
        return any(
            name == security_id and noted <= cycle.number - BUY_IN_CYCLES
            for (_, name), (_, noted) in self.notices.items()
        )

    def drop_notices(self, shard: int, open_shares: dict[tuple[str, str], int]) -> None:
        """After a cycle: a notice ends when its client waits for nothing."""
        for key, (of, _) in list(self.notices.items()):
            if of == shard and open_shares.get(key, 0) <= 0:
                del self.notices[key]
                self.changed.add(key)

    def roll(
        self,
        cycle: SettlementCycle,
        client_id: str,
        security_id: str,
        left: int,
        mark_e4: int,
        one: NetObligation,
    ) -> None:
        """Let shares that failed be due again, at their mark, in the next cycle."""
        self.add(cycle.shard, cycle.number + 1, client_id, security_id, left, -left * mark_e4)
        rolled = self.added[cycle.shard, cycle.number + 1, client_id, security_id]
        rolled.failed, rolled.mark_e4 = left, mark_e4
        rolled.failing_since = one.since(cycle.number)

    def positions(self) -> set[tuple[str, str]]:
        """Client and asset of all that is open."""
        names = {key[2:] for key in (*self.stored, *self.added)} | self.exemptions.keys()
        return names | {(client_id, CASH) for client_id, _ in names}

    def rows(self) -> list[ObligationRow]:
        """All that is stored, by key."""
        return [_row(key, one) for key, one in sorted(self.stored.items())]

    def volumes(self) -> list[VolumeRow]:
        """The volume that is stored, by key."""
        return [
            VolumeRow(*key, one.trades, one.quantity, one.value_e4)
            for key, one in sorted(self.stored_volumes.items())
        ]

    def terms(self) -> list[DeliveryTerms]:
        """All exemptions and notices, by client and security."""
        return [self.terms_of(key) for key in sorted(self.exemptions.keys() | self.notices.keys())]

    def terms_of(self, key: tuple[str, str]) -> DeliveryTerms:
        """What this client asked for in this security; all zero for nothing."""
        exemption = self.exemptions.get(key, Exemption(0, 0))
        return DeliveryTerms(*key, *exemption, *self.notices.get(key, (0, 0)))

    def added_rows(self) -> list[ObligationRow]:
        """What was added, by key."""
        return [_row(key, change) for key, change in sorted(self.added.items())]

    def added_volume_rows(self) -> list[VolumeRow]:
        """The volume that was added, by key."""
        return [
            VolumeRow(*key, one.trades, one.quantity, one.value_e4)
            for key, one in sorted(self.added_volumes.items())
        ]

    def store(self) -> None:
        """What was added is stored now."""
        for key, change in self.added.items():
            self.stored.setdefault(key, NetObligation()).add(change)
        for name, traded in self.added_volumes.items():
            self.stored_volumes.setdefault(name, Volume()).add(traded)
        self.added.clear()
        self.added_volumes.clear()
        self.settled.clear()
        self.cycles.clear()
        self.changed.clear()

    def has_due(self, shard: int, number: int) -> bool:
        """Whether the cycle has anything to pay or to deliver."""
        return any(
            key[0] == shard and key[1] <= number and (one.quantity or one.cash_e4)
            for rows in (self.stored, self.added)
            for key, one in rows.items()
        )

    def take_due(self, shard: int, number: int) -> list[tuple[str, str, NetObligation]]:
        """Security, client and obligation of all that is due up to this cycle, in that order; they
        are in the book no more.
        """
        if not self.is_whole:
            raise BrokenInvariant(f"cycle {number} of shard {shard} settles what was not loaded")
        due: dict[tuple[str, str], NetObligation] = {}
        for rows in (self.stored, self.added):
            for key in [key for key in rows if key[0] == shard and key[1] <= number]:
                due.setdefault((key[3], key[2]), NetObligation()).add(rows.pop(key))
        self.settled[shard] = number
        return [(*name, due[name]) for name in sorted(due)]

    def take_volumes(self, shard: int, number: int) -> dict[str, Volume]:
        """What was traded and is due up to this cycle, by security; it is in the book no more."""
        due: dict[str, Volume] = {}
        for rows in (self.stored_volumes, self.added_volumes):
            for key in [key for key in rows if key[0] == shard and key[1] <= number]:
                due.setdefault(key[2], Volume()).add(rows.pop(key))
        return due

    def most_to_withdraw(self, client_id: str, asset: str, quantity: int) -> int:
        """How much of a position may leave: settled, and not needed for what is due before it
        comes in again.

        An example: Ann has $1,000, all settled, and owes $300 in cycle 7 and gets $500 in cycle 8.
        Her balance is $1,200; she may take out $700, for the $300 are paid before the $500 come.
        """
        dues: dict[int, dict[int, int]] = {}
        for rows in (self.stored, self.added):
            for (shard, cycle, name, security_id), one in rows.items():
                if name == client_id and asset in (security_id, CASH):
                    amount = one.cash_e4 if asset == CASH else one.quantity
                    of_shard = dues.setdefault(shard, {})
                    of_shard[cycle] = of_shard.get(cycle, 0) + amount
        settled = quantity - sum(sum(of_shard.values()) for of_shard in dues.values())
        # Shards settle apart: each may take what it needs at worst before the others pay.
        needed = 0
        for of_shard in dues.values():
            running = accumulate(amount for _, amount in sorted(of_shard.items()))
            needed += max(0, -min(running))
        return max(0, min(quantity, settled - needed))

    def unsettled(self) -> dict[tuple[str, str], int]:
        """Open sums by client and asset: shares of each security, and ten-thousandths of cash."""
        sums: dict[tuple[str, str], int] = {}
        for rows in (self.stored, self.added):
            for (_, _, client_id, security_id), found in rows.items():
                for asset, amount in ((security_id, found.quantity), (CASH, found.cash_e4)):
                    key = (client_id, asset)
                    sums[key] = sums.get(key, 0) + amount
        return sums


def _row(key: Key, one: NetObligation) -> ObligationRow:
    return ObligationRow(
        *key, one.quantity, one.cash_e4, one.failed, one.failing_since, one.mark_e4
    )
