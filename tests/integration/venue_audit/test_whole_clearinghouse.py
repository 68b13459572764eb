"""Everything that clearing knows, in random histories: nothing is made or lost, and the audit
derives all of it.

A longer run by hand: `VENUE_HISTORIES=200 ./venue test
tests/integration/venue_audit/test_whole_clearinghouse.py`.
"""

import os
import secrets
from collections.abc import Iterator

import pytest

from migrations.provision import drop
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.verdicts import audited, said
from tests.integration.venue_audit.whole_clearinghouse import WholeClearinghouse, sums
from tests.provisioning import provision_seeded

_HISTORIES = int(os.environ.get("VENUE_HISTORIES", "4"))
_STEPS = int(os.environ.get("VENUE_STEPS", "120"))


@pytest.fixture
def venue(request: pytest.FixtureRequest, postgres_url: str) -> Iterator[SyntheticVenue]:
    seed, shards = request.param
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance), seed, shards)
    try:
        venue.open_accounts()
        yield venue
    finally:
        venue.close()
        drop(postgres_url, instance)


@pytest.mark.parametrize(
    "venue", [(seed, 1 + seed % 2) for seed in range(1, _HISTORIES + 1)], indirect=True, ids=str
)
def test_a_random_history_of_everything_is_conserved_and_audited(venue: SyntheticVenue) -> None:
    whole = WholeClearinghouse(venue)
    for _ in range(4):
        whole.play(_STEPS // 4)
        assert set(sums(venue).values()) == {0}
    verdict = audited(venue)
    assert verdict.is_equal, f"{said(verdict)}\n{whole.done}\n{whole.refused}"
    assert {"trading", "cycle", "borrow"} <= whole.done.keys(), (whole.done, whole.refused)
