"""Securities and accounts of a load, made through the administrator's API: enough cash and shares
for hours.
"""

from collections.abc import Callable, Sequence

from venue_launcher.admin_client import Administration
from venue_trials.load.plan import Account

_CASH = "1000000000.00"
_SHARES = 10_000_000
_ISSUED = 10**11
_UNLIMITED_PER_SECOND = 1_000_000
_MOST_TRADED = 5
"""Securities that one account trades: with 500 listed each account has its few, as people do."""
_WORD_EVERY = 500
_BAND_BPS = 5_000
"""50 %: prices of the load walk freely, and a refused order would measure something else."""


def list_securities(administration: Administration, name: str, count: int) -> list[str]:
    """New securities NAME.1, NAME.2, …"""
    made = [f"{name}.{number}".upper() for number in range(1, count + 1)]
    for security in made:
        administration.add_security(
            {
                "security": security,
                "name": "Load",
                "reference_price": "100.00",
                "band_bps": _BAND_BPS,
                "issued_shares": _ISSUED,
            }
        )
    return made


def enroll(
    administration: Administration,
    name: str,
    count: int,
    securities: Sequence[str],
    say: Callable[[str], None] = lambda line: None,
) -> list[Account]:
    """New accounts name.1, name.2, … that share out the securities evenly."""
    accounts = []
    for number in range(count):
        own = [
            securities[(number * _MOST_TRADED + each) % len(securities)]
            for each in range(_MOST_TRADED)
        ]
        own = sorted(set(own))
        client_id = f"{name}.{number + 1}"
        key = administration.create_client(
            client_id, "market_maker", _CASH, dict.fromkeys(own, _SHARES), _UNLIMITED_PER_SECOND
        )
        accounts.append(Account(client_id, key, own))
        if (number + 1) % _WORD_EVERY == 0:
            say(f"{number + 1:,} of {count:,} accounts …")
    return accounts
