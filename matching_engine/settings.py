"""Settings of the engine alone, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from service_runtime.settings import whole_number


@dataclass(frozen=True)
class EngineSettings:
    """Which books the engine keeps, and where it may leave snapshots of them."""

    shard: int = 0
    """VENUE_SHARD: the shard whose order log it reads."""
    state_dir: str = ""
    """VENUE_STATE_DIR: where snapshots are cached; without it none is kept."""


def load(environment: Mapping[str, str] = os.environ) -> EngineSettings:
    """The settings in `environment`; SettingsError names what is malformed."""
    shard = whole_number(environment, "VENUE_SHARD", EngineSettings.shard)
    return EngineSettings(shard, environment.get("VENUE_STATE_DIR", ""))
