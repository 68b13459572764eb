"""The schedule as stored: commanded by one gateway, replaced by an administrator at any moment."""

from collections.abc import Iterator
from typing import Any

import pytest

from order_entry_gateway.adapters.session_store import SessionStore
from order_entry_gateway.loops.phase_schedule import PHASE_DUE_US, AroundTheClock, Daily
from service_runtime.database import Database


@pytest.fixture
def store(provisioned: Any) -> Iterator[SessionStore]:
    database = Database(provisioned.clearing_url("order_entry_gateway"), "schedule", pool_size=2)
    yield SessionStore(database)
    database.close()


def test_a_turn_notes_how_far_it_commanded(store: SessionStore) -> None:
    store.set_schedule(Daily(), 5)
    with store.turn() as turn:
        assert turn is not None and (turn.schedule, turn.done_us) == (Daily(), 5)
        turn.done(7)
    with store.turn() as turn:
        assert turn is not None and turn.done_us == 7


def test_a_schedule_that_is_replaced_during_a_turn_begins_as_it_was_set(
    store: SessionStore,
) -> None:
    store.set_schedule(Daily(), 5)
    with store.turn() as turn:
        assert turn is not None
        store.set_schedule(AroundTheClock(), PHASE_DUE_US)
        turn.done(7)
    with store.turn() as turn:
        assert turn is not None and (turn.schedule, turn.done_us) == (
            AroundTheClock(),
            PHASE_DUE_US,
        )
