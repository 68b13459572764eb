"""Random numbers of the population, by their distributions. Each takes the dice of its bot."""

import math
from random import Random

from trading_bots.population.parameters import ProviderParameters, TakerParameters

ROUND_LOT = 100


def distance_ticks(random: Random, exponent: float, offset: float, most: float) -> int:
    """A distance d from 1 to `most` ticks, P(d) ~ (d + offset)^-exponent."""
    nearest, farthest = 1 + offset, max(most, 1) + 1 + offset
    power = 1 - exponent
    low, high = nearest**power, farthest**power
    drawn = (low + random.random() * (high - low)) ** (1 / power)
    return min(max(int(drawn - offset), 1), max(int(most), 1))


def resting_size(random: Random, parameters: ProviderParameters) -> int:
    """Shares of a limit order."""
    if random.random() < parameters.round_share:
        return ROUND_LOT
    return max(round(random.lognormvariate(parameters.size_mu, parameters.size_sigma)), 1)


def taking_size(random: Random, parameters: TakerParameters) -> int:
    """Shares of an order that takes, before it is capped."""
    if random.random() < parameters.round_share:
        return ROUND_LOT
    size = random.lognormvariate(parameters.size_mu, parameters.size_sigma)
    if random.random() < parameters.large_share:
        size *= parameters.large_factor
    return max(round(size), 1)


def children_of_parent(random: Random, parameters: TakerParameters) -> int:
    """How many orders a parent order is cut into."""
    return int(parameters.children_least * random.paretovariate(parameters.children_tail))


def poisson(random: Random, mean: float) -> int:
    """A Poisson number, for small means."""
    limit, product, number = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        number += 1
    return number
