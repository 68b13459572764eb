"""All kinds of faults: what each does, its targets, how often it is drawn, how long it lasts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from venue_chaos import broker_faults, clock_faults, postgres_faults, service_faults
from venue_chaos.message_repeater import MessageRepeater
from venue_chaos.site import CLEARINGHOUSE, GATEWAY, SERVICES, Site
from venue_chaos.timetable import FaultPlan, PlannedFault

BROKER = "RabbitMQ"
POSTGRES = "Postgres"
ALL = "all services"
FOLDER = "the venue's folder"
CLOCK = "a second gateway"


IN_CYCLE = "clearinghouse killed in a cycle"
"""Aimed at the ends of settlement cycles."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault. `act` returns when it is over and whatever was taken away is there again."""

    act: Callable[[Site, PlannedFault], None]
    targets: tuple[str, ...]
    weight: float
    shortest_s: float = 0.0
    longest_s: float = 0.0
    needs_disk: bool = False


FAULTS: dict[str, Fault] = {
    "service killed": Fault(service_faults.kill_service, SERVICES, 12),
    IN_CYCLE: Fault(service_faults.kill_in_cycle, (CLEARINGHOUSE,), 1, 0.0, 0.5),
    "service terminated": Fault(service_faults.terminate_service, SERVICES, 3),
    "service frozen": Fault(service_faults.freeze_service, SERVICES, 4, 0.5, 8),
    "all services killed": Fault(service_faults.kill_all_services, (ALL,), 1.5),
    "broker killed": Fault(broker_faults.kill_broker, (BROKER,), 2, 0, 4),
    "broker stopped": Fault(broker_faults.stop_broker, (BROKER,), 1, 0, 4),
    "broker data deleted": Fault(broker_faults.delete_broker_data, (BROKER,), 2, 0, 2),
    "broker frozen": Fault(broker_faults.freeze_broker, (BROKER,), 1, 0.5, 8),
    "broker disk full": Fault(broker_faults.fill_broker_disk, (BROKER,), 1, 1, 6),
    "broker connections cut": Fault(broker_faults.cut_broker_connections, (BROKER,), 2),
    "broker killed unasked": Fault(broker_faults.kill_broker_unasked, (BROKER,), 2),
    "broker disk filled": Fault(
        broker_faults.fill_broker_disk_for_real, (BROKER,), 1, 1, 12, needs_disk=True
    ),
    "largest message lowered": Fault(broker_faults.lower_largest_message, (BROKER,), 1, 2, 10),
    "publishers refused": Fault(broker_faults.refuse_publishers, (BROKER,), 1, 1, 8),
    "queues purged": Fault(broker_faults.purge_queues, (BROKER,), 3),
    "messages dropped": Fault(broker_faults.purge_one_queue, (BROKER,), 4),
    "queue deleted": Fault(broker_faults.delete_queue, (BROKER,), 2),
    "Postgres killed": Fault(postgres_faults.kill_postgres, (POSTGRES,), 3, 0, 5),
    "Postgres killed unasked": Fault(postgres_faults.kill_postgres_unasked, (POSTGRES,), 2),
    "Postgres restarted": Fault(postgres_faults.restart_postgres, (POSTGRES,), 2, 0, 10),
    "Postgres backend killed": Fault(postgres_faults.kill_backend, (POSTGRES,), 2),
    "Postgres frozen": Fault(postgres_faults.freeze_postgres, (POSTGRES,), 1, 0.5, 8),
    "Postgres connections terminated": Fault(postgres_faults.terminate_connections, (POSTGRES,), 3),
    "Postgres connections exhausted": Fault(
        postgres_faults.exhaust_connections, (POSTGRES,), 2, 1, 5
    ),
    "Postgres disk full": Fault(
        postgres_faults.fill_postgres_disk, (POSTGRES,), 1.5, 0.5, 5, needs_disk=True
    ),
    "venue disk full": Fault(service_faults.fill_venue_disk, (FOLDER,), 1, 1, 8, needs_disk=True),
    "clock wrong": Fault(clock_faults.join_skewed_gateway, (CLOCK,), 1, 3, 8),
}
DUPLICATED = "messages duplicated"
_DUPLICATED_WEIGHT = 5.0


def possible(site: Site, repeater: MessageRepeater) -> dict[str, Fault]:
    """The kinds that can be done at this site, with the one that repeats messages."""

    def duplicate(_site: Site, fault: PlannedFault) -> None:
        broker_faults.duplicate_messages(repeater, fault)

    found = {
        kind: fault
        for kind, fault in FAULTS.items()
        if site.disk is not None or not fault.needs_disk
    }
    return found | {DUPLICATED: Fault(duplicate, (BROKER,), _DUPLICATED_WEIGHT)}


def plans(faults: dict[str, Fault], chosen: Sequence[str] = ()) -> list[FaultPlan]:
    """What `timetable.draw` needs of these faults, or of those whose kind is chosen."""
    return [
        FaultPlan(kind, fault.targets, fault.weight, fault.shortest_s, fault.longest_s)
        for kind, fault in faults.items()
        if not chosen or kind in chosen
    ]


def concerned(target: str) -> tuple[str, ...]:
    """The services that have to recover from a fault of this target."""
    if target == CLOCK:
        return (GATEWAY,)
    return (target,) if target in SERVICES else SERVICES
