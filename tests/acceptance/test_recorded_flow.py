"""Whole recordings over HTTP, compared fill by fill with what was recorded."""

from pathlib import Path

import pytest

from venue_launcher.running_venue import RunningVenue
from venue_trials.recorded_flow.orders import make_plan, play


@pytest.mark.parametrize(
    "recording",
    [
        "matching_consensus/normal_s23_n20000.orders.csv.xz",
        "lobster_aapl_l10_sample/AAPL_2012-06-21_message_10.first999.csv",
    ],
)
def test_a_whole_recording_plays_with_every_fill_in_order_price_size_and_maker(
    venue: RunningVenue, shared_data: Path, recording: str
) -> None:
    outcome = play(venue, make_plan(shared_data / recording))
    assert len(outcome.fills) > 90
    assert outcome.fills == outcome.plan.expected_fills
    assert outcome.difference() is None
