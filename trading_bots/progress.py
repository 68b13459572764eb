"""What each bot of a fleet has done: orders, fills, and its equity at the last prices."""

import threading
from collections.abc import Sequence
from decimal import Decimal

from trading_bots.client import VenueClient
from trading_bots.market import Market
from trading_bots.refusal import Refused, VenueUnavailable
from trading_bots.runner import Bot, Fleet
from trading_bots.venue_address import VenueAddress

_PATIENCE_S = 1.0
_PAGE = 1000


class Progress:
    """Reads each bot's account with a connection of its own. For one thread."""

    def __init__(self, fleet: Fleet, address: VenueAddress, stopping: threading.Event) -> None:
        self._accounts = [_Account(bot, fleet.market, address, stopping) for bot in fleet.bots]
        self._width = max(len(bot.settings.client_id) for bot in fleet.bots)

    def lines(self, elapsed_s: float) -> list[str]:
        """One line for each bot, with what has changed since the start.

        Seconds, client, orders, refused commands, fills, equity and its change; a dash stands where
        the venue does not answer.
        """
        return [
            f"{elapsed_s:>6.0f} s  {account.bot.settings.client_id:<{self._width}}  "
            f"{account.line()}"
            for account in self._accounts
        ]

    def close(self) -> None:
        """Close the connections."""
        for account in self._accounts:
            account.client.close()


class _Account:
    """One bot's account: fills counted from the first look, equity compared with the first."""

    def __init__(
        self, bot: Bot, market: Market, address: VenueAddress, stopping: threading.Event
    ) -> None:
        own = bot.settings
        self.bot = bot
        self.client = VenueClient(
            own.client_id,
            own.api_key,
            address.order_entry_url,
            address.market_data_url,
            patience_s=_PATIENCE_S,
            stopping=stopping,
        )
        self._market = market
        self._fills: int | None = None
        self._last_fill = 0
        self._first_equity: Decimal | None = None

    def line(self) -> str:
        """Orders, refused, fills, equity."""
        statistics = self.bot.statistics
        counted = (
            f"{statistics.orders:>7,} orders  {sum(dict(statistics.refused).values()):>6,} refused"
        )
        try:
            self._count_fills()
            return f"{counted}  {self._fills:>6,} fills  {self._equity()}"
        except (Refused, VenueUnavailable):
            return f"{counted}  {'-':>6} fills  equity -"

    def _count_fills(self) -> None:
        """Add the fills since the last call; fills from before the first call do not count."""
        new = 0
        while page := self.client.fills(self._last_fill, _PAGE):
            new += len(page)
            self._last_fill = page[-1].sequence
        self._fills = 0 if self._fills is None else self._fills + new

    def _equity(self) -> str:
        holdings = [
            (holding.security, holding.quantity)
            for holding in self.client.holdings()
            if holding.quantity
        ]
        equity = self.client.balance().balance + self._value(holdings)
        if self._first_equity is None:
            self._first_equity = equity
        gain = equity - self._first_equity
        return f"equity {_shown(equity):>14} ({'+' if gain >= 0 else ''}{_shown(gain)})"

    def _value(self, holdings: Sequence[tuple[str, int]]) -> Decimal:
        return sum(
            (self._price(security) * quantity for security, quantity in holdings), Decimal(0)
        )

    def _price(self, security: str) -> Decimal:
        """The last price; before the first trade the reference price."""
        known = security in self._market.followed()
        last = self._market.price(security).last if known else self.client.price(security).last
        if last is None and known:
            return self._market.rules(security).reference_price
        return last or Decimal(0)


def _shown(dollars: Decimal) -> str:
    """Two decimals, four where the third or fourth is not zero, as the venue shows money."""
    return f"{dollars:,.2f}" if dollars == round(dollars, 2) else f"{dollars:,.4f}"
