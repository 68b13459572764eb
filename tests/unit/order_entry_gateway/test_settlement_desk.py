"""How the venue settles, and what clients ask for deliveries: what is logged, what is refused."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from order_entry_gateway.domain.coverage import Accepted, Decision
from order_entry_gateway.domain.validation import Candidate
from order_entry_gateway.settlement_desk import (
    MOST_EXEMPT,
    BuyInRequest,
    ExemptionRequest,
    SettlementModeDesk,
    SettlementRequest,
)
from tests.unit.order_entry_gateway.test_trading_phases import SECURITIES
from venue_protocol.commands import ExemptShares, NotifyBuyIn, SetSettlement, StartSettlementCycle
from venue_protocol.refusals import Refused
from venue_protocol.settlement_modes import MOST_LAG


class Logged:
    """A queue that accepts everything."""

    def __init__(self) -> None:
        self.commands: list[Any] = []

    def submit(self, candidates: Sequence[Candidate]) -> list[Decision]:
        accepted = [
            Accepted(each.shard, each.command, None, 7, 9)  # type: ignore[union-attr]
            for each in candidates
        ]
        self.commands += [each.command for each in accepted]
        return list(accepted)

    def enqueue(self, candidates: Sequence[Candidate]) -> Any:
        raise AssertionError("the desk waits for what it logs")


@pytest.fixture
def queue() -> Logged:
    return Logged()


@pytest.fixture
def desk(queue: Logged) -> SettlementModeDesk:
    return SettlementModeDesk(queue, SECURITIES)


def refused(do: Callable[[], object]) -> tuple[str, str | None]:
    """Code and field of the refusal."""
    with pytest.raises(Refused) as raised:
        do()
    return raised.value.refusal.reason.code, raised.value.refusal.field


def test_modes_and_cycles_are_logged_for_each_shard(
    desk: SettlementModeDesk, queue: Logged
) -> None:
    desk.set("boss", SettlementRequest("net", 5, lag=1))
    desk.start_cycle("boss")
    shards = len({security.shard for security in SECURITIES.values()})
    assert (
        queue.commands
        == [SetSettlement("boss", "net", 5_000_000, False, 1)] * shards
        + [StartSettlementCycle("boss")] * shards
    )


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (SettlementRequest("net", 0), "every_s"),
        (SettlementRequest("net", 86_401), "every_s"),
        (SettlementRequest("net", lag=-1), "lag"),
        (SettlementRequest("net", lag=MOST_LAG + 1), "lag"),
        (SettlementRequest("gross", 5), "mode"),
        (SettlementRequest("gross", at_close=True), "mode"),
        (SettlementRequest("gross", lag=1), "mode"),
    ],
)
def test_a_mode_that_can_not_be_is_refused(
    desk: SettlementModeDesk, queue: Logged, request_: SettlementRequest, field: str
) -> None:
    assert refused(lambda: desk.set("boss", request_)) == ("request.invalid_field", field)
    assert queue.commands == []


def test_an_exemption_and_a_notice_are_logged_under_the_client(
    desk: SettlementModeDesk, queue: Logged
) -> None:
    desk.exempt("bob", ExemptionRequest("AAPL", 20, b'"50.00"'))  # type: ignore[arg-type]
    desk.notify_buy_in("ann", BuyInRequest("AAPL"))
    assert queue.commands == [
        ExemptShares("bob", "AAPL", 20, 500_000),
        NotifyBuyIn("ann", "AAPL"),
    ]


@pytest.mark.parametrize(
    ("security", "quantity", "deposit", "expected"),
    [
        ("AAPL", -1, b'"0.00"', ("request.invalid_field", "quantity")),
        ("AAPL", MOST_EXEMPT + 1, b'"1.00"', ("request.invalid_field", "quantity")),
        ("AAPL", 1 << 63, b'"1.00"', ("request.invalid_field", "quantity")),
        ("AAPL", 0, b'"1.00"', ("request.invalid_field", "deposit")),
        ("AAPL", 1, b'"-1.00"', ("request.invalid_field", "deposit")),
        ("AAPL", 1, b'"1.00001"', ("request.invalid_field", "deposit")),
        ("NONE", 1, b'"1.00"', ("security.unknown", "security")),
    ],
)
def test_an_exemption_that_can_not_be_is_refused(
    desk: SettlementModeDesk,
    queue: Logged,
    security: str,
    quantity: int,
    deposit: bytes,
    expected: tuple[str, str],
) -> None:
    request = ExemptionRequest(security, quantity, deposit)  # type: ignore[arg-type]
    assert refused(lambda: desk.exempt("bob", request)) == expected
    assert queue.commands == []
