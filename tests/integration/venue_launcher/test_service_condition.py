"""What a service says of itself is shown, whether it is ready or not."""

import pytest
from flask import Flask, Response

from service_runtime import settings
from service_runtime.http.application import create_app
from service_runtime.http.asgi_application import Application
from service_runtime.service import Service
from tests.http_server import serving
from venue_launcher import supervisor

_GIVEN = {
    "VENUE_BROKER_URL": "amqp://nowhere",
    "VENUE_CLEARING_DATABASE_URL": "postgresql://nowhere",
}
_DEGRADED = "record of refused orders"


@pytest.mark.parametrize(
    ("is_ready", "said"),
    [(True, (None, [_DEGRADED])), (False, ("waiting for broker", [_DEGRADED]))],
)
def test_a_degraded_service_is_told_from_its_readiness(
    is_ready: bool, said: tuple[str | None, list[str]]
) -> None:
    service = Service("sample", settings.load(_GIVEN))
    service.add_check("broker", lambda: is_ready)
    service.add_warning(_DEGRADED, lambda: True)
    with serving(Application(create_app(service), 2)) as port:
        assert supervisor.condition(f"http://127.0.0.1:{port}") == said


@pytest.mark.parametrize(("status", "waits_for"), [(200, None), (503, "its checks")])
def test_an_answer_in_another_form_says_nothing(status: int, waits_for: str | None) -> None:
    app = Flask("another")
    app.add_url_rule("/readyz", "readyz", lambda: Response("[]", status))
    with serving(Application(app, 2)) as port:
        assert supervisor.condition(f"http://127.0.0.1:{port}") == (waits_for, [])
