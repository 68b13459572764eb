"""Whole benchmarks at a tiny rate: every figure is there, the audit is equal. Nothing here says how
fast it was.
"""

import json
from pathlib import Path

import msgspec
import pytest

from venue_cli import console
from venue_trials.bench.soak import SoakResult
from venue_trials.bench.venue import VenueResult

SMALL = ["--accounts", "6", "--securities", "2", "--resting", "200", "--json"]


def bench(capsys: pytest.CaptureFixture[str], *arguments: str) -> VenueResult:
    """What a benchmark printed; it ended well."""
    assert console.main(["bench", *arguments, *SMALL]) == 0
    return msgspec.json.decode(capsys.readouterr().out, type=VenueResult)


def test_bench_venue_measures_every_way_in_to_the_end_and_audits(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = bench(
        capsys,
        *(
            "venue",
            "--every-case",
            "--mix",
            "trades",
            "--rate",
            "60",
            "--size",
            "5",
            "--seconds",
            "2",
        ),
        *("--warm-up", "0.5", "--watched", "6", "--output", str(tmp_path)),
    )
    assert found.is_equal and found.restarts == {} and found.limits is not None
    assert [run.case for run in found.runs] == ["http-lists", "http-single", "websocket"]
    for run in found.runs:
        assert run.load.accepted == run.load.sent == run.load.due == 150, run.case
        assert (run.load.unsent, run.load.unanswered, run.load.refused) == (0, 0, {}), run.case
        assert run.acknowledged.count == run.matched_after.count > 0, run.case
        assert (
            run.settled_after.count > 0
            and run.seen_after.count > 0
            and run.settlement_seen_after.count > 0
        )
        assert (
            sum(second.accepted for second in run.seconds)
            == sum(second.matched for second in run.seconds)
            == 150
        )
        assert (
            sum(second.settled for second in run.seconds)
            == sum(second.recorded for second in run.seconds)
            == 150
        )
        assert (
            run.seconds[-1].unmatched,
            run.seconds[-1].unsettled,
            run.seconds[-1].unrecorded,
        ) == (0, 0, 0)
        assert {
            "gateway",
            "engine",
            "clearinghouse",
            "feed",
            "broker",
            "database",
        } <= run.parts.keys()
    assert found.compared["log_rows"] == 200 + 3 * 150
    (written,) = tmp_path.glob("*.json")
    assert json.loads(written.read_text())["is_equal"] is True
    assert len(list(tmp_path.glob("*.svg"))) == 3


@pytest.mark.parametrize("stage", ["match", "settle", "record"])
def test_a_stage_alone_works_off_what_was_prepared(
    capsys: pytest.CaptureFixture[str], stage: str
) -> None:
    found = bench(capsys, stage, "--commands", "600", "--rate", "600")
    (alone,) = found.stages
    assert (alone.stage, alone.commands) == (stage, 600)
    assert alone.events > 600 and alone.seconds > 0
    assert found.is_equal and found.restarts == {} and found.limits is not None


def test_the_door_alone_is_measured_with_and_without_its_commit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    often = ("--rate", "2000", "--size", "100", "--seconds", "4", "--warm-up", "0", "--no-limits")
    found = bench(capsys, "door", *often)
    assert [door.is_committed for door in found.doors] == [True, False]
    assert all(door.load.accepted == 8_000 for door in found.doors), (
        "more than the door lets wait as a rule"
    )
    assert found.is_equal and found.compared["log_rows"] == 8_200, (
        "what was not committed is not in the log"
    )


def test_an_overload_is_worked_off_and_audited(capsys: pytest.CaptureFixture[str]) -> None:
    found = bench(
        capsys,
        *(
            "venue",
            "--rate",
            "100",
            "--size",
            "5",
            "--seconds",
            "1",
            "--warm-up",
            "0",
            "--no-limits",
        ),
        *("--overload", "1"),
    )
    (after,) = found.overloads
    assert after.rate == 200 and after.load.accepted == 200
    assert after.normal_after_s is not None
    assert found.is_equal and found.restarts == {}


def test_a_soak_is_looked_at_in_windows_and_audited(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    often = ("--minutes", "0.06", "--window", "0.02", "--rate", "250", "--size", "5", "--no-limits")
    assert console.main(["bench", "soak", *often, *SMALL, "--output", str(tmp_path)]) == 0
    found = msgspec.json.decode(capsys.readouterr().out, type=SoakResult)
    assert [window.until_minute for window in found.windows] == [0.02, 0.04, 0.06]
    assert all(window.figures.load.accepted == 300 for window in found.windows)
    assert all(window.figures.settled_after.count > 0 for window in found.windows)
    assert {"order_log", "settlements"} <= {table.table for table in found.windows[-1].tables}
    assert found.venue.is_equal and found.venue.compared["log_rows"] == 200 + 900
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".svg"}
