"""The audit of what is taken out a moment after an order let it go."""

import secrets
from collections.abc import Iterator

import pytest

from migrations.provision import drop
from order_entry_gateway.domain.validation import CancelAllCandidate
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.verdicts import audited, differences, said
from tests.provisioning import provision_seeded


@pytest.fixture
def emptied(postgres_url: str) -> Iterator[SyntheticVenue]:
    """A maker's shares were held by an order, which was canceled; then all were withdrawn."""
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance))
    try:
        venue.open_accounts()
        venue.commit([venue.place("maker0", "SELL", 5_000, 1_100_000)])
        venue.clock.advance(1_000)
        venue.commit([CancelAllCandidate("maker0", 0, None)])
        venue.settle()
        venue.administration.withdraw("maker0", "AAPL", 5_000, "all of it")
        venue.record()
        yield venue
    finally:
        venue.close()
        drop(postgres_url, instance)


def test_shares_that_a_canceled_order_held_may_be_withdrawn(emptied: SyntheticVenue) -> None:
    verdict = audited(emptied)
    assert verdict.is_equal, said(verdict)


def test_a_withdrawal_that_was_never_covered_is_still_named(emptied: SyntheticVenue) -> None:
    where = "journal_kind = 'withdrawal'"
    more = [-5_001, 5_001]
    with emptied.planted("clearing", "journals", where, "amounts", lambda _was: more):
        found = differences(emptied)
    assert {item.what for item in found} >= {"journal"}
