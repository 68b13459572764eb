"""The organiser's rescue: what changes, what is recorded, what is refused."""

import json
import logging

import pytest

from clearinghouse.client_administration import MOST_REASON
from tests.contract.clearing_stores import Stores, memory_stores
from venue_protocol.refusals import Refused, RejectReason
from venue_storage.clearing_rows import ActionRow


class Desk:
    """A venue in memory with one trader, ann."""

    def __init__(self) -> None:
        self.stores: Stores = memory_stores()
        self.clients, self.administration = self.stores.clients, self.stores.administration
        self.tables = self.stores.ledger._clearing.tables  # type: ignore[attr-defined]
        self.administration.create_client("ann", "trader")
        self.tables.actions.clear()

    def actions(self) -> list[tuple[str, str, str | None, str | None]]:
        rows: list[ActionRow] = list(self.tables.actions.values())
        return [(row.action, row.administrator, row.client_id, row.reason) for row in rows]

    def good_keys(self, client_id: str) -> int:
        keys = self.tables.keys.values()
        return sum(owner == client_id and revoked is None for owner, revoked in keys)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def reason_of(refused: pytest.ExceptionInfo[Refused]) -> RejectReason:
    return refused.value.refusal.reason


def test_a_suspension_is_kept_with_its_reason_and_keys_still_work(desk: Desk) -> None:
    suspension = desk.clients.suspend("ann", "trades with itself", "boss")
    assert desk.tables.suspensions == {"ann": suspension}
    assert suspension.reason == "trades with itself"
    assert desk.good_keys("ann") == 1
    assert desk.actions() == [("suspend", "boss", "ann", "trades with itself")]


def test_a_suspension_has_the_orders_canceled_now_and_once_more(desk: Desk) -> None:
    """The second cancel takes orders that a gateway was just entering at the suspension."""
    since_us = desk.clients.suspend("ann").since_us
    assert sorted(desk.tables.cancel_timers.values()) == [
        ("ann", since_us),
        ("ann", since_us + 2_000_000),
    ]


def test_a_second_suspension_keeps_the_first(desk: Desk) -> None:
    first = desk.clients.suspend("ann", "one", "boss")
    assert desk.clients.suspend("ann", "two", "boss") == first
    assert len(desk.actions()) == 1


def test_a_resumed_client_is_as_before_and_keeps_its_new_orders(desk: Desk) -> None:
    desk.clients.suspend("ann", None, "boss")
    assert desk.clients.resume("ann", "boss")
    assert not desk.tables.suspensions and not desk.tables.cancel_timers
    assert not desk.clients.resume("ann", "boss")
    assert desk.actions() == [("suspend", "boss", "ann", None), ("resume", "boss", "ann", None)]


