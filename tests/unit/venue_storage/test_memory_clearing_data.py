"""The database in memory fails like a real one: before, during and after a commit, and always
whole.
"""

import pytest

from service_runtime.database import CommitUnknown, DatabaseUnavailable
from venue_storage.memory_clearing_data import AccountRow, MemoryClearing, MemoryTransaction, Moment


class Killed(BaseException):
    """The process ends here."""


class FailsOnce:
    """Raises `error` at the first `moment`."""

    def __init__(self, moment: Moment, error: BaseException) -> None:
        self._moment = moment
        self._error: BaseException | None = error

    def __call__(self, moment: Moment) -> None:
        if moment == self._moment and self._error is not None:
            error, self._error = self._error, None
            raise error


def open_account(transaction: MemoryTransaction) -> None:
    transaction.read()
    transaction.statement()
    transaction.put(transaction.tables.clients, "ann", "trader")
    transaction.put_account("ann", AccountRow(5, 0))


@pytest.mark.parametrize("moment", ["begin", "read", "statement", "commit"])
@pytest.mark.parametrize("error", [Killed(), DatabaseUnavailable(), CommitUnknown()], ids=repr)
def test_what_fails_before_the_commit_leaves_nothing(moment: Moment, error: BaseException) -> None:
    clearing = MemoryClearing()
    clearing.faults = FailsOnce(moment, error)
    with pytest.raises(type(error)), clearing.transaction() as transaction:
        open_account(transaction)
    assert not clearing.tables.clients and not clearing.tables.accounts


def test_what_fails_after_the_commit_is_committed() -> None:
    clearing = MemoryClearing()
    clearing.faults = FailsOnce("committed", Killed())
    with pytest.raises(Killed), clearing.transaction() as transaction:
        open_account(transaction)
    assert clearing.tables.accounts == {"ann": AccountRow(5, 0)}


@pytest.mark.parametrize("moment", ["begin", "read", "statement", "commit", "committed"])
def test_run_repeats_work_until_it_is_known_to_be_committed(moment: Moment) -> None:
    clearing = MemoryClearing()
    clearing.faults = FailsOnce(moment, CommitUnknown())
    clearing.run(open_account)
    assert clearing.tables.accounts == {"ann": AccountRow(5, 0)}


def test_a_rollback_brings_back_what_was_replaced() -> None:
    clearing = MemoryClearing()
    clearing.run(open_account)
    with pytest.raises(Killed), clearing.transaction() as transaction:
        transaction.put_account("ann", AccountRow(9, 9))
        transaction.put_account("ann", AccountRow(8, 8))
        raise Killed
    assert clearing.tables.accounts == {"ann": AccountRow(5, 0)}


def test_only_what_was_written_is_told() -> None:
    clearing, told = MemoryClearing(), []
    clearing.on_commit = lambda: told.append(1)
    with clearing.transaction() as transaction:
        transaction.statement()
    assert not told
    clearing.run(open_account)
    assert told
