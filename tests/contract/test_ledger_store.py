"""What the clearinghouse may rely on in its store, whichever body it has."""

import itertools
from collections.abc import Iterator

import pytest

from clearinghouse.domain.ledger import Journal, Leg
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import BANK, ISSUER
from clearinghouse.ports import (
    ClientExists,
    ClientState,
    LedgerTransaction,
    SecurityExists,
    Transfer,
)
from service_runtime.database import DatabaseUnavailable
from tests.contract.clearing_stores import Stores, memory_stores, postgres_stores
from venue_protocol.events import Trade
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.refusals import Refused
from venue_protocol.securities import Security
from venue_storage.clearing_rows import Suspension

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


class Pair:
    """A buyer with $100.00, a seller with 10 shares of AAPL; both hold what 10 at $10.00 need."""

    def __init__(self, stores: Stores) -> None:
        number = next(_numbers)
        self.buyer, self.seller = f"buyer{number}", f"seller{number}"
        self.trade_id = number
        stores.administration.create_client(self.buyer, "market_maker", 1_000_000, {})
        stores.administration.create_client(self.seller, "market_maker", 0, {"AAPL": 10})
        with stores.log.transaction() as transaction:
            transaction.hold_cash([(self.buyer, 1_000_000)])
            transaction.hold_shares([(self.seller, "AAPL", 10)])
        self.keys = {
            (client_id, asset)
            for client_id in (self.buyer, self.seller)
            for asset in (CASH, "AAPL")
        }

    def trade(self, quantity: int = 4) -> Trade:
        return Trade(
            self.trade_id,
            "AAPL",
            90_000,
            quantity,
            "BUY",
            2,
            self.buyer,
            100_000,
            0,
            1,
            self.seller,
            0,
        )

    def standing(self, transaction: LedgerTransaction) -> dict[tuple[str, str], tuple[int, int]]:
        """Quantity and held of each position that is stored."""
        positions = transaction.lock(self.keys).ledger.positions
        return {key: (position.quantity, position.held) for key, position in positions.items()}


@pytest.fixture
def pair(stores: Stores) -> Pair:
    return Pair(stores)


class Broken(Exception):
    """Something goes wrong inside a transaction."""


def settle(transaction: LedgerTransaction, pair: Pair, quantity: int = 4) -> Settlement:
    settlement = transaction.lock(pair.keys)
    settlement.apply(pair.trade(quantity), NOW_US)
    transaction.write(settlement)
    return settlement


def test_a_settlement_is_stored_whole(stores: Stores, pair: Pair) -> None:
    with stores.ledger.transaction() as transaction:
        settled = settle(transaction, pair)
    with stores.ledger.transaction() as transaction:
        assert pair.standing(transaction) == {
            (pair.buyer, CASH): (640_000, 600_000),
            (pair.buyer, "AAPL"): (4, 0),
            (pair.seller, CASH): (360_000, 0),
            (pair.seller, "AAPL"): (6, 6),
        }
        again = transaction.lock(pair.keys)
        assert (again.last_journal_id, again.last_report_sequence) == (
            settled.last_journal_id,
            settled.last_report_sequence,
        )
        assert transaction.last_report_sequence() == settled.last_report_sequence
        assert again.chains == settled.chains


def test_after_an_error_nothing_of_a_settlement_is_left(stores: Stores, pair: Pair) -> None:
    with stores.ledger.transaction() as transaction:
        before = (pair.standing(transaction), transaction.last_report_sequence())
    with pytest.raises(Broken), stores.ledger.transaction() as transaction:
        settle(transaction, pair)
        transaction.write_position(f"stream of {pair.buyer}", 9)
        raise Broken
    with stores.ledger.transaction() as transaction:
        assert (pair.standing(transaction), transaction.last_report_sequence()) == before
        assert transaction.position(f"stream of {pair.buyer}") == 0


def test_a_position_is_stored_and_read_by_stream(stores: Stores) -> None:
    stream = f"stream{next(_numbers)}"
    for position in (3, 7):
        stores.ledger.run(
            lambda transaction, position=position: transaction.write_position(stream, position)
        )
    with stores.ledger.transaction() as transaction:
        assert transaction.position(stream) == 7 and transaction.position(f"{stream}.1") == 0


def test_a_trade_is_settled_once(stores: Stores, pair: Pair) -> None:
    """The last guard, should a position ever be wrong."""
    with stores.ledger.transaction() as transaction:
        settle(transaction, pair)
    with pytest.raises(stores.refused), stores.ledger.transaction() as transaction:
        settle(transaction, pair)


def test_a_journal_that_does_not_sum_to_zero_is_refused(stores: Stores, pair: Pair) -> None:
    with pytest.raises(stores.refused), stores.ledger.transaction() as transaction:
        settlement = transaction.lock(pair.keys)
        legs = (Leg(pair.buyer, CASH, -1), Leg(pair.seller, CASH, 2))
        settlement.journals.append(Journal(settlement.last_journal_id + 1, "deposit", NOW_US, legs))
        transaction.write(settlement)


