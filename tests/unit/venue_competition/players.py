"""Players of test competitions, good ones and others."""

from collections.abc import Iterator

from trading_bots.commands import Cancel, Intent, Place
from trading_bots.strategy import Strategy, View


class Raises(Strategy):
    """Trades for a while, then raises an exception with a text that no page should take as HTML."""

    interval_s = 1.0

    def __init__(self) -> None:
        self._calls = 0

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        self._calls += 1
        if self._calls > 5:
            raise ValueError("<script>alert(1)</script>\x1b[31m")
        security = view.securities[0]
        yield Place(security, "BUY", 1, view.rules(security).reference_price)


class Floods(Strategy):
    """A hundred orders at once, again and again."""

    interval_s = 0.5

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        security = view.securities[0]
        low = view.rules(security).band_low or view.rules(security).tick
        for _ in range(100):
            yield Place(security, "BUY", 1, low)


class Silent(Strategy):
    """Does nothing."""


class FloodsCancels(Strategy):
    """Asks again and again for the cancel of an order that there is not."""

    interval_s = 0.5

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        for _ in range(100):
            yield Cancel(1)


class RaisesAtOnce(Strategy):
    """Raises before it has sent anything."""

    interval_s = 1.0

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        raise ValueError("no plan")
