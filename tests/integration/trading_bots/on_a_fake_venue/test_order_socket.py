"""Order entry over a WebSocket against a fake door that keeps orders by name, and has faults to
plant.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.sync.server import Server, ServerConnection, serve

from tests.integration.trading_bots.on_a_fake_venue.fake_services import refusal
from trading_bots.client import Amend, Cancel, Place, Refused, VenueClient, VenueUnavailable
from trading_bots.records import Receipt

Fault = Callable[["FakeDoor", ServerConnection, list[dict[str, Any]]], None]


class FakeDoor:
    """Answers each frame with a list; a planted fault takes the place of one answer."""

    def __init__(self) -> None:
        self.frames: list[list[dict[str, Any]]] = []
        self.faults: deque[Fault] = deque()
        self.orders: dict[str, int] = {}
        self.keys: list[str | None] = []
        self.paths: list[str] = []
        self._server: Server = serve(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.keys.append(connection.request.headers.get("Authorization"))
        self.paths.append(connection.request.path)
        for text in connection:
            frame = json.loads(text)
            self.frames.append(frame)
            if self.faults:
                self.faults.popleft()(self, connection, frame)
            else:
                connection.send(json.dumps(self.answers(frame)))

    def answers(self, frame: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What a healthy door says."""
        return [{"id": action["id"]} | self._answer(action) for action in frame]

    def _answer(self, action: dict[str, Any]) -> dict[str, Any]:
        if action["action"] != "place":
            return {
                "order_id": action.get("order_id", 0),
                "status": "pending_cancel",
                "sequence": 9,
            }
        if action["quantity"] > 1000:
            return refusal("risk.insufficient_funds", "not that rich")
        is_known = action["client_order_id"] in self.orders
        order_id = self.orders.setdefault(action["client_order_id"], len(self.orders) + 1)
        return {"order_id": order_id, "status": "new", "sequence": order_id, "duplicate": is_known}

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture
def door() -> Iterator[FakeDoor]:
    door = FakeDoor()
    yield door
    door.close()


@pytest.fixture
def client(door: FakeDoor) -> Iterator[VenueClient]:
    client = VenueClient(
        "ann", "vk_1", door.url, door.url, timeout_s=0.5, patience_s=5.0, order_prefix="p"
    )
    yield client
    client.close()


def without_ids(frame: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in action.items() if name != "id"} for action in frame]


def do_it_and_hang_up(
    door: FakeDoor, connection: ServerConnection, frame: list[dict[str, Any]]
) -> None:
    door.answers(frame)
    connection.close()


def do_it_and_say_nothing(
    door: FakeDoor, _connection: ServerConnection, frame: list[dict[str, Any]]
) -> None:
    door.answers(frame)


def say_first(content: Any) -> Fault:
    return lambda _door, connection, _frame: connection.send(json.dumps(content))


def answer_each(content: dict[str, Any]) -> Fault:
    return lambda _door, connection, frame: connection.send(
        json.dumps([{"id": action["id"]} | content for action in frame])
    )


def test_orders_leave_as_named_actions_over_one_connection_with_the_key(
    client: VenueClient, door: FakeDoor
) -> None:
    with client.order_socket() as orders:
        receipt = orders.place("AAPL", "buy", 10, "100.05", "IOC")
        orders.cancel(receipt.order_id)
        orders.amend(7, quantity=3)
        orders.cancel_all("AAPL")
    place = {
        "action": "place",
        "security": "AAPL",
        "side": "BUY",
        "type": "limit",
        "quantity": 10,
        "price": "100.05",
    }
    assert [without_ids(frame) for frame in door.frames] == [
        [place | {"time_in_force": "IOC", "client_order_id": "p-1"}],
        [{"action": "cancel", "order_id": 1}],
        [{"action": "amend", "order_id": 7, "quantity": 3, "amend_id": "p-2"}],
        [{"action": "cancel_all", "security": "AAPL"}],
    ]
    assert (door.keys, door.paths) == (["Bearer vk_1"], ["/v1/order-entry"])


def test_a_list_gives_a_receipt_or_a_refusal_each_in_order(client: VenueClient) -> None:
    with client.order_socket() as orders:
        results = orders.send(
            [Place("AAPL", "BUY", 1, "1"), Place("AAPL", "BUY", 5000, "1"), Cancel(3)]
        )
        assert orders.send([]) == []
    assert [isinstance(result, Receipt) for result in results] == [True, False, True]
    assert isinstance(results[1], Refused) and results[1].code == "risk.insufficient_funds"


def test_a_refused_order_is_raised(client: VenueClient) -> None:
    with client.order_socket() as orders, pytest.raises(Refused, match=r"risk\.insufficient_funds"):
        orders.place("AAPL", "BUY", 5000, "1")


