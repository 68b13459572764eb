"""The whole venue in one process: the same engine, ledger and settlement as the services, fed from
the log.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from clearinghouse.domain.corrections import Correction
from clearinghouse.domain.ledger import Ledger, Leg, Shortfall
from clearinghouse.domain.settlement import Settlement, trade_releases
from clearinghouse.domain.venue_accounts import EXTERNAL
from matching_engine.domain.engine import MatchingEngine
from venue_audit.action_history import ActionHistory, SettledAction
from venue_audit.settlement_order import Told
from venue_audit.transfers import Transfer
from venue_protocol.commands import (
    AmendOrder,
    ApplyCorporateAction,
    CommandBatch,
    ExemptShares,
    PlaceOrder,
)
from venue_protocol.events import (
    AmendRejected,
    CorporateActionApplied,
    DividendPaid,
    Event,
    EventBatch,
    OrderAdjusted,
    OrderAmended,
    OrderCanceled,
    OrderReduced,
    SettlementCycle,
    SharesExempted,
    Trade,
)
from venue_protocol.holds import CASH, held_amount, held_asset
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.loan_actions import AppliedAction
from venue_protocol.netting_book import NettingBook

Key = tuple[str, str]
"""A client and an asset."""


class History:
    """Applies batches of all shards and transfers in the order in which they were settled.

    Events are settled up to `settled` of their shard, as in the database; what follows is matched
    and held, but not yet settled.
    """

    def __init__(self, settled: Mapping[int, int], failed_trades: Mapping[int, str]) -> None:
        self.ledger = Ledger()
        self.settlement = Settlement(self.ledger, {}, 0, 0, NettingBook(is_whole=True))
        self.engines: dict[int, MatchingEngine] = {}
        self.hold_sequences: dict[Key, int] = {}
        """The newest log row that raised each hold."""
        self.uncovered: list[tuple[int, str, int, int]] = []
        """(log sequence, client, held, quantity) of orders that the log has without cover."""
        self.settled_actions: list[SettledAction] = []
        self.first_references_e4: dict[str, int] = {}
        """Listed before the first corporate action of each security."""
        self._settled = settled
        self._failed_trades = failed_trades
        self._unsettled_releases: Counter[Key] = Counter()
        self._taken: dict[int, Counter[Key]] = defaultdict(Counter)
        """By shard, what transfers took since the last batch that is known to come after them."""
        self._collateral: Counter[Key] = Counter()

    def match(self, batch: CommandBatch) -> EventBatch:
        """The events of the next batch of its shard; the ledger does not know of them yet.

        Raises BrokenInvariant.
        """
        engine = self.engines.get(batch.shard)
        if engine is None:
            engine = self.engines[batch.shard] = MatchingEngine(batch.shard)
        return engine.apply(batch)

    def settle(self, batch: CommandBatch, answer: EventBatch) -> None:
        """Place the holds of the batch and settle the events that the database has settled.

        Raises BrokenInvariant.
        """
        # A batch that settled nothing may have come before the transfers that were applied last: a
        # canceled order's shares may be withdrawn a moment later.
        if self.first_told(answer) is not None:
            self._taken[batch.shard].clear()
        for sequence, key, amount in self._holds(batch):
            self._raise_hold(sequence, key, amount, self._taken[batch.shard][key])
        for command in batch.commands:
            if type(command) is ApplyCorporateAction:
                self.first_references_e4.setdefault(command.security_id, command.reference_price_e4)
        settled = self._settled.get(batch.shard, 0)
        for sequence, event in answer.numbered():
            if sequence <= settled:
                self._settle(event, batch.time_us)
            else:
                self._count_releases(event)

    def first_told(self, answer: EventBatch) -> Told | None:
        """What the database tells first of a batch's settlement; None if nothing of it is told."""
        settled = self._settled.get(answer.shard, 0)
        for sequence, event in answer.numbered():
            if sequence > settled:
                return None
            if type(event) is Trade and event.trade_id not in self._failed_trades:
                return "trade", event.trade_id, 0
            if type(event) is CorporateActionApplied:
                return "action", event.action_id, "applied"
            if type(event) is DividendPaid:
                return "action", event.action_id, "paid"
            if type(event) is SettlementCycle and self.settlement.netting.has_due(
                event.shard, event.number
            ):
                return "cycle", event.shard, event.number
        return None

    def transfer(self, transfer: Transfer) -> Shortfall | None:
        """Apply a deposit, withdrawal or issue; the position that did not cover it, if one did
        not.
        """
        for leg in transfer.legs:
            self.ledger.position(leg.client_id, leg.asset).is_external |= leg.client_id in EXTERNAL
        shortfall = self.settlement.transfer(
            transfer.kind, transfer.time_us, transfer.legs, transfer.reference, transfer.memo
        )
        if shortfall is None:
            self._note_taken(transfer.legs)
        return shortfall

    def correct(self, correction: Correction, time_us: int) -> Shortfall | None:
        """Apply a bust or correction of a trade; the position that did not cover it, if any."""
        shortfall = self.settlement.correct(correction, time_us)
        if shortfall is None:
            self._note_taken(correction.legs)
        return shortfall

    def _note_taken(self, legs: Iterable[Leg]) -> None:
        # Before its first batch a shard has no engine, but what it has settled is known.
        for shard in {*self.engines, *self._settled}:
            for leg in legs:
                if leg.amount < 0:
                    self._taken[shard][leg.client_id, leg.asset] -= leg.amount

    def forget_written(self) -> None:
        """Drop the journals and reports that were compared."""
        self.settlement.journals.clear()
        self.settlement.reports.clear()
        self.settlement.obligations.clear()
        self.settlement.netting.store()

    def hold_collateral(self, collateral: Counter[Key]) -> None:
        """Hold what the stock loans hold, beside what orders do; once, at the end."""
        self._collateral = collateral
        for key, amount in collateral.items():
            self.ledger.position(*key).held += amount

    def held_by_open_orders(self) -> Counter[Key]:
        """What all holds must be: the open orders' needs, collateral of loans, and what unsettled
        events will release.
        """
        held = self._unsettled_releases + self._collateral
        for (client_id, _), exemption in self.settlement.netting.exemptions.items():
            held[client_id, CASH] += exemption.deposit_e4
        for engine in self.engines.values():
            for order in engine.orders.values():
                book_side = engine.sides[order.side_index]
                key = (order.owner.client_id, held_asset(book_side.side, book_side.security_id))
                held[key] += held_amount(
                    book_side.side, order.price_e4, order.leaves, order.held_bps
                )
        return held

    def _settle(self, event: Event, time_us: int) -> None:
        if type(event) is Trade and event.trade_id in self._failed_trades:
            self.settlement.fail(event, time_us, self._failed_trades[event.trade_id])
            return
        before = self.settlement.last_report_sequence
        self.settlement.apply(event, time_us)
        if type(event) is CorporateActionApplied:
            self.settled_actions.append(
                SettledAction(
                    AppliedAction(time_us, event.action_id, event.security_id, event.action),
                    event.reference_price_e4,
                    before,
                    self.settlement.last_report_sequence,
                )
            )

    def action_history(self) -> ActionHistory:
        """The corporate actions that are settled."""
        paid = [step.action_id for step in self.settlement.actions.steps if step.step == "paid"]
        return ActionHistory(self.settled_actions, self.first_references_e4, paid)

    def _holds(self, batch: CommandBatch) -> Iterator[tuple[int, Key, int]]:
        """Log sequence, key and amount of what the door held for each command."""
        for sequence, command in batch.numbered():
            if type(command) is PlaceOrder:
                asset = held_asset(command.side, command.security_id)
                held_bps = command.fees.held_bps if command.fees is not None else 0
                amount = held_amount(command.side, command.price_e4, command.quantity, held_bps)
                yield sequence, (command.client_id, asset), amount
            elif type(command) is AmendOrder and command.hold_added:
                if command.side is None or command.security_id is None:
                    raise BrokenInvariant(f"amend {sequence} does not say what its hold is on")
                yield (
                    sequence,
                    (command.client_id, held_asset(command.side, command.security_id)),
                    command.hold_added,
                )
            elif type(command) is ExemptShares:
                yield sequence, (command.client_id, CASH), command.deposit_e4

    def _raise_hold(self, sequence: int, key: Key, amount: int, taken: int) -> None:
        position = self.ledger.position(*key)
        position.held += amount
        self.hold_sequences[key] = sequence
        if position.held > position.quantity + taken and not position.is_external:
            self.uncovered.append((sequence, key[0], position.held, position.quantity))

    def _count_releases(self, event: Event) -> None:
        """What an event that is not settled yet will release, or keep for an exemption."""
        if type(event) is SharesExempted:
            self._unsettled_releases[event.client_id, CASH] += event.deposit_e4
        if type(event) is Trade:
            for client_id, asset, amount in trade_releases(event):
                self._unsettled_releases[client_id, asset] += amount
        elif type(event) is OrderCanceled:
            asset = held_asset(event.side, event.security_id)
            self._unsettled_releases[event.client_id, asset] += held_amount(
                event.side, event.price_e4, event.quantity, event.held_bps
            )
        elif type(event) is OrderReduced:
            asset = held_asset(event.side, event.security_id)
            self._unsettled_releases[event.client_id, asset] += held_amount(
                event.side, event.price_e4, event.reduced, event.held_bps
            )
        elif type(event) is OrderAdjusted:
            asset = held_asset(event.side, event.security_id)
            self._unsettled_releases[event.client_id, asset] -= event.hold_change
        elif isinstance(event, OrderAmended | AmendRejected) and event.side and event.security_id:
            self._unsettled_releases[
                event.client_id, held_asset(event.side, event.security_id)
            ] += event.hold_released
