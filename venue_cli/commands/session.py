"""`./venue session`: the trading day by hand, or its schedule."""

import argparse
from datetime import UTC, datetime
from typing import Any

from venue_launcher import running_venue, state_folder
from venue_launcher.errors import CommandError
from venue_launcher.session_client import SessionClient
from venue_launcher.terminal import table

_STEPS = {
    "pre-open": ("pre_open", "collect orders, nothing trades"),
    "open": ("continuous", "trade; an auction before it is cleared at one price"),
    "close": ("closed", "clear the closing auction, expire DAY orders, take cancels only"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """status, pre-open, auction, open, close, halt, resume, bands, schedule."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("status", help="phases, bands and the schedule")
    for name, (_, says) in _STEPS.items():
        actions.add_parser(name, help=says).add_argument("--reason")
    auction = actions.add_parser(
        "auction", help="collect for the opening, or after trading for the closing auction"
    )
    auction.add_argument(
        "kind", nargs="?", choices=("opening", "closing"), help="default: what the phase suggests"
    )
    auction.add_argument("--reason")
    halt = actions.add_parser("halt", help="stop one security, or all of them with --all")
    halt.add_argument("security", nargs="?")
    halt.add_argument("--all", action="store_true", dest="is_all")
    halt.add_argument("--reason")
    resume = actions.add_parser(
        "resume", help="trade again, with --auction through a reopening auction"
    )
    resume.add_argument("security", nargs="?")
    resume.add_argument(
        "--all", action="store_true", dest="is_all", help="all but those halted one by one"
    )
    resume.add_argument(
        "--auction", type=int, metavar="SECONDS", help="how long the reopening auction collects"
    )
    bands = actions.add_parser("bands", help="volatility bands of a security; 0 switches them off")
    bands.add_argument("security")
    bands.add_argument(
        "band_bps", type=int, help="half width in basis points of the moving reference"
    )
    bands.add_argument("--limit-state", type=int, default=15, metavar="SECONDS")
    bands.add_argument("--pause", type=int, default=300, metavar="SECONDS")
    bands.add_argument("--auction", type=int, default=60, metavar="SECONDS")
    _add_schedule(
        actions.add_parser("schedule", help="phases at times of day; without arguments: show it")
    )


def _add_schedule(schedule: argparse.ArgumentParser) -> None:
    schedule.add_argument(
        "--around-the-clock", action="store_true", help="no schedule: trade always"
    )
    schedule.add_argument("--time-zone", help="for example America/New_York, the default")
    for name, default in (("pre-open", "04:00"), ("opening-auction", "09:28"), ("open", "09:30")):
        schedule.add_argument(f"--{name}", metavar="HH:MM", help=f"default {default}")
    for name, default in (("closing-auction", "15:55"), ("close", "16:00")):
        schedule.add_argument(f"--{name}", metavar="HH:MM", help=f"default {default}")
    schedule.add_argument("--weekdays", help="default mon,tue,wed,thu,fri")
    schedule.add_argument("--holidays", help="dates such as 2026-12-25,2027-01-01")


def run(arguments: argparse.Namespace) -> int:
    """One action."""
    door = SessionClient(running_venue.attach(state_folder.choose()))
    if arguments.action == "status":
        _show(door.session())
    elif arguments.action == "schedule":
        _schedule(door, arguments)
    elif arguments.action == "bands":
        off = arguments.band_bps == 0
        door.set_bands(
            arguments.security,
            None if off else arguments.band_bps,
            arguments.limit_state,
            arguments.pause,
            arguments.auction,
        )
        print(
            f"{arguments.security} has "
            f"{'no volatility bands' if off else f'bands of {arguments.band_bps} bps'}"
        )
    else:
        _command(door, arguments)
    return 0


def _command(door: SessionClient, arguments: argparse.Namespace) -> None:
    action, security, lasts_s = arguments.action, None, None
    reason = getattr(arguments, "reason", None)
    if action in _STEPS:
        phase = _STEPS[action][0]
    elif action == "auction":
        phase = f"{arguments.kind or _next_auction(door.session())}_auction"
    elif action == "halt":
        phase, security = "halted", _security_or_all(arguments)
    else:
        security, lasts_s = _security_or_all(arguments), arguments.auction
        phase = "continuous" if lasts_s is None else "reopening_auction"
    door.begin(phase, security, reason, lasts_s)
    print(f"{security or 'all securities'}: {phase}" + (f" for {lasts_s} s" if lasts_s else ""))


def _security_or_all(arguments: argparse.Namespace) -> str | None:
    security: str | None = arguments.security
    if (security is None) != arguments.is_all:
        raise CommandError(f"name the security to {arguments.action}, or all of them with --all")
    return security


def _next_auction(session: dict[str, Any]) -> str:
    whole = [row["phase"] for row in session["phases"] if row["security"] is None]
    return "opening" if whole and whole[0] in ("pre_open", "closed") else "closing"


def _schedule(door: SessionClient, arguments: argparse.Namespace) -> None:
    body: dict[str, Any] = {"mode": "schedule"}
    for name in ("time_zone", "pre_open", "opening_auction", "open", "closing_auction", "close"):
        if getattr(arguments, name) is not None:
            body[name] = getattr(arguments, name)
    for name in ("weekdays", "holidays"):
        if getattr(arguments, name) is not None:
            body[name] = [
                part.strip() for part in getattr(arguments, name).split(",") if part.strip()
            ]
    if arguments.around_the_clock:
        if len(body) > 1:
            raise CommandError("around the clock there are no times of day")
        _show(door.set_schedule({"mode": "around_the_clock"}))
    elif len(body) > 1:
        _show(door.set_schedule(body))
    else:
        _show(door.session())


def _show(session: dict[str, Any]) -> None:
    rows = [
        {
            "security": row["security"] or f"(all of shard {row['shard']})",
            "phase": row["phase"] + (" (over)" if row["is_over"] else ""),
            "since": _time(row["since_us"]),
            "reason": row["reason"] or "",
        }
        for row in session["phases"]
    ]
    print(
        table(rows, ["security", "phase", "since", "reason"])
        if rows
        else "continuous: no phase was ever commanded"
    )
    if session["bands"]:
        print(
            table(
                session["bands"], ["security", "band_bps", "limit_state_s", "pause_s", "auction_s"]
            )
        )
    schedule = session["schedule"]
    if schedule["mode"] == "around_the_clock":
        print("schedule: around the clock")
        return
    print(
        "schedule: "
        + ", ".join(
            f"{name} {value}" for name, value in schedule.items() if name != "mode" and value
        )
    )
    if session["next"]:
        print(f"next: {session['next']['phase']} at {_time(session['next']['time_us'])}")


def _time(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
