"""One campaign: a private venue, traders, faults by the timetable, rest, proof."""

import shutil
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from venue_chaos import faults, full_books, postgres_faults, timetable
from venue_chaos.broker_faults import start as start_broker
from venue_chaos.evidence import Evidence
from venue_chaos.faults import Fault
from venue_chaos.guarded_thread import GuardedThread, failures
from venue_chaos.message_repeater import MessageRepeater
from venue_chaos.phase_administrator import SessionAdministrator
from venue_chaos.probe import Probe
from venue_chaos.recoveries import Outages, Recoveries, Recovery
from venue_chaos.rescue_administrator import RescueAdministrator
from venue_chaos.retrying_client import Troubles
from venue_chaos.site import DISK_MEGABYTES, Site, open_site
from venue_chaos.subscriber import Subscriber
from venue_chaos.timetable import PlannedFault
from venue_chaos.traders import SECURITIES, Trader, Treasurer, enroll
from venue_chaos.verdict import judge, log_heads, report_count
from venue_launcher import processes
from venue_launcher.admin_client import Administration
from venue_launcher.quiescence import wait_until_quiet
from venue_launcher.settlement_client import SettlementClient
from venue_launcher.terminal import Report

_QUIET_PATIENCE_S = 120.0
_MEGABYTES_A_LISTED_ORDER = 18
"""Of the disk that can be filled: long lists write more in the same time."""
_LAST_ANSWERS_S = 300.0
_LAST_FRAMES_S = 20.0


@dataclass(frozen=True)
class Plan:
    """What a campaign shall do."""

    seed: int
    seconds: float
    faults: int
    traders: int = 6
    rate: float = 8.0
    """Requests a second of each trader."""
    most_listed: int = 6
    """Orders in the longest request of a trader."""
    kinds: tuple[str, ...] = ()
    """Only these kinds of faults; () for all that are possible."""
    open_orders: int = 0
    """Orders that rest in the books before anything goes wrong."""
    net_every_s: int | None = None
    """Seconds between settlement cycles; None: each trade settles at once."""
    warm_up_s: float = 3.0
    name: str = "chaos"
    """Begins the names of the campaign's clients; one site may see several campaigns."""


