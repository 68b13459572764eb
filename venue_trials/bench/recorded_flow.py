"""Reads the workloads of a matching_consensus folder."""

import csv
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from venue_protocol.orders import BUY, SELL
from venue_trials.bench.order_flow import FlowMessage

_ACTIONS: dict[str, Literal["new", "cancel", "modify"]] = {"N": "new", "C": "cancel", "M": "modify"}


def workload_names(folder: Path) -> list[str]:
    """Names of the workloads in the folder, in alphabetical order."""
    return sorted(
        path.name.removesuffix(".orders.csv.xz") for path in folder.glob("*.orders.csv.xz")
    )


def read_workload(folder: Path, name: str) -> Iterator[FlowMessage]:
    """The messages of one workload, in order."""
    with lzma.open(folder / f"{name}.orders.csv.xz", "rt") as file:
        for row in csv.DictReader(file):
            yield FlowMessage(
                _ACTIONS[row["type"]],
                int(row["order_id"]),
                SELL if row["side"] == "S" else BUY,
                int(row["qty"] or 0),
                int(row["price_ticks"] or 0),
                row["ioc"] == "1",
            )
