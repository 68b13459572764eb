"""Limit-up limit-down for one security: a band around a moving reference, in the shape of the US
plan (NMS, 2012).

The reference is the mean price of the trades of the last five minutes by the time of the log, each
trade counted once; while there are none it stays where it was. Trades are kept in sums by second,
so the state is bounded.
"""

import msgspec

from venue_protocol.orders import BUY, Side
from venue_protocol.securities import BASIS_POINTS

WINDOW_S = 300
_SECOND_US = 1_000_000


class VolatilityBand(msgspec.Struct):
    """Settings and state of one security's band."""

    band_bps: int
    reference_e4: int
    limit_state_us: int
    pause_us: int
    auction_us: int
    seconds: list[tuple[int, int, int]] = []
    """Second of the log, sum of prices, number of trades; rising."""
    limit_side: Side | None = None
    """While in a limit state: the side that was stopped."""
    limit_until_us: int = 0
    """When a limit state becomes a pause."""

    @property
    def low_e4(self) -> int:
        """Lowest price at which an order may trade."""
        return -(-self.reference_e4 * (BASIS_POINTS - self.band_bps) // BASIS_POINTS)

    @property
    def high_e4(self) -> int:
        """Highest price at which an order may trade."""
        return self.reference_e4 * (BASIS_POINTS + self.band_bps) // BASIS_POINTS

    def edge_e4(self, side: Side) -> int:
        """The worst price at which an aggressing order of this side may trade."""
        return self.high_e4 if side == BUY else self.low_e4

    def bounded_e4(self, side: Side, price_e4: int) -> int:
        """The limit, or the band's edge if that comes first."""
        return min(price_e4, self.high_e4) if side == BUY else max(price_e4, self.low_e4)

    def add_trade(self, price_e4: int, time_us: int) -> None:
        """A trade at this price; the reference follows at the next `move_reference`."""
        second = time_us // _SECOND_US
        if self.seconds and self.seconds[-1][0] == second:
            _, total, count = self.seconds[-1]
            self.seconds[-1] = (second, total + price_e4, count + 1)
        else:
            self.seconds.append((second, price_e4, 1))

    def move_reference(self, time_us: int) -> None:
        """The reference as of this time."""
        oldest = time_us // _SECOND_US - WINDOW_S
        if self.seconds and self.seconds[0][0] <= oldest:
            self.seconds = [entry for entry in self.seconds if entry[0] > oldest]
        count = sum(entry[2] for entry in self.seconds)
        if count:
            self.reference_e4 = sum(entry[1] for entry in self.seconds) // count

    def restart(self, price_e4: int | None) -> None:
        """After a reopening: its price is the reference, and what traded before counts no more."""
        self.seconds = []
        self.limit_side = None
        if price_e4 is not None:
            self.reference_e4 = price_e4

    def holds_back(self, best_e4: int) -> bool:
        """Whether the best price of the other side is beyond the band, for the side in the limit
        state.
        """
        return best_e4 > self.high_e4 if self.limit_side == BUY else best_e4 < self.low_e4
