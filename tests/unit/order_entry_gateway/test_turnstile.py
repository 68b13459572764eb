"""Long lists take turns at the door; single orders and short lists pass beside them."""

import threading
from contextlib import ExitStack

import pytest

from order_entry_gateway.adapters.concurrency_limit import Turnstile
from venue_protocol.refusals import Refused, RejectReason

SHORT, LONG = 200, 20_000


def test_four_long_lists_are_read_at_a_time_and_a_fifth_is_refused_in_time() -> None:
    turnstile = Turnstile(patience_s=0.01)
    with ExitStack() as inside:
        for _ in range(4):
            inside.enter_context(turnstile.entering(LONG))
        with pytest.raises(Refused) as refused, turnstile.entering(LONG):
            pytest.fail("there was no turn left")
        assert refused.value.refusal.reason == RejectReason.OVERLOADED
        with turnstile.entering(SHORT), turnstile.leaving(SHORT):
            passed = True
    with turnstile.entering(LONG):
        assert passed


def test_an_error_gives_the_turn_back() -> None:
    turnstile = Turnstile(patience_s=0.01)
    for _ in range(5):
        with pytest.raises(ValueError, match="garbage"), turnstile.entering(LONG):
            raise ValueError("garbage")


def test_who_leaves_does_not_wait_for_those_who_enter() -> None:
    turnstile = Turnstile(patience_s=0.01)
    with ExitStack() as inside:
        for _ in range(4):
            inside.enter_context(turnstile.entering(LONG))
        with turnstile.leaving(LONG):
            has_left = True
    assert has_left


def test_who_leaves_waits_for_a_turn_and_is_never_refused() -> None:
    turnstile = Turnstile(patience_s=0.01)
    left = threading.Event()

    def leave() -> None:
        with turnstile.leaving(LONG):
            left.set()

    with ExitStack() as inside:
        for _ in range(4):
            inside.enter_context(turnstile.leaving(LONG))
        leaver = threading.Thread(target=leave)
        leaver.start()
        assert not left.wait(0.05)
    leaver.join(10)
    assert left.is_set()