@pytest.mark.parametrize("reason", ["a\nb", "x" * (MOST_REASON + 1)])
def test_a_reason_fits_into_a_line(desk: Desk, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        desk.clients.suspend("ann", reason)
    assert reason_of(refused) is RejectReason.INVALID_FIELD
    assert not desk.tables.suspensions


def test_rotated_keys_leave_one_that_works(desk: Desk) -> None:
    desk.clients.add_key("ann", "boss")
    key = desk.clients.rotate_keys("ann", "boss")
    assert key.startswith("vk_") and desk.good_keys("ann") == 1
    assert [action for action, *_ in desk.actions()] == ["add_key", "rotate_keys"]


def test_a_rate_limit_is_set_recorded_and_taken_back(desk: Desk) -> None:
    desk.clients.set_rate_limit("ann", 5, "boss")
    assert desk.tables.rate_limits["ann"] == 5
    desk.clients.set_rate_limit("ann", None, "boss")
    assert desk.tables.rate_limits["ann"] is None
    details = [json.loads(row.details) for row in desk.tables.actions.values()]
    assert details == [{"before": None, "after": 5}, {"before": 5, "after": None}]


@pytest.mark.parametrize("limit", [0, -1, 1_000_001])
def test_a_rate_limit_out_of_range_is_refused(desk: Desk, limit: int) -> None:
    with pytest.raises(Refused) as refused:
        desk.clients.set_rate_limit("ann", limit)
    assert reason_of(refused) is RejectReason.INVALID_FIELD


def test_the_last_administrators_keys_are_not_revoked(desk: Desk) -> None:
    desk.administration.create_client("boss", "administrator")
    with pytest.raises(Refused) as refused:
        desk.clients.revoke_keys("boss", "boss")
    assert reason_of(refused) is RejectReason.LAST_ADMINISTRATOR
    assert desk.good_keys("boss") == 1
    desk.clients.rotate_keys("boss", "boss")
    assert desk.good_keys("boss") == 1, "a key may always be replaced"


def test_an_administrators_keys_are_revoked_while_another_has_one(desk: Desk) -> None:
    desk.administration.create_client("boss", "administrator")
    desk.administration.create_client("deputy", "administrator")
    assert desk.clients.revoke_keys("boss", "deputy") == 1
    with pytest.raises(Refused) as refused:
        desk.clients.revoke_keys("deputy", "deputy")
    assert reason_of(refused) is RejectReason.LAST_ADMINISTRATOR


def test_the_last_administrator_is_not_suspended(desk: Desk) -> None:
    desk.administration.create_client("boss", "administrator")
    with pytest.raises(Refused, match="boss is the last administrator") as refused:
        desk.clients.suspend("boss", "by mistake", "boss")
    assert reason_of(refused) is RejectReason.LAST_ADMINISTRATOR
    assert not desk.tables.suspensions and not desk.tables.cancel_timers
    assert desk.actions()[1:] == [], "only the creation is on record"


def test_a_suspended_administrator_is_none_that_could_take_over(desk: Desk) -> None:
    desk.administration.create_client("boss", "administrator")
    desk.administration.create_client("deputy", "administrator")
    desk.clients.suspend("deputy", None, "boss")
    for change in (desk.clients.suspend, desk.clients.revoke_keys):
        with pytest.raises(Refused) as refused:
            change("boss")
        assert reason_of(refused) is RejectReason.LAST_ADMINISTRATOR
    desk.clients.resume("deputy", "boss")
    desk.clients.suspend("boss", None, "deputy")
    assert set(desk.tables.suspensions) == {"boss"}


def test_the_launcher_gets_a_key_that_works_again(desk: Desk) -> None:
    first = desk.administration.ensure_administrator(None)
    assert first is not None
    assert desk.administration.ensure_administrator(first) is None
    second = desk.clients.rotate_keys("administrator")
    third = desk.administration.ensure_administrator(first)
    assert third is not None and third not in (first, second)
    assert desk.administration.ensure_administrator(third) is None


def test_a_traders_key_in_the_launchers_file_is_replaced(desk: Desk) -> None:
    key = desk.clients.add_key("ann")
    assert desk.administration.ensure_administrator(key) is not None


def test_an_unknown_client_is_refused_everywhere(desk: Desk) -> None:
    for work in (
        lambda: desk.clients.suspend("nobody"),
        lambda: desk.clients.resume("nobody"),
        lambda: desk.clients.rotate_keys("nobody"),
        lambda: desk.clients.set_rate_limit("nobody", 5),
    ):
        with pytest.raises(Refused) as refused:
            work()
        assert reason_of(refused) is RejectReason.UNKNOWN_CLIENT
    assert not desk.actions()


def test_who_did_what_is_one_line_in_the_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        desk.clients.revoke_keys("ann", "boss")
        desk.administration.deposit("ann", "USD", 5_000, "once", "boss")
        desk.clients.suspend("ann", "why", "boss")
    lines = [record.__dict__ for record in caplog.records if hasattr(record, "action")]
    assert [(line["action"], line["administrator"], line["client_id"]) for line in lines] == [
        ("revoke_keys", "boss", "ann"),
        ("deposit", "boss", "ann"),
        ("suspend", "boss", "ann"),
    ]
    assert json.loads(lines[1]["details"])["amount"] == 5_000


def test_a_repeated_deposit_is_recorded_once(desk: Desk) -> None:
    for _ in range(2):
        desk.administration.deposit("ann", "USD", 5_000, "once", "boss")
    assert [action for action, *_ in desk.actions()] == ["deposit"]


def test_a_withdrawal_is_recorded_under_a_verb_of_its_own(desk: Desk) -> None:
    desk.administration.withdraw("ann", "USD", 5_000, "once", "boss")
    assert [action for action, *_ in desk.actions()] == ["withdraw"]


def test_nothing_is_recorded_of_what_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused):
        desk.administration.deposit("ann", "AAPL", 10**15, "once", "boss")
    assert not desk.actions()


@pytest.mark.parametrize("account", ["bank", "depository", "clearinghouse"])
def test_the_venues_own_accounts_have_no_keys_and_no_suspension(desk: Desk, account: str) -> None:
    for change in (
        desk.clients.add_key,
        desk.clients.rotate_keys,
        desk.clients.revoke_keys,
        desk.clients.suspend,
    ):
        with pytest.raises(Refused, match="is an account of the venue itself"):
            change(account)
    assert desk.good_keys(account) == 0 and desk.actions() == []
