"""The WebSocket stream against the running service: snapshots, resumes, gaps, private channels."""

from typing import Any

import pytest

import trading_bots.refusal
from tests.integration.market_data_feed.conftest import RunningFeed, wait_until
from tests.integration.market_data_feed.listener import BookView, InBackground, Listener
from tests.integration.market_data_feed.settlements import settle, settled_already, settlement
from tests.unit.market_data_feed.random_tape import RandomMarket
from tests.unit.market_data_feed.tape import Tape
from trading_bots.stream import Stream


def test_prices_follow_the_best_levels_and_a_vanished_ask_is_null(feed: RunningFeed) -> None:
    tape = Tape()
    feed.record(
        tape.batch("new 1 alice BUY 5@99.00", "new 2 alice BUY 5@99.50", "new 3 bob SELL 5@101.00")
    )
    with Listener(feed.stream_url) as listener:
        listener.ask(action="subscribe", channel="price", security="AAPL")
        feed.send(tape.batch("cancel 2"), tape.batch("cancel 3"))
        messages = listener.until("price", "AAPL", tape.batches[-1].last)
    assert [(m["bid"], m["ask"]) for m in messages] == [
        ("99.50", "101.00"),
        ("99.00", "101.00"),
        ("99.00", None),
    ]
    assert messages[0]["type"] == "snapshot"


def test_a_subscription_in_the_midst_of_trading_loses_and_repeats_nothing(
    feed: RunningFeed,
) -> None:
    tape = RandomMarket(seed=11).play(600)
    end = tape.batches[-1].last
    last_changes: list[int] = []

    def follow() -> None:
        with Listener(feed.stream_url) as listener:
            for security in ("AAPL", "MSFT"):
                listener.ask(action="subscribe", channel="book", security=security)
            listener.ask(action="subscribe", channel="status")
            while listener.receive().get("positions", {}).get("events.0", 0) < end:
                pass
            for security in ("AAPL", "MSFT"):
                messages = listener.messages["book", security]
                assert BookView.of(messages).sides == rest_book(security)
                last_changes.append(len(messages))

    def rest_book(security: str) -> Any:
        return BookView.of_rest(feed.get(f"/v1/book/{security}?depth=500")).sides

    followers = []
    for start in range(0, 600, 60):
        feed.send(*tape.batches[start : start + 60])
        followers.append(InBackground(follow))
    for follower in followers:
        follower.join()
    assert max(last_changes) > 100, "no follower saw much: the test shows nothing"


def test_two_securities_on_one_stream_have_no_gap_and_no_repeat_on_either(
    feed: RunningFeed,
) -> None:
    tape = RandomMarket(seed=12).play(200)
    with Listener(feed.stream_url) as listener:
        for security in ("AAPL", "MSFT"):
            listener.ask(action="subscribe", channel="trades", security=security)
        feed.record(*tape.batches)
        for security in ("AAPL", "MSFT"):
            expected = [
                trade["trade_id"]
                for trade in feed.get(f"/v1/trades/{security}?limit=1000")["trades"]
            ][::-1]
            assert len(expected) > 10
            listener.until("trades", security, expected[-1])
            assert listener.sequences("trades", security) == expected


def test_a_client_that_comes_back_gets_all_it_missed_also_after_a_restart(
    feed: RunningFeed,
) -> None:
    tape = RandomMarket(seed=13).play(300)
    feed.record(*tape.batches[:100])
    subscriptions: list[tuple[str, str | None]] = [
        ("orders", None),
        ("fills", None),
        ("trades", "AAPL"),
    ]
    seen: dict[Any, list[int]] = {}
    with Listener(feed.stream_url, feed.clearing.keys["alice"]) as listener:
        for channel, security in subscriptions:
            listener.ask(action="subscribe", channel=channel, security=security, resume_from=0)
        feed.record(*tape.batches[100:120])
        listener.until("orders", None, newest_report(feed, "alice"))
        seen = {key: listener.sequences(*key) for key in subscriptions}
    feed.record(*tape.batches[120:200])
    assert feed.stop() == 0
    feed.start()
    feed.record(*tape.batches[200:220])
    with Listener(feed.stream_url, feed.clearing.keys["alice"]) as listener:
        for channel, security in subscriptions:
            last = seen[channel, security][-1]
            listener.ask(action="subscribe", channel=channel, security=security, resume_from=last)
        feed.record(*tape.batches[220:])
        listener.until("orders", None, newest_report(feed, "alice"))
        listener.until("fills", None, pages(feed, "/v1/fills", "fills")[-1]["sequence"])
        listener.until(
            "trades", "AAPL", feed.get("/v1/trades/AAPL?limit=1")["trades"][0]["trade_id"]
        )
        for key in subscriptions:
            seen[key] += listener.sequences(*key)
    reports = pages(feed, "/v1/reports", "reports")
    assert seen["orders", None] == [row["sequence"] for row in reports]
    assert listener.messages["orders", None][-1].items() >= reports[-1].items()
    assert seen["fills", None] == [row["sequence"] for row in pages(feed, "/v1/fills", "fills")]
    trades = feed.get("/v1/trades/AAPL?limit=1000")["trades"]
    assert seen["trades", "AAPL"] == [row["trade_id"] for row in trades][::-1]


def test_resuming_under_load_joins_replay_and_live_without_a_hole(feed: RunningFeed) -> None:
    tape = RandomMarket(seed=14).play(1500)
    feed.record(*tape.batches[:1000])

    def resume() -> None:
        with Listener(feed.stream_url, feed.clearing.keys["bob"]) as listener:
            listener.ask(action="subscribe", channel="orders", resume_from=0)
            wait_until(
                lambda: feed.get("/v1/status")["positions"]["events.0"] == tape.batches[-1].last
            )
            listener.until("orders", None, newest_report(feed, "bob"))
            expected = [row["sequence"] for row in pages(feed, "/v1/reports", "reports", "bob")]
            assert listener.sequences("orders") == expected

    followers = []
    for start in range(1000, 1500, 100):
        followers += [InBackground(resume), InBackground(resume)]
        feed.send(*tape.batches[start : start + 100])
    for follower in followers:
        follower.join()