@dataclass
class Outcome:
    """What a campaign did and found."""

    plan: Plan
    faults: Counter[str] = field(default_factory=Counter)
    impossible: tuple[str, ...] = ()
    recoveries: list[Recovery] = field(default_factory=list)
    troubles: dict[str, int] = field(default_factory=dict)
    acknowledged: int = 0
    refused: int = 0
    deposits: int = 0
    phases: int = 0
    suspensions: int = 0
    repeated_messages: int = 0
    compared: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Campaign:
    """The faults of one plan on one site, while traders trade."""

    def __init__(
        self, site: Site, plan: Plan, fault_threads: "FaultThreads", report: Report
    ) -> None:
        self._site = site
        self._plan = plan
        self._report = report
        self.evidence = Evidence()
        self._troubles = Troubles()
        self._outages = Outages()
        self._repeater = MessageRepeater(site.broker.url)
        self._administration = administration = Administration(site.venue)
        accounts = enroll(administration, plan.name, plan.traders, plan.most_listed)
        self._probe = Probe(site.venue, administration, plan.name, self.evidence)
        self._recoveries = Recoveries(site, self._probe, self._outages)
        self._traders = [
            Trader(
                account,
                site.venue.gateway_url,
                plan.seed * 1000 + number,
                plan.rate,
                plan.most_listed,
                self.evidence,
                self._troubles,
            )
            for number, account in enumerate(accounts)
        ]
        self._subscriber = Subscriber(site.venue.market_data_url, *self._probe.buyer)
        self._treasurer = Treasurer(
            site.venue, accounts, plan.name, plan.seed, self.evidence, self._troubles
        )
        self._day = SessionAdministrator(
            site.venue,
            SECURITIES,
            self._probe.security,
            plan.name,
            plan.seed,
            self.evidence,
            self._troubles,
        )
        self._rescue = RescueAdministrator(
            site.venue,
            [account.client_id for account in accounts],
            plan.seed,
            self.evidence,
            self._troubles,
        )
        self._possible = faults.possible(site, self._repeater)
        self._fault_threads = fault_threads
        self._under_way: list[Future[None]] = []
        self._stopping = threading.Event()
        self._silence = threading.Event()
        self._listening = GuardedThread(
            "Subscriber.listen", partial(self._subscriber.listen, self._silence)
        )
        self.outcome = Outcome(plan, impossible=tuple(faults.FAULTS.keys() - self._possible.keys()))

    def timetable(self) -> list[PlannedFault]:
        """The faults that the plan's seed draws of those that are possible here."""
        chosen = faults.plans(self._possible, self._plan.kinds)
        return timetable.draw(self._plan.seed, self._plan.seconds, self._plan.faults, chosen)

    def run(self, planned: Sequence[PlannedFault]) -> Outcome:
        """Trade under these faults, come to rest, judge."""
        if self._plan.open_orders:
            self._report(f"filling the books with {self._plan.open_orders:,} open orders …")
            full_books.fill(
                self._site.venue,
                self._administration,
                self._plan.name,
                self._plan.open_orders,
                self.evidence,
            )
            self.outcome.violations += wait_until_quiet(self._site.venue, _QUIET_PATIENCE_S)
        if self._plan.net_every_s is not None:
            SettlementClient(self._site.venue).set("net", self._plan.net_every_s)
        started = time.monotonic()
        self.evidence.began_after = log_heads(self._site.venue)
        self._site.stopping.clear()
        self._trade_under(planned)
        self._come_to_rest()
        violations, compared = judge(self._site, self.evidence)
        self.outcome.violations += violations
        self._hear_the_last()
        self.outcome.compared = compared
        self._count()
        self.outcome.seconds = time.monotonic() - started
        return self.outcome

    def _trade_under(self, planned: Sequence[PlannedFault]) -> None:
        loops = [trader.trade for trader in self._traders]
        loops += [self._treasurer.deposit, self._day.command, self._rescue.command]
        loops.append(self._probe.run)
        threads = [
            GuardedThread(loop.__qualname__, partial(loop, self._stopping)) for loop in loops
        ]
        self._listening.start()
        self._repeater.start()
        for thread in threads:
            thread.start()
        try:
            time.sleep(self._plan.warm_up_s)
            self._do_faults(planned)
            self._finish_faults()
        finally:
            self._stopping.set()
            self._site.stopping.set()
        deadline = time.monotonic() + _LAST_ANSWERS_S
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            self.outcome.violations.append("a client still waits for its last answer")
        self.outcome.violations += failures(threads)
        self._repeater.stop()

    def _do_faults(self, planned: Sequence[PlannedFault]) -> None:
        """Begin each fault at its time; those of one target follow each other, others overlap."""
        begun = time.monotonic()
        for number, fault in enumerate(planned, 1):
            time.sleep(max(0.0, begun + fault.at_s - time.monotonic()))
            self._site.venue.check()
            self._report(
                f"{number}/{len(planned)} at {fault.at_s:.0f} s: {fault.kind}, {fault.target}"
            )
            self._under_way.append(self._fault_threads.of(fault.target).submit(self._do, fault))
        time.sleep(max(0.0, begun + self._plan.seconds - time.monotonic()))

    def _do(self, planned: PlannedFault) -> None:
        fault: Fault = self._possible[planned.kind]
        outage = self._outages.begin(planned.target)
        try:
            fault.act(self._site, planned)
        finally:
            outage.end()
        self.outcome.faults[planned.kind] += 1
        # A kill is over when it is done: its recovery counts from there, an outage's from the
        # server's return.
        is_kill = not planned.seconds and planned.target not in (faults.BROKER, faults.POSTGRES)
        since = outage.began if is_kill else outage.ended
        self._recoveries.watch(
            planned.kind, planned.target, faults.concerned(planned.target), since, outage
        )

    def _finish_faults(self) -> None:
        """Let those under way end; a fault that could not be done is a failure of the campaign,
        said as such.
        """
        for future in self._under_way:
            error = future.exception()
            if error is not None:
                raised = "".join(traceback.format_exception(error))
                self.outcome.violations.append(f"the campaign itself failed at a fault:\n{raised}")
        self.outcome.violations += self._recoveries.join()

    def _come_to_rest(self) -> None:
        self._report("waiting until everything is settled and recorded …")
        postgres_faults.restart_if_ended(self._site)
        start_broker(self._site.broker)
        self.outcome.violations += wait_until_quiet(self._site.venue, _QUIET_PATIENCE_S)
        self._report("comparing …")

    def _hear_the_last(self) -> None:
        """The subscriber has heard each report of its client once, in order."""
        reports = report_count(self._site.venue, self._subscriber.client_id)
        processes.wait_until(lambda: len(self._subscriber.heard) >= reports, _LAST_FRAMES_S)
        self._silence.set()
        self._listening.join()
        self.outcome.violations += failures([self._listening])
        self.outcome.violations += self._subscriber.faults(reports)
        if (without := self._troubles.counts["503 without Retry-After"]) > 0:
            self.outcome.violations.append(f"{without} answers 503 had no Retry-After")

    def _count(self) -> None:
        self.outcome.recoveries = self._recoveries.found
        self.outcome.troubles = dict(self._troubles.counts)
        self.outcome.acknowledged = len(self.evidence.acknowledged)
        self.outcome.refused = len(self.evidence.refused)
        self.outcome.deposits = len(self.evidence.deposits)
        self.outcome.phases = len(self.evidence.commanded)
        self.outcome.suspensions = self._rescue.suspensions
        self.outcome.repeated_messages = self._repeater.repeated


class FaultThreads:
    """One thread for each target of faults. They outlive the site: the kernel ends a server with
    the thread that started it.
    """

    def __init__(self) -> None:
        self._threads: dict[str, ThreadPoolExecutor] = {}

    def of(self, target: str) -> ThreadPoolExecutor:
        """The target's thread."""
        if target not in self._threads:
            self._threads[target] = ThreadPoolExecutor(1, f"fault {target}")
        return self._threads[target]

    def release(self) -> None:
        """End all threads."""
        for thread in self._threads.values():
            thread.shutdown(wait=True, cancel_futures=True)


def run(plan: Plan, report: Report) -> Outcome:
    """A whole campaign on a site of its own.

    From the main thread only. Raises Unavailable, InfrastructureError.
    """
    with ExitStack() as stack:
        fault_threads = FaultThreads()
        stack.callback(fault_threads.release)
        site = stack.enter_context(
            open_site(report, DISK_MEGABYTES + _MEGABYTES_A_LISTED_ORDER * plan.most_listed)
        )
        stack.callback(site.stopping.set)
        campaign = Campaign(site, plan, fault_threads, report)
        outcome = campaign.run(campaign.timetable())
        if outcome.violations:
            kept = Path(tempfile.mkdtemp(prefix="venue-chaos-logs-"))
            shutil.copytree(site.venue.state_dir / "logs", kept, dirs_exist_ok=True)
            report(f"the logs of all parts are kept in {kept}")
        return outcome
