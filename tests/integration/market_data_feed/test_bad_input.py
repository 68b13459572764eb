"""What is not in the language gets a reason, on HTTP and on the stream, and stops nothing."""

from typing import Any

import pytest
import requests

from tests.integration.market_data_feed.conftest import RunningFeed
from tests.integration.market_data_feed.listener import Listener


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", "request.malformed"),
        ("{", "request.malformed"),
        ("[]", "request.invalid_field"),
        (b"\xff\xfe\x00", "request.malformed"),
        ({"action": "dance"}, "request.invalid_field"),
        ({"action": "subscribe"}, "request.missing_field"),
        (
            '{"action": "subscribe", "channel": "price", "channel": "book", "security": "AAPL"}',
            "request.duplicate_key",
        ),
        (
            {"action": "subscribe", "channel": "price", "security": "AAPL", "more": 1},
            "request.unknown_field",
        ),
        ({"action": "subscribe", "channel": "price"}, "request.missing_field"),
        ({"action": "subscribe", "channel": "gossip"}, "request.invalid_field"),
        ({"action": "subscribe", "channel": "book", "security": "NOPE"}, "security.unknown"),
        ({"action": "subscribe", "channel": "book", "security": "\x00" * 99}, "security.unknown"),
        (
            {"action": "subscribe", "channel": "book", "security": "AAPL", "resume_from": 1},
            "request.invalid_field",
        ),
        (
            {"action": "subscribe", "channel": "trades", "security": "AAPL", "resume_from": -1},
            "request.invalid_field",
        ),
        (
            {"action": "subscribe", "channel": "trades", "security": "AAPL", "resume_from": 5},
            "request.invalid_field",
        ),
        (
            {"action": "subscribe", "channel": "trades", "security": "AAPL", "resume_from": 2**70},
            "request.invalid_field",
        ),
    ],
)
def test_a_bad_frame_gets_an_error_and_no_disconnect(
    shared_feed: RunningFeed, frame: Any, code: str
) -> None:
    with Listener(shared_feed.stream_url) as listener:
        listener.send(frame)
        assert listener.receive()["error"]["code"] == code
        assert listener.ask(action="subscribe", channel="status")["action"] == "subscribed"


def test_a_frame_that_is_too_big_ends_only_its_own_stream(shared_feed: RunningFeed) -> None:
    with Listener(shared_feed.stream_url) as big, Listener(shared_feed.stream_url) as other:
        big.send("x" * 100_000)
        assert big.close_code() == 1009
        assert other.ask(action="subscribe", channel="status")["action"] == "subscribed"


def test_a_plain_request_to_the_stream_is_refused(shared_feed: RunningFeed) -> None:
    answer = requests.get(f"{shared_feed.url}/v1/stream", timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "request.malformed"


@pytest.mark.parametrize(
    "path",
    [
        "/balance/nobody",
        "/holdings/nobody",
        "/holdings/AAPL/nobody",
        "/holdings/NOPE/nobody",
        "/v1/orders?client_id=nobody",
        "/v1/reports?client_id=nobody",
        "/v1/fills?client_id=nobody",
        "/v1/refused-orders?client_id=nobody",
        "/settlement-reports?client_id=nobody",
        "/balance/" + "x" * 200,
        "/balance/ali%00ce",
        "/balance/%F0%9F%98%80",
        "/balance/%ff%fe",
    ],
)
@pytest.mark.parametrize("caller", ["alice", "root"])
def test_an_unknown_client_is_404_on_every_path(
    shared_feed: RunningFeed, path: str, caller: str
) -> None:
    assert shared_feed.get(path, caller, status=404)["error"]["code"] == "client.unknown"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/securities/NOPE",
        "/v1/price/NOPE",
        "/v1/book/NOPE",
        "/v1/trades/NOPE",
        "/v1/price/aapl",
        "/v1/price/%00",
        "/holdings/NOPE/alice",
    ],
)
def test_an_unknown_security_is_404_on_every_path(shared_feed: RunningFeed, path: str) -> None:
    assert shared_feed.get(path, "alice", status=404)["error"]["code"] == "security.unknown"


