"""Rounds in one process and simulated time: a plan for each round, played on the shipped venue."""

from collections.abc import Callable, Sequence
from pathlib import Path

from trading_bots.population.default_population import PopulationBot
from venue_competition import course as courses
from venue_competition import results_folder, rules
from venue_competition.course import Course, Stopped
from venue_competition.market_population import population
from venue_competition.outcome import Results
from venue_competition.rules import PlayerRule, Rules, RulesError
from venue_launcher.errors import CommandError
from venue_simulation.market_plan import (
    START_US,
    BotLimits,
    BotSpec,
    MarketPlan,
    PhaseSpec,
    SecuritySpec,
)
from venue_simulation.market_run import MarketRun, run_market
from venue_simulation.simulated_market import SimulatedMarket
from venue_simulation.simulated_venue import Committed

_BASIS_POINTS_A_PERCENT = 100
_BEFORE_THE_END_S = 0.001
"""The closing auction trades so long before the end, so that its price is a mark of the round."""
_MOST_SAID = 500
"""Characters of what an exception says: it is the player's own text."""
_REASONS = {
    "raised": "raised",
    "commands": "commands_per_second",
    "open orders": "open_orders",
    "position": "position",
    "loss": "loss",
}


def play(source: Path, folder: Path, say: Callable[[str], None]) -> Results:
    """Play all rounds of the competition in `source`, and write its results into `folder`.

    CommandError if the file or a strategy is not as it must be.
    """
    ours = rules.read(source)
    _require_strategies(ours, source)
    results_folder.new_folder(folder, source)
    for number in range(1, ours.rounds + 1):
        say(f"round {number} of {ours.rounds} …")
        play_round(ours, number, folder, source.parent)
    return results_folder.finish(folder)


def play_round(ours: Rules, number: int, folder: Path, beside: Path) -> MarketRun:
    """Play one round and write its archive and its course."""
    plan = plan_of(ours, number, beside)
    archive = results_folder.archive_folder(folder, number)
    archive.parent.mkdir(parents=True, exist_ok=True)
    watch = _StopWatch(ours.player_names())
    try:
        run = run_market(plan, [watch], archive)
    except ValueError as error:
        raise CommandError(str(error)) from error
    stopped = [
        _stopped(name, says, watch.times_us.get(name, plan.end_us))
        for name in ours.player_names()
        if (says := run.bots[name].stopped) is not None
    ]
    course = Course(
        number=number,
        seed=plan.seed,
        is_simulated=True,
        start_us=plan.start_us,
        end_us=plan.end_us,
        seats=courses.seats(ours.player_names(), number, ours.is_rotating),
        stopped=stopped,
    )
    results_folder.write_course(folder, course)
    return run


def plan_of(ours: Rules, number: int, beside: Path) -> MarketPlan:
    """The market of a round. Files of strategies are looked for in the folder `beside`.

    Players stand in the order of their seats, and the dice of a bot's ways and of its own draws
    belong to the seat: who has the seat has its luck, and the seats rotate.
    """
    players = {player.name: player for player in ours.players}
    seated = courses.seats(ours.player_names(), number, ours.is_rotating)
    bots = [
        _bot(ours, players[name], f"seat/{place}", beside) for place, name in enumerate(seated, 1)
    ]
    seed = round_seed(ours, number)
    others = [_other(bot) for bot in population(ours, seed, START_US)]
    return MarketPlan(
        seed=seed,
        securities=tuple(
            SecuritySpec(
                security=rule.security,
                reference_price=rule.reference_price,
                tick=rule.tick,
                lot=rule.lot,
                band_bps=rule.band_percent * _BASIS_POINTS_A_PERCENT,
            )
            for rule in ours.securities
        ),
        bots=(*bots, *others),
        seconds=ours.seconds,
        phases=_phases(ours),
        sample_s=ours.scoring.sample_s,
    )


def round_seed(ours: Rules, number: int) -> int:
    """Another for each round, the same for each run."""
    return ours.seed * rules.MOST_ROUNDS + number - 1


def _bot(ours: Rules, player: PlayerRule, seat: str, beside: Path) -> BotSpec:
    limits = ours.limits
    return BotSpec(
        client_id=player.name,
        strategy=rules.strategy_beside(player.strategy or "", beside),
        parameters=player.parameters,
        securities=tuple(player.securities),
        cash=ours.cash,
        shares=ours.shares,
        group="player",
        seed_name=seat,
        limits=BotLimits(
            commands_per_second=limits.commands_per_second,
            open_orders=limits.open_orders,
            position=limits.position,
            loss=limits.loss,
        ),
    )


def _other(bot: PopulationBot) -> BotSpec:
    return BotSpec(
        client_id=bot.client_id,
        strategy=bot.strategy,
        parameters=bot.parameters,
        securities=(bot.security,),
        cash=bot.cash,
        shares={bot.security: bot.shares},
        group="population",
    )


def _require_strategies(ours: Rules, source: Path) -> None:
    """RulesError for a player that can't play in one process."""
    for player in ours.players:
        if player.strategy is None:
            raise RulesError(
                f"{source}: player {player.name} is no strategy: commands and remote players need "
                "a live venue; leave out --simulated"
            )


def _phases(ours: Rules) -> tuple[PhaseSpec, ...]:
    """Opening and closing auction, as the rules ask for them."""
    opening_s, closing_s = ours.phases.opening_auction_s, ours.phases.closing_auction_s
    phases = []
    if opening_s:
        phases.append(PhaseSpec(at_s=0, phase="opening_auction"))
        phases.append(PhaseSpec(at_s=opening_s, phase="continuous"))
    if closing_s:
        phases.append(PhaseSpec(at_s=ours.seconds - closing_s, phase="closing_auction"))
        phases.append(PhaseSpec(at_s=ours.seconds - _BEFORE_THE_END_S, phase="closed"))
    return tuple(phases)


def _stopped(player: str, says: str, time_us: int) -> Stopped:
    reason = next((code for word, code in _REASONS.items() if word in says), "raised")
    return Stopped(player=player, time_us=time_us, reason=reason, says=says[:_MOST_SAID])


class _StopWatch:
    """Notes when players are stopped, to the next commit: the one that cancels their orders."""

    def __init__(self, players: Sequence[str]) -> None:
        self._playing = list(players)
        self.times_us: dict[str, int] = {}

    def begun(self, market: SimulatedMarket) -> None:
        """Nobody is stopped yet."""

    def committed(self, market: SimulatedMarket, committed: Committed) -> None:
        """Look whether one is."""
        for name in self._playing:
            if market.seats[name].stopped is not None:
                self.times_us[name] = market.now_us
        if self.times_us:
            self._playing = [name for name in self._playing if name not in self.times_us]

    def sampled(self, market: SimulatedMarket) -> None:
        """Samples tell nothing new."""
