"""One sequential sender: the venue sees the steps in exactly the recorded order."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from trading_bots.commands import Amend, Cancel, Command, Place
from trading_bots.records import Receipt
from trading_bots.refusal import Refused
from venue_protocol.money import format_e4
from venue_trials.recorded_flow.steps import AmendStep, CancelStep, PlaceStep, Progress, Step

MOST_IN_REQUEST = 500


class Door(Protocol):
    """What takes one owner's commands; a VenueClient is one."""

    def send(self, commands: Sequence[Command]) -> list[Receipt | Refused]:
        """One result for each command."""
        ...


class ReplayError(RuntimeError):
    """The venue did not take a step that the recording needs; the message says which and why."""


@dataclass
class Sent:
    """What was sent, and what came back."""

    seconds: float = 0.0
    requests: int = 0
    last_order: dict[str, int] = field(default_factory=dict)
    """order_id of each owner's last order."""
    refused: Counter[str] = field(default_factory=Counter)
    """Refusals by code: cancels of orders that had ended."""


def send(
    steps: Sequence[Step],
    security: str,
    clients: Mapping[str, Door],
    progress: Progress,
    at_recorded_speed: bool = False,
) -> Sent:
    """Send every step, one request after the other; consecutive steps of one owner share a request.

    At recorded speed a step is not sent before its time, counted from the start. Raises
    ReplayError when an order or amend is refused, VenueUnavailable when the venue stays away.
    """
    sent = Sent()
    started = time.monotonic()
    done = 0
    for run in _runs(steps, started if at_recorded_speed else None):
        owner = run[0].owner
        results = clients[owner].send([_command(step, security) for step in run])
        for step, result in zip(run, results, strict=True):
            _note(sent, step, result)
        sent.requests += 1
        done += len(run)
        progress(done, len(steps))
    sent.seconds = time.monotonic() - started
    return sent


def _runs(steps: Sequence[Step], started: float | None) -> Iterator[Sequence[Step]]:
    """Consecutive steps of one owner, each run not before its time."""
    index = 0
    while index < len(steps):
        due_s = _wait_until_due(steps[index], started)
        end = index + 1
        while (
            end < min(len(steps), index + MOST_IN_REQUEST)
            and steps[end].owner == steps[index].owner
        ):
            at_s = steps[end].at_s
            if due_s is not None and (at_s or 0.0) > due_s:
                break
            end += 1
        yield steps[index:end]
        index = end


def _wait_until_due(step: Step, started: float | None) -> float | None:
    """Wait for the step's time; the seconds since the start, or None at full speed."""
    if started is None:
        return None
    time.sleep(max((step.at_s or 0.0) - (time.monotonic() - started), 0.0))
    return time.monotonic() - started


def _command(step: Step, security: str) -> Command:
    if isinstance(step, PlaceStep):
        price = format_e4(step.price_e4)
        return Place(security, step.side, step.quantity, price, step.time_in_force, step.name)
    if isinstance(step, AmendStep):
        return Amend(client_order_id=step.name, quantity=step.quantity)
    return Cancel(client_order_id=step.name)


def _note(sent: Sent, step: Step, result: Receipt | Refused) -> None:
    if isinstance(result, Refused):
        if not isinstance(step, CancelStep) or step.is_open:
            raise ReplayError(f"the venue refused {step}: {result}")
        sent.refused[result.code] += 1
    elif isinstance(step, PlaceStep):
        sent.last_order[step.owner] = result.order_id
