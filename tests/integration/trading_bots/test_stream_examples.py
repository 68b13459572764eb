"""The messages that docs/market-data.md shows are those that the feed sends."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from tests.integration.trading_bots.waiting import wait_for
from trading_bots.client import VenueClient
from venue_launcher.admin_client import Administration
from venue_launcher.running_venue import RunningVenue
from venue_launcher.session_client import SessionClient

PAGE = Path(__file__).parents[3] / "docs/market-data.md"
CHANNELS = {"price", "book", "trades", "corrections", "status", "orders", "fills", "settlements"}
OF_A_SECURITY = ("price", "book", "trades", "corrections")
Message = dict[str, Any]


def label(message: Message) -> str:
    """Channel, and what it tells apart: snapshot or update, the kind of report."""
    return " ".join(filter(None, (message["channel"], message.get("type"), message.get("kind"))))


def documented() -> dict[str, Message]:
    """The messages of the page by label."""
    block = (
        PAGE.read_text()
        .partition("### One message of each channel")[2]
        .partition("```json\n")[2]
        .partition("```")[0]
    )
    messages = [json.loads(line) for line in block.replace("\n ", " ").splitlines() if line]
    return {label(message): message for message in messages}


def shape(value: Any) -> Any:
    """Names and JSON types; null may stand for a value."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value).__name__


def fits(shown: Any, real: Any) -> bool:
    """Whether a shape of the page is the one of a real message: the same names, the same types."""
    if isinstance(shown, dict) and isinstance(real, dict):
        return shown.keys() == real.keys() and all(fits(shown[name], real[name]) for name in shown)
    if isinstance(shown, list) and isinstance(real, list):
        return not shown or not real or fits(shown[0], real[0])
    return shown == real or "NoneType" in (shown, real)


def test_a_message_of_each_channel_looks_as_the_documentation_shows_it(
    live_venue: RunningVenue, new_client: Callable[..., VenueClient]
) -> None:
    shown = documented()
    SessionClient(live_venue).begin("continuous")
    wait_for(lambda: bool(phases_of(live_venue)))
    assert {name.partition(" ")[0] for name in shown} == CHANNELS
    maker = new_client("maker", "1000000.00", {"MSFT": 1000})
    ann = new_client("ann")
    real: dict[str, Message] = {}
    with ann.stream() as stream:
        for channel in sorted(CHANNELS):
            stream.subscribe(channel, "MSFT" if channel in OF_A_SECURITY else None)
        wait_for(
            lambda: (
                take(stream.receive(1), real) and {"price snapshot", "book snapshot"} <= real.keys()
            )
        )
        maker.place("MSFT", "SELL", 10, "100.05")
        ann.place("MSFT", "BUY", 4, "101.00")
        wait_for(lambda: take(stream.receive(1), real) and "trades" in real, 30)
        bust(live_venue, real["trades"]["trade_id"])
        wait_for(lambda: take(stream.receive(1), real) and shown.keys() <= real.keys(), 30)
    for name, message in shown.items():
        assert fits(shape(message), shape(real[name])), f"{name}: {json.dumps(real[name])}"


def bust(venue: RunningVenue, trade_id: int) -> None:
    """One administrator proposes it, another consents."""
    second = Administration(venue).create_client(f"second-{secrets.token_hex(4)}", "administrator")
    url = f"{venue.clearinghouse_url}/v1/proposals"

    def post(path: str, key: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": secrets.token_hex(8)}
        answer = requests.post(f"{url}{path}", json=body, headers=headers, timeout=10)
        answer.raise_for_status()
        return answer.json()

    asked = {"kind": "bust", "trade_id": trade_id, "reason": "a test"}
    proposal_id = post("", venue.admin_key, asked)["proposal_id"]
    wait_for(lambda: post(f"/{proposal_id}/consent", second)["status"] == "done")


def phases_of(venue: RunningVenue) -> Any:
    """What the feed knows of each shard's phase: nothing until one was commanded."""
    return requests.get(f"{venue.market_data_url}/v1/status", timeout=10).json()["session"][
        "phases"
    ]


def take(message: Message | None, into: dict[str, Message]) -> bool:
    """Keep the newest message under its label."""
    if message is not None:
        into[label(message)] = message
    return True


def test_a_message_that_changed_would_be_noticed() -> None:
    shown = {"price": "1.00", "levels": [{"quantity": 1}], "last": None}
    assert fits(shape(shown), shape({"price": "2.00", "levels": [{"quantity": 5}], "last": "9.00"}))
    for other in (
        {"price": "2.00", "levels": [{"quantity": 5}]},
        {"price": 2, "levels": [], "last": None},
        {"price": "2.00", "levels": [{"shares": 5}], "last": None},
    ):
        assert not fits(shape(shown), shape(other))
