"""Small parts: back-off, settings, logs, clocks, and the guard of a service's threads."""

import json
import logging
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_runtime import settings
from service_runtime.backoff import Backoff
from service_runtime.clock import ManualClock, SystemClock
from service_runtime.logs import JsonFormatter
from service_runtime.service import Service
from service_runtime.settings import SettingsError

REQUIRED = {"VENUE_BROKER_URL": "amqp://b", "VENUE_CLEARING_DATABASE_URL": "postgresql://d"}


@given(st.floats(0.001, 1), st.floats(0.001, 60), st.integers(1, 60))
def test_a_delay_is_never_below_the_shortest_nor_above_the_longest(
    shortest_s: float, longest_s: float, attempts: int
) -> None:
    backoff = Backoff(shortest_s, longest_s)
    for _ in range(attempts):
        assert shortest_s <= backoff.next_s() <= max(shortest_s, longest_s)


def test_delays_grow_are_jittered_and_start_again_after_a_success() -> None:
    backoff = Backoff(0.01, 100)
    delays = [backoff.next_s() for _ in range(200)]
    assert delays[0] == 0.01 and max(delays) > 10
    assert len({round(delay, 6) for delay in delays[20:]}) > 100, (
        "without jitter all clients return in step"
    )
    backoff.reset()
    assert backoff.next_s() == 0.01


def test_settings_have_defaults_and_say_what_is_missing() -> None:
    loaded = settings.load(REQUIRED)
    assert (loaded.host, loaded.port, loaded.market_url) == ("127.0.0.1", 0, "")
    for name in REQUIRED:
        with pytest.raises(SettingsError, match=name):
            settings.load({key: value for key, value in REQUIRED.items() if key != name})
        with pytest.raises(SettingsError, match=name):
            settings.load(REQUIRED | {name: ""})


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "\u00b2", "\u0665", " 1", "1_0", "0x1"])
def test_a_number_that_is_none_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="VENUE_PORT"):
        settings.load(REQUIRED | {"VENUE_PORT": text})


def test_an_empty_setting_is_a_missing_one() -> None:
    """Compose files pass `${X:-}` as empty text."""
    loaded = settings.load(REQUIRED | {"VENUE_PORT": "", "VENUE_HOST": "", "VENUE_LOG_LEVEL": ""})
    assert (loaded.port, loaded.host, loaded.log_level) == (0, "127.0.0.1", "INFO")


def test_a_log_level_that_is_none_is_named() -> None:
    with pytest.raises(SettingsError, match="VENUE_LOG_LEVEL"):
        settings.load(REQUIRED | {"VENUE_LOG_LEVEL": "LOUD"})


def test_settings_printed_show_no_password() -> None:
    loaded = settings.load(
        {"VENUE_BROKER_URL": "amqp://u:hush@b", "VENUE_CLEARING_DATABASE_URL": "x://u:hush@d"}
    )
    assert "hush" not in repr(loaded)


def formatted(message: str, *arguments: object, **extra: object) -> dict[str, object]:
    """The log line of one record."""
    logger = logging.getLogger("tests.plumbing")
    record = logger.makeRecord(
        "tests.plumbing", logging.INFO, __file__, 1, message, arguments, None, extra=extra
    )
    line = JsonFormatter("sample").format(record)
    assert "\n" not in line
    parsed: dict[str, object] = json.loads(line)
    return parsed


def test_a_log_line_is_one_json_object_with_its_fields() -> None:
    line = formatted("order %s", "accepted", order_id=7, path=Path("/x"))
    assert line["message"] == "order accepted" and line["order_id"] == 7 and line["path"] == "/x"
    assert (line["level"], line["service"], line["logger"]) == ("INFO", "sample", "tests.plumbing")


@pytest.mark.parametrize("text", ["two\nlines", 'quote"', "\u2028", "\ud800", "é"])
def test_any_text_stays_on_one_line(text: str) -> None:
    assert formatted("m", text=text)["text"] == text


def test_times_are_utc_and_say_so() -> None:
    assert str(formatted("m")["time"]).endswith("Z")


def test_an_exception_is_part_of_its_line() -> None:
    try:
        raise ValueError("inside")
    except ValueError:
        record = logging.getLogger().makeRecord(
            "x", logging.ERROR, __file__, 1, "m", (), sys.exc_info()
        )
    assert "ValueError: inside" in json.loads(JsonFormatter("sample").format(record))["exception"]


def test_a_manual_clock_stands_still_until_told() -> None:
    clock = ManualClock(5)
    assert (clock.now_us(), clock.now_us()) == (5, 5)
    clock.advance(2)
    assert clock.now_us() == 7
    assert SystemClock().now_us() > 1_700_000_000_000_000


def test_a_thread_that_fails_while_the_service_stops_does_not_end_the_process() -> None:
    service = Service("sample", settings.load(REQUIRED))

    def fail_late() -> None:
        service.stopping.wait(5)
        raise RuntimeError("the connection is gone")

    order: list[str] = []
    service.spawn("late", fail_late)
    service.on_stop(lambda: order.append("first opened"))
    service.on_stop(lambda: order.append("last opened"))
    service.stop()
    service.stop()
    assert order == ["last opened", "first opened"]
