"""Servers that already run on the usual ports of this machine.

VENUE_LOCAL_POSTGRES_PORT and VENUE_LOCAL_BROKER_PORT name other ports.
"""

import getpass
from collections.abc import Mapping

from venue_launcher import ports
from venue_launcher.infrastructure import broker_probe, postgres_probe
from venue_launcher.infrastructure.found import FoundBroker, FoundPostgres
from venue_launcher.infrastructure.virtual_hosts import rights_on
from venue_launcher.infrastructure.ways import Unavailable


def find_postgres(environment: Mapping[str, str]) -> FoundPostgres:
    """A server that lets `postgres` or us in, over TCP since the services' roles come that way.

    Raises Unavailable.
    """
    port = int(environment.get("VENUE_LOCAL_POSTGRES_PORT", "5432"))
    if not ports.accepts(port):
        raise Unavailable(f"nothing answers on 127.0.0.1:{port}")
    reasons = []
    for user in dict.fromkeys(["postgres", _user_name()]):
        url = f"postgresql://{user}@127.0.0.1:{port}/postgres"
        reason = postgres_probe.refusal(url)
        if reason is None:
            return FoundPostgres(url, "local", f"127.0.0.1:{port}")
        reasons.append(reason)
    raise Unavailable("; ".join(reasons))


def find_broker(environment: Mapping[str, str], vhost: str) -> FoundBroker:
    """A broker that lets guest in, and on which we may make `vhost`. Raises Unavailable."""
    port = int(environment.get("VENUE_LOCAL_BROKER_PORT", "5672"))
    if not broker_probe.speaks_amqp(port):
        raise Unavailable(f"no broker answers on 127.0.0.1:{port}")
    url = f"amqp://guest:guest@127.0.0.1:{port}/"
    if broker_probe.refusal(url + "%2F"):
        raise Unavailable(f"the broker on 127.0.0.1:{port} does not let guest in")
    try:
        vhosts = rights_on(url)
        own = vhosts.create(vhost)
    except Unavailable as reason:
        raise Unavailable(
            f"the broker on 127.0.0.1:{port} lets guest in, but no virtual host of our own can be "
            f"made ({reason})"
        ) from reason
    return FoundBroker(own, "local", f"127.0.0.1:{port}, virtual host {vhost}", vhosts)


def _user_name() -> str:
    """Our name, or "postgres" for a user without one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "postgres"