@pytest.mark.parametrize(
    "path",
    [
        "/balance/bob",
        "/holdings/bob",
        "/holdings/AAPL/bob",
        "/v1/orders?client_id=bob",
        "/v1/reports?client_id=bob",
        "/v1/fills?client_id=bob",
        "/settlement-reports?client_id=bob",
        "/v1/standings",
    ],
)
def test_a_foreign_account_is_403_and_no_or_a_wrong_key_is_401(
    shared_feed: RunningFeed, path: str
) -> None:
    assert shared_feed.get(path, "alice", status=403)["error"]["code"] == "auth.forbidden"
    assert shared_feed.get(path, "root")
    assert shared_feed.get(path, status=401)["error"]["code"] == "auth.key_missing"
    answer = requests.get(
        f"{shared_feed.url}{path}", headers={"Authorization": "Bearer vk_no"}, timeout=5
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "auth.key_invalid")


def test_a_key_that_is_revoked_reads_nothing_any_more(shared_feed: RunningFeed) -> None:
    assert shared_feed.get("/balance/carol", "carol")
    shared_feed.clearing.execute("UPDATE api_keys SET revoked_us = 1 WHERE client_id = 'carol'")
    try:
        shared_feed.wait_for_status("/balance/carol", "carol", 401)
    finally:
        shared_feed.clearing.execute(
            "UPDATE api_keys SET revoked_us = NULL WHERE client_id = 'carol'"
        )


@pytest.mark.parametrize("order_id", ["0", "99", str(2**53), str(2**63), "9" * 60])
def test_an_unknown_order_is_404(shared_feed: RunningFeed, order_id: str) -> None:
    for path in (f"/v1/orders/{order_id}", f"/v1/orders/{order_id}/reports"):
        assert shared_feed.get(path, "alice", status=404)["error"]["code"] == "order.unknown"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=ten",
        "limit=1.5",
        "limit=",
        "limit=%00",
        "limit=٣",
        f"limit={2**64}",
    ],
)
@pytest.mark.parametrize(
    "path", ["/v1/trades/AAPL", "/v1/orders", "/v1/fills", "/settlement-reports", "/v1/reports"]
)
def test_a_limit_out_of_bounds_is_400(shared_feed: RunningFeed, path: str, query: str) -> None:
    assert shared_feed.get(f"{path}?{query}", "alice", status=400)["error"]["field"] == "limit"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/book/AAPL?depth=0", "depth"),
        ("/v1/book/AAPL?depth=x", "depth"),
        ("/v1/book/AAPL?depth=501", "depth"),
        ("/v1/trades/AAPL?before=x", "before"),
        (f"/v1/trades/AAPL?before={2**63}", "before"),
        ("/v1/orders?status=closed", "status"),
        ("/v1/fills?after=-1", "after"),
        ("/settlement-reports?after=NaN", "after"),
    ],
)
def test_a_bad_query_value_is_400_and_named(
    shared_feed: RunningFeed, path: str, field: str
) -> None:
    error = shared_feed.get(path, "alice", status=400)["error"]
    assert (error["code"], error["field"]) == ("request.invalid_field", field)


def test_unknown_paths_and_methods_have_the_same_error_shape(shared_feed: RunningFeed) -> None:
    assert shared_feed.get("/v2/nothing", status=404)["error"]["code"] == "request.unknown_path"
    answer = requests.post(f"{shared_feed.url}/v1/price/AAPL", json={}, timeout=5)
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        405,
        "request.method_not_allowed",
    )
    assert shared_feed.request("/page/../__main__.py").status_code == 404
    assert shared_feed.request("/page/%2e%2e/__main__.py").status_code == 404
