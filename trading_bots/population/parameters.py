"""Every number of the default population in one place, with where it comes from.

"Tried" stands for a search over order-by-order simulations of one hour each, whose forms are those
of the named papers; "tuned" for a change that was made inside this venue (docs/market.md).
Distances and deviations are in basis points of the price, so that one set fits every price level.
"""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class ProviderParameters:
    """Limit orders that rest, of one security and all its liquidity providers together."""

    orders_per_second: float = 9.9
    """Both sides together. Poisson arrivals: Smith, Farmer, Gillemot, Krishnamurthy, "Statistical
    theory of the continuous double auction", Quantitative Finance 3 (2003). Tried."""
    distance_exponent: float = 1.83
    """P(d) ~ (d + offset)^-exponent, d from the opposite best price: Bouchaud, Mezard, Potters,
    "Statistical properties of stock order books", Quantitative Finance 2 (2002). Tried."""
    distance_offset_bps: float = 38.0
    """Tried at 20; tuned to 1.9 times as wide, which gives the spread of the reference stocks."""
    distance_most_bps: float = 380.0
    """Tried at 200; tuned with the offset."""
    cancels_per_second: float = 0.032
    """Of each resting order: it dies at random, whatever its age. Tried."""
    cancel_factor_at_best: float = 3.6
    """How much faster an order at the best price is canceled. Tried."""
    round_share: float = 0.5
    """Part of the orders that have exactly 100 shares: NASDAQ 2012-06-21, 48 to 55 %."""
    size_mu: float = 3.6
    """Of the lognormal size of the others, natural logarithm of shares. Tried."""
    size_sigma: float = 1.0


@dataclass(frozen=True, kw_only=True)
class TakerParameters:
    """Orders that take, of one security and all its takers together."""

    orders_per_second: float = 0.71
    """On average, bursts included. Tried."""
    branching: float = 0.70
    """How many orders one order brings about on average: Hawkes process. Tried at 0.70 to 0.78."""
    decay_s: float = 0.94
    """Mean time from an order to one that it brings about. Tried."""
    same_side: float = 0.96
    """Part of the brought about orders on the side of their cause. Tried at 0.94 to 0.97."""
    fundamental_share: float = 0.40
    """Part of the first orders of bursts that follow the value: Chiarella, Iori, Perello, "The
    impact of heterogeneous trading rules", J. Econ. Dyn. Control 33 (2009). Tried at 0.38."""
    momentum_share: float = 0.03
    """Part that follows the change of the price since the trader's last look. Tuned."""
    contrarian_share: float = 0.12
    """Part that trades against that change: part of an order's impact goes back. Tuned."""
    round_share: float = 0.35
    """Part of the orders of exactly 100 shares: NASDAQ 2012-06-21, 31 to 33 %."""
    size_mu: float = 3.9
    """Of the lognormal size of the others. Tried."""
    size_sigma: float = 0.9
    large_share: float = 0.02
    """Part of the orders that are `large_factor` times as large. Tried."""
    large_factor: float = 4.0
    parents: int = 4
    """Parent orders at work at any time: Lillo, Mike, Farmer, "Theory for long memory in supply
    and demand", Physical Review E 71 (2005). Tried."""
    children_tail: float = 2.1
    """Tail index of the Pareto number of children of a parent order. Tried."""
    children_least: float = 2.1
    """Least value of that distribution, before it is rounded down. Tried."""
    is_capped: bool = True
    """A taker takes at most what stands at the best price. Without it about one market in eight
    runs away (tried)."""


@dataclass(frozen=True, kw_only=True)
class RegimeParameters:
    """Volume regimes: the first orders of bursts come at a rate that changes."""

    sigma: float = 0.84
    """Of the lognormal factor, whose mean is 1. Tried."""
    mean_length_s: float = 90.0
    """Until it is drawn again, exponential. Tried at 60; tuned for the memory of |returns|."""


@dataclass(frozen=True, kw_only=True)
class ValueParameters:
    """The fundamental value of each security, and the stress of the whole market."""

    deviation_bps: float = 1.3
    """Standard deviation of its change in one second: 2.0 % in a day of 6.5 hours; IBM moved by
    1.8 %, MSFT by 2.1 % a day from 2000 to 2013. Tried at 1.14."""
    market_share: float = 0.3
    """Part of its variance that is common to all securities: correlation of two values."""
    stress_half_life_s: float = 900.0
    """Of the logarithm of stress, an Ornstein-Uhlenbeck process about a mean stress of 1."""
    stress_sigma: float = 0.15
    """Stationary standard deviation of that logarithm. Stress widens the distances of resting
    orders and quotes, and the moves of the value."""
    jumps_per_hour: float = 0.0
    """Off by default."""
    jump_bps: float = 100.0
    """Standard deviation of a jump."""


@dataclass(frozen=True, kw_only=True)
class MakerParameters:
    """Inventory-aware market makers: Avellaneda, Stoikov, "High-frequency trading in a limit order
    book", Quantitative Finance 8 (2008), with the half spread given and not derived.
    """

    half_spread_bps: float = 4.0
    """Tuned."""
    skew_bps: float = 4.0
    """How far both quotes move when the shares are half of what they were at the start. Tuned."""
    interval_s: float = 5.0
    quantity: int = 100


@dataclass(frozen=True, kw_only=True)
class TradedSecurity:
    """One security of the default market. Prices in dollars."""

    security: str
    name: str
    reference_price: Decimal
    tick: Decimal
    volatility: float
    """Times `deviation_bps`, and times the placement distances."""


SECURITIES = (
    TradedSecurity(
        security="ACME",
        name="Acme Machine Works",
        reference_price=Decimal("98.40"),
        tick=Decimal("0.01"),
        volatility=1.0,
    ),
    TradedSecurity(
        security="BOLT",
        name="Bolt Electric",
        reference_price=Decimal("246.10"),
        tick=Decimal("0.01"),
        volatility=1.15,
    ),
    TradedSecurity(
        security="CRUX",
        name="Crux Mining",
        reference_price=Decimal("41.75"),
        tick=Decimal("0.01"),
        volatility=1.1,
    ),
    TradedSecurity(
        security="DUNE",
        name="Dune Logistics",
        reference_price=Decimal("152.20"),
        tick=Decimal("0.01"),
        volatility=0.9,
    ),
    TradedSecurity(
        security="ECHO",
        name="Echo Semiconductors",
        reference_price=Decimal("583.50"),
        tick=Decimal("0.05"),
        volatility=1.0,
    ),
)
"""Prices of large US shares; a tick of about one basis point, more for the cheap one."""
