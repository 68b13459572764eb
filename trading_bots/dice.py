"""Dice by name: each component of a market draws from its own."""

from hashlib import sha256
from random import Random


def dice(seed: int, name: str) -> Random:
    """The dice of one component, such as `bot/ann`, under one seed.

    They depend on nothing but the two: adding or removing a component changes nobody else's draws,
    on any machine and under any PYTHONHASHSEED.
    """
    return Random(int.from_bytes(sha256(f"{seed}/{name}".encode()).digest()))