def test_a_position_that_does_not_cover_its_hold_is_refused(stores: Stores, pair: Pair) -> None:
    with pytest.raises(stores.refused), stores.ledger.transaction() as transaction:
        settlement = transaction.lock(pair.keys)
        settlement.ledger.position(pair.buyer, CASH).quantity -= 1
        settlement.ledger.touched.add((pair.buyer, CASH))
        transaction.write(settlement)


def test_money_of_nobody_is_a_broken_invariant(stores: Stores, pair: Pair) -> None:
    with pytest.raises(BrokenInvariant), stores.ledger.transaction() as transaction:
        settlement = transaction.lock({*pair.keys, ("nobody", CASH)})
        settlement.ledger.post((Leg("nobody", CASH, 0),))
        settlement.ledger.touched.add(("nobody", CASH))
        transaction.write(settlement)


def test_the_other_side_of_what_enters_may_be_negative(stores: Stores, pair: Pair) -> None:
    with stores.ledger.transaction() as transaction:
        bank = transaction.lock({(BANK, CASH)}).ledger.positions[BANK, CASH]
        issuer = transaction.lock({(ISSUER, "AAPL")}).ledger.positions[ISSUER, "AAPL"]
    assert bank.is_external and bank.quantity < 0
    assert not issuer.is_external and issuer.quantity > 0


def test_a_transfer_is_found_by_its_reference(stores: Stores, pair: Pair) -> None:
    key = f"key of {pair.buyer}"
    receipt = stores.administration.deposit(pair.buyer, CASH, 5, key)
    with stores.ledger.transaction() as transaction:
        assert transaction.transfer(f"deposit:{key}") == Transfer(
            receipt.journal_id, (Leg(BANK, CASH, -5), Leg(pair.buyer, CASH, 5))
        )
        assert transaction.transfer("deposit:another") is None


def test_a_withdrawal_is_the_deposit_the_other_way_once_for_each_key(
    stores: Stores, pair: Pair
) -> None:
    key = f"back from {pair.buyer}"
    stores.administration.deposit(pair.buyer, CASH, 50_000, key)
    first = stores.administration.withdraw(pair.buyer, CASH, 20_000, key)
    again = stores.administration.withdraw(pair.buyer, CASH, 20_000, key)
    assert (again.journal_id, again.duplicate) == (first.journal_id, True)
    with pytest.raises(Refused, match="another withdrawal"):
        stores.administration.withdraw(pair.buyer, CASH, 20_001, key)
    with stores.ledger.transaction() as transaction:
        assert pair.standing(transaction)[pair.buyer, CASH] == (1_030_000, 1_000_000)
        assert transaction.transfer(f"withdrawal:{key}") == Transfer(
            first.journal_id, (Leg(pair.buyer, CASH, -20_000), Leg(BANK, CASH, 20_000))
        )


def test_what_an_order_holds_is_not_withdrawn(stores: Stores, pair: Pair) -> None:
    for client_id, asset in ((pair.buyer, CASH), (pair.seller, "AAPL")):
        with pytest.raises(Refused) as refused:
            stores.administration.withdraw(client_id, asset, 1, f"all of {client_id}")
        assert refused.value.refusal.reason.code.startswith("risk.insufficient_")


def test_shares_go_back_to_the_issuer(stores: Stores, pair: Pair) -> None:
    def issued() -> int:
        with stores.ledger.transaction() as transaction:
            found = transaction.lock({(ISSUER, "AAPL")}).ledger
            return found.positions[ISSUER, "AAPL"].quantity

    before = issued()
    stores.administration.deposit(pair.buyer, "AAPL", 3, f"three to {pair.buyer}")
    stores.administration.withdraw(pair.buyer, "AAPL", 2, f"two of {pair.buyer}")
    assert issued() == before - 1


@pytest.mark.parametrize("account", [BANK, "clearinghouse"])
def test_nothing_is_withdrawn_from_the_venues_own_accounts(stores: Stores, account: str) -> None:
    with pytest.raises(Refused, match="is an account of the venue itself"):
        stores.administration.withdraw(account, CASH, 1, f"from {account}")


def test_clients_roles_and_securities_exist_once(stores: Stores, pair: Pair) -> None:
    security = Security(f"S{next(_numbers)}", "Some", 0, 100, 1, 5000, 1_000_000)
    with stores.ledger.transaction() as transaction:
        transaction.add_security(security)
        assert transaction.has_client(pair.buyer) and not transaction.has_client("nobody")
        assert transaction.lot_size(security.security_id) == 1
        assert transaction.lot_size("NONE") is None
    with pytest.raises(SecurityExists), stores.ledger.transaction() as transaction:
        transaction.add_security(security)
    with pytest.raises(ClientExists), stores.ledger.transaction() as transaction:
        transaction.add_client(pair.buyer, "trader", NOW_US, None, is_external=False)


