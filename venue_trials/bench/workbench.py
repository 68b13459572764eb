"""One load on a private venue, watched from beside it, then drained and audited."""

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from venue_audit.proof import EngineState, Verdict, audit
from venue_launcher.admin_client import Administration
from venue_launcher.errors import VenueError
from venue_launcher.quiescence import engine_state, wait_until_quiet
from venue_launcher.terminal import Report
from venue_trials.bench import watcher_process
from venue_trials.bench.positions import Position, Positions, Sampler
from venue_trials.bench.private_venue import PrivateVenue
from venue_trials.bench.run_figures import Measured, RunFigures
from venue_trials.bench.watcher import WatchPlan
from venue_trials.load import rows
from venue_trials.load.accounts import enroll, list_securities
from venue_trials.load.mixes import Mix
from venue_trials.load.plan import Account, Case, LoadPlan
from venue_trials.load.sending import send

MOST_CONNECTIONS = 200
"""Of the load generator, unless it is told otherwise."""
_DRAIN_S = 300.0
_TURN_S = 0.1
_FILL_RATE, _FILL_SIZE, _FILL_TRIES = 5_000.0, 100, 5
_FILL = Mix("fill", rest=1.0, cancel=0.0, take=0.0)


class NotDrained(VenueError):
    """The venue did not come to rest after a load."""


class Workbench:
    """A venue with accounts that send loads to it, one after the other."""

    def __init__(
        self,
        private: PrivateVenue,
        accounts: int,
        securities: int,
        watched: int,
        report: Report,
        connections: int = MOST_CONNECTIONS,
    ) -> None:
        """`connections`: of the load generator, at most one for each account."""
        self.private = private
        self._connections = connections
        self._report = report
        administration = Administration(private.venue)
        report(f"making {accounts:,} accounts and {securities:,} securities …")
        listed = list_securities(administration, "BENCH", securities)
        self.accounts: list[Account] = enroll(administration, "bench", accounts, listed, report)
        step = max(1, accounts // watched) if watched else 1
        self._watched: Sequence[Account] = self.accounts[::step][:watched]
        self._loads = 0

    def fill(self, orders: int) -> None:
        """Let so many orders rest in the books."""
        if not orders:
            return
        self._report(f"filling the books with {orders:,} resting orders …")
        left = orders
        for _ in range(_FILL_TRIES):
            filled = send(
                self.plan("http-lists", _FILL, _FILL_RATE, _FILL_SIZE, left / _FILL_RATE, 0.0)
            )
            self.drain()
            left -= filled.accepted
            if left < _FILL_SIZE:
                return
        raise VenueError(f"{left:,} of {orders:,} resting orders were not taken: {filled.refused}")

    def plan(
        self, case: Case, mix: Mix, rate: float, size: int, seconds: float, warm_up_s: float
    ) -> LoadPlan:
        """A load of these accounts, with names of its own."""
        self._loads += 1
        return LoadPlan(
            gateway_url=self.private.venue.gateway_url,
            case=case,
            mix=mix,
            rate=rate,
            list_size=size,
            seconds=seconds + warm_up_s,
            warm_up_s=warm_up_s,
            accounts=self.accounts,
            connections=min(self._connections, len(self.accounts)),
            name=f"b{self._loads}",
            seed=self._loads,
        )

    def measure(self, plan: LoadPlan) -> RunFigures:
        """Send a load and say what the venue did with it.

        Raises LoadFailed, WatcherFailed, NotDrained.
        """
        venue = self.private.venue
        with TemporaryDirectory(prefix="venue-bench-") as name:
            folder = Path(name)
            plan = _with_rows(plan, folder / "rows")
            watch = WatchPlan(
                venue.broker_url,
                venue.market_data_url,
                [account.api_key for account in self._watched],
                name,
            )
            roots: dict[str, int] = {}
            with watcher_process.watching(watch) as watcher_pid:
                roots["watcher"] = watcher_pid
                with Sampler(venue, lambda: self.private.roots() | roots) as sampler:
                    load = send(plan, lambda pid: roots.update({"load generator": pid}))
                    end_ns = load.start_ns + int(plan.seconds * 1e9)
                    drained_ns = self.drain()
            measured = Measured(
                plan, load, rows.read(folder / "rows"), watcher_process.read(folder), sampler.taken
            )
            return measured.figures(sampler.memory_mb, max(0.0, (drained_ns - end_ns) / 1e9))

    def drain(self) -> int:
        """Wait until all that is logged is settled and recorded; when that was so,
        time.monotonic_ns.

        Looks at positions alone at first: the engine's own state is asked for once nothing moves
        any more.
        """
        deadline = time.monotonic() + _DRAIN_S
        with closing(Positions(self.private.venue)) as positions:
            before = positions.read()
            quiet_ns = before.time_ns
            while time.monotonic() < deadline:
                time.sleep(_TURN_S)
                now = positions.read()
                has_moved = now[1:6] != before[1:6]
                is_through = (
                    now.settled_events == now.recorded_events
                    and now.reported == now.recorded_reports
                )
                quiet_ns = now.time_ns if has_moved or not is_through else quiet_ns
                before = now
                if now.time_ns - quiet_ns > 5 * _TURN_S * 1e9 and self._is_matched(
                    now.settled_events
                ):
                    missing = wait_until_quiet(self.private.venue, deadline - time.monotonic())
                    if missing:
                        break
                    return quiet_ns
        raise NotDrained(
            "the venue did not come to rest: "
            + "; ".join(wait_until_quiet(self.private.venue, 0.0))
        )

    def drain_and_read(self) -> Position:
        """Where all stages are once they are at rest."""
        self.drain()
        with closing(Positions(self.private.venue)) as positions:
            return positions.read()

    def drain_under_trickle(self, since_ns: int) -> int:
        """Wait until what was logged by now is settled and recorded, while a little goes on; when
        that was so.
        """
        deadline = time.monotonic() + _DRAIN_S
        logged = _log_position(self.private)
        with closing(Positions(self.private.venue)) as positions:
            wanted = 0
            while time.monotonic() < deadline:
                if not wanted:
                    state = engine_state(self.private.venue)
                    wanted = (
                        int(state["event_position"]) if int(state["log_position"]) >= logged else 0
                    )
                now = positions.read()
                if wanted and min(now.settled_events, now.recorded_events) >= wanted:
                    return max(since_ns, now.time_ns)
                time.sleep(_TURN_S)
        raise NotDrained("the venue did not work off an overload")

    def _is_matched(self, events: int) -> bool:
        return int(engine_state(self.private.venue)["event_position"]) == events

    def audit(self) -> Verdict:
        """Everything derived again and compared. The venue must be at rest."""
        state = engine_state(self.private.venue)
        engine = EngineState(
            state["shard"], state["log_position"], state["event_position"], state["state_hash"]
        )
        return audit(
            self.private.venue.owner_clearing_url, self.private.venue.owner_market_url, [engine]
        )


def _with_rows(plan: LoadPlan, path: Path) -> LoadPlan:
    return msgspec.structs.replace(plan, rows_path=str(path))


def _log_position(private: PrivateVenue) -> int:
    with closing(Positions(private.venue)) as positions:
        return positions.read().logged
