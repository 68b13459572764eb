"""Settings of the feed alone, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from service_runtime.settings import whole_number


@dataclass(frozen=True)
class FeedSettings:
    """What the record forgets."""

    refused_orders_days: int = 7
    """VENUE_REFUSED_ORDERS_DAYS: refused orders are forgotten after so many days; 0 keeps them."""
    refused_orders_most: int = 5_000_000
    """VENUE_REFUSED_ORDERS_MOST: about so many refused orders are kept, the newest; 0 keeps all."""


def load(environment: Mapping[str, str] = os.environ) -> FeedSettings:
    """The settings in `environment`; SettingsError names what is malformed."""
    usual = FeedSettings()
    return FeedSettings(
        whole_number(environment, "VENUE_REFUSED_ORDERS_DAYS", usual.refused_orders_days),
        whole_number(environment, "VENUE_REFUSED_ORDERS_MOST", usual.refused_orders_most),
    )
