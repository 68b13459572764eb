"""The ranking over all rounds, with its rule for ties."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec

from venue_competition.scoring import PlayerScore


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ranking, over all rounds; money in ten-thousandths of a dollar."""

    rank: int
    """Shared by those whom no rule parts."""
    player: str
    profit_e4: int
    """Sum over the rounds."""
    max_drawdown_e4: int
    """The largest of a round."""
    turnover_e4: int
    mean_inventory_e4: int
    fills: int
    rounds_won: int
    """Rounds with the largest profit; a shared one counts for each."""
    profit_per_drawdown: str | None
    """Profit for each dollar of the largest drawdown, four decimals; None without a drawdown."""


def rank(rounds: Sequence[Mapping[str, PlayerScore]]) -> list[Ranked]:
    """Best first: by profit over all rounds; of equals the one with the smaller drawdown, then with
    the smaller turnover. Equals in all three share a rank and stand by name.

    Each round has the same players.
    """
    totals = [_total(player, rounds) for player in rounds[0]]
    totals.sort(key=lambda each: (*_order(each), each.player))
    ranked: list[Ranked] = []
    for _, equals in groupby(totals, key=_order):
        place = len(ranked) + 1
        ranked += [msgspec.structs.replace(each, rank=place) for each in equals]
    return ranked


def _order(each: Ranked) -> tuple[int, int, int]:
    return -each.profit_e4, each.max_drawdown_e4, each.turnover_e4


def _total(player: str, rounds: Sequence[Mapping[str, PlayerScore]]) -> Ranked:
    scores = [scores[player] for scores in rounds]
    profit_e4 = sum(score.profit_e4 for score in scores)
    drawdown_e4 = max(score.max_drawdown_e4 for score in scores)
    return Ranked(
        rank=0,
        player=player,
        profit_e4=profit_e4,
        max_drawdown_e4=drawdown_e4,
        turnover_e4=sum(score.turnover_e4 for score in scores),
        mean_inventory_e4=sum(score.mean_inventory_e4 for score in scores) // len(scores),
        fills=sum(score.fills for score in scores),
        rounds_won=sum(
            scores[player].profit_e4 == max(each.profit_e4 for each in scores.values())
            for scores in rounds
        ),
        profit_per_drawdown=ratio(profit_e4, drawdown_e4),
    )


def ratio(above: int, below: int) -> str | None:
    """The quotient with four decimals, half away from zero; None for a divisor of 0."""
    if below == 0:
        return None
    whole = (2 * abs(above) * 10_000 + below) // (2 * below)
    sign = "-" if above < 0 and whole else ""
    return f"{sign}{whole // 10_000}.{whole % 10_000:04d}"
