"""What a round's archive tells when it is played again: trades, reports, settlements, commands."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from market_data_feed.domain.batch_effect import RecordedTrade
from market_data_feed.domain.execution_report import ExecutionReport
from venue_competition.course import Course
from venue_competition.round_record import Movement, RoundRecord, RoundTrade, SentCommand
from venue_protocol.settlement import DERIVED_KINDS, SettlementReport

_CLOSED = frozenset({"filled", "canceled", "rejected", "expired"})


@dataclass(frozen=True)
class RoundHistory:
    """One round, in the order of the log."""

    reference_e4: Mapping[str, int]
    """Reference price by security."""
    trades: Sequence[RecordedTrade]
    reports: Mapping[str, Sequence[ExecutionReport]]
    """Of orders, by client."""
    settlements: Mapping[str, Sequence[SettlementReport]]
    """By client."""
    commands: Sequence[SentCommand]


def record_of(history: RoundHistory, course: Course) -> RoundRecord:
    """What scoring reads of it."""
    movements = [
        Movement(
            report.time_us,
            report.client_id,
            report.cash_e4,
            report.security_id,
            report.shares,
            report.settlement_kind in DERIVED_KINDS,
        )
        for reports in history.settlements.values()
        for report in reports
    ]
    movements.sort(key=lambda movement: movement.time_us)
    return RoundRecord(
        start_us=course.start_us,
        end_us=course.end_us,
        reference_e4=history.reference_e4,
        trades=[_trade(trade) for trade in history.trades],
        movements=movements,
        commands=history.commands,
        open_orders={client: most_open(reports) for client, reports in history.reports.items()},
    )


def most_open(reports: Sequence[ExecutionReport]) -> int:
    """The largest number of orders that were open at once after one of these reports."""
    working: set[int] = set()
    most = 0
    for report in reports:
        if report.order_id is None or report.kind in ("cancel_rejected", "amend_rejected"):
            continue
        if report.status in _CLOSED:
            working.discard(report.order_id)
        else:
            working.add(report.order_id)
            most = max(most, len(working))
    return most


def by_client(reports: Sequence[ExecutionReport]) -> dict[str, list[ExecutionReport]]:
    """Reports of each client, in their order."""
    found: dict[str, list[ExecutionReport]] = defaultdict(list)
    for report in reports:
        found[report.client_id].append(report)
    return dict(found)


def _trade(trade: RecordedTrade) -> RoundTrade:
    return RoundTrade(
        trade_id=trade.trade_id,
        time_us=trade.time_us,
        security=trade.security_id,
        price_e4=trade.price_e4,
        quantity=trade.quantity,
        buyer=trade.buy_client_id,
        seller=trade.sell_client_id,
        aggressor=trade.aggressor,
    )
