"""What a campaign prints: medians of clean recoveries, the verdict, and the same as JSON."""

import json
import os
from collections import Counter
from dataclasses import replace

from venue_chaos.campaign import Outcome, Plan
from venue_chaos.figures import as_json, for_people, recovery_rows
from venue_chaos.recoveries import Recovery, processor_seconds

KILL = Recovery(
    "service killed", "matching_engine", 1.0, 2.0, 0.9, is_ready_clean=True, is_through_clean=True
)
OUTCOME = Outcome(
    Plan(seed=7, seconds=60, faults=1),
    faults=Counter({"service killed": 1}),
    recoveries=[KILL],
    compared={"orders": 3},
)


def test_only_clean_kills_count_for_a_service() -> None:
    disturbed = replace(
        KILL, ready_s=50.0, through_s=60.0, is_ready_clean=False, is_through_clean=False
    )
    frozen = replace(KILL, kind="service frozen", ready_s=70.0)
    (row,) = recovery_rows([KILL, replace(KILL, ready_s=3.0), disturbed, frozen])
    assert (row["recoveries"], row["ready_clean"], row["ready_median_s"], row["ready_worst_s"]) == (
        3,
        2,
        2.0,
        3.0,
    )


def test_a_recovery_that_never_came_is_counted_and_has_no_seconds() -> None:
    (row,) = recovery_rows([replace(KILL, ready_s=None, through_s=None)])
    assert (row["recoveries"], row["ready_clean"], row["ready_median_s"]) == (1, 0, None)
    assert "-" in for_people(replace(OUTCOME, recoveries=[replace(KILL, ready_s=None)]))


def test_the_verdict_names_each_violation_or_says_that_there_is_none() -> None:
    assert "nothing lost, nothing twice" in for_people(OUTCOME)
    said = for_people(replace(OUTCOME, violations=["order 7 is in the log twice"]))
    assert "order 7 is in the log twice" in said and "nothing lost" not in said


def test_json_says_whether_it_passed() -> None:
    assert json.loads(as_json(OUTCOME))["passed"] is True
    failed = json.loads(as_json(replace(OUTCOME, violations=["x"])))
    assert (failed["passed"], failed["violations"], failed["plan"]["seed"]) == (False, ["x"], 7)


def test_processor_time_of_a_running_process_is_known_and_of_none_is_not() -> None:
    used = processor_seconds(os.getpid())
    assert used is not None and used > 0
    assert processor_seconds(None) is None
