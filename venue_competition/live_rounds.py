"""Rounds on a running venue, in real time: accounts, processes, limits, standing, archive."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from trading_bots.population.default_population import PopulationBot
from venue_audit.archive_export import export
from venue_competition import course as courses
from venue_competition import results_folder, rules
from venue_competition.course import Course, Stopped
from venue_competition.live_accounts import CompetitionVenue, LiveAccounts
from venue_competition.live_players import LivePlayers
from venue_competition.live_standing import LiveStanding
from venue_competition.live_watch import LimitWatch
from venue_competition.market_population import population
from venue_competition.outcome import Results
from venue_competition.player_files import table
from venue_competition.rules import Rules
from venue_competition.simulated_rounds import round_seed
from venue_launcher.administrator_connection import AdministrationError
from venue_launcher.errors import CommandError
from venue_launcher.session_client import SessionClient
from venue_launcher.state_folder import write_private

_LOOK_EVERY_S = 0.5
_SAY_EVERY_S = 10.0
_SETTLE_PATIENCE_S = 60.0
_S = 1_000_000
_PHASES = {"opening": "opening_auction", "closing": "closing_auction"}


def play_live(
    source: Path, folder: Path, venue: CompetitionVenue, say: Callable[[str], None]
) -> Results:
    """Play all rounds on the venue, export it, and write the results into `folder`.

    The keys of remote players are in a file beside the folder, for the organiser alone.
    """
    ours = rules.read(source)
    results_folder.new_folder(folder, source)
    with LivePlayers(ours, source.parent, venue) as processes:
        competition = LiveCompetition(ours, venue, processes, folder, say)
        competition.enroll()
        for number in range(1, ours.rounds + 1):
            competition.play_round(number)
        competition.end()
    say("exporting the venue …")
    _patiently(lambda: _export(ours, folder, venue))
    return results_folder.finish(folder)


class LiveCompetition:
    """One competition on one venue."""

    def __init__(
        self,
        ours: Rules,
        venue: CompetitionVenue,
        processes: LivePlayers,
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        self._rules = ours
        self._processes = processes
        self._folder = folder
        self._say = say
        self._accounts = LiveAccounts(venue)
        self._session = SessionClient(venue)
        self._watch = LimitWatch(ours, venue.owner_clearing_url, venue.owner_market_url)
        self._standing = LiveStanding(ours)
        self._keys: dict[str, str] = {}
        self._stopped: dict[str, Stopped] = {}

    def enroll(self) -> None:
        """Securities, accounts and keys; those of remote players go to a private file."""
        self._accounts.list_securities(self._rules)
        for name in self._rules.player_names():
            self._keys[name] = self._accounts.key(name)
        for bot in self._population(1):
            self._keys[bot.client_id] = self._accounts.key(bot.client_id, "market_maker")
        remote = [player.name for player in self._rules.players if player.remote]
        if remote:
            path = self._folder.with_name(f"{self._folder.name}-keys.csv")
            rows = [(name, self._keys[name]) for name in remote]
            write_private(path, table("player api_key", rows).decode())
            self._say(f"keys of the remote players are in {path}")

    def play_round(self, number: int) -> None:
        """Everybody afresh, then the time of the round, then everybody stopped."""
        ours = self._rules
        seed = round_seed(ours, number)
        self._say(f"round {number} of {ours.rounds}: everybody to the start …")
        since_us = _now_us()
        self._stopped = {}
        self._to_the_start(number)
        self._begin_phase("opening" if ours.phases.opening_auction_s else "")
        seated = courses.seats(ours.player_names(), number, ours.is_rotating)
        self._processes.start_population(self._population(number), self._keys, number, seed)
        standings = self._accounts.standings()
        start_us = _now_us()
        self._watch.begin(start_us, standings)
        self._standing.begin(number, start_us, standings)
        self._processes.start(number, seed, {name: self._keys[name] for name in seated})
        self._run(number, start_us)
        end_us = _now_us()
        self._end_round()
        course = Course(
            number=number,
            seed=seed,
            is_simulated=False,
            since_us=since_us,
            start_us=start_us,
            end_us=end_us,
            is_archive_shared=True,
            seats=seated,
            stopped=list(self._stopped.values()),
        )
        results_folder.write_course(self._folder, course)

    def end(self) -> None:
        """The last word to everybody."""
        self._show("over")

    def _to_the_start(self, number: int) -> None:
        """Journals bring every account to the means of the start; what was is not deleted."""
        ours = self._rules
        for name in ours.player_names():
            self._accounts.reset(name, ours.cash, ours.shares)
            self._accounts.release(name)
        for bot in self._population(number):
            self._accounts.reset(bot.client_id, bot.cash, {bot.security: bot.shares})

    def _run(self, number: int, start_us: int) -> None:
        """Until the time is over: look, stop, show."""
        ours = self._rules
        length_us = ours.seconds * _S
        opened, closing = not ours.phases.opening_auction_s, False
        said_us = start_us
        while (now_us := _now_us()) < start_us + length_us:
            passed_s = (now_us - start_us) / _S
            if not opened and passed_s >= ours.phases.opening_auction_s:
                opened = True
                self._begin_phase("")
            left_s = ours.seconds - passed_s
            if not closing and left_s <= ours.phases.closing_auction_s:
                closing = True
                self._begin_phase("closing")
            self._look(now_us)
            if now_us - said_us >= _SAY_EVERY_S * _S:
                said_us = now_us
                self._say("\n".join(self._standing.lines(left_s)))
            time.sleep(min(_LOOK_EVERY_S, max(left_s, 0.0)))
        if closing and ours.phases.closing_auction_s:
            self._session.begin("closed", reason=f"end of round {number}")

    def _look(self, now_us: int) -> None:
        """Stop whoever must be stopped, and show the standing. A feed that is away comes back.

        CommandError if the population has ended: a round without its market is no round.
        """
        fault = self._processes.population_fault()
        if fault is not None:
            raise CommandError(f"the population has ended, and with it the round: {fault}")
        try:
            standings = self._accounts.standings()
        except AdministrationError as error:
            self._say(str(error))
            return
        breaches = list(self._watch.breaches(standings, now_us))
        breaches += [
            Stopped(player=name, time_us=now_us, reason="ended", says=says)
            for name, says in self._processes.ended().items()
        ]
        for breach in breaches:
            self._stop(breach)
        self._standing.update(now_us, standings, self._stopped)
        self._show("running")

    def _stop(self, breach: Stopped) -> None:
        """Once for each player and round."""
        if breach.player in self._stopped:
            return
        self._stopped[breach.player] = breach
        self._say(f"{breach.player} is stopped: {breach.reason}")
        self._accounts.freeze(breach.player, breach.reason)
        self._processes.stop(breach.player)

    def _end_round(self) -> None:
        """Nobody trades any more, and all that was traded is settled."""
        for name in self._rules.player_names():
            if name not in self._stopped:
                self._accounts.freeze(name, "the round is over")
        self._processes.stop_all()
        self._session.cancel_orders({"all": True})
        self._begin_phase("")
        _patiently(self._require_rest)
        self._standing.end()
        self._show("between_rounds")

    def _require_rest(self) -> None:
        """CommandError while something is held: an order is open, or not settled."""
        standings = self._accounts.standings()
        names = {*self._keys} & standings.keys()
        held = [name for name in sorted(names) if float(standings[name]["held"])]
        if held:
            raise CommandError(f"orders of {', '.join(held[:5])} are still open")

    def _begin_phase(self, name: str) -> None:
        """An auction, or continuous trading; nothing where the rules have no phases."""
        phases = self._rules.phases
        if phases.opening_auction_s or phases.closing_auction_s:
            self._session.begin(_PHASES.get(name, "continuous"), reason="competition")

    def _population(self, number: int) -> list[PopulationBot]:
        return list(population(self._rules, round_seed(self._rules, number), _now_us()))

    def _show(self, state: str) -> None:
        try:
            self._accounts.show(self._standing.shown(state))
        except AdministrationError as error:
            self._say(str(error))


def _export(ours: Rules, folder: Path, venue: CompetitionVenue) -> None:
    """All that the venue has, anew."""
    archive = results_folder.shared_archive(folder)
    shutil.rmtree(archive, ignore_errors=True)
    plan = {"competition": ours.name, "seed": ours.seed}
    export(venue.owner_clearing_url, archive, ours.player_names(), plan)


def _patiently(act: Callable[[], object]) -> None:
    """Until it can be done; the last CommandError when the patience is over."""
    deadline = time.monotonic() + _SETTLE_PATIENCE_S
    while True:
        try:
            act()
            return
        except CommandError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_EVERY_S)


def _now_us() -> int:
    return time.time_ns() // 1000
