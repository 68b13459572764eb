"""Statements of a venue that trades: they end with the live balance, and explain each cent."""

import csv
from decimal import Decimal
from typing import Any

from tests.acceptance.api import Client, code_of, eventually
from tests.acceptance.conftest import Administrator
from venue_cli.console import main
from venue_launcher.running_venue import RunningVenue


def statement(client: Client, query: str = "") -> dict[str, Any]:
    answer = client.feed(f"/v1/statements/{client.client_id}{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def trade(buyer: Client, seller: Client, security: str, quantity: int, price: str) -> None:
    """A trade between the two, settled."""
    seller.until(seller.placed("SELL", quantity, price, security), "new")
    buyer.until(buyer.placed("BUY", quantity, price, security), "filled")
    eventually(
        lambda: statement(buyer)["movements"],
        lambda moved: bool(moved) and moved[-1]["security"] == security,
    )


def test_a_client_reads_why_it_has_what_it_has(
    trader: Client, maker: Client, security: str
) -> None:
    before = statement(trader)
    assert before["closing"]["cash"] == "10000.00" and before["movement_count"] == 1
    trade(trader, maker, security, 10, "100.10")
    trade(maker, trader, security, 10, "99.91")
    said = eventually(lambda: statement(trader), lambda found: found["movement_count"] == 3)
    assert said["fits"] is True and said["faults"] == []
    assert said["closing"]["cash"] == trader.balance()["balance"] == "9998.10"
    assert {each["cause"]: each["amount"] for each in said["cash"]} == {
        "deposits": "10000.00",
        "bought": "-1001.00",
        "sold": "999.10",
    }
    assert [(each["cause"], each["amount"]) for each in said["earned"]] == [("realised", "-1.90")]
    moved = said["movements"]
    assert [each["balance"] for each in moved] == ["10000.00", "8999.00", "9998.10"]
    assert sum(Decimal(each["cash"]) for each in moved) == Decimal("9998.10")
    assert moved[1]["what"] == f"bought 10 {security}" and moved[1]["trade_id"]


def test_sums_are_of_the_period_and_movements_come_page_by_page(
    trader: Client, maker: Client, security: str
) -> None:
    for number in range(3):
        trade(trader, maker, security, 1, f"{100 + number}.00")
    whole = eventually(lambda: statement(trader), lambda found: found["movement_count"] == 4)
    first = statement(trader, "?limit=3")
    rest = statement(trader, f"?limit=3&after={first['next']}")
    assert first["movements"] + rest["movements"] == whole["movements"]
    assert rest["next"] is None and rest["movement_count"] == first["movement_count"] == 4
    second_us = whole["movements"][2]["time"]
    later = statement(trader, f"?from={second_us}")
    assert later["opening"]["cash"] == "9900.00" and later["closing"]["cash"] == "9697.00"
    assert later["movement_count"] == 2 and later["fits"]
    assert statement(trader, f"?to={second_us}")["closing"]["cash"] == "9900.00"


def test_a_statement_is_a_table_and_a_page_too(
    trader: Client, maker: Client, security: str
) -> None:
    trade(trader, maker, security, 2, "100.00")
    path = f"/v1/statements/{trader.client_id}"
    table = trader.feed(f"{path}?format=csv")
    assert table.headers["Content-Type"].startswith("text/csv")
    assert [row["balance"] for row in csv.DictReader(table.text.splitlines())] == [
        "0.00",
        "10000.00",
        "9800.00",
        "9800.00",
    ]
    page = trader.feed(f"{path}?format=html")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "style-src 'sha256-" in page.headers["Content-Security-Policy"]
    assert "9,800.00" in page.text and f"bought 2 {security}" in page.text


def test_whose_statement_it_is_and_what_is_no_period(
    venue: RunningVenue, administrator: Administrator, trader: Client, maker: Client
) -> None:
    path = f"/v1/statements/{maker.client_id}"
    foreign = trader.feed(path)
    assert foreign.status_code == 403
    root = Client(venue, "administrator", venue.admin_key)
    assert root.feed(path).json()["client_id"] == maker.client_id
    assert root.feed("/v1/statements/nobody").status_code == 404
    for query in ("?from=yesterday", "?from=2026-11-22&to=2026-11-21", "?format=pdf", "?since=1"):
        refused = maker.feed(path + query)
        assert refused.status_code == 400, query
        assert code_of(refused) in ("request.invalid_field", "request.unknown_field")


def test_the_console_makes_the_same_statement_from_the_databases(
    venue: RunningVenue, trader: Client, maker: Client, security: str, capsys: Any
) -> None:
    trade(trader, maker, security, 3, "100.00")
    urls = ["--clearing-url", venue.owner_clearing_url, "--market-url", venue.owner_market_url]
    assert main(["statement", trader.client_id, *urls]) == 0
    said = capsys.readouterr().out
    assert "9,700.00" in said and f"bought 3 {security} at 100.00" in said
    assert "every sum fits" in said
