"""Settings that every service has, from the environment.

Every name starts with VENUE_; the launcher sets them for its services. What only one service needs
to know stands in its own `settings.py`, read with `whole_number`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class SettingsError(ValueError):
    """A setting is missing or not of its kind; the message names it."""


@dataclass(frozen=True)
class Settings:
    """What any service needs to know of its surroundings."""

    broker_url: str = field(repr=False)
    """VENUE_BROKER_URL, `amqp://user:password@host:port/vhost`."""
    clearing_url: str = field(repr=False)
    """VENUE_CLEARING_DATABASE_URL: this service's own role on clearing_data, a libpq URL."""
    market_url: str = field(repr=False)
    """VENUE_MARKET_DATABASE_URL: this service's own role on market_data; empty for a service
    without one.
    """
    host: str
    """VENUE_HOST, the address to listen on."""
    port: int
    """VENUE_PORT, the HTTP port of this service."""
    log_level: str
    connections: int = 16_384
    """VENUE_CONNECTIONS: connections that one service keeps open in all."""
    connections_without_key: int = 8_192
    """VENUE_CONNECTIONS_WITHOUT_KEY: of these, connections on which no good key was shown; one more
    and the oldest of them is closed.
    """
    connections_without_key_per_address: int = 2_048
    """VENUE_CONNECTIONS_WITHOUT_KEY_PER_ADDRESS: the same, of one address."""
    connections_per_client: int = 2_048
    """VENUE_CONNECTIONS_PER_CLIENT: connections of one client that are kept open between its
    requests.
    """


def whole_number(environment: Mapping[str, str], name: str, default: int) -> int:
    """The setting as a number from 0; `default` where it is missing or empty.

    SettingsError names one that is no whole number.
    """
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit()):
        raise SettingsError(f"{name}={text!r} is not a whole number")
    return int(text)


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `environment`; SettingsError names what is missing or malformed."""

    def required(name: str) -> str:
        if not environment.get(name):
            raise SettingsError(f"{name} is not set")
        return environment[name]

    def level(name: str) -> str:
        text = environment.get(name) or "INFO"
        if text not in _LEVELS:
            raise SettingsError(f"{name}={text!r} is none of {', '.join(_LEVELS)}")
        return text

    return Settings(
        broker_url=required("VENUE_BROKER_URL"),
        clearing_url=required("VENUE_CLEARING_DATABASE_URL"),
        market_url=environment.get("VENUE_MARKET_DATABASE_URL", ""),
        host=environment.get("VENUE_HOST") or "127.0.0.1",
        port=whole_number(environment, "VENUE_PORT", 0),
        connections=whole_number(environment, "VENUE_CONNECTIONS", Settings.connections),
        connections_without_key=whole_number(
            environment, "VENUE_CONNECTIONS_WITHOUT_KEY", Settings.connections_without_key
        ),
        connections_without_key_per_address=whole_number(
            environment,
            "VENUE_CONNECTIONS_WITHOUT_KEY_PER_ADDRESS",
            Settings.connections_without_key_per_address,
        ),
        connections_per_client=whole_number(
            environment, "VENUE_CONNECTIONS_PER_CLIENT", Settings.connections_per_client
        ),
        log_level=level("VENUE_LOG_LEVEL"),
    )
