"""What a simulated market is made of: securities, bots, latencies, length and one seed.

A plan is plain data: equal plans give equal markets, byte for byte, and `plan_json` puts it into
the manifest of the archive.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Literal

from trading_bots.strategy import Strategy
from venue_protocol.fee_schedule import STANDARD, FeeRow, FeeSchedule
from venue_protocol.money import parse_e4
from venue_protocol.securities import Security
from venue_protocol.trading_day import Phase

START_US = 1_767_623_400_000_000
"""2026-01-05T14:30:00Z: a simulated market begins at a fixed date."""

Jitter = Literal["exponential", "uniform", "lognormal"]


@dataclass(frozen=True, kw_only=True)
class Latency:
    """How long the ways of one bot are, microseconds."""

    order_us: int = 500
    """From the bot to the venue, at least."""
    feed_us: int = 500
    """From the venue to the bot, at least."""
    jitter_us: int = 0
    """Mean of what each way takes in addition; 0: every way takes equally long."""
    jitter: Jitter = "exponential"
    compute_us: int = 0
    """How long the bot thinks before its commands leave."""


@dataclass(frozen=True, kw_only=True)
class BotLimits:
    """What a bot may do; a breach of one stops it and cancels its orders. None: no limit."""

    commands_per_second: int | None = None
    """In any second of simulated time."""
    open_orders: int | None = None
    position: int | None = None
    """Shares of one security, long or short of its start."""
    loss: Decimal | None = None
    """Dollars below its equity at the start."""


@dataclass(frozen=True, kw_only=True)
class BotSpec:
    """One bot: its account, its strategy, and where it stands."""

    client_id: str
    strategy: str | Callable[..., Strategy]
    """A name, `module:Class` or `file.py:Class`; or what makes one."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    securities: tuple[str, ...] = ()
    """Those it sees and trades; none: all of the market."""
    cash: Decimal = Decimal(10_000)
    """Dollars at the start."""
    shares: Mapping[str, int] = field(default_factory=dict)
    """Shares at the start, by security."""
    latency: Latency = Latency()
    group: str = "player"
    """`player` or `population`."""
    seed_name: str | None = None
    """Name of its dice; None: its client_id. Two bots that swap seats swap it."""
    limits: BotLimits = BotLimits()
    fee_tier: str = STANDARD
    """Which rows of the market's fees are for it."""


@dataclass(frozen=True, kw_only=True)
class SecuritySpec:
    """One security."""

    security: str
    reference_price: Decimal = Decimal(100)
    tick: Decimal = Decimal("0.01")
    lot: int = 1
    band_bps: int = 5_000
    """Half width of the price band around the reference, basis points."""
    name: str = ""

    def listed(self) -> Security:
        """The security as the venue lists it, on shard 0."""
        return Security(
            self.security,
            self.name or self.security,
            0,
            tick_e4=parse_e4(str(self.tick)),
            lot=self.lot,
            band_bps=self.band_bps,
            reference_price_e4=parse_e4(str(self.reference_price)),
        )


@dataclass(frozen=True, kw_only=True)
class PhaseSpec:
    """A phase of the trading day, for all securities or for one."""

    at_s: float
    phase: Phase
    security: str | None = None
    lasts_s: float | None = None
    """A phase with an end: after so long continuous trading begins."""


@dataclass(frozen=True, kw_only=True)
class MarketPlan:
    """A whole market. `seconds` is its length in simulated time."""

    seed: int
    securities: tuple[SecuritySpec, ...]
    bots: tuple[BotSpec, ...]
    seconds: float
    start_us: int = START_US
    phases: tuple[PhaseSpec, ...] = ()
    """Empty: the market trades continuously from its first microsecond on."""
    rate_limit_per_second: int | None = None
    """Commands that the door takes of one client, as in a live venue; None: any number."""
    sample_s: float = 60.0
    """Seconds between two points of the equity curves."""
    fees: tuple[FeeRow, ...] = ()
    """The fee schedule; empty: trading is free."""

    @property
    def end_us(self) -> int:
        """When it ends."""
        return self.start_us + round(self.seconds * 1_000_000)

    def fee_schedule(self) -> FeeSchedule:
        """The rows with the tiers of the bots. ValueError for a schedule that no venue may have."""
        tiers = {bot.client_id: bot.fee_tier for bot in self.bots if bot.fee_tier != STANDARD}
        schedule = FeeSchedule(self.fees, tiers)
        fault = schedule.fault()
        if fault is not None:
            raise ValueError(f"fees: {fault}")
        return schedule


def plan_json(plan: MarketPlan) -> dict[str, Any]:
    """The plan as JSON. A strategy that is no name is given by where it is defined."""
    content: dict[str, Any] = _plain(asdict(plan))
    # What a plan of an older version could not say is left out where it says nothing.
    if not content["fees"]:
        del content["fees"]
    for bot in content["bots"]:
        if bot["fee_tier"] == STANDARD:
            del bot["fee_tier"]
    return content


def _plain(value: Any) -> Any:
    """Decimals as text, tuples as lists, callables by their names."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if callable(value):
        return f"{getattr(value, '__module__', '?')}:{getattr(value, '__qualname__', '?')}"
    return value