def test_settlements_reach_their_owner_alone(feed: RunningFeed) -> None:
    before = settled_already(feed.clearing)
    feed.wait_for_position("settlements", before)
    with (
        Listener(feed.stream_url, feed.clearing.keys["alice"]) as alice,
        Listener(feed.stream_url, feed.clearing.keys["bob"]) as bob,
    ):
        alice.ask(action="subscribe", channel="settlements")
        bob.ask(action="subscribe", channel="settlements")
        feed.send(settle(feed.clearing, settlement(before + 1), settlement(before + 2, "bob", 1)))
        assert alice.receive()["sequence"] == before + 1
        message = bob.receive()
        assert (message["client_id"], message["sequence"], message["cash"]) == (
            "bob",
            before + 2,
            "0.01",
        )
        feed.send(settle(feed.clearing, settlement(before + 3)))
        assert alice.receive()["previous"] == before + 1


def test_private_channels_need_a_key_and_the_stream_lives_on_without(feed: RunningFeed) -> None:
    with Listener(feed.stream_url) as listener:
        for channel in ("orders", "fills", "settlements"):
            assert (
                listener.ask(action="subscribe", channel=channel)["error"]["code"]
                == "auth.key_missing"
            )
        assert (
            listener.ask(action="authenticate", key="vk_wrong")["error"]["code"]
            == "auth.key_invalid"
        )
        answer = listener.ask(action="authenticate", key=feed.clearing.keys["carol"], id=7)
        assert answer == {"id": 7, "action": "authenticated", "client_id": "carol"}
        assert listener.ask(action="subscribe", channel="orders")["action"] == "subscribed"
        other = listener.ask(action="authenticate", key=feed.clearing.keys["bob"])
        assert other["error"]["code"] == "auth.forbidden"


def test_a_revoked_key_ends_its_stream(feed: RunningFeed) -> None:
    with Listener(feed.stream_url, feed.clearing.keys["carol"]) as listener:
        feed.clearing.execute("UPDATE api_keys SET revoked_us = 1 WHERE client_id = 'carol'")
        assert listener.close_code() == 4401
    cut_off = 'venue_streams_cut_off_total{cause="key_revoked"} 1.0'
    wait_until(lambda: cut_off in feed.request("/metrics").text)


def test_unsubscribing_ends_the_channel(feed: RunningFeed) -> None:
    tape = Tape()
    with Listener(feed.stream_url) as listener:
        listener.ask(action="subscribe", channel="book", security="AAPL")
        listener.ask(action="subscribe", channel="book", security="MSFT")
        assert (
            listener.ask(action="unsubscribe", channel="book", security="AAPL")["was_subscribed"]
            is True
        )
        assert (
            listener.ask(action="unsubscribe", channel="book", security="AAPL")["was_subscribed"]
            is False
        )
        feed.record(
            tape.batch("new 1 alice BUY 5@99.00 AAPL"), tape.batch("new 2 alice BUY 5@99.00 MSFT")
        )
        listener.until("book", "MSFT", 2)
        assert [m["type"] for m in listener.messages["book", "AAPL"]] == ["snapshot"]


def test_a_service_that_stops_tells_its_streams_to_come_back(feed: RunningFeed) -> None:
    with Listener(feed.stream_url) as idle, Listener(feed.stream_url) as listener:
        listener.ask(action="subscribe", channel="book", security="AAPL")
        stopping = InBackground(feed.stop)
        assert listener.close_code() == 1012
        assert idle.close_code() == 1012
        stopping.join()


@pytest.mark.parametrize("channel", ["orders", "fills", "settlements", "status"])
@pytest.mark.parametrize("security", ["AAPL", "NOPE"])
def test_a_security_on_a_channel_about_all_of_them_is_refused(
    shared_feed: RunningFeed, channel: str, security: str
) -> None:
    with Listener(shared_feed.stream_url, shared_feed.clearing.keys["alice"]) as listener:
        for action in ("subscribe", "unsubscribe"):
            answer = listener.ask(action=action, channel=channel, security=security, id=7)
            assert answer["id"] == 7
            assert answer["error"]["code"] == "request.invalid_field"
            assert answer["error"]["field"] == "security"
        assert listener.ask(action="subscribe", channel=channel)["action"] == "subscribed"


def test_the_client_library_is_told_that_fills_of_one_security_can_not_be_heard(
    shared_feed: RunningFeed,
) -> None:
    with Stream(shared_feed.url, shared_feed.clearing.keys["alice"]) as stream:
        stream.subscribe("fills", "AAPL")
        with pytest.raises(trading_bots.refusal.Refused, match="leave security out"):
            stream.receive(10)


def newest_report(feed: RunningFeed, client_id: str) -> int:
    """Sequence of a client's newest execution report."""
    (row,) = feed.clearing.recorded(
        "SELECT max(event_sequence) FROM order_reports WHERE client_id = %s", (client_id,)
    )
    return int(row[0])


def pages(
    feed: RunningFeed, path: str, name: str, client_id: str = "alice"
) -> list[dict[str, Any]]:
    """All rows of a paged list."""
    rows: list[dict[str, Any]] = []
    after = 0
    while True:
        answer = feed.get(f"{path}?after={after}&limit=100", client_id)
        rows += answer[name]
        if len(answer[name]) < 100:
            return rows
        after = answer["next_after"]
