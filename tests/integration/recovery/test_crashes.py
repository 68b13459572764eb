"""Real processes, killed while orders flow.

Each test ends with the whole proof: clients' answers, log, audit, feed.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from venue_chaos.campaign import Campaign, Outcome
from venue_chaos.faults import ALL, BROKER, CLOCK, DUPLICATED, FOLDER, POSTGRES
from venue_chaos.service_faults import kill_all_services
from venue_chaos.site import SERVICES, Site
from venue_chaos.timetable import PlannedFault
from venue_launcher.processes import wait_until


class Run(Protocol):
    """Trades under faults and returns the outcome, which has no violations."""

    def __call__(self, planned: Sequence[PlannedFault], seconds: float) -> Outcome: ...


DELAYS_AND_503 = {
    "503 service.not_ready",
    "503 service.outcome_unknown",
    "connection lost",
    "time-out",
    "no connection",
}
DELAYS_AND_503 |= {"hung up"}


def fault(at_s: float, kind: str, target: str, seconds: float = 0.0) -> PlannedFault:
    return PlannedFault(at_s, kind, target, seconds, dice=1)


def test_each_service_killed_under_load_loses_nothing(survive: Run) -> None:
    kills = [fault(number, "service killed", name) for number, name in enumerate(SERVICES)]
    outcome = survive([*kills, fault(4, "service killed", SERVICES[0])], seconds=4)
    assert all(
        recovery.ready_s is not None and recovery.through_s is not None
        for recovery in outcome.recoveries
    )
    assert outcome.compared["trades"] > 0


def test_queues_emptied_deleted_and_filled_with_old_messages_lose_and_repeat_nothing(
    survive: Run,
) -> None:
    outcome = survive(
        [
            fault(0.2, "queues purged", BROKER),
            fault(0.8, DUPLICATED, BROKER),
            fault(1.0, "queue deleted", BROKER),
            fault(1.5, "messages dropped", BROKER),
            fault(2.0, DUPLICATED, BROKER),
        ],
        seconds=3,
    )
    assert outcome.repeated_messages > 0


def test_broker_killed_and_then_wiped_heals_from_the_log_and_clients_see_only_delays_or_503(
    survive: Run,
) -> None:
    outcome = survive(
        [fault(0.3, "broker killed", BROKER, seconds=1), fault(0.4, "broker data deleted", BROKER)],
        seconds=1,
    )
    assert set(outcome.troubles) <= DELAYS_AND_503


def test_postgres_killed_away_and_out_of_connections_while_trading_goes_on(survive: Run) -> None:
    outcome = survive(
        [
            fault(0.3, "Postgres killed", POSTGRES),
            fault(1.5, "Postgres restarted", POSTGRES, seconds=3),
            fault(1.6, "Postgres connections exhausted", POSTGRES, seconds=1.5),
        ],
        seconds=2,
    )
    assert outcome.troubles["503 service.not_ready"] > 0
    assert set(outcome.troubles) <= DELAYS_AND_503


def test_full_disks_only_delay(site: Site, survive: Run) -> None:
    faults = [fault(0.3, "broker disk full", BROKER, seconds=1.5)]
    if site.disk is not None:
        # Only root may mount a small disk to fill.
        faults.append(fault(0.3, "Postgres disk full", POSTGRES, seconds=1.5))
    outcome = survive(faults, seconds=1)
    assert set(outcome.troubles) <= DELAYS_AND_503


def test_servers_killed_behind_the_launchers_back_are_started_again_by_it(survive: Run) -> None:
    outcome = survive(
        [
            fault(0.3, "broker killed unasked", BROKER),
            fault(0.4, "Postgres killed unasked", POSTGRES),
        ],
        seconds=1,
    )
    assert all(recovery.ready_s is not None for recovery in outcome.recoveries)


def test_publishers_that_the_broker_refuses_say_so_and_go_on_by_themselves(survive: Run) -> None:
    outcome = survive(
        [
            fault(0.3, "publishers refused", BROKER, seconds=2),
            fault(0.4, "largest message lowered", BROKER, seconds=1),
        ],
        seconds=4,
    )
    assert set(outcome.troubles) <= DELAYS_AND_503


def test_the_venues_own_folder_full_and_the_brokers_disk_full_only_delay(
    site: Site, survive: Run
) -> None:
    faults = []
    if site.venue_disk is not None:
        # Only root may mount a small disk to fill.
        faults = [
            fault(0.3, "venue disk full", FOLDER, seconds=1.5),
            fault(0.4, "broker disk filled", BROKER, seconds=3),
        ]
    outcome = survive(faults, seconds=2)
    assert set(outcome.troubles) <= DELAYS_AND_503


def test_a_gateway_with_a_wrong_clock_stops_nobody(survive: Run) -> None:
    outcome = survive([fault(0.3, "clock wrong", CLOCK, seconds=4)], seconds=4)
    assert [recovery.ready_s is not None for recovery in outcome.recoveries] == [True]
    assert outcome.compared["trades"] > 0


def test_services_started_while_database_and_broker_are_away_say_so_and_go_on_by_themselves(
    site: Site, survive: Run
) -> None:
    site.postgres.stop()
    site.broker.stop()
    try:
        kill_all_services(site, fault(0, "all services killed", ALL))
        assert wait_until(lambda: _all_say_what_they_wait_for(site), 30), site.venue.unready()
    finally:
        site.postgres.start()
        site.broker.start()
    assert wait_until(lambda: not site.venue.unready(), 30), site.venue.unready()
    survive([], seconds=0.5)


def _all_say_what_they_wait_for(site: Site) -> bool:
    """Whether each service names the broker and a database (the feed has two)."""
    unready = site.venue.unready()
    return len(unready) == len(SERVICES) and all(
        "broker" in reason and ("database" in reason or "_data" in reason)
        for reason in unready.values()
    )


def test_faults_drawn_from_a_seed_lose_nothing(campaign: Callable[..., Campaign]) -> None:
    services = ("service killed", "service terminated")
    kinds = (
        *services,
        "messages dropped",
        DUPLICATED,
        "Postgres connections terminated",
        "Postgres backend killed",
    )
    trading = campaign(5, faults=8, kinds=kinds)
    outcome = trading.run(trading.timetable())
    assert outcome.violations == []
    assert set(outcome.faults) == set(kinds)


def test_an_acknowledged_order_that_is_not_in_the_log_would_be_found(
    campaign: Callable[..., Campaign],
) -> None:
    trading = campaign(0.5)
    order = {"client_order_id": "never-sent", "security": "AAPL", "side": "BUY", "quantity": 1}
    trading.evidence.order("nobody", order, {"order_id": 10**6})
    trading.evidence.deposit("never-made", 10**6)
    outcome = trading.run([])
    assert len(outcome.violations) == 2
    assert "never-sent" in outcome.violations[0] and "never-made" in outcome.violations[1]