@pytest.mark.parametrize("fault", [do_it_and_hang_up, do_it_and_say_nothing])
def test_an_order_whose_answer_is_lost_is_sent_again_under_its_name(
    client: VenueClient, door: FakeDoor, fault: Fault
) -> None:
    door.faults.append(fault)
    with client.order_socket() as orders:
        receipt = orders.place("AAPL", "BUY", 1, "1")
    assert receipt.duplicate and len(door.orders) == 1
    assert len(door.frames) == 2 == len(door.keys)
    assert without_ids(door.frames[0]) == without_ids(door.frames[1])


def test_a_late_answer_is_not_taken_for_that_of_another_frame(
    client: VenueClient, door: FakeDoor
) -> None:
    door.faults.append(say_first([{"id": 99, "order_id": 4711, "status": "new"}]))
    with client.order_socket() as orders:
        assert orders.place("AAPL", "BUY", 1, "1").order_id == 1


@pytest.mark.parametrize(
    "fault",
    [
        say_first({"id": None, **refusal("rate.limited", "slow down"), "retry_after_s": 0}),
        say_first({"id": None, **refusal("service.not_ready", "the database is away")}),
        answer_each(refusal("service.outcome_unknown", "ask again")),
        answer_each(refusal("rate.limited", "slow down")),
        say_first("no answer at all"),
    ],
)
def test_what_passes_is_asked_again(client: VenueClient, door: FakeDoor, fault: Fault) -> None:
    door.faults.append(fault)
    with client.order_socket() as orders:
        assert orders.place("AAPL", "BUY", 1, "1").order_id == 1
    assert len(door.frames) == 2


def test_a_wrong_key_is_raised_at_once(client: VenueClient, door: FakeDoor) -> None:
    door.faults.append(
        say_first({"id": None, **refusal("auth.key_invalid", "this key is wrong or revoked")})
    )
    with client.order_socket() as orders, pytest.raises(Refused, match=r"auth\.key_invalid"):
        orders.place("AAPL", "BUY", 1, "1")
    assert len(door.frames) == 1


def test_a_venue_that_stays_away_is_told_within_the_patience() -> None:
    client = VenueClient("ann", "vk_1", "http://127.0.0.1:9", "http://127.0.0.1:9", patience_s=0.2)
    began = time.monotonic()
    with client.order_socket() as orders, pytest.raises(VenueUnavailable):
        orders.place("AAPL", "BUY", 1, "1")
    assert time.monotonic() - began < 5


ALREADY_CANCELED = refusal("order.already_canceled", "it was canceled")


@pytest.mark.parametrize(
    "fault", [do_it_and_hang_up, answer_each(refusal("service.overloaded", "ask again"))]
)
def test_a_cancel_sent_again_that_finds_its_order_canceled_is_done(
    client: VenueClient, door: FakeDoor, fault: Fault
) -> None:
    door.faults += [fault, answer_each(ALREADY_CANCELED)]
    with client.order_socket() as orders:
        assert orders.cancel(7) == Receipt(order_id=7, status="canceled", duplicate=True)
    assert [without_ids(frame) for frame in door.frames] == [
        [{"action": "cancel", "order_id": 7}]
    ] * 2


def test_a_cancel_of_what_was_canceled_long_ago_is_refused(
    client: VenueClient, door: FakeDoor
) -> None:
    door.faults += [do_it_and_hang_up, answer_each(ALREADY_CANCELED), answer_each(ALREADY_CANCELED)]
    with client.order_socket() as orders:
        orders.cancel(7)
        with pytest.raises(Refused, match=r"order\.already_canceled"):
            orders.cancel(7)


def test_only_a_cancel_is_done_by_finding_its_order_canceled(
    client: VenueClient, door: FakeDoor
) -> None:
    door.faults += [do_it_and_hang_up, answer_each(ALREADY_CANCELED)]
    with client.order_socket() as orders, pytest.raises(Refused, match=r"order\.already_canceled"):
        orders.amend(7, quantity=3)


def test_a_frame_of_which_only_the_cancel_was_done_is_whole_when_sent_again(
    client: VenueClient, door: FakeDoor
) -> None:
    """A door that is behind in settlement takes cancels and nothing else."""

    def answer(*contents: dict[str, Any]) -> Fault:
        return lambda _door, connection, frame: connection.send(
            json.dumps(
                [
                    {"id": action["id"]} | content
                    for action, content in zip(frame, contents, strict=True)
                ]
            )
        )

    receipt = {"order_id": 7, "status": "pending_cancel", "sequence": 9}
    amended = {"order_id": 8, "status": "pending_amend", "sequence": 10}
    door.faults += [
        answer(refusal("service.overloaded", "behind"), receipt),
        answer(amended, ALREADY_CANCELED),
    ]
    with client.order_socket() as orders:
        results = orders.send([Amend(8, quantity=1), Cancel(7)])
    assert [(type(result), getattr(result, "duplicate", None)) for result in results] == [
        (Receipt, False),
        (Receipt, True),
    ]
