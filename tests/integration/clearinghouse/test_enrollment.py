"""Join codes over HTTP on a real database: the organiser opens one, a stranger brings it."""

import base64
import hashlib
import re

import pytest

from client_enrollment import join_page
from tests.integration.clearinghouse.conftest import Door


def opened(door: Door, places: int = 3) -> dict[str, str]:
    """A new code, as the organiser gets it."""
    body = {"label": door.name("code"), "places": places}
    said: dict[str, str] = door.ask("POST", "/v1/join-codes", body, 201)
    return said


def test_a_stranger_joins_and_its_key_is_its_own(door: Door) -> None:
    code, name = opened(door), door.name("team")
    body = {"code": code["code"], "client_id": name}
    answer = door.client.post("/v1/enrollments", json=body)
    assert answer.status_code == 201 and answer.headers["Cache-Control"] == "no-store"
    key = answer.get_json()["api_key"]
    door.ask("GET", f"/v1/ledger-entries/{name}", key=key)
    door.ask("GET", "/v1/clients", status=403, key=key)
    (mine,) = [
        row
        for row in door.everything("/v1/join-codes", "join_codes", 2)
        if row["label"] == code["label"]
    ]
    assert (mine["places"], mine["used"]) == (3, 1) and "code" not in mine


def test_only_an_administrator_opens_closes_and_lists_codes(door: Door) -> None:
    code, name = opened(door), door.name("team")
    joined = {"code": code["code"], "client_id": name}
    key = door.client.post("/v1/enrollments", json=joined).get_json()["api_key"]
    body = {"label": door.name("code"), "places": 1}
    for method, path, sent in (
        ("POST", "/v1/join-codes", body),
        ("GET", "/v1/join-codes", None),
        ("DELETE", f"/v1/join-codes/{code['label']}", None),
    ):
        assert door.ask(method, path, sent, 403, key=key)["error"]["code"] == "auth.forbidden"
        assert door.client.open(path, method=method, json=sent).status_code == 401


def test_a_closed_code_is_refused_and_its_teams_stay(door: Door) -> None:
    code, name = opened(door), door.name("team")
    door.client.post("/v1/enrollments", json={"code": code["code"], "client_id": name})
    path = f"/v1/join-codes/{code['label']}"
    assert door.ask("DELETE", path) == {"label": code["label"], "was_open": True}
    assert door.ask("DELETE", path)["was_open"] is False
    late = {"code": code["code"], "client_id": door.name("team")}
    answer = door.client.post("/v1/enrollments", json=late)
    assert answer.status_code == 403
    assert answer.get_json()["error"]["code"] == "join.code_invalid"
    assert name in {row["client_id"] for row in door.ask("GET", "/v1/clients")["clients"]}


def test_an_address_that_tries_codes_is_told_to_wait(door: Door) -> None:
    at = {"REMOTE_ADDR": "198.51.100.9"}
    for number in range(5):
        body = {"code": f"guess-{number}", "client_id": "ann"}
        assert door.client.post("/v1/enrollments", json=body, environ_base=at).status_code == 403
    refused = door.client.post("/v1/enrollments", json=body, environ_base=at)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 61


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": "x"},
        {"code": "x" * 65, "client_id": "ann"},
        {"code": 5, "client_id": "ann"},
        {"code": "x", "client_id": "ann", "role": "administrator"},
        {"code": "x", "client_id": "ann", "cash": "1000000"},
    ],
)
def test_a_stranger_asks_for_nothing_but_a_name(door: Door, body: dict[str, object]) -> None:
    at = {"REMOTE_ADDR": "198.51.100.10"}
    assert door.client.post("/v1/enrollments", json=body, environ_base=at).status_code == 400


def test_the_page_runs_its_own_script_and_nothing_else(door: Door) -> None:
    answer = door.client.get("/join")
    policy = answer.headers["Content-Security-Policy"]
    (script,) = re.findall("<script>(.*?)</script>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "unsafe-inline" not in policy
    assert "innerHTML" not in join_page.SCRIPT