def test_keys_are_revoked_once(stores: Stores, pair: Pair) -> None:
    with stores.ledger.transaction() as transaction:
        transaction.add_key(f"{pair.buyer:>32}".encode(), pair.buyer, NOW_US)
    with stores.ledger.transaction() as transaction:
        assert transaction.revoke_keys(pair.buyer, NOW_US) == 2
        assert transaction.revoke_keys(pair.buyer, NOW_US) == 0


def test_a_key_has_its_clients_role_until_it_is_revoked(stores: Stores, pair: Pair) -> None:
    key = f"{pair.seller:>32}".encode()
    with stores.ledger.transaction() as transaction:
        assert transaction.role_of_key(key) is None
        transaction.add_key(key, pair.seller, NOW_US)
        assert transaction.role_of_key(key) == "market_maker"
        transaction.revoke_keys(pair.seller, NOW_US)
        assert transaction.role_of_key(key) is None


def test_a_suspension_is_stored_with_its_reason_and_lifted(stores: Stores, pair: Pair) -> None:
    suspended = Suspension(NOW_US, "trades with itself")
    with stores.ledger.transaction() as transaction:
        assert transaction.lock_client("nobody") is None
        transaction.set_suspension(pair.buyer, suspended)
        transaction.set_rate_limit(pair.buyer, 7)
    with stores.ledger.transaction() as transaction:
        assert transaction.lock_client(pair.buyer) == ClientState("market_maker", 7, suspended)
        transaction.set_suspension(pair.buyer, None)
    with stores.ledger.transaction() as transaction:
        assert transaction.lock_client(pair.buyer) == ClientState("market_maker", 7, None)


def test_a_cancel_timer_is_set_anew_and_removed(stores: Stores, pair: Pair) -> None:
    with stores.ledger.transaction() as transaction:
        transaction.set_cancel_timer("suspension:x", pair.buyer, NOW_US)
        transaction.set_cancel_timer("suspension:x", pair.buyer, NOW_US + 1)
        transaction.remove_cancel_timer("suspension:x")
        transaction.remove_cancel_timer("suspension:x")


def test_an_administrator_is_the_last_when_no_other_has_a_key(stores: Stores) -> None:
    first, second = f"admin{next(_numbers)}", f"admin{next(_numbers)}"
    stores.administration.create_client(first, "administrator")
    stores.administration.create_client(second, "administrator")
    with stores.ledger.transaction() as transaction:
        assert transaction.has_other_administrator(first)
    with stores.ledger.transaction() as transaction:
        transaction.set_suspension(second, Suspension(NOW_US, None))
        assert not transaction.has_other_administrator(first)
        transaction.set_suspension(second, None)
    stores.clients.revoke_keys(second)
    with stores.ledger.transaction() as transaction:
        assert not transaction.has_other_administrator(first)
        assert transaction.has_other_administrator(second)
        transaction.revoke_keys(first, NOW_US)


def test_work_is_tried_until_it_commits(stores: Stores, pair: Pair) -> None:
    attempts = []

    def work(transaction: LedgerTransaction) -> int:
        attempts.append(1)
        settle(transaction, pair)
        if len(attempts) < 3:
            raise DatabaseUnavailable("away for a moment")
        return len(attempts)

    assert stores.ledger.run(work) == 3
    with stores.ledger.transaction() as transaction:
        assert pair.standing(transaction)[pair.buyer, "AAPL"] == (4, 0)


@pytest.mark.parametrize("word", ["null", "NULL"])
def test_a_name_that_is_a_word_of_the_database_is_a_name(stores: Stores, word: str) -> None:
    stores.administration.create_client(word, "market_maker", 5, {})
    with stores.ledger.transaction() as transaction:
        found = transaction.transfer(f"start:{word}")
    assert found is not None
    assert found.legs == (Leg(BANK, CASH, -5), Leg(word, CASH, 5))


def test_no_security_is_called_like_cash(stores: Stores) -> None:
    with pytest.raises(Refused, match="cash"):
        stores.administration.list_security(
            Security(CASH, "Dollars", 0, 100, 1, 5000, 1_000_000), 1
        )


def test_shares_are_not_deposited_from_the_issuer_to_itself(stores: Stores) -> None:
    with pytest.raises(Refused, match="issuer"):
        stores.administration.deposit(ISSUER, "AAPL", 1, "to itself")


def test_an_amount_that_no_account_can_hold_is_refused(stores: Stores, pair: Pair) -> None:
    with pytest.raises(Refused, match="more than"):
        stores.administration.deposit(pair.buyer, CASH, (1 << 63) - 1, f"too much for {pair.buyer}")


def test_a_client_whose_name_is_none_is_unknown(stores: Stores) -> None:
    for work in (stores.clients.add_key, stores.clients.revoke_keys):
        with pytest.raises(Refused, match="no client"):
            work("a\0b")
