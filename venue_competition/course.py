"""What happened in a round that its log does not say: seats, seed, times, and who was stopped."""

import msgspec

COURSE_FILE = "course.json"


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """A player that the organiser's program stopped."""

    player: str
    time_us: int
    reason: str
    """A code: raised, commands_per_second, open_orders, position, loss, memory, processor, ended
    or suspended."""
    says: str
    """The fact, in words; may hold text of the player's own."""


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """One round; times in microseconds since the epoch."""

    number: int
    """From 1."""
    seed: int
    is_simulated: bool
    since_us: int = 0
    """From here on the orders, fills and reports of the round are in its players' files."""
    start_us: int
    end_us: int
    is_archive_shared: bool = False
    """Whether one archive, of a live venue, holds all rounds; else each has its own."""
    seats: list[str]
    """Players in the order of their seats."""
    stopped: list[Stopped] = []


def seats(players: tuple[str, ...], number: int, is_rotating: bool) -> list[str]:
    """Players in the order of their seats in a round: each round everybody moves up by one, so that
    after as many rounds as there are players each has had each seat.
    """
    shift = (number - 1) % len(players) if is_rotating else 0
    return [*players[shift:], *players[:shift]]


def encode(course: Course) -> bytes:
    """The one form in which a course is written: indented JSON."""
    return pretty(course)


def pretty(content: object) -> bytes:
    """JSON for people and programs, the same bytes for the same content."""
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"
