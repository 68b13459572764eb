"""What the door may rely on in its order log, whichever body it has."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from order_entry_gateway.ports import LogTransaction, NameTaken
from tests.contract.clearing_stores import Stores, memory_stores, postgres_stores
from venue_protocol.trading_day import BandRow, PhaseRow
from venue_storage.clearing_rows import LogRow

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


@pytest.fixture
def client(stores: Stores) -> str:
    """A client with $100.00 and 10 shares of AAPL."""
    name = f"log{next(_numbers)}"
    stores.administration.create_client(name, "market_maker", 1_000_000, {"AAPL": 10})
    return name


class Broken(Exception):
    """Something goes wrong inside a transaction."""


def log(
    transaction: LogTransaction,
    client: str,
    text: str,
    name: str | None = None,
    amends: int | None = None,
) -> int:
    """Append one command; its sequence."""
    sequence, time_us = transaction.draw_sequences(0, 1, NOW_US)
    transaction.append([LogRow(0, sequence, time_us, client, name, amends, text)])
    return sequence


def held(stores: Stores, client: str) -> tuple[int, int]:
    """Cash and shares of AAPL held."""
    with stores.log.transaction() as transaction:
        ((_, _, cash),) = transaction.lock_accounts([client])
        ((_, _, _, shares),) = transaction.lock_deposits([(client, "AAPL")])
    return cash, shares


def test_what_is_appended_is_found_by_place_and_by_name(stores: Stores, client: str) -> None:
    with stores.log.transaction() as transaction:
        sequence = log(transaction, client, '{"tab":"\\t","slash":"\\\\"}', "one")
    with stores.log.transaction() as transaction:
        named = list(transaction.named([(client, "one"), (client, "two"), ("nobody", "one")]))
        placed = list(transaction.commands([(0, sequence), (0, 1 << 40)]))
    assert [(row[0], row[1], row[3], row[4], row[5]) for row in named] == [
        (0, sequence, client, "one", '{"tab":"\\t","slash":"\\\\"}')
    ]
    assert placed == [(0, sequence, '{"tab":"\\t","slash":"\\\\"}')]


def test_the_newest_amend_of_an_order_counts(stores: Stores, client: str) -> None:
    with stores.log.transaction() as transaction:
        order_id = log(transaction, client, "place")
        log(transaction, client, "first amend", amends=order_id)
    with stores.log.transaction() as transaction:
        log(transaction, client, "second amend", amends=order_id)
        assert [text for _, text in transaction.newest_amends([order_id, 1 << 39])] == [
            "second amend"
        ]


def test_numbers_have_no_gap_and_time_rises_even_when_the_clock_goes_back(stores: Stores) -> None:
    with stores.log.transaction() as transaction:
        first, first_us = transaction.draw_sequences(0, 3, NOW_US)
    with stores.log.transaction() as transaction:
        second, second_us = transaction.draw_sequences(0, 1, NOW_US - 10_000_000)
        assert transaction.log_time_us(0) == second_us
    assert second == first + 3
    assert second_us == first_us + 1
    _fill(stores, first, 4)


def _fill(stores: Stores, first: int, count: int) -> None:
    """Use the numbers drawn, so that the log has no hole for the tests that follow."""
    with stores.log.transaction() as transaction:
        transaction.append(
            [LogRow(0, first + number, NOW_US, "filler", None, None, "") for number in range(count)]
        )


def test_after_an_error_nothing_of_a_transaction_is_left(stores: Stores, client: str) -> None:
    with stores.log.transaction() as transaction:
        before = log(transaction, client, "before")
    with pytest.raises(Broken), stores.log.transaction() as transaction:
        log(transaction, client, "lost", "lost")
        transaction.hold_cash([(client, 700_000)])
        transaction.hold_shares([(client, "AAPL", 7)])
        raise Broken
    assert held(stores, client) == (0, 0)
    with stores.log.transaction() as transaction:
        assert list(transaction.named([(client, "lost")])) == []
        assert log(transaction, client, "after") == before + 1


def test_holds_are_stored_with_the_log(stores: Stores, client: str) -> None:
    with stores.log.transaction() as transaction:
        log(transaction, client, "order")
        transaction.hold_cash([(client, 1_000_000)])
        transaction.hold_shares([(client, "AAPL", 10)])
    assert held(stores, client) == (1_000_000, 10)


def test_a_name_stands_for_one_command_of_its_client(stores: Stores, client: str) -> None:
    with stores.log.transaction() as transaction:
        log(transaction, client, "first", "name")
    with pytest.raises(NameTaken), stores.log.transaction() as transaction:
        transaction.hold_cash([(client, 5)])
        log(transaction, client, "second", "name")
    assert held(stores, client) == (0, 0)
    with stores.log.transaction() as transaction:
        log(transaction, "another", "the same name of another client", "name" + client)
        assert [row[5] for row in transaction.named([(client, "name")])] == ["first"]


def test_a_number_taken_is_no_name_taken(stores: Stores, client: str) -> None:
    """It can't happen; if it does, it must stop the gateway and not be tried again."""
    with stores.log.transaction() as transaction:
        sequence = log(transaction, client, "first")
    with pytest.raises(stores.refused), stores.log.transaction() as transaction:
        transaction.append([LogRow(0, sequence, NOW_US, client, None, None, "again")])


