"""How the venue settles: the gateway's and the feed's API with the administrator's key."""

from typing import Any

from venue_launcher.administrator_connection import AdministratorConnection
from venue_launcher.running_venue import RunningVenue
from venue_launcher.terminal import table

_TIMEOUT_S = 30


class SettlementClient:
    """Mode, cycles and open obligations of one venue."""

    def __init__(self, venue: RunningVenue) -> None:
        key = venue.admin_key
        self._door = AdministratorConnection("gateway", venue.gateway_url, key, _TIMEOUT_S).call
        self._feed = AdministratorConnection("feed", venue.market_data_url, key, _TIMEOUT_S).call

    def modes(self) -> list[dict[str, Any]]:
        """How each shard settles."""
        found: list[dict[str, Any]] = self._door("GET", "/v1/settlement")["shards"]
        return found

    def set(
        self, mode: str, every_s: int | None = None, at_close: bool = False, lag: int = 0
    ) -> None:
        """Settle so from here on."""
        body = {"mode": mode, "every_s": every_s, "at_close": at_close, "lag": lag}
        self._door("POST", "/v1/settlement", body)

    def start_cycle(self) -> None:
        """End the present cycle."""
        self._door("POST", "/v1/settlement/cycles", {})

    def cycles(self, most: int) -> list[dict[str, Any]]:
        """The newest cycles, newest first."""
        found: list[dict[str, Any]] = self._feed("GET", f"/v1/settlement-cycles?limit={most}")[
            "cycles"
        ]
        return found

    def obligations(self, client_id: str | None) -> list[dict[str, Any]]:
        """What is open (of one client): the first thousand."""
        path = "/v1/obligations" + (f"/{client_id}" if client_id else "")
        found: list[dict[str, Any]] = self._feed("GET", f"{path}?limit=1000")["obligations"]
        return found


def mode_lines(modes: list[dict[str, Any]]) -> list[str]:
    """How each shard settles, in words."""
    return [f"shard {mode['shard']}: {_mode(mode)}" for mode in modes]


def _mode(mode: dict[str, Any]) -> str:
    if mode["mode"] == "gross":
        return "gross: each trade at once"
    ends = [f"every {mode['every_s']} s"] if mode["every_s"] else []
    ends += ["at the close"] if mode["at_close"] else []
    lag = f", trades due {mode['lag']} cycles later" if mode["lag"] else ""
    return f"net: cycles {' and '.join(ends) or 'on command'}{lag}"


_CYCLE = (
    "cycle",
    "trades",
    "gross_value",
    "net_cash",
    "cash_saved",
    "gross_movements",
    "net_movements",
    "movements_saved",
    "fails",
)
_OBLIGATION = ("client_id", "security", "cycle", "quantity", "cash", "failed", "failing_since")


def cycle_table(cycles: list[dict[str, Any]]) -> str:
    """What netting saved in each cycle, in percent; NSCC's bar is 98 % of the value."""
    return table([row | {"cycle": f"{row['shard']}.{row['number']}"} for row in cycles], _CYCLE)


def obligation_table(rows: list[dict[str, Any]]) -> str:
    """What is open, one line for each client, security and cycle."""
    return table([row | {"cycle": f"{row['shard']}.{row['cycle']}"} for row in rows], _OBLIGATION)
