"""A market derived again from its archive: the shipped engine, ledger, settlement and record.

So trades, fills, settlement reports, holdings and books of any moment follow from the log alone.
"""

from collections.abc import Iterator
from typing import NamedTuple

from clearinghouse.domain.ledger import Journal, Leg
from clearinghouse.domain.report_chain import SealedReport
from market_data_feed.domain.batch_effect import BatchEffect
from market_data_feed.domain.market import Market, MarketChange
from market_data_feed.domain.orders import Fold
from market_data_feed.domain.working_order import WorkingOrder
from venue_audit.history import History
from venue_audit.log_rows import batches
from venue_audit.transfers import Transfer
from venue_protocol.commands import CommandBatch
from venue_protocol.events import EventBatch
from venue_protocol.invariants import BrokenInvariant
from venue_simulation.market_archive import ArchivedTransfer, MarketArchive

_ALL_EVENTS = 1 << 62


class Step(NamedTuple):
    """One commit of the archive, derived again: what it asked, and all that came of it."""

    batch: CommandBatch
    events: EventBatch
    effect: BatchEffect
    """Trades, reports to the owners of orders, changed levels."""
    changes: list[MarketChange]
    journals: list[Journal]
    reports: list[SealedReport]
    """Settlement reports of the trades."""


class Replay:
    """Derives a market again from its archive. Iterate once; memory stays flat.

    Raises ArchiveFault, LogBroken, BrokenInvariant or BrokenStream where the archive is broken.
    """

    def __init__(self, archive: MarketArchive) -> None:
        self.archive = archive
        shards = [end.shard for end in archive.manifest.shards]
        if len(shards) > 1:
            raise ValueError("archives of several shards are not supported")
        self._shard = shards[0] if shards else 0
        self.history = History({self._shard: _ALL_EVENTS}, {})
        self.market = Market()
        self.working: dict[int, WorkingOrder] = {}
        self.transferred: list[SealedReport] = []
        """Settlement reports of the transfers before the newest step."""

    def __iter__(self) -> Iterator[Step]:
        history, waiting = self.history, self.archive.transfers()
        transfer = next(waiting, None)
        for batch in batches(self._shard, self.archive.log_rows(self._shard)):
            self.transferred = []
            while transfer is not None and self._is_due(transfer):
                self._transfer(transfer)
                transfer = next(waiting, None)
            answer = history.match(batch)
            history.settle(batch, answer)
            yield self._step(batch, answer)
        self.transferred = []
        while transfer is not None:
            self._transfer(transfer)
            transfer = next(waiting, None)

    def _step(self, batch: CommandBatch, answer: EventBatch) -> Step:
        fold = Fold(self.working)
        fold.apply(answer, answer.first)
        settlement = self.history.settlement
        step = Step(
            batch,
            answer,
            fold.effects[0],
            self.market.apply(fold.effects[0]),
            list(settlement.journals),
            list(settlement.reports),
        )
        self.history.forget_written()
        return step

    def _is_due(self, transfer: ArchivedTransfer) -> bool:
        """Whether a transfer comes before the next commit: by its place, else by its journal."""
        if transfer.after_event is not None:
            engine = self.history.engines.get(self._shard)
            return transfer.after_event <= (engine.event_position if engine is not None else 0)
        return transfer.journal_id == self.history.settlement.last_journal_id + 1

    def _transfer(self, archived: ArchivedTransfer) -> None:
        legs = tuple(Leg(*leg) for leg in archived.legs)
        transfer = Transfer(
            archived.kind, archived.time_us, legs, archived.reference, archived.memo
        )
        shortfall = self.history.transfer(transfer)
        number = self.history.settlement.last_journal_id
        if shortfall is not None:
            raise BrokenInvariant(f"transfer {archived.journal_id} is not covered: {shortfall}")
        if number != archived.journal_id:
            raise BrokenInvariant(f"transfer {archived.journal_id} would be journal {number}")
        self.transferred += self.history.settlement.reports
        self.history.forget_written()
