"""Settings of the gateway alone, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from service_runtime.settings import whole_number


@dataclass(frozen=True)
class GatewaySettings:
    """How much the gateway takes."""

    rate_limit_per_second: int = 2_000
    """VENUE_RATE_LIMIT_PER_SECOND: order-entry commands a client may send, sustained; burst is five
    times that.
    """
    backlog_allowed: int = 5_000
    """VENUE_BACKLOG_ALLOWED: commands that may wait for settlement whatever its pace before new
    orders are refused.
    """


def load(environment: Mapping[str, str] = os.environ) -> GatewaySettings:
    """The settings in `environment`; SettingsError names what is malformed."""
    usual = GatewaySettings()
    return GatewaySettings(
        whole_number(environment, "VENUE_RATE_LIMIT_PER_SECOND", usual.rate_limit_per_second),
        whole_number(environment, "VENUE_BACKLOG_ALLOWED", usual.backlog_allowed),
    )
