"""Plays a planned market to its end and says what came out."""

import gc
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from venue_simulation.archive_writer import ArchiveWriter
from venue_simulation.forgetting import Forgetting
from venue_simulation.market_plan import MarketPlan
from venue_simulation.simulated_market import MarketObserver, SimulatedMarket
from venue_simulation.simulated_venue import Committed


@dataclass(frozen=True)
class BotResult:
    """What one bot has at the end, and what it did."""

    client_id: str
    group: str
    start_e4: int
    """Cash and shares at the start, at the marks of the start."""
    end_e4: int
    numbers: Counter[str]
    """commands, orders, canceled, fills, shares_traded, turnover_e4."""
    refused: Counter[str]
    """Refusals by code."""
    stopped: str | None
    """Why it was stopped before the end."""

    @property
    def profit_e4(self) -> int:
        """What it gained, ten-thousandths of a dollar."""
        return self.end_e4 - self.start_e4


@dataclass
class MarketRun:
    """A market that was played."""

    plan: MarketPlan
    bots: dict[str, BotResult]
    """By client_id, in the order of the plan."""
    curves: dict[str, list[tuple[int, int]]]
    """Time and equity of each bot, every `plan.sample_s`; ten-thousandths of a dollar."""
    counts: Counter[str]
    """commands, trades, shares, events."""
    log_hash: str
    """SHA-256 over the rows of the order log, hexadecimal: equal markets have equal ones."""
    archive: Path | None = None
    """The folder of its archive, if one was written."""


@dataclass
class _Curves:
    """Equity of every bot, sampled."""

    curves: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def begun(self, market: SimulatedMarket) -> None:
        """A curve for each bot."""
        self.curves = {client_id: [] for client_id in market.seats}

    def committed(self, market: SimulatedMarket, committed: Committed) -> None:
        """Only samples count."""

    def sampled(self, market: SimulatedMarket) -> None:
        """One point of each curve."""
        for client_id, curve in self.curves.items():
            curve.append((market.now_us, market.equity_e4(client_id)))


class _Counts:
    """Sums and the hash of the log."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.log = hashlib.sha256()

    def begun(self, market: SimulatedMarket) -> None:
        """Nothing was traded yet."""

    def committed(self, market: SimulatedMarket, committed: Committed) -> None:
        """Count, and hash the rows of the log."""
        counts, effect = self.counts, committed.effect
        counts["commands"] += len(committed.rows)
        counts["events"] += effect.last_sequence - effect.first_sequence + 1
        if effect.trades:
            counts["trades"] += len(effect.trades)
            counts["shares"] += sum(trade.quantity for trade in effect.trades)
        for row in committed.rows:
            self.log.update(f"{row.shard} {row.sequence} {row.time_us} {row.command}\n".encode())

    def sampled(self, market: SimulatedMarket) -> None:
        """Nothing to do."""


def run_market(
    plan: MarketPlan, observers: Sequence[MarketObserver] = (), archive: Path | None = None
) -> MarketRun:
    """Play the market; with `archive`, write all of it into that folder on the way.

    Memory stays flat: of what has happened only the newest is kept. ValueError for a plan that can
    not be played, FileExistsError for a folder that holds an archive already.
    """
    curves, counts = _Curves(), _Counts()
    writer = ArchiveWriter(archive) if archive is not None else None
    writers = [writer] if writer is not None else []
    market = SimulatedMarket(plan, [*writers, *observers, curves, counts, Forgetting()])
    with rare_collections():
        market.run()
    if writer is not None:
        writer.close(market)
    return MarketRun(
        plan,
        _results(market),
        curves.curves,
        counts.counts,
        counts.log.hexdigest(),
        archive,
    )


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for garbage in circles as rarely as the services do: the venue makes none."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _results(market: SimulatedMarket) -> dict[str, BotResult]:
    return {
        client_id: BotResult(
            client_id,
            seat.spec.group,
            seat.start_e4,
            market.equity_e4(client_id),
            seat.numbers,
            seat.refused,
            seat.stopped,
        )
        for client_id, seat in market.seats.items()
    }
