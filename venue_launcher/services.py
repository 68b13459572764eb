"""The four services: their usual ports, and the environment each one gets."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrations.provision import Provisioned


@dataclass(frozen=True)
class ServiceDefinition:
    """One service, run as `python -m <name>`."""

    name: str
    usual_port: int
    has_market_role: bool = False
    is_public: bool = False
    """Whether players need it. The others administer: they listen on this machine alone unless
    `up --administration-host` says otherwise.
    """


GATEWAY = ServiceDefinition("order_entry_gateway", 8001, has_market_role=True, is_public=True)
ENGINE = ServiceDefinition("matching_engine", 8002)
CLEARINGHOUSE = ServiceDefinition("clearinghouse", 8003)
FEED = ServiceDefinition("market_data_feed", 8000, has_market_role=True, is_public=True)
STOP_ORDER = (GATEWAY, ENGINE, CLEARINGHOUSE, FEED)
"""The door first: nothing new comes in while what is under way ends. Starts go the other way
round.
"""

ROOT = Path(__file__).parents[1]
PASSED_ON = (
    "VENUE_RATE_LIMIT_PER_SECOND",
    "VENUE_BACKLOG_ALLOWED",
    "VENUE_REFUSED_ORDERS_DAYS",
    "VENUE_REFUSED_ORDERS_MOST",
    "VENUE_LOG_LEVEL",
    "VENUE_ENDOWMENT",
)


def environment(
    service: ServiceDefinition,
    databases: "Provisioned",
    broker_url: str,
    host: str,
    port: int,
    state_dir: Path,
    settings: Mapping[str, str],
) -> dict[str, str]:
    """All that the service may know: its own roles' URLs, never the owner's.

    Of `settings`, which hold the environment, only those VENUE_ variables that are `PASSED_ON`.
    """
    kept: Mapping[str, str] = {
        key: value
        for key, value in settings.items()
        if not key.startswith("VENUE_") or key in PASSED_ON
    }
    own = {
        "PYTHONPATH": str(ROOT),
        "VENUE_BROKER_URL": broker_url,
        "VENUE_CLEARING_DATABASE_URL": databases.clearing_url(service.name),
        "VENUE_HOST": host,
        "VENUE_PORT": str(port),
        "VENUE_SHARD": "0",
        "VENUE_STATE_DIR": str(state_dir),
    }
    if service.has_market_role:
        own["VENUE_MARKET_DATABASE_URL"] = databases.market_url(service.name)
    return dict(kept) | own


def command(service: ServiceDefinition) -> list[str]:
    """The program of a service, in our own Python."""
    return [sys.executable, "-P", "-m", service.name]
