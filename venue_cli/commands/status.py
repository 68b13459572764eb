"""`./venue status`: what runs, where, and whether it is ready."""

import argparse
import json
from datetime import datetime
from typing import Any

from venue_launcher import state_file, state_folder, supervisor
from venue_launcher.infrastructure.urls import without_password
from venue_launcher.state_file import ServerStatus, VenueState
from venue_launcher.terminal import paint

READY_TIMEOUT_S = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """0 when everything is ready, 1 when a service is not, 3 when no venue runs."""
    known = state_file.read(state_folder.choose())
    found = _status(known) if known else {"running": False}
    print(json.dumps(found, indent=2) if arguments.json else _for_people(found))
    if not known:
        return 3
    return 0 if found["ready"] else 1


def _status(known: VenueState) -> dict[str, Any]:
    services = [
        {
            "service": name,
            "url": url,
            "pid": known.pids.get(name),
            "restarts": known.restarts.get(name, 0),
            **_readiness(url, known.is_ready),
        }
        for name, url in known.addresses.items()
    ]
    return {
        "running": True,
        "ready": bool(services) and all(service["ready"] for service in services),
        "instance": known.instance,
        "launcher_pid": known.launcher_pid,
        "infrastructure": known.how,
        "postgres": without_password(known.postgres_url),
        "broker": without_password(known.broker_url),
        "servers": {name: _server(server) for name, server in known.servers.items()},
        "services": services,
    }


def _server(server: ServerStatus) -> dict[str, Any]:
    return {
        "pid": server.pid,
        "restarts": server.restarts,
        "trouble": server.trouble,
        "since_s": server.since_s,
    }


def _readiness(url: str, is_open: bool) -> dict[str, Any]:
    """Whether the service is ready, what it waits for if it is not, and what is degraded."""
    waits_for, degraded = supervisor.condition(url, READY_TIMEOUT_S)
    is_ready = is_open and waits_for is None
    return {"ready": is_ready, "waits_for": waits_for, "degraded": degraded}


def _for_people(found: dict[str, Any]) -> str:
    if not found["running"]:
        return "the venue is not running; start it with ./venue up"
    if not found["services"]:
        return f"the venue is starting (launcher pid {found['launcher_pid']})"
    lines = [
        f"venue {found['instance']}, launcher pid {found['launcher_pid']}",
        f"  {found['infrastructure']}",
    ]
    for name, server in found["servers"].items():
        word = paint("not running", "red") if server["trouble"] else paint("runs     ", "green")
        rest = f"pid {server['pid']}"
        if server["trouble"]:
            since = datetime.fromtimestamp(server["since_s"]).strftime("%H:%M:%S")
            rest = f"since {since}: {server['trouble']}; it is started again and again"
        lines.append(f"  {name:<20} {word}  {rest}  restarts {server['restarts']}")
    for service in found["services"]:
        word = paint("ready    ", "green") if service["ready"] else paint("not ready", "red")
        lines.append(
            f"  {service['service']:<20} {word}  {service['url']}  pid {service['pid']}  restarts "
            f"{service['restarts']}"
        )
        if service["waits_for"]:
            lines.append(f"  {'':<20} {service['waits_for']}")
        if service["degraded"]:
            degraded = paint("degraded: ", "yellow") + ", ".join(service["degraded"])
            lines.append(f"  {'':<20} {degraded}")
    return "\n".join(lines)
