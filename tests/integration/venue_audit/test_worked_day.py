"""The worked day of docs/clearing.md, net and gross: its table is what the venue computes."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from migrations.provision import drop
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.verdicts import audited, said
from tests.integration.venue_audit.worked_day import MEMBERS, SECURITIES, WorkedDay
from tests.provisioning import provision_seeded
from venue_protocol.money import format_e4

_DOCUMENT = Path(__file__).parents[3] / "docs" / "clearing.md"
_SEED = 7


class PlayedDay(NamedTuple):
    """What a day left."""

    cash_e4: dict[str, int]
    shares: dict[tuple[str, str], int]
    verdict: str
    journals: dict[str, int]
    cycles: list[tuple[int, ...]]
    """Number, trades, value, paid net, delivered at the mark, movements, fails."""
    charges_e4: dict[str, int]
    """What members paid (below zero) and got for fails."""
    loan: list[str]
    """What happened to the stock loan."""
    open_orders: set[tuple[str, int, int]]
    """Client, shares and limit of those in AAPL."""


def played(postgres_url: str, is_net: bool) -> PlayedDay:
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance), _SEED)
    try:
        day = WorkedDay(venue, is_net)
        day.play()
        verdict = audited(venue)
        return PlayedDay(
            day.cash(),
            day.shares(),
            said(verdict) if not verdict.is_equal else "EQUAL",
            dict(venue.read("clearing", "SELECT journal_kind, count(*) FROM journals GROUP BY 1")),
            venue.read(
                "clearing",
                "SELECT number, trades, gross_value_e4, net_cash_e4, net_deliveries_e4, movements,"
                " fails FROM settlement_cycles ORDER BY number",
            ),
            dict(
                venue.read(
                    "clearing",
                    "SELECT client_id, sum((report::json->>'cash_e4')::bigint)::bigint"
                    " FROM settlement_reports WHERE report LIKE '%%\"fails_charge\"%%' GROUP BY 1",
                )
            ),
            [
                kind
                for (kind,) in venue.read(
                    "clearing", "SELECT event::json->>'kind' FROM loan_events ORDER BY number"
                )
            ],
            set(
                venue.read(
                    "market",
                    "SELECT client_id, quantity, price_e4 FROM orders"
                    " WHERE status = 'new' AND security_id = 'AAPL'",
                )
            ),
        )
    finally:
        venue.close()
        drop(postgres_url, instance)


@pytest.fixture(scope="module")
def days(postgres_url: str) -> Iterator[dict[str, PlayedDay]]:
    yield {"net": played(postgres_url, True), "gross": played(postgres_url, False)}


def table(heading: str) -> list[list[str]]:
    """The rows of the table of the worked day whose first column has this heading."""
    text = _DOCUMENT.read_text().split("## A worked day")[1].split("\n## ")[0]
    found = re.search(rf"\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text)
    assert found is not None, heading
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines()]


def test_both_days_are_equal_in_the_audit(days: dict[str, PlayedDay]) -> None:
    assert {mode: day.verdict for mode, day in days.items()} == {"net": "EQUAL", "gross": "EQUAL"}


def test_net_and_gross_end_equal_but_for_the_charge_of_the_fail(
    days: dict[str, PlayedDay],
) -> None:
    net, gross = days["net"], days["gross"]
    assert net.shares == gross.shares
    charged = {
        name: cash_e4 + net.charges_e4.get(name, 0) for name, cash_e4 in gross.cash_e4.items()
    }
    assert net.cash_e4 == charged
    assert sum(net.charges_e4.values()) == 0 and net.charges_e4["bob"] < 0
    assert gross.journals["trade"] == 200 and "trade" not in net.journals


def test_what_members_end_with_is_what_the_document_says(days: dict[str, PlayedDay]) -> None:
    net, gross = days["net"], days["gross"]
    expected = [
        [
            name,
            f"{format_e4(net.cash_e4[name])}",
            f"{format_e4(gross.cash_e4[name])}",
            *(str(net.shares.get((name, security_id), 0)) for security_id in SECURITIES),
        ]
        for name in (*MEMBERS, "fees", "lender")
    ]
    assert table("account") == expected


def test_the_cycles_are_what_the_document_says(days: dict[str, PlayedDay]) -> None:
    expected = [
        [
            str(number),
            str(trades),
            format_e4(gross_e4),
            format_e4(paid_e4),
            format_e4(delivered_e4),
            str(movements),
            str(fails),
        ]
        for number, trades, gross_e4, paid_e4, delivered_e4, movements, fails in days["net"].cycles
    ]
    assert table("cycle") == expected


def test_the_loan_ended_as_the_document_says(days: dict[str, PlayedDay]) -> None:
    assert days["net"].loan == days["gross"].loan
    assert days["net"].loan[0] == "borrow" and days["net"].loan[-4:] == [
        "closing",
        "order",
        "bought",
        "closed",
    ]
    assert "call" in days["net"].loan


def test_open_orders_followed_the_split(days: dict[str, PlayedDay]) -> None:
    for day in days.values():
        assert day.open_orders == {("ann", 13, 600_000), ("bob", 13, 800_100)}
