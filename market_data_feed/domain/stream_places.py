"""Who gets a stream: bounds for all, for one client and for one address, with room for known keys.

The transport asks before it accepts a WebSocket and reports what happens to it. Pure: no socket, no
lock, no clock. The order of entering is the age.
"""

from collections import Counter
from dataclasses import dataclass

from venue_protocol.refusals import Refusal, RejectReason


@dataclass(frozen=True, kw_only=True)
class StreamLimits:
    """How many streams may be open at once (docs/limits.md)."""

    most: int = 400
    """In all: each costs a thread of the transport and up to 2 MiB that wait."""
    most_strangers: int = 200
    """Without a key, in all: half, so that the other half is left for known clients."""
    most_strangers_of_an_address: int = 100
    """Without a key, from one address: half of the strangers, so one machine can't take them all.
    """
    most_of_a_client: int = 100
    """With keys of one client: a quarter, so four clients at least can stream."""


@dataclass(eq=False)
class Place:
    """One open stream, as the limits see it."""

    address: str
    client_id: str | None = None
    """None: a stranger, until it shows a good key."""
    is_listening: bool = False
    """Whether it subscribed to anything yet."""


@dataclass(frozen=True)
class Admission:
    """The answer to one that asks for a place: either `place` or `refusal` is set."""

    place: Place | None = None
    crowded_out: Place | None = None
    """A stranger that listens to nothing: the transport ends its stream, the place is taken."""
    refusal: Refusal | None = None


class StreamPlaces:
    """Counts the streams that are open, and decides who may open one more.

    Example: 200 strangers stream, 30 of them subscribed to nothing. A stranger more is let in and
    the oldest of those 30 goes. When all 200 listen, a stranger more is refused, but a client with
    a key still gets in, up to 400 in all.
    """

    def __init__(self, limits: StreamLimits | None = None) -> None:
        self.limits = limits or StreamLimits()
        # A dict as an ordered set: the first is the oldest.
        self._places: dict[Place, None] = {}
        self._strangers = 0
        self._strangers_by_address: Counter[str] = Counter()
        self._by_client: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._places)

    def enter(self, address: str, client_id: str | None = None) -> Admission:
        """Give a place to a new stream, refuse it, or give it the place of a silent stranger."""
        if client_id is not None:
            return self._enter_client(address, client_id)
        limits = self.limits
        if self._strangers_by_address[address] >= limits.most_strangers_of_an_address:
            return self._replace(address, of_address=True)
        if self._strangers >= limits.most_strangers or len(self._places) >= limits.most:
            return self._replace(address, of_address=False)
        return Admission(self._add(Place(address)))

    def identify(self, place: Place, client_id: str) -> Refusal | None:
        """Count a stranger's stream for a client from now on, unless the client has too many."""
        if place.client_id == client_id or place not in self._places:
            return None
        if self._by_client[client_id] >= self.limits.most_of_a_client:
            return self._too_many_of_a_client()
        self._count(place, -1)
        place.client_id = client_id
        self._count(place, 1)
        return None

    def leave(self, place: Place) -> None:
        """Free the place of a stream that ended. Safe to repeat."""
        if place in self._places:
            del self._places[place]
            self._count(place, -1)

    def _enter_client(self, address: str, client_id: str) -> Admission:
        if self._by_client[client_id] >= self.limits.most_of_a_client:
            return Admission(refusal=self._too_many_of_a_client())
        if len(self._places) < self.limits.most:
            return Admission(self._add(Place(address, client_id)))
        stranger = self._oldest_stranger()
        if stranger is None:
            return Admission(refusal=_full("too many streams are open"))
        self.leave(stranger)
        return Admission(self._add(Place(address, client_id)), crowded_out=stranger)

    def _replace(self, address: str, *, of_address: bool) -> Admission:
        silent = self._oldest_stranger(address if of_address else None, only_silent=True)
        if silent is None:
            where = "from this address" if of_address else "in all"
            return Admission(refusal=_full(f"too many streams without a key are open {where}"))
        self.leave(silent)
        return Admission(self._add(Place(address)), crowded_out=silent)

    def _oldest_stranger(
        self, address: str | None = None, only_silent: bool = False
    ) -> Place | None:
        strangers = [
            place
            for place in self._places
            if place.client_id is None and (address is None or place.address == address)
        ]
        silent = [place for place in strangers if not place.is_listening]
        return next(iter(silent if only_silent else silent + strangers), None)

    def _too_many_of_a_client(self) -> Refusal:
        return Refusal(
            RejectReason.RATE_LIMITED,
            f"this client has {self.limits.most_of_a_client} streams open, the most there may be",
        )

    def _add(self, place: Place) -> Place:
        self._places[place] = None
        self._count(place, 1)
        return place

    def _count(self, place: Place, change: int) -> None:
        if place.client_id is not None:
            _shift(self._by_client, place.client_id, change)
            return
        self._strangers += change
        _shift(self._strangers_by_address, place.address, change)


def _shift(counts: Counter[str], name: str, change: int) -> None:
    """Change a count, and forget names that count zero: strangers choose their addresses."""
    counts[name] += change
    if counts[name] <= 0:
        del counts[name]


def _full(message: str) -> Refusal:
    return Refusal(RejectReason.NOT_READY, message)
