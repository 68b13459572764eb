"""Luck, counted: intervals of the ranking by bootstrap, rounds until the winner is known, Elo."""

import math
from collections.abc import Mapping, Sequence
from random import Random
from statistics import NormalDist

import msgspec

MOST_ROUNDS_SAID = 100_000
_ELO_MEAN = 1500.0
_ELO_SPREAD = 400.0
"""Rating points between two players of whom one wins ten times as often (Elo 1978)."""
_ELO_STEPS = 500


class Confidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the rounds say about one player; money in ten-thousandths of a dollar."""

    player: str
    mean_e4: int
    """Profit a round."""
    low_e4: int
    high_e4: int
    """Interval of the mean, by the percentile bootstrap over rounds."""
    first_percent: str
    """Share of the resamples in which the player has the largest profit, two decimals."""


def confidences(
    profits_e4: Mapping[str, Sequence[int]], dice: Random, resamples: int, confidence: float
) -> list[Confidence]:
    """One for each player, in their order; `profits_e4` has one profit a round, the same rounds for
    each.

    Rounds are drawn with replacement, the same ones for all players of a resample: what a round
    gave to all is no difference between them.
    """
    names = list(profits_e4)
    rounds = len(profits_e4[names[0]])
    sums: dict[str, list[int]] = {name: [] for name in names}
    firsts = dict.fromkeys(names, 0.0)
    for _ in range(resamples):
        drawn = [int(dice.random() * rounds) for _ in range(rounds)]
        for name in names:
            values = profits_e4[name]
            sums[name].append(sum(values[index] for index in drawn))
        best = max(sums[name][-1] for name in names)
        winners = [name for name in names if sums[name][-1] == best]
        for name in winners:
            firsts[name] += 1 / len(winners)
    return [
        Confidence(
            player=name,
            mean_e4=_rounded(sum(profits_e4[name]), rounds),
            low_e4=_rounded(percentile(sums[name], (1 - confidence) / 2), rounds),
            high_e4=_rounded(percentile(sums[name], (1 + confidence) / 2), rounds),
            first_percent=f"{100 * firsts[name] / resamples:.2f}",
        )
        for name in names
    ]


def percentile(values: Sequence[int], share: float) -> int:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    place = math.ceil(share * len(ordered) - 1e-9) - 1
    return ordered[min(max(place, 0), len(ordered) - 1)]


def rounds_until_known(
    profits_e4: Mapping[str, Sequence[int]], confidence: float = 0.95
) -> int | None:
    """How many rounds like these it takes until the leader's lead over every other player is no
    luck, with this confidence; None where these rounds can't say: fewer than two of them, one
    player, a shared lead, or more than MOST_ROUNDS_SAID.

    Of each rival: differences round by round, their mean d and deviation s; the mean of n rounds is
    above zero with the confidence when n >= (z s / d)^2. The error is divided among the rivals
    (Bonferroni), since all of them must be beaten.
    """
    totals = {name: sum(values) for name, values in profits_e4.items()}
    best = max(totals.values())
    leaders = [name for name, total in totals.items() if total == best]
    rounds = len(profits_e4[leaders[0]])
    if len(leaders) > 1 or len(totals) < 2 or rounds < 2:
        return None
    z = NormalDist().inv_cdf(1 - (1 - confidence) / (len(totals) - 1))
    needed = 1
    for name, values in profits_e4.items():
        if name == leaders[0]:
            continue
        pairs = zip(profits_e4[leaders[0]], values, strict=True)
        differences = [own - other for own, other in pairs]
        mean = sum(differences) / rounds
        variance = sum((each - mean) ** 2 for each in differences) / (rounds - 1)
        needed = max(needed, math.ceil(z * z * variance / (mean * mean) - 1e-9))
    return needed if needed <= MOST_ROUNDS_SAID else None


class Match(msgspec.Struct, frozen=True):
    """Two players in one round: 2 points for a win, 1 for a draw, 0 for a loss."""

    one: str
    other: str
    points: int
    """Of `one`."""


def matches(profits_e4: Mapping[str, int]) -> list[Match]:
    """Each pair of the players of one round: the larger profit wins."""
    names = list(profits_e4)
    return [
        Match(
            one,
            other,
            1 + (profits_e4[one] > profits_e4[other]) - (profits_e4[one] < profits_e4[other]),
        )
        for place, one in enumerate(names)
        for other in names[place + 1 :]
    ]


def elo_ratings(players: Sequence[str], played: Sequence[Match]) -> dict[str, float]:
    """Elo ratings, one decimal, from all matches at once, so their order is of no matter.

    The most likely ratings of the Bradley-Terry model (Hunter 2004, minorisation), each player with
    one drawn game against a player of 1500, so that who won everything has a finite rating.
    """
    points = dict.fromkeys(players, 1)
    games: dict[str, dict[str, int]] = {name: {} for name in players}
    for match in played:
        points[match.one] += match.points
        points[match.other] += 2 - match.points
        for one, other in ((match.one, match.other), (match.other, match.one)):
            games[one][other] = games[one].get(other, 0) + 1
    strength = dict.fromkeys(players, 1.0)
    for _ in range(_ELO_STEPS):
        strength = {
            name: (points[name] / 2)
            / (
                1 / (strength[name] + 1)
                + sum(
                    count / (strength[name] + strength[other])
                    for other, count in games[name].items()
                )
            )
            for name in players
        }
    return {
        name: round(_ELO_MEAN + _ELO_SPREAD * math.log10(strength[name]), 1) for name in players
    }


def elo_intervals(
    players: Sequence[str],
    rounds: Sequence[Sequence[Match]],
    dice: Random,
    resamples: int,
    confidence: float,
) -> dict[str, tuple[float, float]]:
    """Interval of each rating, by the percentile bootstrap over rounds."""
    found: dict[str, list[int]] = {name: [] for name in players}
    for _ in range(resamples):
        drawn = [rounds[int(dice.random() * len(rounds))] for _ in rounds]
        ratings = elo_ratings(players, [match for each in drawn for match in each])
        for name, rating in ratings.items():
            found[name].append(round(rating * 10))
    return {
        name: (
            percentile(values, (1 - confidence) / 2) / 10,
            percentile(values, (1 + confidence) / 2) / 10,
        )
        for name, values in found.items()
    }


def _rounded(total: int, count: int) -> int:
    """The quotient, half up."""
    return (2 * total + count) // (2 * count)
