"""The benchmark of the core measures whole workloads; no speed is asserted."""

import argparse
from pathlib import Path

import msgspec
import pytest

from venue_trials.bench import core
from venue_trials.bench.core import CoreResult
from venue_trials.bench.generated_flow import SHAPES


def run(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    """Exit code and standard output of `./venue bench core` with these options."""
    parser = argparse.ArgumentParser()
    core.add_arguments(parser)
    code = core.run(parser.parse_args(options))
    return code, capsys.readouterr().out


def test_generated_workloads_are_measured_each_way(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--generated", "--messages", "600", "--repeats", "1", "--depths", "10,200", "--json")
    code, out = run(capsys, *options)
    result = msgspec.json.decode(out, type=CoreResult)
    assert code == 0
    assert [figures.workload.split()[0] for figures in result.workloads] == list(SHAPES)
    assert all(figures.messages == 600 and figures.events >= 600 for figures in result.workloads)
    assert all(min(f.whole, f.whole_cpu, f.book, f.baseline) > 0 for f in result.workloads)
    assert [cost.resting for cost in result.depths] == [10, 200]


def test_recorded_workloads_are_taken_where_they_are(
    capsys: pytest.CaptureFixture[str], shared_data: Path
) -> None:
    folder = str(shared_data / "matching_consensus")
    code, out = run(capsys, "--data", folder, "--repeats", "1", "--depths", "")
    assert code == 0
    for line in ("normal_s23_n20000", "static_s23_n20000", "swing-25_s23_n20000", "slowest"):
        assert line in out
