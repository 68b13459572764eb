"""`./venue status`: what runs, where, and whether it is ready."""

import argparse
import json
import urllib.request
from typing import Any

from venue_launcher import state_file, state_folder
from venue_launcher.infrastructure.urls import without_password
from venue_launcher.state_file import VenueState
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
            "ready": known.is_ready and _is_ready(url),
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
        "services": services,
    }


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=READY_TIMEOUT_S):
            return True
    except (OSError, ValueError):
        return False


def _for_people(found: dict[str, Any]) -> str:
    if not found["running"]:
        return "the venue is not running; start it with ./venue up"
    if not found["services"]:
        return f"the venue is starting (launcher pid {found['launcher_pid']})"
    lines = [
        f"venue {found['instance']}, launcher pid {found['launcher_pid']}",
        f"  {found['infrastructure']}",
    ]
    for service in found["services"]:
        word = paint("ready    ", "green") if service["ready"] else paint("not ready", "red")
        lines.append(
            f"  {service['service']:<20} {word}  {service['url']}  pid {service['pid']}  restarts "
            f"{service['restarts']}"
        )
    return "\n".join(lines)