@pytest.mark.parametrize("amount", [-1, 1_000_001])
def test_nobody_holds_more_cash_than_he_has_nor_less_than_nothing(
    stores: Stores, client: str, amount: int
) -> None:
    with pytest.raises(stores.refused), stores.log.transaction() as transaction:
        transaction.hold_cash([(client, amount)])
    assert held(stores, client) == (0, 0)


@pytest.mark.parametrize("amount", [-1, 11])
def test_nobody_holds_more_shares_than_he_has_nor_less_than_none(
    stores: Stores, client: str, amount: int
) -> None:
    with pytest.raises(stores.refused), stores.log.transaction() as transaction:
        transaction.hold_shares([(client, "AAPL", amount)])
    assert held(stores, client) == (0, 0)


def test_who_has_no_account_or_deposit_is_left_out(stores: Stores, client: str) -> None:
    with stores.log.transaction() as transaction:
        assert list(transaction.lock_accounts([client, "nobody"])) == [(client, 1_000_000, 0)]
        assert list(transaction.lock_deposits([(client, "AAPL"), (client, "MSFT")])) == [
            (client, "AAPL", 10, 0)
        ]


def test_transactions_at_the_same_time_draw_numbers_one_after_the_other(
    stores: Stores, client: str
) -> None:
    def one(number: int) -> int:
        with stores.log.transaction() as transaction:
            ((_, _, cash),) = transaction.lock_accounts([client])
            transaction.hold_cash([(client, cash + 1)])
            return log(transaction, client, str(number))

    with ThreadPoolExecutor(3) as pool:
        sequences = sorted(pool.map(one, range(30)))
    assert sequences == list(range(sequences[0], sequences[0] + 30))
    assert held(stores, client) == (30, 0)


def test_commanded_phases_are_replaced_by_shard_and_security_and_lost_with_their_transaction(
    stores: Stores,
) -> None:
    whole, single = (
        PhaseRow(0, "", "closed", "night", None, 5, 1),
        PhaseRow(0, "AAPL", "halted", None, 9, 5, 1),
    )
    with stores.log.transaction() as transaction:
        transaction.put_session_phases([whole, single])
    with pytest.raises(Broken), stores.log.transaction() as transaction:
        transaction.put_session_phases([whole._replace(phase="continuous")])
        raise Broken
    with stores.log.transaction() as transaction:
        transaction.put_session_phases(
            [single._replace(phase="continuous", lasts_us=None, sequence=2)]
        )
        assert sorted(transaction.session_phases(True)) == [
            whole,
            PhaseRow(0, "AAPL", "continuous", None, None, 5, 2),
        ]
        transaction.put_session_phases(
            [whole._replace(phase="continuous"), single._replace(phase="continuous")]
        )


def test_who_waited_for_a_first_phase_sees_it(stores: Stores) -> None:
    halt = PhaseRow(0, "FIRST", "halted", None, None, 5, 1)
    with ThreadPoolExecutor(1) as pool:
        with stores.log.transaction() as transaction:
            assert halt not in list(transaction.session_phases(True))
            reading = pool.submit(_phases_shared, stores)
            assert not wait([reading], 0.2).done
            transaction.put_session_phases([halt])
        assert halt in reading.result(10)
    with stores.log.transaction() as transaction:
        transaction.put_session_phases([halt._replace(phase="continuous")])


def _phases_shared(stores: Stores) -> list[PhaseRow]:
    with stores.log.transaction() as transaction:
        return list(transaction.session_phases(False))


def test_a_shard_has_bands_while_one_of_its_securities_has(stores: Stores) -> None:
    band = BandRow(0, "AAPL", 500, 1, 2, 3)
    with stores.log.transaction() as transaction:
        assert not transaction.has_bands(0)
        transaction.put_session_bands([band, band._replace(security_id="MSFT")])
        assert transaction.has_bands(0)
        assert not transaction.has_bands(1)
        off = band._replace(band_bps=None)
        transaction.put_session_bands([off, off._replace(security_id="MSFT")])
        assert not transaction.has_bands(0)
