"""The fee schedule through the routes: who may, what is refused, what is on record."""

from collections.abc import Iterator

import pytest

from tests.integration.clearinghouse.conftest import Door
from trading_fees import desk

STANDARD = {
    "security": None,
    "tier": "standard",
    "maker_bps": -1,
    "taker_bps": 3,
    "auction_bps": 1,
}


@pytest.fixture(autouse=True)
def free_again(door: Door) -> Iterator[None]:
    """Each test begins and ends without fees."""
    yield
    with door.database.transaction() as cursor:
        cursor.execute("DELETE FROM fee_tiers")
        cursor.execute("DELETE FROM fee_schedule")


def test_a_schedule_is_set_shown_and_removed(door: Door) -> None:
    assert door.ask("GET", "/v1/fees") == {"fees": []}
    asked = {"maker_bps": -1, "taker_bps": 3, "auction_bps": 1}
    assert door.ask("PUT", "/v1/fees", asked) == STANDARD
    apple = {"security": "AAPL", "tier": "gold", "maker_bps": 0, "taker_bps": 2, "auction_bps": 0}
    assert door.ask("PUT", "/v1/fees", apple) == apple
    assert door.ask("GET", "/v1/fees")["fees"] == [STANDARD, apple]
    assert door.ask("DELETE", "/v1/fees?security=AAPL&tier=gold") == {"was_set": True}
    assert door.ask("DELETE", "/v1/fees?security=AAPL&tier=gold") == {"was_set": False}
    assert door.ask("GET", "/v1/fees")["fees"] == [STANDARD]
    done = door.everything("/v1/administrative-actions", "actions", 1_000)[-3:]
    assert [(row["action"], row["security"]) for row in done] == [
        ("set_fees", None),
        ("set_fees", "AAPL"),
        ("remove_fees", "AAPL"),
    ]


def test_a_tier_gives_a_client_its_own_rates_and_the_client_sees_them(door: Door) -> None:
    ann = door.name("ann")
    key = door.ask("POST", "/v1/clients", {"client_id": ann}, 201)["api_key"]
    door.ask("PUT", "/v1/fees", {"maker_bps": 0, "taker_bps": 3})
    door.ask("PUT", "/v1/fees", {"tier": "gold", "maker_bps": 0, "taker_bps": 2})
    assert door.ask("PUT", f"/v1/clients/{ann}/fee-tier", {"tier": "gold"})["tier"] == "gold"
    assert door.ask("GET", "/v1/fee-tiers") == {"tiers": {ann: "gold"}}
    assert door.ask("GET", f"/v1/clients/{ann}/fees", key=key) == {
        "client_id": ann,
        "tier": "gold",
        "fees": [{"security": None, "maker_bps": 0, "taker_bps": 2, "auction_bps": 0}],
    }
    door.ask("GET", "/v1/clients/bank/fees", None, 403, key=key)
    door.ask("PUT", f"/v1/clients/{ann}/fee-tier", {"tier": "standard"})
    assert door.ask("GET", "/v1/fee-tiers") == {"tiers": {}}


def test_only_an_administrator_changes_fees(door: Door) -> None:
    ann = door.name("ann")
    key = door.ask("POST", "/v1/clients", {"client_id": ann}, 201)["api_key"]
    for method, path, body in (
        ("PUT", "/v1/fees", {"maker_bps": 0, "taker_bps": 0}),
        ("DELETE", "/v1/fees", None),
        ("PUT", f"/v1/clients/{ann}/fee-tier", {"tier": "standard"}),
        ("GET", "/v1/fee-tiers", None),
    ):
        door.ask(method, path, body, 403, key=key)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"maker_bps": -4, "taker_bps": 3}, "request.invalid_field maker_bps"),
        ({"maker_bps": 0, "taker_bps": 1_001}, "request.invalid_field maker_bps"),
        ({"maker_bps": 0, "taker_bps": 3, "tier": "Gold"}, "request.invalid_field tier"),
        ({"maker_bps": 0, "taker_bps": 3, "security": "NOPE"}, "request.unknown_security security"),
    ],
)
def test_what_can_not_be_a_schedule_is_refused(
    door: Door, body: dict[str, object], reason: str
) -> None:
    error = door.client.put(
        "/v1/fees", json=body, headers={"Authorization": f"Bearer {door.key}"}
    ).get_json()["error"]
    assert error["field"] == reason.split()[1], error
    assert door.ask("GET", "/v1/fees") == {"fees": []}


def test_removing_a_row_may_not_leave_a_rebate_that_nobody_pays(door: Door) -> None:
    door.ask("PUT", "/v1/fees", {"maker_bps": 0, "taker_bps": 9})
    door.ask("PUT", "/v1/fees", {"tier": "gold", "maker_bps": -5, "taker_bps": 5})
    door.ask("DELETE", "/v1/fees", None, 400)
    assert len(door.ask("GET", "/v1/fees")["fees"]) == 2


def test_a_tier_that_has_no_rates_is_a_slip(door: Door) -> None:
    ann = door.name("ann")
    door.ask("POST", "/v1/clients", {"client_id": ann}, 201)
    path = f"/v1/clients/{ann}/fee-tier"
    assert door.refused("PUT", path, {"tier": "golf"}, 400) == "request.invalid_field tier"
    door.ask("PUT", "/v1/clients/nobody-of-this-name/fee-tier", {"tier": "standard"}, 404)


def test_a_schedule_has_a_largest_size(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "MOST_ROWS", 2)
    for tier in ("standard", "gold"):
        door.ask("PUT", "/v1/fees", {"tier": tier, "maker_bps": 0, "taker_bps": 3})
    door.ask("PUT", "/v1/fees", {"tier": "third", "maker_bps": 0, "taker_bps": 3}, 400)
    door.ask("PUT", "/v1/fees", {"tier": "gold", "maker_bps": 0, "taker_bps": 2})
    assert len(door.ask("GET", "/v1/fees")["fees"]) == 2
