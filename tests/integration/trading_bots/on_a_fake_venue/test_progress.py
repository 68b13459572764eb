"""The lines of progress of `python -m trading_bots`."""

import threading
from typing import Any

import pytest

from tests.integration.trading_bots.on_a_fake_venue.fake_services import KEY, FakeVenue
from trading_bots.progress import Progress
from trading_bots.runner import BotSettings, Fleet
from trading_bots.venue_address import VenueAddress


def fill(sequence: int) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "trade_id": sequence,
        "order_id": 1,
        "security": "AAPL",
        "side": "BUY",
        "price": "100.00",
        "quantity": 1,
        "time_us": sequence,
    }


@pytest.fixture
def progress(fake_venue: FakeVenue) -> Progress:
    address = VenueAddress(fake_venue.url, fake_venue.url)
    bot = BotSettings(client_id="ann", api_key=KEY, security="AAPL", strategy="retail")
    return Progress(Fleet([bot], address), address, threading.Event())


def test_a_line_tells_fills_and_equity_since_the_start(
    progress: Progress, fake_venue: FakeVenue
) -> None:
    """Five shares at the reference price of 100.00 beside the cash; fills of an earlier run are not
    counted.
    """
    fake_venue.fills = [fill(sequence) for sequence in range(1, 1502)]
    (first,) = progress.lines(0.0)
    fake_venue.fills += [fill(1600), fill(1601)]
    fake_venue.cash = "10012.3525"
    (second,) = progress.lines(65.4)
    assert " ".join(first.split()) == "0 s ann 0 orders 0 refused 0 fills equity 10,500.00 (+0.00)"
    assert (
        " ".join(second.split())
        == "65 s ann 0 orders 0 refused 2 fills equity 10,512.3525 (+12.3525)"
    )


def test_while_the_venue_is_away_a_line_says_so_and_later_counts_on(
    progress: Progress, fake_venue: FakeVenue
) -> None:
    progress.lines(0.0)
    fake_venue.faults.append(
        lambda *_: (403, {"error": {"code": "auth.forbidden", "message": "no"}}, {})
    )
    (away,) = progress.lines(5.0)
    fake_venue.fills = [fill(7)]
    (back,) = progress.lines(10.0)
    assert away.endswith("- fills  equity -")
    assert "1 fills" in back
