"""Corporate actions on both bodies of the ledger store: every holder is found and locked, listings
and entitlements are stored with the effect, and a repeated batch does nothing.
"""

import itertools
from collections.abc import Iterator

import pytest

from clearinghouse.domain.corporate_actions import Entitlement
from clearinghouse.handlers import settle_batches
from tests.contract.clearing_stores import Stores, memory_stores, postgres_stores
from venue_protocol import codec
from venue_protocol.corporate_actions import CashDividend, Delisting, Split, SymbolChange
from venue_protocol.events import (
    CorporateActionApplied,
    CorporateActionDeclared,
    DividendPaid,
    Event,
    EventBatch,
)
from venue_protocol.holds import CASH
from venue_protocol.securities import Security

NOW_US = 1_800_000_000_000_000
_numbers = itertools.count(1)


@pytest.fixture(params=["memory", "postgres"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    made = (
        memory_stores()
        if request.param == "memory"
        else postgres_stores(request.getfixturevalue("provisioned"))
    )
    yield made
    made.close()


class Acted:
    """A new security, with ann and bob as holders, and a stream of events of its own."""

    def __init__(self, stores: Stores) -> None:
        self.number = next(_numbers)
        self.stores = stores
        self.name = f"ACT{self.number}"
        self.ann, self.bob = f"ann{self.number}", f"bob{self.number}"
        listed = Security(self.name, "Acted on", 0, 100, 1, 1_000, 1_000_000)
        stores.administration.list_security(listed, 1_000)
        for client_id, shares in ((self.ann, 5), (self.bob, 4)):
            stores.administration.create_client(client_id, "market_maker", 0, {self.name: shares})
        self._last = 0

    def settle(self, *events: Event) -> EventBatch:
        """One batch in a transaction of its own."""
        first = self._last + 1
        self._last += len(events)
        batch = EventBatch(
            codec.SCHEMA, self.number, first, first, first, NOW_US + first, list(events)
        )
        self.again(batch)
        return batch

    def again(self, batch: EventBatch) -> None:
        with self.stores.ledger.transaction() as transaction:
            settle_batches(transaction, [batch])

    def has(self, client_id: str, name: str) -> tuple[int, int]:
        """Shares and cash."""
        keys = ((client_id, name), (client_id, CASH))
        with self.stores.ledger.transaction() as transaction:
            ledger = transaction.lock(keys).ledger
            return ledger.position(*keys[0]).quantity, ledger.position(*keys[1]).quantity


@pytest.fixture
def acted(stores: Stores) -> Acted:
    return Acted(stores)


def test_a_split_reaches_every_holder_once(acted: Acted) -> None:
    split = Split(3, 2, 333_333)
    batch = acted.settle(CorporateActionApplied(1, acted.name, split, 666_600))
    assert acted.has(acted.ann, acted.name) == (7, 166_666)
    assert acted.has(acted.bob, acted.name) == (6, 0)
    acted.again(batch)
    assert acted.has(acted.ann, acted.name) == (7, 166_666)


def test_what_is_owed_on_the_ex_date_is_kept_until_it_is_paid(acted: Acted) -> None:
    dividend = CashDividend(2_500, NOW_US, NOW_US, NOW_US)
    action_id = acted.number << 40 | 2
    acted.settle(CorporateActionDeclared(action_id, acted.name, dividend))
    acted.settle(CorporateActionApplied(action_id, acted.name, dividend, 990_000))
    with acted.stores.ledger.transaction() as transaction:
        assert sorted(transaction.entitlements(action_id)) == [
            Entitlement(action_id, acted.ann, 5, 12_500),
            Entitlement(action_id, acted.bob, 4, 10_000),
        ]
    acted.settle(DividendPaid(action_id, acted.name))
    assert acted.has(acted.ann, acted.name) == (5, 12_500)
    assert acted.has(acted.bob, acted.name) == (4, 10_000)


def test_a_dividend_that_goes_ex_and_is_paid_in_one_transaction_is_paid(acted: Acted) -> None:
    dividend = CashDividend(2_500, NOW_US, NOW_US, NOW_US)
    action_id = acted.number << 40 | 3
    acted.settle(
        CorporateActionApplied(action_id, acted.name, dividend, 990_000),
        DividendPaid(action_id, acted.name),
    )
    assert acted.has(acted.ann, acted.name) == (5, 12_500)


def test_a_new_symbol_is_listed_and_the_old_one_names_it(acted: Acted) -> None:
    after = f"{acted.name}.B"
    action_id = acted.number << 40 | 4
    acted.settle(CorporateActionApplied(action_id, acted.name, SymbolChange(after), 1_000_000))
    assert acted.has(acted.ann, acted.name)[0] == 0
    assert acted.has(acted.ann, after)[0] == 5
    with acted.stores.ledger.transaction() as transaction:
        assert transaction.lot_size(after) == 1
        assert (acted.bob, after) in transaction.holders([after])
    acted.settle(CorporateActionApplied(action_id + 1, after, Delisting(10), 1_000_000))
    assert acted.has(acted.bob, after) == (0, 40)
