"""Every list of every service is read in the one way of docs/paging.md.

The lists are found in the three OpenAPI documents, so a new one is checked without a word here.
"""

from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.acceptance.api import Client, eventually
from tests.acceptance.conftest import Administrator
from venue_launcher.running_venue import RunningVenue

_STATES = {
    *("/v1/book/{security_id}", "/v1/session", "/v1/settlement", "/v1/status", "/readyz"),
    *("/v1/fees", "/v1/clients/{client_id}/fees", "/v1/loans/{client_id}", "/v1/lendable"),
}
"""What stands now, as a whole: levels by `depth`, phases, bands, modes, streams behind, what a
service lacks, rates, what can be borrowed.
"""
_PAGED = {"/v1/statements/{client_id}": "movements", "/v1/trial-balance": "balances"}
"""Which array is the list, where an answer has several."""
_FEW = {
    *("/v1/transfers", "/v1/proposals", "/v1/withdrawal-requests", "/v1/loans"),
    "/v1/default-fund",
    *("/v1/obligations", "/v1/obligations/{client_id}", "/v1/settlement-cycles"),
}
"""Lists that have fewer than three rows here."""


@dataclass(frozen=True)
class Scene:
    """What the lists are asked for: a client with some of everything, and two keys."""

    venue: RunningVenue
    client: Client
    security: str
    order_id: int

    def get(self, url: str, **query: object) -> requests.Response:
        """The answer to the client, or where only an administrator may ask, to one."""
        sent = {name: str(value) for name, value in query.items()}
        answer = requests.get(url, sent, headers=self.client.headers(), timeout=30)
        if answer.status_code != 403:
            return answer
        key = {"Authorization": f"Bearer {self.venue.admin_key}"}
        return requests.get(url, sent, headers=key, timeout=30)

    def path(self, template: str) -> str:
        """The path of an operation, about this scene."""
        return template.format(
            client_id=self.client.client_id, security_id=self.security, order_id=self.order_id
        )


@dataclass(frozen=True)
class Listed:
    """One list in an OpenAPI document."""

    url: str
    template: str
    name: str
    parameters: frozenset[str]
    has_next: bool


@pytest.fixture(scope="module")
def scene(venue: RunningVenue, administrator: Administrator) -> Scene:
    """A client with three fills of one order, shares of three securities, and refused orders."""
    securities = [administrator.security() for _ in range(3)]
    client = administrator.client()
    for security in securities:
        maker = administrator.maker(security)
        for _ in range(3):
            maker.placed("SELL", 1, "100.00", security)
        order_id = client.placed("BUY", 4, "100.00", security)
        assert client.place("SELL", 1_000, "100.00", security).status_code == 422
        client.until(order_id, "partially_filled", filled=3)
    for label in ("first", "second", "third"):
        code = {"label": f"{client.client_id}-{label}".lower(), "places": 1}
        key = {"Authorization": f"Bearer {venue.admin_key}"}
        url = f"{venue.clearinghouse_url}/v1/join-codes"
        assert requests.post(url, json=code, headers=key, timeout=30).status_code == 201
    scene = Scene(venue, client, securities[-1], order_id)
    refused = f"{venue.market_data_url}/v1/refused-orders"
    eventually(lambda: scene.get(refused).json()["refused_orders"], lambda rows: len(rows) == 3)
    eventually(lambda: client.holding(securities[-1])["quantity"], lambda shares: shares == 3)
    return scene


@pytest.fixture(scope="module")
def lists(scene: Scene) -> list[Listed]:
    """All lists of the three documents."""
    venue = scene.venue
    urls = (venue.gateway_url, venue.market_data_url, venue.clearinghouse_url)
    return [each for url in urls for each in _lists_of(url)]


def _lists_of(url: str) -> list[Listed]:
    document = requests.get(f"{url}/openapi.json", timeout=30).json()
    found = []
    for template, methods in document["paths"].items():
        contents = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        fields = contents.get("application/json", {}).get("schema", {}).get("properties", {})
        names = [name for name, schema in fields.items() if schema.get("type") == "array"]
        if names and template not in _STATES:
            (name,) = [_PAGED[template]] if template in _PAGED else names
            parameters = frozenset(each["name"] for each in methods["get"]["parameters"])
            found.append(Listed(url, template, name, parameters, "next" in fields))
    assert found, f"{url} has no lists"
    return found


def _pages(scene: Scene, listed: Listed, limit: int) -> list[list[Any]]:
    """The rows of each page of a list, from the first to the one without a `next`."""
    url = listed.url + scene.path(listed.template)
    answer = scene.get(url, limit=limit).json()
    pages = [answer[listed.name]]
    while answer["next"] is not None:
        assert type(answer["next"]) is str and len(pages[-1]) == limit
        answer = scene.get(url, limit=limit, after=answer["next"]).json()
        pages.append(answer[listed.name])
        assert len(pages) < 1_000, "the list does not end"
    return pages


def test_every_list_documents_the_one_way(lists: list[Listed]) -> None:
    others = [
        (each.url, each.template)
        for each in lists
        if not each.has_next or not {"after", "limit"} <= each.parameters
    ]
    assert others == []


def test_every_list_gives_each_row_once_whatever_the_page(
    scene: Scene, lists: list[Listed]
) -> None:
    for each in lists:
        (whole,) = _pages(scene, each, 1_000)
        small = _pages(scene, each, 2)
        assert [row for page in small for row in page] == whole, each
        assert len(small) == max(1, -(-len(whole) // 2)), f"a page too many: {each}"
        assert len(whole) >= 3 or each.template in _FEW, f"too few rows to tell: {each}"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1_001}, "limit"),
        ({"after": "\x00"}, "after"),
        ({"after": ""}, None),
    ],
)
def test_every_list_refuses_a_window_that_no_page_has(
    scene: Scene, lists: list[Listed], query: dict[str, object], field: str | None
) -> None:
    for each in lists:
        answer = scene.get(each.url + scene.path(each.template), **query)
        if field is None and answer.status_code == 200:
            continue
        error = answer.json()["error"]
        assert answer.status_code == 400, each
        assert (error["code"], error["field"]) == ("request.invalid_field", field or "after"), each


def test_the_former_name_of_after_pages_too_and_not_together_with_it(
    scene: Scene, lists: list[Listed]
) -> None:
    former = [each for each in lists if "before" in each.parameters]
    assert sorted(each.template for each in former) == [
        "/v1/orders",
        "/v1/orders",
        "/v1/trades/{security_id}",
    ]
    for each in former:
        url = each.url + scene.path(each.template)
        following = scene.get(url, limit=1).json()["next"] or "1"
        after = scene.get(url, limit=1, after=following).json()
        assert scene.get(url, limit=1, before=following).json() == after
        both = scene.get(url, before=following, after=following)
        assert (both.status_code, both.json()["error"]["field"]) == (400, "before"), each
