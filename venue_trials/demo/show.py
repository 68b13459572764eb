"""The course of a demo: assemble, trade, show, come to rest, prove."""

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from trading_bots.client import VenueClient
from trading_bots.records import Price
from trading_bots.refusal import Refused, VenueUnavailable
from trading_bots.runner import Fleet
from trading_bots.venue_address import VenueAddress
from venue_audit import conservation
from venue_audit.standings import RankedClient, StandingsReader, table
from venue_launcher.admin_client import Administration
from venue_launcher.errors import CommandError
from venue_launcher.running_venue import RunningVenue
from venue_launcher.signals import shielded
from venue_launcher.terminal import paint, report
from venue_protocol.money import format_for_people
from venue_trials.demo.cast import Cast, assemble, traded
from venue_trials.demo.day import SECONDS as DAY_SECONDS
from venue_trials.demo.day import DemoDay
from venue_trials.demo.observations import Observations, picture
from venue_trials.demo.screen import Screen

_USUAL_SECURITIES = ("AAPL", "MSFT", "GOOG", "AMZN", "TSLA")
_PICTURE_EVERY_S = 1.0


def run(
    venue: RunningVenue,
    seconds: int | None,
    seed: int,
    is_day: bool = False,
    drawing: Path | None = None,
) -> int:
    """Let bots trade for `seconds`, or until Ctrl-C; 0 only if at the end not a cent and not a
    share drifted.

    With `is_day` they trade through a whole day, from pre-open to close, and the audit must be
    equal too. An SVG of the prices goes to `drawing`.
    """
    with _sole_demo(venue):
        return _run(venue, seconds, seed, is_day, drawing)


@contextmanager
def _sole_demo(venue: RunningVenue) -> Iterator[None]:
    """The right to run a demo on this venue: each would take the other's trades for its own."""
    with (venue.state_dir / "demo.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise CommandError(
                "a demo already runs on this venue: end it first, or let bots of your own trade "
                "in it (docs/bots.md)"
            ) from taken
        yield


