"""The sender keeps the order, groups what may be grouped, and stops where the recording can't go
on.
"""

import time
from collections.abc import Sequence

import pytest

from trading_bots.commands import Amend, Cancel, Command, Place
from trading_bots.records import Receipt
from trading_bots.refusal import Refused
from venue_protocol.orders import BUY, SELL
from venue_protocol.securities import Security
from venue_trials.recorded_flow.progress_bar import ProgressBar
from venue_trials.recorded_flow.sender import MOST_IN_REQUEST, ReplayError, send
from venue_trials.recorded_flow.stage import reference_price_e4
from venue_trials.recorded_flow.steps import AmendStep, CancelStep, PlaceStep, RecordingError, Step


class Log:
    """All requests of all doors, in the order they came."""

    def __init__(self, refuse: dict[str, str] | None = None) -> None:
        self.requests: list[tuple[str, list[Command]]] = []
        self.times: list[float] = []
        self.refuse = refuse or {}

    def doors(self, *owners: str) -> dict[str, "RecordingDoor"]:
        return {owner: RecordingDoor(self, owner) for owner in owners}


class RecordingDoor:
    """Accepts every command, but those named in the log's `refuse`."""

    def __init__(self, log: Log, owner: str) -> None:
        self._log, self._owner = log, owner

    def send(self, commands: Sequence[Command]) -> list[Receipt | Refused]:
        self._log.requests.append((self._owner, list(commands)))
        self._log.times.append(time.monotonic())
        return [self._result(command) for command in commands]

    def _result(self, command: Command) -> Receipt | Refused:
        name = command.client_order_id or ""
        if name in self._log.refuse:
            return Refused(self._log.refuse[name], "no")
        return Receipt(order_id=int(name), status="new")


def place(name: int, owner: str = "buyer0", at_s: float | None = None) -> PlaceStep:
    return PlaceStep(
        owner, str(name), BUY if owner.startswith("b") else SELL, 10, 1_700_050, "GTC", at_s
    )


def no_progress(_done: int, _all: int) -> None:
    """Nobody looks."""


def test_consecutive_steps_of_one_owner_share_a_request_and_the_order_is_kept() -> None:
    log = Log()
    steps: list[Step] = [place(1), CancelStep("buyer0", "1", True), place(2, "seller0"), place(3)]
    sent = send(steps, "RPL.1", log.doors("buyer0", "seller0"), no_progress)
    assert log.requests == [
        (
            "buyer0",
            [Place("RPL.1", "BUY", 10, "170.0050", "GTC", "1"), Cancel(client_order_id="1")],
        ),
        ("seller0", [Place("RPL.1", "SELL", 10, "170.0050", "GTC", "2")]),
        ("buyer0", [Place("RPL.1", "BUY", 10, "170.0050", "GTC", "3")]),
    ]
    assert (sent.requests, sent.last_order) == (3, {"buyer0": 3, "seller0": 2})


def test_an_amend_names_its_order_and_its_new_total() -> None:
    log = Log()
    send([AmendStep("buyer0", "7", 25)], "RPL.1", log.doors("buyer0"), no_progress)
    assert log.requests == [("buyer0", [Amend(client_order_id="7", quantity=25)])]


def test_a_request_never_holds_more_commands_than_the_door_takes() -> None:
    log = Log()
    send([place(n) for n in range(1, 1201)], "RPL.1", log.doors("buyer0"), no_progress)
    assert [len(commands) for _, commands in log.requests] == [
        MOST_IN_REQUEST,
        MOST_IN_REQUEST,
        200,
    ]


def test_a_refused_cancel_of_an_ended_order_is_counted_and_the_replay_goes_on() -> None:
    log = Log({"1": "order.already_filled"})
    sent = send(
        [CancelStep("buyer0", "1", False), place(2)], "RPL.1", log.doors("buyer0"), no_progress
    )
    assert dict(sent.refused) == {"order.already_filled": 1}


@pytest.mark.parametrize(
    "step", [place(1), AmendStep("buyer0", "1", 5), CancelStep("buyer0", "1", True)]
)
def test_a_refusal_that_the_recording_does_not_know_ends_the_replay(step: Step) -> None:
    with pytest.raises(ReplayError, match=r"risk\.insufficient_funds"):
        send([step], "RPL.1", Log({"1": "risk.insufficient_funds"}).doors("buyer0"), no_progress)


def test_at_recorded_speed_no_step_leaves_before_its_time() -> None:
    log = Log()
    steps = [place(1, at_s=0.0), place(2, at_s=0.15), place(3, at_s=0.3)]
    began = time.monotonic()
    send(steps, "RPL.1", log.doors("buyer0"), no_progress, at_recorded_speed=True)
    assert len(log.requests) == 3
    assert all(at - began >= due for at, due in zip(log.times, (0.0, 0.15, 0.3), strict=True))


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    send(
        [place(1), place(2, "seller0")],
        "RPL.1",
        Log().doors("buyer0", "seller0"),
        lambda *done: told.append(done),
    )
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize("prices", [(50,), (50, 100), (28613 * 50, 45782 * 50), (50, 10**9)])
def test_the_band_around_the_reference_price_holds_every_recorded_price(
    prices: tuple[int, ...],
) -> None:
    steps = [PlaceStep("buyer0", "1", BUY, 1, price, "GTC") for price in prices]
    security = Security("RPL", "", 0, 50, 1, 10_000, reference_price_e4(steps, 50))
    assert all(security.refuse_price(price) is None for price in prices)


def test_a_recording_without_orders_is_refused() -> None:
    with pytest.raises(RecordingError, match="no order"):
        reference_price_e4([], 50)


def test_the_bar_tells_each_tenth_once_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bar = ProgressBar("replay")
    for done in range(1, 101):
        bar.show(done, 100)
    bar.close()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10 and "100% 100/100" in lines[-1]
