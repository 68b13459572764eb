"""WebSocket frames, decoded by another implementation."""

import pytest

from service_runtime.http.websocket_frames import json_frame
from tests.websocket_frames import frames_in


@pytest.mark.parametrize("size", [0, 1, 122, 123, 124, 125, 65_000, 65_532, 65_533, 65_534, 70_000])
def test_a_json_frame_of_any_size_is_read_back(size: int) -> None:
    assert frames_in(json_frame("x" * size)) == ["x" * size]


def test_frames_one_after_the_other_are_read_back_in_order() -> None:
    sizes = [3, 200, 70_000, 1]
    assert frames_in(b"".join(json_frame(size) for size in sizes)) == sizes
