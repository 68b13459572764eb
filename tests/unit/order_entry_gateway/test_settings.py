"""Settings of the gateway."""

import pytest

from order_entry_gateway import settings
from service_runtime.settings import SettingsError


def test_how_much_the_gateway_takes_is_read() -> None:
    assert settings.load({}) == settings.GatewaySettings(2_000, 5_000)
    given = {"VENUE_RATE_LIMIT_PER_SECOND": "3", "VENUE_BACKLOG_ALLOWED": ""}
    assert settings.load(given) == settings.GatewaySettings(3, 5_000)


def test_a_number_that_is_none_is_named() -> None:
    with pytest.raises(SettingsError, match="VENUE_BACKLOG_ALLOWED"):
        settings.load({"VENUE_BACKLOG_ALLOWED": "-1"})
