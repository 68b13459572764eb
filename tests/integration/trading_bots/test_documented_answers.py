"""What a running venue answers is what its `/openapi.json` says."""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import requests

import clearinghouse.adapters.api as clearinghouse_api
import market_data_feed.adapters.api as feed_api
import order_entry_gateway.adapters.api as gateway_api
from service_runtime.http.openapi import Operation
from tests.integration.trading_bots.waiting import wait_for
from tests.openapi_check import faults
from trading_bots.client import Refused, VenueClient
from venue_launcher.admin_client import Administration
from venue_launcher.running_venue import RunningVenue


@dataclass(frozen=True)
class Asking:
    """Asks one service, and compares each answer with the document of that service."""

    url: str
    document: dict[str, Any]
    keys: dict[str, str]
    names: dict[str, str]
    """Values for the parameters of paths."""

    def ask(self, operation: Operation, body: Any = None, query: str = "") -> Any:
        """The answer's JSON, once it fits the document."""
        path = re.sub(r"<(?:int:)?(\w+)>", lambda match: self.names[match[1]], operation.path)
        headers = (
            {"Authorization": f"Bearer {self.keys[operation.needs]}"}
            if operation.needs in self.keys
            else {}
        )
        headers |= dict.fromkeys(operation.headers, secrets.token_hex(8))
        answer = requests.request(
            operation.method, f"{self.url}{path}{query}", json=body, headers=headers, timeout=10
        )
        described = self.document["paths"][operation.url][operation.method.lower()]
        assert str(answer.status_code) in described["responses"], (
            f"{operation.method} {path}: {answer.text}"
        )
        media = described["responses"][str(answer.status_code)]["content"]
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert kind in media, f"{path}: {kind}"
        if kind != "application/json":
            return answer.text
        assert faults(media[kind]["schema"], answer.json(), self.document) == [], (
            f"{operation.method} {path}"
        )
        return answer.json()


@pytest.fixture
def ann(new_client: Callable[..., VenueClient]) -> VenueClient:
    """A client with open orders (the newest a stop), a canceled, a reduced, a refused one, a fill
    of either side.
    """
    maker = new_client("maker", "1000000.00", {"GOOG": 100})
    ann = new_client("ann")
    maker.place("GOOG", "SELL", 10, "100.05")
    ann.place("GOOG", "BUY", 4, "101.00")
    wait_for(lambda: ann.holding("GOOG").available == 4)
    ann.place("GOOG", "SELL", 1, "100.00")
    maker.place("GOOG", "BUY", 1, "102.00", "IOC")
    with pytest.raises(Refused):
        ann.place("GOOG", "SELL", 100, "102.00")
    ann.cancel(ann.place("GOOG", "BUY", 1, "90.00").order_id)
    ann.place("GOOG", "BUY", 2, "91.00")
    ann.place("GOOG", "SELL", 1, "91.00", self_trade_prevention="decrement")
    ann.place("GOOG", "BUY", 1, None, "DAY", stop_price="110.00")
    wait_for(lambda: len(ann.orders("all")) == 6 and len(ann.orders()) == 2)
    return ann


@pytest.fixture
def asking(live_venue: RunningVenue, ann: VenueClient) -> Callable[[str], Asking]:
    names = {
        "client_id": ann.client_id,
        "security_id": "GOOG",
        "order_id": str(ann.orders()[0].order_id),
    }

    def of(url: str) -> Asking:
        document = requests.get(f"{url}/openapi.json", timeout=10).json()
        return Asking(
            url, document, {"client": ann.api_key, "administrator": live_venue.admin_key}, names
        )

    return of


def readable(operations: tuple[Operation, ...]) -> list[Operation]:
    """The operations that only read, without WebSockets and the page's files."""
    return [
        each
        for each in operations
        if each.method == "GET" and 101 not in each.answers and "path:" not in each.path
    ]


def test_every_answer_of_the_feed_is_as_documented(
    live_venue: RunningVenue, asking: Callable[[str], Asking]
) -> None:
    feed = asking(live_venue.market_data_url)
    rows = [feed.ask(operation) for operation in readable(feed_api.OPERATIONS)]
    lists = [
        value
        for row in rows
        if isinstance(row, dict)
        for value in row.values()
        if isinstance(value, list)
    ]
    # Bids, waiting_for and behind may be empty; what ann did must show everywhere else.
    assert sum(bool(rows) for rows in lists) >= 10


