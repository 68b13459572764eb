"""WebSocket frames, decoded by another implementation."""

import msgspec
import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, TextMessage

from market_data_feed.adapters.stream.frames import close_frame, frame_boundary, json_frame


@pytest.mark.parametrize("size", [0, 1, 122, 123, 124, 125, 65_000, 65_532, 65_533, 65_534, 70_000])
def test_a_json_frame_of_any_size_is_read_back(size: int) -> None:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(json_frame("x" * size))
    text = "".join(event.data for event in client.events() if isinstance(event, TextMessage))
    assert msgspec.json.decode(text) == "x" * size


def test_a_close_frame_carries_code_and_reason() -> None:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(close_frame(1008, "too slow"))
    (event,) = client.events()
    assert isinstance(event, CloseConnection)
    assert (event.code, event.reason) == (1008, "too slow")


def test_the_boundary_is_the_next_end_of_a_frame() -> None:
    sizes = [3, 200, 70_000, 1]
    frames = [json_frame("y" * size) for size in sizes]
    together, end = b"".join(frames), 0
    assert frame_boundary(together, 0) == 0
    for frame in frames:
        start, end = end, end + len(frame)
        assert {
            frame_boundary(together, offset) for offset in (start + 1, start + 2, end - 1, end)
        } == {end}
