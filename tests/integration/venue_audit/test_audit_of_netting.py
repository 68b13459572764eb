"""The audit derives cycles and obligations from the log, and names what is changed in a table."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from migrations.provision import drop
from order_entry_gateway.domain.trading_phases import SessionCandidate
from order_entry_gateway.domain.validation import DeliveryCandidate
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.verdicts import audited, differences, said
from tests.provisioning import provision_seeded
from venue_protocol.commands import (
    ExemptShares,
    NotifyBuyIn,
    SetSettlement,
    StartSettlementCycle,
)


def command(venue: SyntheticVenue, *commands: SetSettlement | StartSettlementCycle) -> None:
    for each in commands:
        venue.clock.advance(1)
        venue.commit([SessionCandidate(shard, each) for shard in range(len(venue.engines))])


NET = SetSettlement("boss", "net", lag=1)
CYCLE = StartSettlementCycle("boss")


def play_net(venue: SyntheticVenue) -> None:
    """Some trades gross, then cycles of net ones, and some that are still open."""
    venue.open_accounts()
    venue.play(20)
    command(venue, NET)
    for number in range(6):
        venue.play(20)
        if number < 2:
            for name in ("maker0", "maker1", "trader1"):
                exemption = ExemptShares(name, "AAPL", 40, 1_000_000 // (number + 1))
                venue.commit([DeliveryCandidate(0, exemption)])
        if number == 3:
            venue.commit([DeliveryCandidate(0, NotifyBuyIn("maker1", "AAPL"))])
        command(venue, CYCLE)
    venue.play(30)
    venue.commit([DeliveryCandidate(0, ExemptShares("maker0", "MSFT", 5, 20_000))])
    venue.record()


KEYS = {
    "net_obligations": ("shard", "cycle", "client_id", "security_id"),
    "net_volumes": ("shard", "cycle", "security_id"),
    "settlement_cycles": ("shard", "number"),
    "journals": ("journal_id",),
    "delivery_terms": ("client_id", "security_id"),
}


@pytest.fixture(scope="module", params=[1, 2], ids=["one shard", "two shards"])
def netted(request: pytest.FixtureRequest, postgres_url: str) -> Iterator[SyntheticVenue]:
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance), 3, request.param)
    try:
        play_net(venue)
        yield venue
    finally:
        venue.close()
        drop(postgres_url, instance)


def test_a_history_of_cycles_is_equal(netted: SyntheticVenue) -> None:
    verdict = audited(netted)
    assert verdict.is_equal, said(verdict)
    assert verdict.counts["settlement_cycles"] == 6 * len(netted.engines)
    assert verdict.counts["net_obligations"] > 4
    kinds = dict(
        netted.read("clearing", "SELECT journal_kind, count(*) FROM journals GROUP BY journal_kind")
    )
    assert kinds["net_settlement"] > 6 and kinds["fails_charge"] > 0
    assert netted.read("clearing", "SELECT FROM settlement_cycles WHERE fails > 0")


@pytest.mark.parametrize(
    ("table", "where", "column", "change", "what"),
    [
        ("net_obligations", "quantity > 0", "quantity", lambda was: was - 1, "net_obligation"),
        ("net_obligations", "cash_e4 < 0", "cash_e4", lambda was: was + 1, "net_obligation"),
        ("net_volumes", "trades > 0", "value_e4", lambda was: was + 1, "net_volume"),
        ("settlement_cycles", "number = 3", "net_cash_e4", lambda was: was + 1, "settlement_cycle"),
        ("settlement_cycles", "number = 3", "movements", lambda was: was - 1, "settlement_cycle"),
        ("delivery_terms", "exempt > 0", "exempt", lambda was: was - 1, "delivery_terms"),
        ("delivery_terms", "exempt > 0", "deposit_e4", lambda was: was + 1, "delivery_terms"),
        ("journals", "reference = 'net:0:3:USD:1'", "time_us", lambda was: was + 1, "journal"),
        (
            "journals",
            "reference = 'net:0:3:USD:1'",
            "reference",
            lambda was: "net:0:3:x",
            "journal",
        ),
    ],
)
def test_one_unit_elsewhere_is_named(
    netted: SyntheticVenue,
    table: str,
    where: str,
    column: str,
    change: Callable[[Any], Any],
    what: str,
) -> None:
    key = "row(" + ", ".join(KEYS[table]) + ")::text"
    (row, *_), *_ = netted.read("clearing", f"SELECT {key} FROM {table} WHERE {where} ORDER BY 1")
    where = f"{key} = '{row}'"
    with netted.planted("clearing", table, where, column, change):
        found = differences(netted)
    assert (what, column) in {(item.what, item.field) for item in found}


@pytest.mark.parametrize("table", ["net_obligations", "net_volumes", "settlement_cycles"])
def test_a_missing_row_is_named(netted: SyntheticVenue, table: str) -> None:
    ((ctid,),) = netted.read("clearing", f"SELECT ctid::text FROM {table} LIMIT 1")
    with netted.missing("clearing", table, f"ctid = '{ctid}'"):
        found = differences(netted)
    assert (table.removesuffix("s"), "row") in {(item.what, item.field) for item in found}
    assert audited(netted).is_equal
