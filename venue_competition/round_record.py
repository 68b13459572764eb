"""What scoring reads of a round: trades, movements of the accounts, and commands, in log order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from venue_protocol.orders import Side


class RoundTrade(NamedTuple):
    """One trade of the round."""

    trade_id: int
    time_us: int
    security: str
    price_e4: int
    quantity: int
    buyer: str
    seller: str
    aggressor: Side | None
    """None in an auction."""

    @property
    def taker(self) -> str | None:
        """Whose order took; None in an auction."""
        if self.aggressor is None:
            return None
        return self.buyer if self.aggressor == "BUY" else self.seller


class Movement(NamedTuple):
    """One change of a client's accounts: what a settlement report says."""

    time_us: int
    client_id: str
    cash_e4: int
    """Signed."""
    security: str | None
    shares: int
    """Signed."""
    is_trade: bool
    """False for what was paid in or out."""


class SentCommand(NamedTuple):
    """One accepted command of a client."""

    time_us: int
    client_id: str
    kind: str
    """place_order, amend_order, cancel_order or cancel_all_orders."""


@dataclass(frozen=True)
class RoundRecord:
    """All of one round; times in microseconds since the epoch, everything in the order of the log.

    `start_us` to `end_us` is the time of trading: what was paid in before `start_us` is the
    position at the start, what came after `end_us` does not count.
    """

    start_us: int
    end_us: int
    reference_e4: Mapping[str, int]
    """Reference price by security: the mark until there is a better one."""
    trades: Sequence[RoundTrade]
    movements: Sequence[Movement]
    commands: Sequence[SentCommand]
    open_orders: Mapping[str, int]
    """Largest number of open orders by client; left out for none."""
