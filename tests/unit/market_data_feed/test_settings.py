"""Settings of the feed."""

import pytest

from market_data_feed import settings
from service_runtime.settings import SettingsError


def test_how_long_refused_orders_are_kept_is_read() -> None:
    usual = settings.load({})
    assert (usual.refused_orders_days, usual.refused_orders_most) == (7, 5_000_000)
    given = {"VENUE_REFUSED_ORDERS_DAYS": "0", "VENUE_REFUSED_ORDERS_MOST": "12"}
    assert settings.load(given) == settings.FeedSettings(0, 12)


def test_a_number_that_is_none_is_named() -> None:
    with pytest.raises(SettingsError, match="VENUE_REFUSED_ORDERS_MOST"):
        settings.load({"VENUE_REFUSED_ORDERS_MOST": "many"})
