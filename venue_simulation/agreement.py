"""What must agree when a schedule has come to rest: processes, record, oracle."""

from collections.abc import Sequence

from venue_simulation.feed_check import FeedCheck
from venue_simulation.oracle import Oracle
from venue_simulation.processes import Engine, Feed, Surroundings
from venue_simulation.violation import require

MOST_SKEW_US = 2_000_000
"""How wrong a gateway's clock is at most."""


class Agreement:
    """Compares the venue of one schedule with the undisturbed run."""

    def __init__(
        self, around: Surroundings, oracle: Oracle, engines: Sequence[Engine], feed: Feed
    ) -> None:
        self._around = around
        self._oracle = oracle
        self._engines = engines
        self._feed = feed
        self._feed_check = FeedCheck(around.record)

    def missing(self) -> list[str]:
        """What processes and record still have to do, in words."""
        waiting: list[str] = []
        for shard, engine in zip(self._oracle.shards, self._engines, strict=True):
            if engine.desk.engine.log_position != shard.engine.log_position:
                waiting.append(
                    f"{engine.name} is at {engine.desk.engine.log_position} of "
                    f"{shard.engine.log_position}"
                )
            if shard.settled != len(shard.batches):
                waiting.append(f"{shard.settled} of {len(shard.batches)} batches are settled")
            recorded = self._around.record.tables.positions.get(f"events.{shard.shard}", 0)
            if recorded != shard.engine.event_position:
                waiting.append(f"the feed is at {recorded} of {shard.engine.event_position} events")
        waiting += [
            f"due at {at}"
            for at in self._due_times()
            if at <= self._around.clock.now_us() - MOST_SKEW_US
        ]
        reports = len(self._around.clearing.tables.reports)
        if self._around.record.tables.positions.get("settlements", 0) != reports:
            waiting.append(f"the feed does not have all {reports} settlement reports")
        return waiting

    def _due_times(self) -> list[int]:
        """When orders expire and switches fire that nobody has dealt with."""
        tables = self._around.clearing.tables
        return [due_us for _, due_us in [*tables.expiries, *tables.cancel_timers.values()]]

    def check(self, deposit_keys: set[str]) -> None:
        """At rest, everything equals the undisturbed run."""
        passed_us = self._around.clock.now_us() - MOST_SKEW_US
        for engine in self._engines:
            expiries = [
                order.terms.expires_us
                for order in engine.desk.engine.orders.values()
                if order.terms
            ]
            late = [
                expires_us
                for expires_us in expiries
                if expires_us is not None and expires_us <= passed_us
            ]
            require(not late, "an order that is due expires though no other command comes", late)
        for engine in self._engines:
            self._oracle.check_engine(engine.desk.engine)
        tables = self._around.clearing.tables
        done = {reference for reference in tables.references if reference.startswith("deposit:")}
        require(done == deposit_keys, "each deposit is made once", (done, deposit_keys))
        self._feed_check.check(self._oracle.shards, tables.reports)
        self._feed_check.check_depth(self._feed.market, self._oracle.shards)
        self._oracle.check_from_nothing()
