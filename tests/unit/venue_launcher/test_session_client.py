"""The client of the session API, against answers of a gateway that takes its time."""

from types import SimpleNamespace
from typing import Any

import pytest

from venue_launcher import session_client
from venue_launcher.errors import CommandError
from venue_launcher.session_client import SessionClient

BEFORE = [{"shard": 0, "security": None, "phase": "continuous", "since_us": 5}]
HALTED = [{"shard": 0, "security": "AAPL", "phase": "halted", "since_us": 9}]
AFTER = [{"shard": 0, "security": None, "phase": "closed", "since_us": 7}]


class Gateway:
    """Answers with one state of the phases after the other, the last one again and again."""

    def __init__(self, *phases: list[dict[str, Any]]) -> None:
        self.phases = list(phases)
        self.calls: list[tuple[str, str]] = []

    def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        self.calls.append((method, path))
        return {"phases": self.phases.pop(0) if len(self.phases) > 1 else self.phases[0]}


def client(monkeypatch: pytest.MonkeyPatch, gateway: Gateway) -> SessionClient:
    """A client of this gateway, for which no time passes while it waits."""
    clock = SimpleNamespace(now_s=0.0)
    monkeypatch.setattr(session_client.time, "monotonic", lambda: clock.now_s)
    monkeypatch.setattr(
        session_client.time, "sleep", lambda s: setattr(clock, "now_s", clock.now_s + s)
    )
    made = SessionClient(SimpleNamespace(gateway_url="http://nowhere", admin_key="key"))
    monkeypatch.setattr(made, "_call", gateway.call)
    return made


@pytest.mark.parametrize("first", [BEFORE, HALTED, []])
def test_a_new_schedule_is_shown_once_its_phase_has_begun(
    monkeypatch: pytest.MonkeyPatch, first: list[dict[str, Any]]
) -> None:
    gateway = Gateway(first, first, first, first, AFTER + HALTED)
    shown = client(monkeypatch, gateway).set_schedule({"mode": "schedule"})
    assert shown["phases"] == AFTER + HALTED
    assert gateway.calls[:3] == [
        ("GET", "/v1/session"),
        ("PUT", "/v1/session/schedule"),
        ("GET", "/v1/session"),
    ]


def test_a_schedule_whose_phase_does_not_begin_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(BEFORE)
    with pytest.raises(CommandError, match="its phase has not begun"):
        client(monkeypatch, gateway).set_schedule({"mode": "around_the_clock"})
    assert gateway.calls.count(("PUT", "/v1/session/schedule")) == 1