def _run(
    venue: RunningVenue, seconds: int | None, seed: int, is_day: bool, drawing: Path | None
) -> int:
    administration = Administration(venue)
    listed = _securities(administration)
    securities = [str(security["security"]) for security in listed]
    report("creating the demo's accounts …")
    cast = assemble(administration, traded(listed), seed, time.time_ns() // 1000, is_day)
    before = conservation.read_sums(venue)
    try:
        fleet = Fleet(cast.bots, VenueAddress(venue.gateway_url, venue.market_data_url))
    except (VenueUnavailable, Refused) as error:
        raise CommandError(
            f"the bots can't reach the venue ({error}): see ./venue status"
        ) from error
    day = DemoDay(venue, cast.guest, securities) if is_day else None
    demo = _Demo(venue, cast, fleet, securities, day, drawing)
    try:
        demo.play(DAY_SECONDS if is_day else seconds)
    except KeyboardInterrupt:
        report("stopping the bots …")
    with shielded():
        return demo.finish(before)


def _securities(administration: Administration) -> list[dict[str, Any]]:
    """The rows of the usual securities that are listed; else of the first one."""
    listed = {str(security["security"]): security for security in administration.securities()}
    usual = [listed[name] for name in _USUAL_SECURITIES if name in listed]
    if not listed:
        raise CommandError("no security is listed: add one with ./venue security add")
    return usual or list(listed.values())[:1]


class _Demo:
    """One demo with its bots."""

    def __init__(
        self,
        venue: RunningVenue,
        cast: Cast,
        fleet: Fleet,
        securities: Sequence[str],
        day: DemoDay | None,
        drawing: Path | None,
    ) -> None:
        self._venue = venue
        self._day = day
        self._cast = cast
        self._fleet = fleet
        self._securities = securities
        self._drawing = drawing
        self._observations = Observations(fleet.market, list(securities))
        self._screen = Screen()
        self._reader = StandingsReader(venue)
        self._standings: list[RankedClient] = []
        self._orders_shown = 0
        self._shown_at = 0.0

    def play(self, seconds: int | None) -> None:
        """Start the bots and show how it goes. Raises KeyboardInterrupt, ServiceFailed."""
        self._screen.clear()
        self._screen.lines([*self._places_to_look(), ""])
        if self._day:
            self._day.begin()
        self._fleet.start()
        self._observations.start()
        started = self._shown_at = time.monotonic()
        while (elapsed_s := time.monotonic() - started) < (
            seconds or float("inf")
        ) and self._fleet.is_playing():
            if self._day:
                self._day.step(elapsed_s)
            self._read_standings()
            self._screen.show(
                elapsed_s, self._head(elapsed_s), self._ranking(), self._places_to_look()
            )
            self._venue.check()
            left_s = seconds - elapsed_s if seconds else _PICTURE_EVERY_S
            time.sleep(max(min(_PICTURE_EVERY_S, left_s), 0.0))

    def finish(self, before: conservation.Sums) -> int:
        """Bots home, orders canceled, everything settled: final standings, sums, the exit code."""
        self._observations.stop()
        self._fleet.stop()
        if self._drawing is not None:
            self._drawing.write_text(picture(self._observations.quotes), encoding="utf-8")
        self._screen.clear()
        totals = self._fleet.totals()
        report("canceling the bots' open orders, waiting until everything is settled …")
        self._cancel_all()
        is_settled = conservation.wait_until_settled(self._venue, self._cast.prefix)
        self._read_standings()
        verdict = conservation.judge(self._venue, before, self._cast.prefix)
        if not is_settled:
            verdict.faults.append("the venue did not come to rest: do others trade on it?")
        words: list[str] = []
        if self._day:
            self._day.end()
            is_equal, words = self._day.audit()
            if not is_equal:
                verdict.faults.append("the audit found differences")
        refused = ", ".join(f"{count:,} {code}" for code, count in totals.refused.most_common())
        self._screen.lines(
            [
                paint("final standings", "bold"),
                *self._ranking(),
                "",
                *self._behaviour(),
                *conservation.wrapped(
                    "orders",
                    f"{totals.orders:,} accepted, {totals.commands:,} commands; refused: "
                    f"{refused or 'none'}",
                ),
                *verdict.lines(),
                *words,
            ]
        )
        self._reader.close()
        return 1 if verdict.faults else 0

    def _head(self, elapsed_s: float) -> list[str]:
        """Time, orders a second since the last picture, and prices."""
        totals = self._fleet.totals()
        now = time.monotonic()
        rate = (totals.orders - self._orders_shown) / max(now - self._shown_at, 0.001)
        self._orders_shown, self._shown_at = totals.orders, now
        refused = sum(totals.refused.values())
        state = (
            f"{elapsed_s:.0f} s   {totals.orders:,} orders   {rate:,.0f} orders/s   {refused:,} "
            "refused"
        )
        day = self._day.head() if self._day else []
        return [
            paint(state, "bold"),
            *day,
            *(_price_line(self._fleet.market.price(name)) for name in self._securities),
        ]

    def _read_standings(self) -> None:
        """The newest standings; those of before while the venue can't say."""
        try:
            self._standings = self._reader.read(self._cast.prefix)
        except (VenueUnavailable, Refused) as error:
            report(f"standings: {error}")

    def _behaviour(self) -> list[str]:
        """How the prices behaved; of a day, which has auctions and a halt, they say nothing."""
        return [] if self._day else [*self._observations.lines(), ""]

    def _ranking(self) -> list[str]:
        """The players, and one line for the accounts that make the market."""
        ranked = [each for each in self._standings if each.rank is not None]
        others = [each for each in self._standings if each.rank is None]
        if not ranked or not others:
            return table(self._standings)
        equity = format_for_people(sum((each.equity for each in others), Decimal(0)))
        return [*table(ranked), f"  - {len(others)} accounts make the market, with {equity}"]

    def _cancel_all(self) -> None:
        accounts = [(bot.client_id, bot.api_key) for bot in self._cast.bots]
        accounts.append((self._cast.guest.client_id, self._cast.guest.api_key))
        for client_id, api_key in accounts:
            client = VenueClient(
                client_id, api_key, self._venue.gateway_url, self._venue.market_data_url
            )
            try:
                client.cancel_all()
            except (VenueUnavailable, Refused) as error:
                report(f"{client_id}: {error}")
            finally:
                client.close()

    def _places_to_look(self) -> list[str]:
        """Addresses, and lines to paste; the key is that of an account made for the reader."""
        feed, door, guest = self._venue.market_data_url, self._venue.gateway_url, self._cast.guest
        security = self._securities[0]
        key = f"-H 'Authorization: Bearer {guest.api_key}'"
        order = f'{{"security":"{security}","side":"BUY","type":"market","quantity":5}}'
        return [
            f"look   {feed}/   (you are {guest.client_id}, with $10,000.00)",
            f"try    curl '{feed}/v1/book/{security}?depth=5'",
            f"       curl {key} {door}/v1/orders -H 'Content-Type: application/json' -d '{order}'",
            f"       curl {key} {feed}/balance/{guest.client_id}",
            f"       curl {key} {feed}/holdings/{security}/{guest.client_id}",
        ]


def _price_line(price: Price) -> str:
    bid, last, ask = (
        format_for_people(value) if value is not None else "-"
        for value in (price.bid, price.last, price.ask)
    )
    return (
        f"{price.security:<8} bid {bid:>10}   last {paint(f'{last:>10}', 'green')}   ask {ask:>10}"
    )
