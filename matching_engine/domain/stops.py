"""The stop orders of one security that wait for a price, and those elected whose turn has not come.

A buy stop is elected by a trade at its stop price or above, a sell stop by one at its stop price or
below. Of several elected ones the greatest distance between stop price and last price goes first,
then the oldest (CoinTossX).
"""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from sortedcontainers import SortedList

from venue_protocol.orders import BUY, Side


class _Named(Protocol):
    @property
    def order_id(self) -> int:
        """Id of the order."""
        ...


OrderT = TypeVar("OrderT", bound=_Named)
_Place = tuple[int, int]
"""Stop price and order id."""


class StopOrder(Generic[OrderT]):
    """A stop order that waits."""

    __slots__ = ("becomes_market", "order", "side", "stop_price_e4")

    def __init__(self, order: OrderT, side: Side, stop_price_e4: int, becomes_market: bool) -> None:
        self.order = order
        self.side = side
        self.stop_price_e4 = stop_price_e4
        self.becomes_market = becomes_market
        """Once elected it is a market order; otherwise a limit order."""

    def is_elected_by(self, price_e4: int) -> bool:
        """Whether a trade at this price elects it."""
        return (
            price_e4 >= self.stop_price_e4 if self.side == BUY else price_e4 <= self.stop_price_e4
        )


class StopBook(Generic[OrderT]):
    """Stops by price. Each step costs the logarithm of their number."""

    __slots__ = ("_buys", "_elected", "_sells", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[int, StopOrder[OrderT]] = {}
        """All of them by order id."""
        self._buys: SortedList[_Place] = SortedList()
        self._sells: SortedList[_Place] = SortedList()
        self._elected: SortedList[_Place] = SortedList()

    def add(self, stop: StopOrder[OrderT]) -> None:
        """Let a stop wait."""
        order_id = stop.order.order_id
        self.waiting[order_id] = stop
        self._prices(stop.side).add((stop.stop_price_e4, order_id))

    def remove(self, order_id: int) -> bool:
        """Take a stop that was not elected out; False if there is none of this id."""
        stop = self.waiting.pop(order_id, None)
        if stop is None:
            return False
        self._prices(stop.side).remove((stop.stop_price_e4, order_id))
        return True

    def elect(self, low_e4: int, high_e4: int) -> bool:
        """Elect what trades between these prices elect; whether any stop is elected now."""
        buys, sells = self._buys, self._sells
        while buys and buys[0][0] <= high_e4:
            self._elected.add(buys.pop(0))
        while sells and sells[-1][0] >= low_e4:
            self._elected.add(sells.pop())
        return bool(self._elected)

    def next_elected(self, last_e4: int) -> StopOrder[OrderT] | None:
        """The elected stop whose turn it is, no longer waiting; None when there is none."""
        elected = self._elected
        if not elected:
            return None
        # The distance to the last price is greatest at one end; of equal stop prices the oldest
        # stands first.
        lowest, highest_e4 = elected[0], elected[-1][0]
        highest = elected[elected.bisect_left((highest_e4, 0))]
        place = min(lowest, highest, key=lambda place: (-abs(place[0] - last_e4), place[1]))
        elected.remove(place)
        return self.waiting.pop(place[1])

    def stops(self) -> Iterator[StopOrder[OrderT]]:
        """All that wait, oldest first."""
        for order_id in sorted(self.waiting):
            yield self.waiting[order_id]

    def is_sound(self) -> bool:
        """Whether the prices name exactly the stops, and none is elected, as it must be between two
        commands.
        """
        listed = {order_id for _, order_id in [*self._buys, *self._sells]}
        return (
            not self._elected
            and listed == set(self.waiting)
            and len(self._buys) + len(self._sells) == len(listed)
        )

    def _prices(self, side: Side) -> "SortedList[_Place]":
        return self._buys if side == BUY else self._sells
