"""The ledger of a venue that trades: trial balance, and export as real programs read it."""

from pathlib import Path

import pytest
import requests

from tests.acceptance.api import Client, eventually
from tests.acceptance.conftest import Administrator
from tests.acceptance.test_statements import trade
from tests.bookkeepers import PROGRAMS, Program, exported
from venue_launcher.running_venue import RunningVenue


def trial_balance(venue: RunningVenue, key: str, query: str = "") -> requests.Response:
    return requests.get(
        f"{venue.clearinghouse_url}/v1/trial-balance{query}",
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    )


def test_the_trial_balance_is_equal_for_each_asset_and_shows_every_account(
    venue: RunningVenue, trader: Client, maker: Client, security: str
) -> None:
    trade(trader, maker, security, 10, "100.00")
    rows, after = [], ""
    while after is not None:
        answer = trial_balance(venue, venue.admin_key, f"?limit=7&after={after}").json()
        assert answer["equal"] is True
        rows += answer["balances"]
        after = answer["next"]
    found = {(row["account"], row["asset"]): row for row in rows}
    assert len(found) == len(rows)
    assert found[trader.client_id, security]["debit"] == "10"
    assert found[trader.client_id, "USD"]["debit"] == "9000.00"
    assert found["depository", security]["credit"] == "10000000"
    (total,) = (each for each in answer["totals"] if each["asset"] == security)
    assert total == {"asset": security, "debit": "10000000", "credit": "10000000"}


def test_only_an_administrator_sees_it(venue: RunningVenue, trader: Client) -> None:
    assert trial_balance(venue, trader.key).status_code == 403
    assert trial_balance(venue, "vk_nobody").status_code == 401


@pytest.mark.parametrize(("form", "program"), PROGRAMS)
def test_the_program_accepts_the_export_of_a_venue_that_trades(
    venue: RunningVenue,
    administrator: Administrator,
    security: str,
    form: str,
    program: Program,
    tmp_path: Path,
) -> None:
    buyer, seller = administrator.client("Buyer_1.x"), administrator.maker(security)
    for price in ("100.00", "100.01", "99.99"):
        trade(buyer, seller, security, 7, price)
    eventually(lambda: buyer.holding(security)["quantity"], lambda shares: shares == 21)
    text = exported(form, venue.owner_clearing_url, venue.owner_market_url)
    assert program(text, tmp_path) == []
    assert "9,700" not in text and "Buyer" in text