def test_every_answer_of_order_entry_is_as_documented(
    live_venue: RunningVenue, asking: Callable[[str], Asking]
) -> None:
    gateway = asking(live_venue.gateway_url)
    changing = [
        each
        for each in gateway_api.OPERATIONS
        if each.method != "GET" and not is_of_the_day(each) and each.path != "/v1/actions"
    ]
    order = {each.method + each.path: place for place, each in enumerate(changing)}
    # Cancels come last: what they name must still be open.
    changing.sort(
        key=lambda each: (
            each.method == "DELETE",
            each.path == "/v1/orders",
            order[each.method + each.path],
        )
    )
    for operation in [*readable(gateway_api.OPERATIONS), *changing]:
        gateway.ask(operation, operation.body_example)
    mode = next(each for each in changing if each.path == "/v1/settlement")
    gateway.ask(mode, {"mode": "gross"})
    again = gateway.ask(gateway_api.OPERATIONS[0], gateway_api.OPERATIONS[0].body_example)
    assert again["duplicate"] is True
    switch = next(each for each in changing if each.path == "/v1/cancel-after")
    assert gateway.ask(switch, {"timeout_ms": 0}) == {
        "status": "disarmed",
        "due_us": None,
        "due": None,
    }


def test_an_answer_about_a_corporate_action_is_as_documented(
    live_venue: RunningVenue, asking: Callable[[str], Asking]
) -> None:
    gateway = asking(live_venue.gateway_url)
    operations = {each.method + each.path: each for each in gateway_api.OPERATIONS}
    name = f"S{secrets.token_hex(3).upper()}"
    Administration(live_venue).add_security(
        {"security": name, "name": "to be split", "reference_price": "100.00", "issued_shares": 10}
    )
    for phase in ("halted", "continuous"):
        gateway.ask(operations["POST/v1/session"], {"phase": phase, "security": name})
        if phase == "halted":
            action = operations["POST/v1/actions"]
            gateway.ask(action, action.body_example | {"security": name})


def test_every_answer_about_the_trading_day_is_as_documented(
    live_venue: RunningVenue,
    asking: Callable[[str], Asking],
    ann: VenueClient,
    new_client: Callable[..., VenueClient],
    around_the_clock: None,
) -> None:
    gateway, feed = asking(live_venue.gateway_url), asking(live_venue.market_data_url)
    day = {each.method + each.path: each for each in gateway_api.OPERATIONS if is_of_the_day(each)}
    public = {each.path: each for each in feed_api.OPERATIONS}
    maker = new_client("maker", "1000000.00", {"GOOG": 100})
    gateway.ask(day["POST/v1/session"], {"phase": "opening_auction", "security": "GOOG"})
    ann.place("GOOG", "BUY", 5, "101.00", "OPG")
    maker.place("GOOG", "SELL", 3, "99.00")
    wait_for(lambda: feed.ask(public["/v1/session/<security_id>"])["paired_quantity"] >= 3)
    assert "GOOG" in feed.ask(public["/v1/status"])["session"]["securities"]
    gateway.ask(day["POST/v1/session"], {"phase": "continuous", "security": "GOOG"})
    wait_for(
        lambda: any(fill["role"] == "auction" for fill in feed.ask(public["/v1/fills"])["fills"])
    )
    assert feed.ask(public["/v1/trades/<security_id>"])["trades"][0]["aggressor"] is None
    before = time.time_ns() // 1000
    for operation in (each for each in day.values() if each.method != "GET"):
        gateway.ask(operation, operation.body_example)
    # The new schedule is in some phase now; once that is commanded, nothing is left to happen by
    # itself.
    wait_for(lambda: whole_venue_since_us(gateway.ask(day["GET/v1/session"])) > before)
    shown = gateway.ask(day["GET/v1/session"])
    assert shown["next"] and {"AAPL", None} <= {row["security"] for row in shown["phases"]}
    assert [row["security"] for row in shown["bands"]] == ["AAPL"]


def is_of_the_day(operation: Operation) -> bool:
    """Whether an operation changes the phases of the venue, so that a test must clean up."""
    return operation.path.startswith("/v1/session")


def whole_venue_since_us(session: Any) -> int:
    """When the newest phase of a shard was commanded; 0 if none was yet."""
    return min((row["since_us"] for row in session["phases"] if row["security"] is None), default=0)


@pytest.fixture
def around_the_clock(live_venue: RunningVenue) -> Iterator[None]:
    """Leaves the venue as it was: trading, without schedule and bands."""
    yield
    headers = {"Authorization": f"Bearer {live_venue.admin_key}"}
    for method, path, body in (
        ("PUT", "/v1/session/schedule", {"mode": "around_the_clock"}),
        ("POST", "/v1/session", {"phase": "continuous"}),
        ("POST", "/v1/session", {"phase": "continuous", "security": "AAPL"}),
        ("POST", "/v1/session", {"phase": "continuous", "security": "GOOG"}),
        ("POST", "/v1/session/bands", {"security": "AAPL", "band_bps": None}),
    ):
        answer = requests.request(
            method, f"{live_venue.gateway_url}{path}", json=body, headers=headers, timeout=10
        )
        answer.raise_for_status()


