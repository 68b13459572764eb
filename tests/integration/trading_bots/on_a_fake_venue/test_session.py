"""The frame of a bot's program, and the example that stands in it."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.trading_bots.on_a_fake_venue.fake_services import KEY, FakeVenue, refusal
from trading_bots.client import Refused
from trading_bots.session import trading_session

ROOT = Path(__file__).parents[4]


def environment(venue: FakeVenue, key: str = KEY) -> dict[str, str]:
    return {
        "VENUE_CLIENT_ID": "ann",
        "VENUE_API_KEY": key,
        "VENUE_ORDER_ENTRY_URL": venue.url,
        "VENUE_MARKET_DATA_URL": venue.url,
    }


def open_orders(venue: FakeVenue) -> int:
    return sum(bool(order["leaves"]) for order in list(venue.orders.values()))


def test_an_order_that_arrives_after_the_cancel_is_canceled_too(fake_venue: FakeVenue) -> None:
    """Ctrl-C may come while an order is under way."""

    def cancel_then_take_a_late_order(venue: FakeVenue, method: str, target: str, body: Any) -> Any:
        answer = venue.serve(method, target, body)
        order = {
            "client_order_id": "late",
            "security": "AAPL",
            "side": "BUY",
            "type": "limit",
            "quantity": 1,
        }
        venue.serve("POST", "/v1/orders", order)
        return answer

    with trading_session(environment(fake_venue)):
        fake_venue.faults.append(cancel_then_take_a_late_order)
        raise KeyboardInterrupt
    assert list(fake_venue.orders) == ["late"] and open_orders(fake_venue) == 0


def test_a_bots_own_fault_passes_once_its_orders_are_canceled(fake_venue: FakeVenue) -> None:
    with pytest.raises(ZeroDivisionError), trading_session(environment(fake_venue)) as venue:
        venue.place("AAPL", "BUY", 1, "99.00")
        _ = 1 / 0
    assert len(fake_venue.orders) == 1 and open_orders(fake_venue) == 0


def test_a_refusal_that_nobody_took_passes_once_the_orders_are_canceled(
    fake_venue: FakeVenue,
) -> None:
    with (
        pytest.raises(Refused, match="not that rich"),
        trading_session(environment(fake_venue)) as venue,
    ):
        venue.place("AAPL", "BUY", 1, "99.00")
        venue.place("AAPL", "BUY", 5000, "99.00")
    assert open_orders(fake_venue) == 0


def test_orders_that_can_not_be_canceled_are_spoken_of(
    fake_venue: FakeVenue, capsys: pytest.CaptureFixture[str]
) -> None:
    with trading_session(environment(fake_venue)):
        fake_venue.faults.append(lambda *_: (403, refusal("auth.forbidden", "not yours"), {}))
    assert (
        capsys.readouterr().err
        == "trading_bots: orders may still be open (auth.forbidden: not yours)\n"
    )


def test_the_first_bot_of_the_readme_is_the_example() -> None:
    block = (ROOT / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    assert block == (ROOT / "trading_bots/examples/first_bot.py").read_text()


@pytest.mark.parametrize("name", ["first_bot", "stream_bot"])
def test_an_example_fits_on_a_page(name: str) -> None:
    assert len((ROOT / f"trading_bots/examples/{name}.py").read_text().splitlines()) <= 25
