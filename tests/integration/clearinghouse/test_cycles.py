"""Cycles of net settlement on a real database: killed at any statement, settled once."""

import msgspec
import pytest

from tests.integration.clearinghouse.test_settlement_desk import Desk, Killed, desk, killing
from venue_protocol.events import SettlementCycle

__all__ = ["desk"]


def netting(desk: Desk) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Number, trades and movements of its cycles; what is open."""
    with desk.database.transaction() as cursor:
        cursor.execute(
            "SELECT number, trades, movements FROM settlement_cycles WHERE shard = %s"
            " ORDER BY number",
            (desk.shard,),
        )
        cycles = list(cursor.fetchall())
        cursor.execute(
            "SELECT quantity, cash_e4 FROM net_obligations WHERE shard = %s", (desk.shard,)
        )
        return cycles, list(cursor.fetchall())


def test_killed_at_any_statement_of_a_cycle_and_redelivered_it_settles_exactly_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cycle with trades before it in the same batch."""
    original = desk.database.transaction
    kills = 0
    for number in range(1, 60):
        net = {"settlement_cycle": number}
        trades = [
            msgspec.structs.replace(desk.covered_trade(10 * number + place, 1), **net)
            for place in (1, 2)
        ]
        batch = desk.batch(*trades, SettlementCycle(desk.shard, number))
        before = (desk.state(), netting(desk))
        monkeypatch.setattr(
            desk.database, "transaction", lambda limit=number: killing(original, limit)
        )
        try:
            desk.desk.settle([batch])
            is_killed = False
        except Killed:
            is_killed, kills = True, kills + 1
        finally:
            monkeypatch.setattr(desk.database, "transaction", original)
        if is_killed:
            assert (desk.state(), netting(desk)) == before
            desk.desk.settle([batch])
        after = (desk.state(), netting(desk))
        desk.desk.settle([batch])
        assert (desk.state(), netting(desk)) == after
        cycles, open_rows = after[1]
        assert cycles[-1] == (number, 2, 4) and not open_rows
        if not is_killed:
            break
    assert kills >= 10
