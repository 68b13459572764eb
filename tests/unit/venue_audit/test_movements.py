"""What a settlement report says in words."""

from typing import Any

import pytest

from venue_audit.settlements import movement
from venue_protocol.settlement import SettlementReport


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        (
            "trade",
            {"side": "BUY", "quantity": 4, "price_e4": 1_000_000, "trade_id": 7, "order_id": 9},
            "bought 4 AAPL at 100.00 (trade 7, order 9, due in cycle 12)",
        ),
        ("net_settlement", {"settled_shares": 6}, "cycle 12 settled +6 AAPL"),
        (
            "net_settlement",
            {"settled_shares": -6, "open_shares": -4},
            "cycle 12 settled -6 AAPL, -4 still open",
        ),
        (
            "net_settlement",
            {"settled_cash_e4": -5_960_000, "security_id": None},
            "cycle 12 settled -596.00",
        ),
    ],
)
def test_what_is_due_and_what_settled_is_said(kind: Any, fields: dict[str, Any], said: str) -> None:
    given = {"security_id": "AAPL", "settlement_cycle": 12} | fields
    report = SettlementReport(1, "ann", 1, kind, 1, 0, 0, 0, 0, "", **given)
    assert movement(report) == said
