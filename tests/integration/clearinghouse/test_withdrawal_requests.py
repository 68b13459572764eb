"""Withdrawals that clients ask for and administrators consent to, and fines, over HTTP."""

import secrets
from typing import Any

import pytest

from tests.integration.clearinghouse.conftest import Door
from tests.integration.clearinghouse.parties import Parties, code


@pytest.fixture
def parties(door: Door) -> Parties:
    return Parties(door)


def ask(parties: Parties, body: dict[str, Any], status: int = 201) -> Any:
    return parties.door.ask(
        "POST",
        "/v1/withdrawal-requests",
        body,
        status,
        key=parties.keys[parties.buyer],
        Idempotency_Key=secrets.token_hex(8),
    )


def test_an_administrator_consents_and_the_cash_leaves(parties: Parties) -> None:
    asked = ask(parties, {"cash": "250.00"})
    assert parties.standing()["buyer"] == (10_000_000, 0)
    done = parties.consent(asked)
    assert (done["kind"], done["cash"], done["status"]) == ("withdrawal", "250.00", "done")
    assert parties.standing()["buyer"] == (7_500_000, 0)
    told = parties.reports()[-1]
    assert (told.settlement_kind, told.cash_e4) == ("withdrawal", -2_500_000)


def test_shares_go_back_to_the_issuer(parties: Parties) -> None:
    parties.trade()
    parties.consent(ask(parties, {"security": "AAPL", "shares": 3}))
    assert parties.standing()["buyer"] == (5_000_000, 7)


def test_what_is_not_there_is_refused_at_the_consent(parties: Parties) -> None:
    asked = ask(parties, {"cash": "1000.01"})
    assert code(parties.consent(asked, 422)) == "risk.insufficient_funds"


def test_a_client_can_not_consent_to_its_own_request(parties: Parties) -> None:
    asked = ask(parties, {"cash": "1.00"})
    assert code(parties.consent(asked, 403, by=parties.buyer)) == "auth.forbidden"


def test_an_administrator_can_not_consent_to_its_own_request(parties: Parties) -> None:
    door = parties.door
    deposit = {"client_id": parties.second, "cash": "5.00"}
    door.ask("POST", "/v1/deposits", deposit, 201, Idempotency_Key=secrets.token_hex(8))
    asked = door.ask(
        "POST",
        "/v1/withdrawal-requests",
        {"cash": "5.00"},
        201,
        key=parties.keys[parties.second],
        Idempotency_Key="own",
    )
    assert code(parties.consent(asked, 403)) == "proposal.second_person_required"
    assert parties.consent(asked, by=parties.boss)["status"] == "done"


def test_only_its_owner_takes_a_request_back(parties: Parties) -> None:
    asked = ask(parties, {"cash": "1.00"})
    path = f"/v1/withdrawal-requests/{asked['proposal_id']}"
    foreign = parties.door.ask("DELETE", path, None, 404, key=parties.keys[parties.seller])
    assert code(foreign) == "proposal.unknown"
    own = parties.door.ask("DELETE", path, None, key=parties.keys[parties.buyer])
    assert own["status"] == "canceled"
    assert code(parties.consent(asked, 409)) == "proposal.already_decided"


def test_a_client_sees_its_own_requests_alone(parties: Parties) -> None:
    asked = ask(parties, {"cash": "1.00"})
    path = "/v1/withdrawal-requests"
    listed = parties.door.ask("GET", path, key=parties.keys[parties.buyer])
    assert [row["proposal_id"] for row in listed["withdrawal_requests"]] == [asked["proposal_id"]]
    others = f"{path}?client_id={parties.buyer}"
    parties.door.ask("GET", others, None, 403, key=parties.keys[parties.seller])
    assert parties.door.ask("GET", others)["withdrawal_requests"]


def test_requests_are_counted_by_the_day(parties: Parties) -> None:
    for _ in range(100):
        ask(parties, {"cash": "0.01"})
    assert code(ask(parties, {"cash": "0.01"}, 429)) == "proposal.too_many"


def fine(parties: Parties, cash: str, status: int = 201, client_id: str | None = None) -> Any:
    body = {"kind": "fine", "client_id": client_id or parties.buyer, "cash": cash}
    return parties.propose(body, status)


def test_a_fine_goes_to_the_account_of_fees(parties: Parties) -> None:
    before = balance(parties, "fees")
    done = parties.consent(fine(parties, "25.00"))
    assert (done["kind"], done["cash"], done["client_id"]) == ("fine", "25.00", parties.buyer)
    assert parties.standing()["buyer"] == (9_750_000, 0)
    assert balance(parties, "fees") == before + 250_000
    told = parties.reports()[-1]
    assert (told.settlement_kind, told.cash_e4, told.memo) == ("fine", -250_000, "erroneous price")


def balance(parties: Parties, client_id: str) -> int:
    with parties.door.database.transaction() as cursor:
        cursor.execute("SELECT balance_e4 FROM accounts WHERE client_id = %s", (client_id,))
        return int(cursor.fetchone()[0])


def test_a_fine_above_what_is_available_says_so(parties: Parties) -> None:
    refused = parties.consent(fine(parties, "1000.01"), 422)
    assert code(refused) == "risk.insufficient_funds"


@pytest.mark.parametrize("cash", ["0.00", "-5.00"])
def test_a_fine_takes_something(parties: Parties, cash: str) -> None:
    assert code(fine(parties, cash, 422)) == "amount.not_positive"


@pytest.mark.parametrize("client_id", ["fees", "bank", "clearinghouse", "issuer", "lender"])
def test_the_venue_does_not_fine_itself(parties: Parties, client_id: str) -> None:
    assert code(fine(parties, "1.00", 403, client_id)) == "auth.forbidden"


def test_nobody_unknown_is_fined(parties: Parties) -> None:
    assert code(fine(parties, "1.00", 404, "nobody")) == "client.unknown"
