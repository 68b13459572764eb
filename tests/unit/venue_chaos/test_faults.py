"""Which faults are possible at a site, and whom they concern."""

from typing import Any

import pytest

from venue_chaos import faults
from venue_chaos.site import GATEWAY, SERVICES


class SiteWithoutDisks:
    """What this user may not mount."""

    disk = None


def test_kinds_that_fill_a_disk_need_one_that_may_be_filled() -> None:
    site: Any = SiteWithoutDisks()
    possible = faults.possible(site, repeater=None)  # type: ignore[arg-type]
    missing = faults.FAULTS.keys() - possible.keys()
    assert missing == {"Postgres disk full", "broker disk filled", "venue disk full"}
    assert faults.DUPLICATED in possible


@pytest.mark.parametrize(
    ("target", "concerned"),
    [
        (SERVICES[0], (SERVICES[0],)),
        (faults.BROKER, SERVICES),
        (faults.FOLDER, SERVICES),
        (faults.CLOCK, (GATEWAY,)),
    ],
)
def test_a_fault_concerns_its_service_or_all(target: str, concerned: tuple[str, ...]) -> None:
    assert faults.concerned(target) == concerned


def test_every_kind_has_targets_and_a_length_that_can_be_drawn() -> None:
    for plan in faults.plans(faults.FAULTS):
        assert plan.targets and plan.weight > 0
        assert 0 <= plan.shortest_s <= plan.longest_s
