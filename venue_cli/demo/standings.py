"""Who owns what, as the venue says it to an administrator."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from trading_bots.transport import Transport
from venue_cli.demo.cast import Cast
from venue_cli.running import RunningVenue

STARTING_CASH = Decimal(10_000)
_PATIENCE_S = 3.0


class Standing(msgspec.Struct, frozen=True):
    """One client's cash, shares, and both together at the last prices, in dollars."""

    client_id: str
    balance: Decimal
    held: Decimal
    holdings: dict[str, int]
    equity: Decimal


class StandingsReader:
    """Reads the standings of a demo's clients."""

    def __init__(self, venue: RunningVenue, cast: Cast) -> None:
        self._feed = Transport(venue.market_data_url, venue.admin_key, patience_s=_PATIENCE_S)
        self._prefix = cast.prefix
        self._traders = {bot.client_id for bot in cast.traders()}

    def read(self) -> list[Standing]:
        """Traders first, the richest on top; then the market makers. Raises VenueUnavailable."""
        content = self._feed.request("GET", "/v1/standings")
        standings = msgspec.convert(content["standings"], list[Standing], strict=False)
        own = [standing for standing in standings if standing.client_id.startswith(self._prefix)]
        return sorted(own, key=lambda s: (s.client_id not in self._traders, -s.equity, s.client_id))

    def is_trader(self, standing: Standing) -> bool:
        """Whether this client started with STARTING_CASH."""
        return standing.client_id in self._traders

    def close(self) -> None:
        """Close the connection."""
        self._feed.close()


def table(standings: Sequence[Standing], traders: Iterable[str]) -> list[str]:
    """A heading and one line a client; the gain is shown for those who started with STARTING_CASH."""
    traders = set(traders)
    lines = [f"{'client':<28} {'balance':>14} {'held':>13} {'equity':>14} {'gain':>10}  shares"]
    for standing in standings:
        gain = f"{standing.equity - STARTING_CASH:+,.2f}" if standing.client_id in traders else ""
        shares = " ".join(f"{quantity} {name}" for name, quantity in standing.holdings.items()) or "-"
        lines.append(
            f"{standing.client_id:<28} {standing.balance:>14,.2f} {standing.held:>13,.2f} {standing.equity:>14,.2f}"
            f" {gain:>10}  {shares}"
        )
    return lines
