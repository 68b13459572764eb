"""The faults of a campaign are a function of its seed."""

from collections import Counter

from venue_chaos.timetable import FaultPlan, draw

PLANS = [
    FaultPlan("kill", ("gateway", "engine"), weight=10),
    FaultPlan("freeze", ("gateway",), weight=1, shortest_s=0.5, longest_s=2),
    FaultPlan("wipe", ("broker",), weight=0.01),
]


def test_the_same_seed_draws_the_same_timetable() -> None:
    assert draw(7, 60, 50, PLANS) == draw(7, 60, 50, PLANS)
    assert draw(7, 60, 50, PLANS) != draw(8, 60, 50, PLANS)


def test_faults_are_in_order_within_the_length_and_last_as_long_as_their_kind_may() -> None:
    planned = draw(1, 60, 200, PLANS)
    assert [fault.at_s for fault in planned] == sorted(fault.at_s for fault in planned)
    assert all(0 <= fault.at_s <= 60 for fault in planned)
    assert all(0.5 <= fault.seconds <= 2 for fault in planned if fault.kind == "freeze")
    assert {fault.target for fault in planned if fault.kind == "kill"} == {"gateway", "engine"}


def test_every_kind_happens_at_least_once_however_rare_it_is() -> None:
    for seed in range(50):
        kinds = Counter(fault.kind for fault in draw(seed, 60, 20, PLANS))
        assert set(kinds) == {"kill", "freeze", "wipe"}
        assert kinds.total() == 20


def test_fewer_faults_than_kinds_can_be_drawn() -> None:
    assert draw(1, 60, 0, PLANS) == []
    assert len(draw(1, 60, 2, PLANS)) == 2
