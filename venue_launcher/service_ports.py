"""The ports of the services: those of the last start where free, so that bots find them."""

from contextlib import ExitStack
from pathlib import Path

import msgspec

from venue_launcher import ports, services
from venue_launcher.services import ServiceDefinition
from venue_launcher.state_folder import write_private
from venue_launcher.terminal import Report

_FILE = "ports.json"


def choose(folder: Path, hosts: dict[str, str], stack: ExitStack, report: Report) -> dict[str, int]:
    """Port by service, ours until the stack ends; `hosts` has the address that each listens on.

    The port of the last start, else the usual one, else the next free one above it. What moved is
    reported, because bots that were told the old port must be told the new one.
    """
    last = _read(folder)
    chosen = {}
    for service in services.STOP_ORDER:
        wanted = last.get(service.name, service.usual_port)
        chosen[service.name] = _claim(service, wanted, hosts[service.name], stack)
        if chosen[service.name] != wanted:
            report(f"port {wanted} is taken: {service.name} answers on {chosen[service.name]}")
    write_private(folder / _FILE, msgspec.json.encode(chosen).decode())
    return chosen


def _claim(service: ServiceDefinition, wanted: int, host: str, stack: ExitStack) -> int:
    port, holder = ports.claim_free(wanted, host)
    if port != wanted != service.usual_port:
        holder.close()
        port, holder = ports.claim_free(service.usual_port, host)
    stack.enter_context(holder)
    return port


def _read(folder: Path) -> dict[str, int]:
    """Port by service of the last start; empty where none is known."""
    try:
        known = msgspec.json.decode((folder / _FILE).read_bytes(), type=dict[str, int])
    except (OSError, msgspec.DecodeError):
        return {}
    return {name: port for name, port in known.items() if 0 < port < 65_536}
