"""What the prices of a demo did: seen ten times a second, told in numbers and as a picture."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import dropwhile
from statistics import median
from typing import NamedTuple, Protocol

from trading_bots.records import Price, SecurityRules

EVERY_S = 0.1
_A_SECOND = round(1 / EVERY_S)
_KEPT = 36_000
"""Looks that are kept: those of the last hour."""


class SeenMarket(Protocol):
    """Prices and rules by security."""

    def price(self, security: str) -> Price:
        """The newest price."""
        ...

    def rules(self, security: str) -> SecurityRules:
        """Trading rules."""
        ...


class Quote(NamedTuple):
    """Best bid and ask at one look; None where that side is empty."""

    bid: Decimal | None
    ask: Decimal | None

    @property
    def middle(self) -> Decimal | None:
        """Of bid and ask; None while a side is empty."""
        return (self.bid + self.ask) / 2 if self.bid is not None and self.ask is not None else None


class Summary(NamedTuple):
    """The quotes of one security in numbers."""

    largest_move_percent: float
    """Of the middle, between any two looks at most one second apart."""
    both_sides_percent: float
    """Of the looks, from the first one that saw both sides on."""
    median_spread_ticks: float


def summary(quotes: Sequence[Quote], tick: Decimal) -> Summary | None:
    """The numbers; None if both sides were never there."""
    seen = list(dropwhile(lambda quote: quote.middle is None, quotes))
    if not seen:
        return None
    largest = 0.0
    for place, quote in enumerate(seen):
        now = quote.middle
        for earlier in seen[max(place - _A_SECOND, 0) : place]:
            if now is not None and earlier.middle is not None:
                largest = max(largest, abs(float(now / earlier.middle - 1)) * 100)
    spreads = [
        float((quote.ask - quote.bid) / tick)
        for quote in seen
        if quote.bid is not None and quote.ask is not None
    ]
    return Summary(largest, 100 * len(spreads) / len(seen), median(spreads))


class Observations:
    """Looks at the prices of some securities until it is stopped; one thread."""

    def __init__(self, market: SeenMarket, securities: list[str]) -> None:
        self.quotes: dict[str, deque[Quote]] = {name: deque(maxlen=_KEPT) for name in securities}
        self._market = market
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, name="observations", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def lines(self) -> list[str]:
        """One line a security, for people."""
        said = []
        for name, quotes in self.quotes.items():
            numbers = summary(quotes, self._market.rules(name).tick)
            said.append(
                f"{name:<8} never had both sides"
                if numbers is None
                else f"{name:<8} both sides there {numbers.both_sides_percent:.1f} % of the time, "
                f"median spread {numbers.median_spread_ticks:g} ticks, "
                f"largest move in a second {numbers.largest_move_percent:.2f} %"
            )
        return said

    def _look(self) -> None:
        while not self._stopping.wait(EVERY_S):
            for name, quotes in self.quotes.items():
                price = self._market.price(name)
                quotes.append(Quote(price.bid, price.ask))


_WIDTH, _HEIGHT, _MARGIN, _LABEL = 800, 110, 12, 150
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
"""Told apart by the colour-blind too: Okabe, Ito."""


def picture(quotes: Mapping[str, Sequence[Quote]]) -> str:
    """An SVG: for each security a band from its best bid to its best ask over time."""
    drawn = [(name, seen) for name, seen in quotes.items() if any(q.middle for q in seen)]
    height = _HEIGHT * len(drawn) + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for place, (name, seen) in enumerate(drawn):
        parts += _row(name, seen, place * _HEIGHT, _COLOURS[place % len(_COLOURS)])
    return "\n".join([*parts, "</svg>", ""])


def _row(name: str, quotes: Sequence[Quote], top: int, colour: str) -> list[str]:
    seen = [
        (place, quote.bid, quote.ask)
        for place, quote in enumerate(quotes)
        if quote.bid is not None and quote.ask is not None
    ]
    low, high = min(bid for _, bid, _ in seen), max(ask for _, _, ask in seen)
    right = (_WIDTH - _LABEL - _MARGIN) / max(len(quotes) - 1, 1)
    down = (_HEIGHT - 3 * _MARGIN) / float(high - low)

    def point(place: int, price: Decimal) -> tuple[str, str]:
        y = top + 1.5 * _MARGIN + float(high - price) * down
        return f"{_LABEL + place * right:.1f}", f"{y:.1f}"

    asks = _steps([point(place, ask) for place, _, ask in seen])
    bids = _steps([point(place, bid) for place, bid, _ in reversed(seen)])
    change = float(sum(seen[-1][1:]) / sum(seen[0][1:]) - 1) * 100
    middle = top + _HEIGHT / 2
    return [
        f'<text x="{_MARGIN}" y="{middle:.0f}" font-weight="bold">{name}</text>',
        f'<text x="{_MARGIN}" y="{middle + 18:.0f}" fill="#555555">'
        f"{low} to {high}, {change:+.2f} %</text>",
        f'<path d="M{asks}L{bids}Z" fill="{colour}" stroke="{colour}" '
        'stroke-width="0.8" fill-opacity="0.55"/>',
    ]


def _steps(points: Sequence[tuple[str, str]]) -> str:
    """Along x to each point with another y, then to that y; at last to the last point."""
    (x, y), *others = points
    drawn = f"{x},{y}"
    for next_x, next_y in others:
        if next_y != y:
            drawn += f"H{next_x}V{next_y}"
            y = next_y
    return f"{drawn}H{points[-1][0]}"
