"""What a load is, and what came of it: the words between whoever wants a load and the process that
makes it.
"""

from typing import Literal

import msgspec

from venue_trials.load.histogram import Latency
from venue_trials.load.mixes import Mix

Case = Literal["http-lists", "http-single", "websocket"]
CASES: tuple[Case, ...] = ("http-lists", "http-single", "websocket")


class Account(msgspec.Struct, frozen=True):
    """A client that sends."""

    client_id: str
    api_key: str
    securities: list[str]
    """What it trades; it has shares of each."""


class LoadPlan(msgspec.Struct, frozen=True):
    """One load:

    `rate` commands a second, in requests of `list_size`, due at even times from `start_ns` on.
    """

    gateway_url: str
    case: Case
    mix: Mix
    rate: float
    list_size: int
    seconds: float
    warm_up_s: float
    """Of `seconds`; requests due in it are sent but not counted among the latencies."""
    accounts: list[Account]
    connections: int
    name: str
    """Begins every client_order_id, so that loads on one venue do not meet."""
    seed: int = 1
    start_ns: int = 0
    """time.monotonic_ns of the first request; 0: as soon as all connections are open."""
    patience_s: float = 30.0
    """How long answers may take after the last request was due."""
    rows_path: str = ""
    """Where to leave five numbers for each answered request (see `rows`)."""


class LoadResult(msgspec.Struct, frozen=True):
    """What the generator saw. Commands count singly; a request has up to `list_size` of them."""

    start_ns: int
    due: int
    """Commands that the schedule asked for."""
    sent: int
    answered: int
    accepted: int
    refused: dict[str, int]
    """Answers with an error, by status or reason code.

    One request refused as a whole counts once.
    """
    lost_connections: int
    unsent: int
    """Commands of requests that no connection was free for until the end: the rate was not held."""
    unanswered: int
    """Commands of requests whose answer did not come in time."""
    acknowledged: Latency
    """From due to the answer, of requests due after the warm-up, by command. What was given up
    counts as long as it had waited: a venue that does not answer does not look fast.
    """
    lateness: Latency
    """How late the generator itself looked at what was due.

    Above some milliseconds it is the bottleneck.
    """
    processor_s: float
    """Of the generator's process while it sent."""
    wall_s: float

    @property
    def own_share(self) -> float:
        """Share of one core that the generator used."""
        return self.processor_s / self.wall_s if self.wall_s else 0.0
