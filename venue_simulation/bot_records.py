"""The venue's own records as a bot reads them: what the live API would have sent."""

from decimal import Decimal
from functools import cache

from market_data_feed.domain.batch_effect import RecordedTrade
from market_data_feed.domain.execution_report import ExecutionReport
from trading_bots.commands import Amend, Cancel, Command, Place
from trading_bots.records import Fill, OrderReport, PublicTrade, SettlementReport
from venue_protocol import codec
from venue_protocol.money import format_e4
from venue_protocol.refusals import Refusal


@cache
def dollars(price_e4: int) -> Decimal:
    """A price as a bot reads it. A band has few prices, so they are kept."""
    return Decimal(format_e4(price_e4))


def order_report(report: ExecutionReport) -> OrderReport:
    """One message of the `orders` channel."""
    return OrderReport(
        kind=report.kind,
        status=report.status,
        order_id=report.order_id,
        client_order_id=report.client_order_id,
        security=report.security_id,
        side=report.side,
        quantity=report.quantity or 0,
        filled=report.filled or 0,
        leaves=report.leaves or 0,
        price=_price(report.price_e4),
        reason=report.reason,
        time_us=report.time_us,
        trade_id=report.trade_id,
        last_price=_price(report.last_price_e4),
        last_quantity=report.last_quantity,
        role=_role(report) if report.kind == "trade" else None,
        fee=dollars(report.fee_e4 or 0),
        sequence=report.event_sequence,
    )


def refused_report(command: Command, refusal: Refusal, time_us: int) -> OrderReport:
    """What the runner says of a command that the door refused."""
    is_order = isinstance(command, Place)
    return OrderReport(
        kind="rejected" if is_order else _REJECTED.get(type(command), "cancel_rejected"),
        status="rejected" if is_order else None,
        order_id=getattr(command, "order_id", None),
        client_order_id=getattr(command, "client_order_id", None),
        security=getattr(command, "security", None),
        side=command.side.upper() if isinstance(command, Place) else None,
        quantity=command.quantity if isinstance(command, Place) else 0,
        reason=refusal.reason.code,
        time_us=time_us,
    )


def fill(report: ExecutionReport) -> Fill:
    """One message of the `fills` channel."""
    return Fill(
        trade_id=report.trade_id or 0,
        order_id=report.order_id or 0,
        security=report.security_id or "",
        side=report.side or "",
        price=dollars(report.last_price_e4 or 0),
        quantity=report.last_quantity or 0,
        time_us=report.time_us,
        sequence=report.event_sequence,
        client_order_id=report.client_order_id,
        role=_role(report),
        fee=dollars(report.fee_e4 or 0),
    )


def settlement_report(text: str) -> SettlementReport:
    """One message of the `settlements` channel, from the report's canonical text."""
    report = codec.decode_report(text)
    return SettlementReport(
        sequence=report.sequence,
        client_id=report.client_id,
        client_sequence=report.client_sequence,
        settlement_kind=report.settlement_kind,
        cash=Decimal(format_e4(report.cash_e4)),
        shares=report.shares,
        balance=Decimal(format_e4(report.balance_e4)),
        time_us=report.time_us,
        security=report.security_id,
        holding=report.holding,
        trade_id=report.trade_id,
        order_id=report.order_id,
        settlement_cycle=report.settlement_cycle,
        settled_cash=Decimal(format_e4(report.settled_cash_e4)),
        settled_shares=report.settled_shares,
        open_shares=report.open_shares,
        fee=dollars(report.fee_e4),
        previous_hash=report.previous_hash,
        hash=report.hash,
    )


def public_trade(trade: RecordedTrade) -> PublicTrade:
    """One message of the `trades` channel."""
    return PublicTrade(
        trade_id=trade.trade_id,
        security=trade.security_id,
        price=dollars(trade.price_e4),
        quantity=trade.quantity,
        aggressor=trade.aggressor,
        time_us=trade.time_us,
    )


_REJECTED: dict[type, str] = {Amend: "amend_rejected", Cancel: "cancel_rejected"}


def _price(price_e4: int | None) -> Decimal | None:
    return dollars(price_e4) if price_e4 is not None else None


def _role(report: ExecutionReport) -> str:
    if report.is_aggressor is None:
        return "auction"
    return "taker" if report.is_aggressor else "maker"