_OF_TWO_PEOPLE = ("/v1/proposals", "/v1/withdrawal-requests")
_OF_LOANS = ("/v1/loan", "/v1/margin-rules", "/v1/default-fund")
_OF_CODES = ("/v1/join-codes", "/v1/enrollments")


def operations_of(paths: tuple[str, ...]) -> dict[str, Operation]:
    """Those of the clearinghouse whose path begins so, by method and path."""
    found = (each for each in clearinghouse_api.OPERATIONS if each.path.startswith(paths))
    return {f"{each.method} {each.path}": each for each in found}


def test_every_answer_of_the_clearinghouse_is_as_documented(
    live_venue: RunningVenue, asking: Callable[[str], Asking]
) -> None:
    clearinghouse = asking(live_venue.clearinghouse_url)
    for operation in readable(clearinghouse_api.OPERATIONS):
        if "proposal_id" not in operation.path:
            clearinghouse.ask(operation)
    bob = f"bob-{secrets.token_hex(4)}"
    Administration(live_venue).create_client(bob)
    clearinghouse.names["client_id"] = bob
    elsewhere = operations_of((*_OF_TWO_PEOPLE, *_OF_LOANS, *_OF_CODES)).values()
    for operation in clearinghouse_api.OPERATIONS:
        if operation.method == "GET" or operation in elsewhere:
            continue
        body = operation.body_example
        if body is not None:
            body = {
                name: _of_this_test(name, value, clearinghouse.names)
                for name, value in body.items()
            }
        clearinghouse.ask(operation, body)


def test_every_answer_about_proposals_is_as_documented(
    live_venue: RunningVenue, asking: Callable[[str], Asking], ann: VenueClient
) -> None:
    first = asking(live_venue.clearinghouse_url)
    second_key = Administration(live_venue).create_client(
        f"second-{secrets.token_hex(4)}", "administrator"
    )
    second = replace(first, keys=first.keys | {"administrator": second_key})
    operations = operations_of(_OF_TWO_PEOPLE)
    fine = {"kind": "fine", "client_id": ann.client_id, "cash": "1.00", "reason": "a test"}
    for decision in ("consent", "decline"):
        proposed = first.ask(operations["POST /v1/proposals"], fine)
        first.names["proposal_id"] = str(proposed["proposal_id"])
        first.ask(operations["GET /v1/proposals/<int:proposal_id>"])
        operation = operations[f"POST /v1/proposals/<int:proposal_id>/{decision}"]
        second.ask(operation, operation.body_example)
    asked = operations["POST /v1/withdrawal-requests"]
    first.names["proposal_id"] = str(first.ask(asked, asked.body_example)["proposal_id"])
    first.ask(operations["DELETE /v1/withdrawal-requests/<int:proposal_id>"])


def test_every_answer_about_loans_is_as_documented(
    live_venue: RunningVenue, asking: Callable[[str], Asking], ann: VenueClient
) -> None:
    clearinghouse = asking(live_venue.clearinghouse_url)
    operations = operations_of(_OF_LOANS)
    Administration(live_venue).deposit({"client_id": "lender", "security": "AAPL", "shares": 100})
    for name in (
        "PATCH /v1/margin-rules",
        "POST /v1/loans",
        "GET /v1/loans/<client_id>",
        "GET /v1/loans",
        "POST /v1/loan-recalls",
        "POST /v1/loan-returns",
        "POST /v1/default-fund",
        "GET /v1/default-fund",
    ):
        body = operations[name].body_example
        if body is not None and "client_id" in body:
            body = body | {"client_id": ann.client_id}
        clearinghouse.ask(operations[name], body)
    clearinghouse.ask(operations["PATCH /v1/margin-rules"], {"is_open": False})


def test_every_answer_about_join_codes_is_as_documented(
    live_venue: RunningVenue, asking: Callable[[str], Asking]
) -> None:
    clearinghouse = asking(live_venue.clearinghouse_url)
    operations = operations_of(_OF_CODES)
    label = f"label-{secrets.token_hex(3)}"
    made = operations["POST /v1/join-codes"]
    code = clearinghouse.ask(made, made.body_example | {"label": label})["code"]
    joined = {"code": code, "client_id": f"team-{secrets.token_hex(3)}"}
    clearinghouse.ask(operations["POST /v1/enrollments"], joined)
    clearinghouse.names["label"] = label
    clearinghouse.ask(operations["DELETE /v1/join-codes/<label>"])


def _of_this_test(name: str, value: Any, names: dict[str, str]) -> Any:
    """A body with new names where the example makes something, and an existing client elsewhere."""
    if name == "client_id":
        return names["client_id"] if value == "ann" else f"new-{secrets.token_hex(4)}"
    return f"N{secrets.token_hex(3).upper()}" if (name, value) == ("security", "NVDA") else value
