"""What the clearinghouse may rely on in the table of join codes, whichever body it has."""

import itertools
import threading
from collections.abc import Iterator

import pytest

from client_enrollment.join_codes import JoinCode
from client_enrollment.ports import JoinCodeExists
from tests.contract.clearing_stores import Stores, memory_stores, postgres_stores

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


def added(stores: Stores, places: int = 3) -> JoinCode:
    """A new code in the table."""
    number = next(_numbers)
    code = JoinCode(f"label{number}", bytes([number]) * 32, places, 0, 1, 1_000)
    with stores.ledger.transaction() as transaction:
        transaction.join_codes.add(code)
    return code


def found(stores: Stores, code: JoinCode) -> JoinCode | None:
    with stores.ledger.transaction() as transaction:
        return transaction.join_codes.lock(code.code_hash)


def test_a_code_is_found_by_its_hash_and_by_no_other(stores: Stores) -> None:
    code = added(stores)
    assert found(stores, code) == code
    assert found(stores, code._replace(code_hash=b"?" * 32)) is None


def test_a_label_is_there_once(stores: Stores) -> None:
    code = added(stores)
    with pytest.raises(JoinCodeExists), stores.ledger.transaction() as transaction:
        transaction.join_codes.add(code._replace(code_hash=b"!" * 32))


def test_codes_are_listed_by_label(stores: Stores) -> None:
    codes = [added(stores), added(stores)]
    with stores.ledger.transaction() as transaction:
        labels = [code.label for code in transaction.join_codes.all()]
    assert labels == sorted(labels) and {code.label for code in codes} <= set(labels)


def test_no_more_places_are_used_than_there_are(stores: Stores) -> None:
    code = added(stores, places=1)
    with stores.ledger.transaction() as transaction:
        transaction.join_codes.use_place(code.label)
    assert found(stores, code) == code._replace(used=1)
    with pytest.raises(stores.refused), stores.ledger.transaction() as transaction:
        transaction.join_codes.use_place(code.label)


def test_a_place_of_a_transaction_that_failed_is_free_again(stores: Stores) -> None:
    code = added(stores)
    with pytest.raises(RuntimeError, match="no"), stores.ledger.transaction() as transaction:
        transaction.join_codes.use_place(code.label)
        raise RuntimeError("no")
    assert found(stores, code) == code


def test_a_code_is_closed_once_and_never_opened_again(stores: Stores) -> None:
    code = added(stores)
    with stores.ledger.transaction() as transaction:
        assert transaction.join_codes.close(code.label, 500) == code
        closed = transaction.join_codes.close(code.label, 900)
        assert closed == code._replace(closes_us=500)
        assert transaction.join_codes.close("none", 500) is None
    assert found(stores, code) == code._replace(closes_us=500)


def test_a_locked_code_waits_for_the_one_before(stores: Stores) -> None:
    code = added(stores, places=1)
    seen: list[int] = []

    def second() -> None:
        again = found(stores, code)
        seen.append(again.used if again else -1)

    with stores.ledger.transaction() as transaction:
        transaction.join_codes.lock(code.code_hash)
        thread = threading.Thread(target=second)
        thread.start()
        transaction.join_codes.use_place(code.label)
    thread.join(10)
    assert seen == [1]
