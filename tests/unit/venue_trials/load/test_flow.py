"""What a load sends: the shares of its mix, nothing of its own to trade with, and when each request
is due.
"""

import json
from collections import Counter

import msgspec
import pytest

from order_entry_gateway.domain.requests import Action, CancelListRequest, PlaceOrderRequest
from venue_trials.load.flow import Flow
from venue_trials.load.mixes import MIXES
from venue_trials.load.plan import Account
from venue_trials.load.schedule import Schedule
from venue_trials.load.search import LEAST_RATE, search

ACCOUNTS = [Account(f"c{number}", "key", ["A", "B", "C", "D", "E"]) for number in range(8)]


def drawn(mix: str, count: int = 20_000, seed: int = 3) -> list[dict[str, object]]:
    """So many actions of a mix, of all accounts in turn; each carries its account."""
    flow = Flow(MIXES[mix], ACCOUNTS, "t", seed)
    actions = []
    for number in range(count // 100):
        account = number % len(ACCOUNTS)
        actions += [
            action | {"account": account} for action in json.loads(flow.list_of(account, 100))
        ]
    return actions


def kind(action: dict[str, object]) -> str:
    """rest, take or cancel."""
    if action["action"] == "cancel":
        return "cancel"
    return "take" if action.get("time_in_force") == "IOC" else "rest"


@pytest.mark.parametrize("mix", MIXES.values(), ids=lambda mix: mix.name)
def test_shares_of_a_mix_sum_to_one_and_are_what_is_sent(mix: object) -> None:
    assert mix.rest + mix.cancel + mix.take == pytest.approx(1.0)  # type: ignore[attr-defined]
    actions = drawn(mix.name)  # type: ignore[attr-defined]
    counts = Counter(map(kind, actions))
    for name in ("rest", "cancel", "take"):
        assert counts[name] / len(actions) == pytest.approx(getattr(mix, name), abs=0.02), name


def test_the_gateway_understands_every_action() -> None:
    decoder = msgspec.json.Decoder(list[Action])
    flow = Flow(MIXES["usual"], ACCOUNTS, "t", 1)
    assert all(
        len(decoder.decode(flow.list_of(account, 50))) == 50 for account in range(len(ACCOUNTS))
    )


def test_single_requests_go_to_the_path_of_their_kind() -> None:
    flow = Flow(MIXES["usual"], ACCOUNTS, "t", 1)
    decoders = {
        "/v1/orders": msgspec.json.Decoder(PlaceOrderRequest),
        "/v1/orders/cancel": msgspec.json.Decoder(CancelListRequest),
    }
    seen = Counter()
    for number in range(400):
        path, body = flow.single(number % len(ACCOUNTS))
        decoders[path].decode(body)
        seen[path] += 1
    assert set(seen) == set(decoders)


def test_an_account_is_on_one_side_of_a_security_and_others_are_on_the_other() -> None:
    sides: dict[tuple[object, object], set[object]] = {}
    for action in drawn("trades"):
        sides.setdefault((action["account"], action["security"]), set()).add(action["side"])
    assert all(len(found) == 1 for found in sides.values())
    assert {
        side for (_, security), found in sides.items() if security == "A" for side in found
    } == {"BUY", "SELL"}


@pytest.mark.parametrize("listed", [1, 5, 50, 500])
def test_every_security_that_two_accounts_trade_has_buyers_and_sellers(listed: int) -> None:
    names = [f"S{number}" for number in range(listed)]
    accounts = [
        Account(
            f"c{number}", "key", sorted({names[(number * 5 + each) % listed] for each in range(5)})
        )
        for number in range(200)
    ]
    flow = Flow(MIXES["trades"], accounts, "t", 3)
    actions = [action for number in range(200) for action in json.loads(flow.list_of(number, 100))]
    sides: dict[str, set[str]] = {}
    for action in actions:
        sides.setdefault(action["security"], set()).add(action["side"])
    assert len(sides) == listed and all(both == {"BUY", "SELL"} for both in sides.values())


def test_takers_reach_across_the_book_and_resting_orders_do_not() -> None:
    for action in drawn("trades"):
        is_above = float(str(action["price"])) > 100
        assert is_above == ((action["side"] == "BUY") == (kind(action) == "take"))


def test_a_cancel_names_an_open_order_of_the_same_account() -> None:
    resting: set[tuple[object, object]] = set()
    for action in drawn("usual"):
        name = (action["account"], action["client_order_id"])
        if kind(action) == "cancel":
            resting.remove(name)
        elif kind(action) == "rest":
            assert name not in resting
            resting.add(name)


def test_the_same_seed_sends_the_same_and_another_does_not() -> None:
    assert (
        drawn("usual", 1_000, seed=5)
        == drawn("usual", 1_000, seed=5)
        != drawn("usual", 1_000, seed=6)
    )


def test_requests_are_due_at_even_times_without_an_error_that_piles_up() -> None:
    schedule = Schedule(start_ns=1_000, requests_per_second=3.0, seconds=100.0)
    assert schedule.requests == 300
    assert (schedule.due_ns(0), schedule.due_ns(3), schedule.end_ns) == (
        1_000,
        10**9 + 1_000,
        100 * 10**9 + 1_000,
    )
    steps = {schedule.due_ns(number + 1) - schedule.due_ns(number) for number in range(299)}
    assert max(steps) - min(steps) <= 1


def test_even_the_slowest_load_has_one_request() -> None:
    assert Schedule(0, 0.1, 1.0).requests == 1


@pytest.mark.parametrize("limit", [60.0, 499.0, 700.0, 8_000.0, 150_000.0])
def test_the_search_comes_close_to_the_highest_rate_that_holds(limit: float) -> None:
    asked: list[float] = []

    def holds(rate: float) -> bool:
        asked.append(rate)
        return rate <= limit

    found = search(holds)
    assert limit / 1.12 <= found <= limit
    assert len(asked) <= 16


def test_the_search_ends_where_nothing_holds_and_where_everything_does() -> None:
    assert search(lambda rate: False) == 0.0
    assert search(lambda rate: rate <= LEAST_RATE) == LEAST_RATE
    assert search(lambda rate: True, most=3_000.0) == 3_000.0
