"""Servers whose URLs stand in the environment."""

from collections.abc import Mapping

from venue_launcher.infrastructure import broker_probe, postgres_probe
from venue_launcher.infrastructure.found import FoundBroker, FoundPostgres
from venue_launcher.infrastructure.urls import without_password
from venue_launcher.infrastructure.virtual_hosts import GivenHost, VirtualHosts, rights_on
from venue_launcher.infrastructure.ways import InfrastructureError, Unavailable

POSTGRES = "VENUE_POSTGRES_URL"
BROKER = "VENUE_BROKER_URL"


def find_postgres(environment: Mapping[str, str]) -> FoundPostgres:
    """The server of VENUE_POSTGRES_URL.

    Raises Unavailable if it is not set, InfrastructureError if it is no use.
    """
    url = environment.get(POSTGRES, "")
    if not url:
        raise Unavailable(f"{POSTGRES} is not set")
    reason = postgres_probe.refusal(url)
    if reason:
        raise InfrastructureError(f"{POSTGRES} is set, but {reason}: correct it or unset it")
    return FoundPostgres(url, "given", without_password(url))


def find_broker(environment: Mapping[str, str]) -> FoundBroker:
    """The broker and virtual host of VENUE_BROKER_URL. Raises like `find_postgres`."""
    url = environment.get(BROKER, "")
    if not url:
        raise Unavailable(f"{BROKER} is not set")
    reason = broker_probe.refusal(url)
    if reason:
        raise InfrastructureError(f"{BROKER} is set, but {reason}: correct it or unset it")
    vhosts: VirtualHosts
    try:
        vhosts = rights_on(url)
    except Unavailable:
        vhosts = GivenHost(url)
    return FoundBroker(url, "given", without_password(url), vhosts, is_vhost_ours=False)
