"""`./venue demo --day`: a trading day in two minutes, with both auctions, a halt and its
reopening.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import requests

from trading_bots.client import VenueClient
from trading_bots.refusal import Refused, VenueUnavailable
from venue_audit import presentation
from venue_audit.databases import Databases
from venue_audit.proof import audit
from venue_launcher.errors import CommandError
from venue_launcher.running_venue import RunningVenue
from venue_launcher.session_client import SessionClient
from venue_launcher.terminal import paint, report
from venue_trials.demo.cast import Guest

SECONDS = 118
_REOPENING_S = 10
_GUEST_SHARES = 5
_FAR_BELOW = "0.6"
"""Share of the reference price at which the guest's DAY order waits in vain."""
_TIMEOUT_S = 5


class DemoDay:
    """Commands the phases when their seconds come, and says what the auctions would do."""

    def __init__(self, venue: RunningVenue, guest: Guest, securities: Sequence[str]) -> None:
        self._venue = venue
        self._door = SessionClient(venue)
        self._client = VenueClient(
            guest.client_id, guest.api_key, venue.gateway_url, venue.market_data_url
        )
        self._securities = securities
        self._halted = securities[0]
        self._feed = requests.Session()
        self._feed.trust_env = False
        self._plan: list[tuple[float, str, Callable[[], None]]] = [
            (2, "you send a market order for the opening (OPG)", self._buy_in_the_opening),
            (
                10,
                "opening auction: orders are collected, the indicative price moves",
                self._phase("opening_auction"),
            ),
            (25, "open: one price, then continuous trading", self._phase("continuous")),
            (
                30,
                "you send an order for the closing (CLS) and one for the DAY",
                self._sell_in_the_closing,
            ),
            (50, f"{self._halted} is halted: news pending", self._halt),
            (62, f"{self._halted} is resumed through a reopening auction", self._resume),
            (90, "closing auction", self._phase("closing_auction")),
            (108, "closed: the closing price is made, DAY orders expire", self._phase("closed")),
        ]
        self._said = "pre-open: orders are collected, nothing trades"

    def begin(self) -> None:
        """Pre-open. CommandError if the venue has a schedule of its own."""
        if self._door.session()["schedule"]["mode"] != "around_the_clock":
            raise CommandError(
                "this venue has a schedule: ./venue session schedule --around-the-clock first"
            )
        self._door.begin("pre_open", reason="demo")

    def step(self, elapsed_s: float) -> None:
        """Do what is due."""
        while self._plan and self._plan[0][0] <= elapsed_s:
            _, self._said, act = self._plan.pop(0)
            act()

    def head(self) -> list[str]:
        """The phase, and what the auctions would do now."""
        try:
            session = self._feed.get(
                f"{self._venue.market_data_url}/v1/status", timeout=_TIMEOUT_S
            ).json()["session"]
        except (requests.RequestException, ValueError, KeyError) as error:
            return [self._said, f"status: {error}"]
        phases = {state["phase"] for state in session["phases"].values()} or {"continuous"}
        lines = [f"{paint(', '.join(sorted(phases)), 'bold')}   {self._said}"]
        lines += [
            _security_line(name, session["securities"][name])
            for name in sorted(session["securities"])
        ]
        return lines

    def end(self) -> None:
        """The venue trades around the clock again."""
        self._client.close()
        self._door.begin("continuous", reason="end of the demo")

    def audit(self) -> tuple[bool, list[str]]:
        """Whether the databases hold exactly what the log says, and the words for it."""
        report("auditing the day …")
        venue = self._venue
        found = Databases(venue.owner_clearing_url, venue.owner_market_url, venue.engine_url)
        verdict = audit(found.clearing_url, found.market_url, found.engines())
        return verdict.is_equal, presentation.lines(verdict)

    def _phase(self, phase: str) -> Callable[[], None]:
        return lambda: self._door.begin(phase, reason="demo")

    def _halt(self) -> None:
        self._door.begin("halted", self._halted, "news pending")

    def _resume(self) -> None:
        self._door.begin("reopening_auction", self._halted, "news is out", _REOPENING_S)

    def _buy_in_the_opening(self) -> None:
        self._try(lambda: self._client.place(self._halted, "BUY", _GUEST_SHARES, None, "OPG"))

    def _sell_in_the_closing(self) -> None:
        rules = {security.security: security for security in self._client.securities()}
        price = f"{rules[self._halted].reference_price * Decimal(_FAR_BELOW):.2f}"
        self._try(lambda: self._client.place(self._halted, "SELL", _GUEST_SHARES, None, "CLS"))
        self._try(lambda: self._client.place(self._halted, "BUY", 1, price, "DAY"))

    def _try(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except (Refused, VenueUnavailable) as error:
            report(f"your order: {error}")


def _security_line(name: str, session: dict[str, Any]) -> str:
    line = f"{name:<8} {session['phase']}"
    if session["indicative_price"] is not None:
        line += f"   indicative {session['indicative_price']:>9}"
        line += f"   paired {session['paired_quantity']:,}"
        if session["imbalance_side"]:
            line += f"   imbalance {session['imbalance_side']} {session['imbalance_quantity']:,}"
    return f"{line}   ({session['reason']})" if session["reason"] not in (None, "demo") else line
