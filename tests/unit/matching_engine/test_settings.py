"""Settings of the engine."""

import pytest

from matching_engine import settings
from service_runtime.settings import SettingsError


def test_the_shard_and_the_folder_of_snapshots_are_read() -> None:
    assert settings.load({}) == settings.EngineSettings(0, "")
    given = {"VENUE_SHARD": "2", "VENUE_STATE_DIR": "/var/engine"}
    assert settings.load(given) == settings.EngineSettings(2, "/var/engine")


def test_a_shard_that_is_no_number_is_named() -> None:
    with pytest.raises(SettingsError, match="VENUE_SHARD"):
        settings.load({"VENUE_SHARD": "first"})
