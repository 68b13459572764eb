"""The two forms of a settlement report, by the table in docs/market-data.md."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from market_data_feed.adapters import views
from venue_protocol import codec
from venue_protocol.money import format_e4
from venue_protocol.settlement import SettlementReport, report_hash
from venue_protocol.times import format_utc

PAGE = Path(__file__).parents[3] / "docs" / "market-data.md"
TRADE = SettlementReport(
    sequence=7,
    client_id="ann",
    client_sequence=2,
    settlement_kind="trade",
    journal_id=5,
    cash_e4=-10_050_001,
    shares=10,
    balance_e4=89_949_999,
    time_us=1_795_232_311_601_670,
    previous_hash="0" * 64,
    security_id="AAPL",
    holding=10,
    trade_id=3,
    order_id=9,
    side="BUY",
    quantity=10,
    price_e4=1_005_000,
)
DEPOSIT = SettlementReport(
    sequence=1,
    client_id="ann",
    client_sequence=1,
    settlement_kind="deposit",
    journal_id=1,
    cash_e4=100_000_000,
    shares=0,
    balance_e4=100_000_000,
    time_us=1_795_232_311_601_670,
    previous_hash="0" * 64,
    memo="starting position",
)
WITH_FEE = msgspec.structs.replace(TRADE, cash_e4=-10_053_016, fee_e4=3_015)
REBATE = msgspec.structs.replace(TRADE, cash_e4=-10_047_991, fee_e4=-2_010)


DEFAULTS = {
    field.name: None if field.default is msgspec.NODEFAULT else field.default
    for field in msgspec.structs.fields(SettlementReport)
}
"""What a field that is left out stands for: null, or 0 of an amount."""


def table() -> dict[str, str]:
    """Names of JSON and of NDJSON, as the page states them."""
    section = PAGE.read_text().split("## One settlement report in two forms")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", section, re.M))


def shown_from(text: bytes) -> dict[str, Any]:
    """JSON made from the exact text by the stated rules alone."""
    exact = json.loads(text)
    names = table()
    made: dict[str, Any] = {}
    for field, default in DEFAULTS.items():
        found = exact.get(field, default)
        for name in [name for name, of in names.items() if of == field] or [field]:
            made[name] = format_e4(found) if field.endswith("_e4") and found is not None else found
    return made | {"time": format_utc(exact["time_us"]), "time_us": exact["time_us"]}


@pytest.mark.parametrize(
    "bare", [TRADE, WITH_FEE, REBATE, DEPOSIT], ids=["trade", "fee", "rebate", "deposit"]
)
def test_the_json_of_a_report_is_its_exact_text_by_the_stated_table(bare: SettlementReport) -> None:
    report = msgspec.structs.replace(bare, hash=report_hash(bare))
    assert views.settlement(report) == shown_from(codec.encode(report))


def test_the_table_states_every_name_that_differs() -> None:
    report = views.settlement(TRADE)
    assert set(report) - set(SettlementReport.__struct_fields__) == table().keys()
    assert set(SettlementReport.__struct_fields__) - set(report) == set(table().values()) - {
        "time_us"
    }
