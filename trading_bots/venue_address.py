"""Where the venue's public services answer."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

ORDER_ENTRY_URL = "http://127.0.0.1:8001"
MARKET_DATA_URL = "http://127.0.0.1:8000"
CLEARINGHOUSE_URL = "http://127.0.0.1:8003"
CHECKOUT = Path(__file__).resolve().parents[1]
"""The folder that holds `trading_bots`: where a checkout of the venue keeps its `.venue`."""


class _RunningVenue(msgspec.Struct, frozen=True):
    """The part of `.venue/state.json` that a bot needs: base URLs by service."""

    addresses: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class VenueAddress:
    """The base URLs of order entry, of market data and of the clearinghouse, each without a slash
    at the end.
    """

    order_entry_url: str = ORDER_ENTRY_URL
    market_data_url: str = MARKET_DATA_URL
    clearinghouse_url: str = CLEARINGHOUSE_URL
    """Where shares are borrowed."""

    @classmethod
    def find(
        cls, environment: Mapping[str, str] = os.environ, checkout: Path = CHECKOUT
    ) -> "VenueAddress":
        """The URLs of the environment; else those of the venue that this checkout runs; else the
        usual ports of this machine.

        `./venue up` takes other ports when the usual ones are taken, and writes them into
        `.venue/state.json` (or below VENUE_HOME).
        """
        running = _addresses_of_running_venue(environment, checkout)
        return cls(
            environment.get("VENUE_ORDER_ENTRY_URL")
            or running.get("order_entry_gateway", ORDER_ENTRY_URL),
            environment.get("VENUE_MARKET_DATA_URL")
            or running.get("market_data_feed", MARKET_DATA_URL),
            environment.get("VENUE_CLEARINGHOUSE_URL")
            or running.get("clearinghouse", CLEARINGHOUSE_URL),
        )


def _addresses_of_running_venue(
    environment: Mapping[str, str], checkout: Path
) -> Mapping[str, str]:
    """Base URLs by service; empty where no venue runs, or where its state is another user's."""
    home = environment.get("VENUE_HOME")
    state_folder = Path(home) if home else checkout / ".venue"
    try:
        content = (state_folder / "state.json").read_bytes()
        return msgspec.json.decode(content, type=_RunningVenue).addresses
    except (OSError, msgspec.DecodeError):
        return {}
