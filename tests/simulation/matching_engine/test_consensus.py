"""160 matching engines agree on these workloads and edge cases, byte for byte; so does this one."""

import csv
import hashlib
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.matching_engine.consensus_reports import Report, reports, top_of_book
from venue_protocol.orders import BUY, SELL
from venue_trials.bench.order_flow import SECURITY, FlowMessage, OrderFlow
from venue_trials.bench.recorded_flow import read_workload

WORKLOADS = ("normal_s23_n20000", "static_s23_n20000", "swing-25_s23_n20000")
_SIDES = {"buy": 0, "sell": 1}


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "matching_consensus"


@pytest.mark.parametrize("name", WORKLOADS)
def test_workload_gives_the_agreed_reports_and_tops_of_book(folder: Path, name: str) -> None:
    manifest = {
        entry["name"]: entry for entry in json.loads((folder / "manifest.json").read_text())
    }[name]
    flow = OrderFlow()
    lines = []
    with lzma.open(folder / f"{name}.bbo.csv.xz", "rt") as file:
        tops = csv.reader(file)
        next(tops)
        for sequence, message in enumerate(read_workload(folder, name)):
            events = flow.run(flow.command(message)).events
            for kind, *fields in reports(flow, message.outside_id, events):
                lines.append(",".join(map(str, (kind, sequence, *fields))))
            assert _as_text(top_of_book(flow)) == next(tops)[1:], (
                f"top of book after message {sequence}"
            )
    flow.engine.check_invariants()
    with lzma.open(folder / f"{name}.reports.txt.xz", "rt") as file:
        assert lines == file.read().split("\n")
    assert (
        hashlib.sha256("\n".join(lines).encode()).hexdigest() == manifest["sha256_of_report_text"]
    )
    book = flow.engine.books[SECURITY]
    assert len(flow.engine.orders) == manifest["resting_orders_at_end"]
    assert len(list(book.bids.prices())) == manifest["bid_levels_at_end"]
    assert len(list(book.asks.prices())) == manifest["ask_levels_at_end"]


def test_edge_cases_give_the_agreed_reports_and_tops_of_book(folder: Path) -> None:
    cases = json.loads((folder / "edge_cases.json").read_text())
    assert len(cases) == 16
    for case in cases:
        flow = OrderFlow()
        for number, step in enumerate(case["steps"]):
            message = _message(step["in"])
            events = flow.run(flow.command(message)).events
            flow.engine.check_invariants()
            where = f"{case['case']}, step {number}"
            assert reports(flow, message.outside_id, events) == [
                _expected(r) for r in step["reports"]
            ], where
            bbo = step["bbo"]
            assert top_of_book(flow) == (bbo["bid"], bbo["bid_qty"], bbo["ask"], bbo["ask_qty"]), (
                where
            )


def _as_text(top: tuple[int | None, int, int | None, int]) -> list[str]:
    return [str(value) if value else "" for value in top]


def _message(step: dict[str, Any]) -> FlowMessage:
    return FlowMessage(
        step["action"],
        step["order_id"],
        SELL if step.get("side") == "sell" else BUY,
        step.get("qty") or 0,
        step.get("price") or 0,
        step.get("tif") == "ioc",
    )


def _expected(report: dict[str, Any]) -> Report:
    match report["report"]:
        case "ack":
            return 0, _SIDES[report["side"]], report["order_id"], report["price"], report["qty"]
        case "trade":
            return 1, report["price"], report["qty"], report["maker_id"], report["taker_id"]
        case "canceled":
            return 2, _SIDES[report["side"]], report["order_id"], report["price"]
        case "modified":
            return 3, _SIDES[report["side"]], report["order_id"], report["price"], report["qty"]
        case "cancel_reject":
            return 4, report["order_id"]
        case "modify_reject":
            return 5, report["order_id"]
    raise AssertionError(report)
