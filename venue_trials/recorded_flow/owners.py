"""Spreads recorded orders over accounts, so that nobody meets an own order and long runs share a
request.

Orders that trade with each other, directly or through others, form a group; within a group buyers
and sellers are on different accounts. An order that never trades may be on either: it goes where
the stream of commands is.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from venue_protocol.orders import BUY
from venue_trials.recorded_flow.steps import PlaceStep, Step

ORDERS_IN_A_ROW = 500
"""Orders after which the next pair of accounts takes over."""


def assign_owners(
    steps: Sequence[Step], traded: Iterable[tuple[str, str]], accounts: int
) -> list[Step]:
    """The steps with an owner each. `traded`: pairs of names that trade with each other.

    ValueError for less than two accounts.
    """
    if accounts < 2:
        raise ValueError("a replay needs two accounts at least, for the two sides of a trade")
    places = [step for step in steps if isinstance(step, PlaceStep)]
    groups = _groups(traded)
    swapped = _swapped(places, groups)
    owners: dict[str, str] = {}
    for number, place in enumerate(places):
        pair = number // ORDERS_IN_A_ROW % (accounts // 2)
        group = groups.get(place.name)
        is_second = group is not None and (place.side == BUY) == (group in swapped)
        owners[place.name] = f"account{2 * pair + is_second}"
    return [replace(step, owner=owners[step.name]) for step in steps]


def _groups(traded: Iterable[tuple[str, str]]) -> dict[str, str]:
    """For each name that trades, the name that stands for its group."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while (parent := parents.setdefault(name, name)) != name:
            parents[name] = parents[parent]
            name = parent
        return name

    for maker, taker in traded:
        parents[root(taker)] = root(maker)
    return {name: root(name) for name in list(parents)}


def _swapped(places: Sequence[PlaceStep], groups: dict[str, str]) -> set[str]:
    """The groups in which buyers are not in the majority: there they go to the second account, else
    the sellers do.
    """
    surplus: Counter[str] = Counter()
    for place in places:
        if place.name in groups:
            surplus[groups[place.name]] += 1 if place.side == BUY else -1
    return {group for group, more in surplus.items() if more <= 0}
