"""Who plays in a demo: accounts made for it, and the bots on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from trading_bots.runner import BotSettings
from venue_launcher.admin_client import Administration

RATES = {"market_maker": 4.0, "random_walk": 3.0, "gaussian": 2.0, "uniform": 3.0, "retail": 2.0}
"""Decisions a second of each bot; one bot of each strategy a security."""
_FLOOD_RATE = 2.0
_MAKER_CASH = "5000000.00"
_MAKER_SHARES = 20_000
_RICH = frozenset({"market_maker", "flood"})
"""Strategies whose account is a market maker's: cash and shares of its own. The others start with
$10,000.00.
"""


@dataclass(frozen=True)
class Guest:
    """An account without a bot, for the person at the terminal."""

    client_id: str
    api_key: str


@dataclass(frozen=True)
class Cast:
    """The demo's accounts. Client ids start with `prefix`."""

    prefix: str
    bots: Sequence[BotSettings]
    guest: Guest

    def traders(self) -> list[BotSettings]:
        """The bots that started with $10,000.00."""
        return [bot for bot in self.bots if bot.strategy not in _RICH]


def assemble(administration: Administration, securities: Sequence[str], seed: int) -> Cast:
    """Create accounts under an unused prefix, so that a second demo has accounts of its own."""
    taken = {str(client["client_id"]).partition(".")[0] for client in administration.clients()}
    number = next(number for number in range(1, len(taken) + 2) if f"demo{number}" not in taken)
    prefix = f"demo{number}."
    roles = [(strategy, security) for security in securities for strategy in RATES]
    roles.append(("flood", securities[-1]))
    bots = [
        _enroll(administration, prefix, strategy, security, seed * 1000 + index)
        for index, (strategy, security) in enumerate(roles)
    ]
    guest = f"{prefix}you"
    return Cast(prefix, bots, Guest(guest, administration.create_client(guest)))


def _enroll(
    administration: Administration, prefix: str, strategy: str, security: str, seed: int
) -> BotSettings:
    client_id = f"{prefix}{strategy}.{security.lower()}"
    if strategy in _RICH:
        key = administration.create_client(
            client_id, "market_maker", _MAKER_CASH, {security: _MAKER_SHARES}
        )
    else:
        key = administration.create_client(client_id)
    rate = RATES.get(strategy, _FLOOD_RATE)
    return BotSettings(
        client_id=client_id, api_key=key, security=security, strategy=strategy, seed=seed, rate=rate
    )
