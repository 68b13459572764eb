"""What is sent to the door, step by step, and what it must lead to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from venue_protocol.orders import Side, TimeInForce

ANONYMOUS = "anonymous"
"""Label of volume that a recording shows without order ids."""

MOST_QUANTITY = 10**9
"""Shares of the largest order that a replay sends; the security it lists takes as much."""

Format = Literal["consensus", "lobster"]


class RecordingError(ValueError):
    """The file is not what its format says; the message names the line."""


@dataclass(frozen=True, slots=True)
class PlaceStep:
    """Place a limit order under the client_order_id `name`."""

    owner: str
    name: str
    side: Side
    quantity: int
    price_e4: int
    time_in_force: TimeInForce
    at_s: float | None = None
    """Seconds after the first message of the recording; None where it has no times.

    So in all steps.
    """


@dataclass(frozen=True, slots=True)
class CancelStep:
    """Cancel the order named `name`. `is_open`: whether it works; else the venue must refuse."""

    owner: str
    name: str
    is_open: bool
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class AmendStep:
    """Amend the order named `name` to a smaller total quantity, filled shares included."""

    owner: str
    name: str
    quantity: int
    at_s: float | None = None


Step = PlaceStep | CancelStep | AmendStep


@dataclass(frozen=True, slots=True)
class ReplayFill:
    """One match: price, shares, and the recorded ids of the resting (maker) and the aggressing
    order (taker).
    """

    price_e4: int
    quantity: int
    maker: str
    taker: str


@dataclass(frozen=True, slots=True)
class Levels:
    """Price levels of both sides, (price_e4, shares), best first."""

    bids: Sequence[tuple[int, int]]
    asks: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Plan:
    """A recording as steps, with what must come of them."""

    tick_e4: int
    messages: int
    """Recorded messages that the steps stand for."""
    steps: Sequence[Step]
    expected_fills: Sequence[ReplayFill]
    expected_levels: Levels
    labels: dict[str, str]
    """Recorded id of each order, by its client_order_id."""
    source: str
    """Where the expected fills come from."""
    merges_fills: bool = False
    """Whether consecutive fills of one order at one price count as one, as the recording shows
    them.
    """
    checked_rows: int = 0
    """Rows of a recorded book compared with the rehearsed one, and how many were equal."""
    equal_rows: int = 0
    out_of_turn: int = 0
    """Recorded executions of an order that was not the next in its turn, played as reductions."""
    left_out: int = 0
    """Messages that fit no order of the book, made good from the recorded book."""

    def places(self) -> list[PlaceStep]:
        """All orders of the plan."""
        return [step for step in self.steps if isinstance(step, PlaceStep)]


@dataclass
class Needs:
    """What one owner must own at first, so that no order of the plan lacks cover however late fills
    settle.
    """

    cash_e4: int = 0
    shares: int = 0


def needs_of(steps: Sequence[Step]) -> dict[str, Needs]:
    """The sum of what each owner's orders hold."""
    needs: dict[str, Needs] = {}
    for step in steps:
        need = needs.setdefault(step.owner, Needs())
        if isinstance(step, PlaceStep) and step.side == "BUY":
            need.cash_e4 += step.quantity * step.price_e4
        elif isinstance(step, PlaceStep):
            need.shares += step.quantity
    return needs


def merged(fills: Sequence[ReplayFill]) -> list[ReplayFill]:
    """The fills with consecutive ones of the same maker, taker and price as one."""
    result: list[ReplayFill] = []
    for fill in fills:
        last = result[-1] if result else None
        if last and (last.price_e4, last.maker, last.taker) == (
            fill.price_e4,
            fill.maker,
            fill.taker,
        ):
            result[-1] = ReplayFill(
                fill.price_e4, last.quantity + fill.quantity, fill.maker, fill.taker
            )
        else:
            result.append(fill)
    return result


Progress = Callable[[int, int], None]
"""Told (done, of how many)."""
