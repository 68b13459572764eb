"""What one bot of a runner is: account, strategy, securities, dice, pace."""

from typing import Any

import msgspec

from trading_bots.loading import find_strategy, load_strategy
from trading_bots.strategy import Strategy


class BotSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bot: its account and key, its strategy with its parameters, what it trades, its seed."""

    client_id: str
    api_key: str
    strategy: str
    """One of STRATEGIES, `module:Class`, `file.py:Class` or `prosperity:file.py`."""
    security: str = ""
    """One security; or several in `securities`."""
    securities: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    seed: int = 1
    """The bot's dice are those of this seed and its client_id."""
    rate: float | None = None
    """Calls of `on_timer` a second; None: as the strategy says."""

    def __post_init__(self) -> None:
        find_strategy(self.strategy)
        if self.rate is not None and not 0 < self.rate <= 1000:
            raise ValueError(f"rate {self.rate} is not above 0 and at most 1000 decisions a second")
        if not self.traded():
            raise ValueError(f"{self.client_id} is not given a security to trade")

    def traded(self) -> tuple[str, ...]:
        """The securities that the bot sees and trades, each once."""
        return tuple(dict.fromkeys((*filter(None, [self.security]), *self.securities)))

    def make_strategy(self) -> Strategy:
        """A new strategy with these parameters; ValueError."""
        strategy = load_strategy(self.strategy, self.parameters)
        if self.rate is not None:
            strategy.interval_s = 1 / self.rate
        return strategy
