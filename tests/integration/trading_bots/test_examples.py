"""The examples trade on a whole venue, and leave nothing behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.trading_bots.waiting import wait_for
from trading_bots.client import Refused, VenueClient

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["first_bot", "stream_bot", "maker_bot"])
def test_an_example_trades_and_ends_with_its_orders_canceled(
    new_client: Callable[..., VenueClient], name: str
) -> None:
    maker = new_client("maker", "1000000.00", {"AAPL": 1000})
    bot = new_client(name.replace("_", "-"))
    environment = {
        "VENUE_CLIENT_ID": bot.client_id,
        "VENUE_API_KEY": bot.api_key,
        "VENUE_ORDER_ENTRY_URL": bot.order_entry_url,
        "VENUE_MARKET_DATA_URL": bot.market_data_url,
    }
    program = [sys.executable, "-m", f"trading_bots.examples.{name}"]
    process = subprocess.Popen(
        program, cwd=ROOT, env=os.environ | environment, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(lambda: trades_with(maker, bot), 30)
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said.strip()) == (0, "stopping: canceling the open orders …")
    assert bot.orders() == [] and bot.balance().held == 0


def trades_with(maker: VenueClient, bot: VenueClient) -> bool:
    """Whether the bot has a fill; moves the market down a little while it has not."""
    price = maker.price("AAPL")
    try:
        maker.cancel_all("AAPL")
        top = price.ask or price.last or maker.securities()[0].reference_price
        maker.place("AAPL", "SELL", 10, (price.bid or top) - maker.securities()[0].tick)
        maker.place("AAPL", "BUY", 10, (price.bid or top) - 10 * maker.securities()[0].tick)
    except Refused:
        return False
    return bool(bot.fills())
