"""How the feed shows its records: money as decimal strings, times as microseconds and as text."""

from typing import Any

from market_data_feed.adapters.records import OrderRecord, RefusedOrder
from market_data_feed.domain.batch_effect import RecordedTrade
from market_data_feed.domain.execution_report import ExecutionReport
from market_data_feed.domain.market import Level, SecurityMarket, TopOfBook
from market_data_feed.domain.ranking import Account, Holding, Standing
from market_data_feed.domain.trade_corrections import TradeCorrectionRow
from market_data_feed.domain.trading_phases import ActionEvent, Session, SessionRow
from venue_protocol import codec
from venue_protocol.events import CorporateActionApplied, CorporateActionDeclared, DividendPaid
from venue_protocol.money import format_e4
from venue_protocol.order_views import fees_shown, price_shown, terms_shown, worst_price_shown
from venue_protocol.securities import Security
from venue_protocol.settlement import SettlementReport
from venue_protocol.times import format_utc
from venue_protocol.trading_day import PhaseState

View = dict[str, Any]
_STEPS: dict[type, str] = {
    CorporateActionDeclared: "declared",
    CorporateActionApplied: "applied",
    DividendPaid: "paid",
}


def iso(time_us: int) -> str:
    """ISO 8601 in UTC with microseconds, for people."""
    return format_utc(time_us)


def money(amount_e4: int | None) -> str | None:
    """A decimal string, or None for none."""
    return None if amount_e4 is None else format_e4(amount_e4)


def balance(account: Account) -> View:
    """Cash of a client."""
    return {
        "client_id": account.client_id,
        "balance": format_e4(account.balance_e4),
        "held": format_e4(account.held_e4),
        "available": format_e4(account.balance_e4 - account.held_e4),
        "settled": format_e4(account.balance_e4 - account.unsettled_e4),
        "unsettled": format_e4(account.unsettled_e4),
        "currency": "USD",
    }


def holding(row: Holding) -> View:
    """Shares of a client in one security."""
    return {
        "client_id": row.client_id,
        "security": row.security_id,
        "quantity": row.quantity,
        "held": row.held,
        "available": row.quantity - row.held,
        "settled": row.quantity - row.unsettled,
        "unsettled": row.unsettled,
        "borrowed": row.borrowed,
    }


def security(listed: Security) -> View:
    """A security and its trading rules."""
    return {
        "security": listed.security_id,
        "name": listed.name,
        "tick": format_e4(listed.tick_e4),
        "lot": listed.lot,
        "band_bps": listed.band_bps,
        "band_low": format_e4(listed.band_low_e4),
        "band_high": format_e4(listed.band_high_e4),
        "reference_price": format_e4(listed.reference_price_e4),
        "max_quantity": listed.max_quantity,
    }


def top(security_id: str, now: TopOfBook) -> View:
    """Last price and best bid and ask; null where there is none."""
    return {
        "security": security_id,
        "last": money(now.last_e4),
        "last_quantity": now.last_quantity,
        "bid": money(now.bid[0]) if now.bid else None,
        "bid_quantity": now.bid[1] if now.bid else None,
        "ask": money(now.ask[0]) if now.ask else None,
        "ask_quantity": now.ask[1] if now.ask else None,
        "last_time_us": now.last_us,
        "last_time": iso(now.last_us) if now.last_us else None,
    }


def levels(rows: list[Level]) -> list[View]:
    """Price levels; quantity 0 in an update: the level is gone."""
    return [
        {"price": format_e4(price), "quantity": shares, "orders": orders}
        for price, shares, orders in rows
    ]


def public_trade(trade: RecordedTrade) -> View:
    """A trade as everybody may see it: no client, no order."""
    return {
        "trade_id": trade.trade_id,
        "security": trade.security_id,
        "price": format_e4(trade.price_e4),
        "quantity": trade.quantity,
        "aggressor": trade.aggressor,
        "status": trade.status,
        "time_us": trade.time_us,
        "time": iso(trade.time_us),
    }


def trade_correction(row: TradeCorrectionRow) -> View:
    """A bust or correction as everybody may see it: no client, no order."""
    return {
        "security": row.security_id,
        "trade_id": row.trade_id,
        "status": row.status,
        "price": format_e4(row.price_e4),
        "quantity": row.quantity,
        "time_us": row.time_us,
        "time": iso(row.time_us),
    }


def order(row: OrderRecord) -> View:
    """An order as its owner sees it."""
    return {
        "order_id": row.order_id,
        "client_id": row.client_id,
        "client_order_id": row.client_order_id,
        "security": row.security_id,
        "side": row.side,
        "type": row.order_type,
        "time_in_force": row.time_in_force,
        "quantity": row.quantity,
        "price": price_shown(row.order_type, row.price_e4),
        "worst_price": worst_price_shown(row.order_type, row.price_e4),
        **terms_shown(codec.decode_terms(row.terms)),
        "fees": fees_shown(codec.decode_fees(row.fees)),
        "status": row.status,
        "filled": row.filled,
        "leaves": row.leaves,
        "average_price": average_price(row.notional_e4, row.filled),
        "reason": row.reason,
        "accepted_us": row.accepted_us,
        "accepted": iso(row.accepted_us),
        "updated_us": row.updated_us,
        "triggered_us": row.triggered_us,
        "sequence": row.event_sequence,
    }


def average_price(notional_e4: int, filled: int) -> str | None:
    """Mean price of the fills, rounded half up to a ten-thousandth; None without a fill."""
    return format_e4((2 * notional_e4 + filled) // (2 * filled)) if filled else None


def execution_report(report: ExecutionReport) -> View:
    """What happened to an own order, and where it stands."""
    view: View = {
        "sequence": report.event_sequence,
        "kind": report.kind,
        "order_id": report.order_id,
        "client_order_id": report.client_order_id,
        "security": report.security_id,
        "side": report.side,
        "status": report.status,
        "quantity": report.quantity,
        "price": money(report.price_e4),
        "filled": report.filled,
        "leaves": report.leaves,
        "reason": report.reason,
        "time_us": report.time_us,
    }
    if report.kind == "trade":
        view["trade_id"] = report.trade_id
        view["trade_status"] = report.trade_status
        view["last_price"] = money(report.last_price_e4)
        view["last_quantity"] = report.last_quantity
        view["role"] = _role(report)
        view["fee"] = format_e4(report.fee_e4 or 0)
    if report.kind == "reduced":
        view["reduced"] = report.last_quantity
    if report.kind == "mass_cancel":
        view["canceled"] = report.last_quantity
    return view


def fill(report: ExecutionReport) -> View:
    """One side of a trade: what an own order got."""
    return {
        "sequence": report.event_sequence,
        "trade_id": report.trade_id,
        "order_id": report.order_id,
        "client_order_id": report.client_order_id,
        "security": report.security_id,
        "side": report.side,
        "price": money(report.last_price_e4),
        "quantity": report.last_quantity,
        "leaves": report.leaves,
        "trade_status": report.trade_status,
        "role": _role(report),
        "fee": format_e4(report.fee_e4 or 0),
        "time_us": report.time_us,
        "time": iso(report.time_us),
    }


def settlement(report: SettlementReport) -> View:
    """One movement on a client's accounts; every field from which its hash is made is here."""
    return {
        "sequence": report.sequence,
        "client_id": report.client_id,
        "client_sequence": report.client_sequence,
        "settlement_kind": report.settlement_kind,
        "journal_id": report.journal_id,
        "cash": format_e4(report.cash_e4),
        "shares": report.shares,
        "balance": format_e4(report.balance_e4),
        "security": report.security_id,
        "holding": report.holding,
        "trade_id": report.trade_id,
        "order_id": report.order_id,
        "side": report.side,
        "quantity": report.quantity,
        "price": money(report.price_e4),
        "memo": report.memo,
        "fee": format_e4(report.fee_e4),
        "settlement_cycle": report.settlement_cycle,
        "settled_cash": format_e4(report.settled_cash_e4),
        "settled_shares": report.settled_shares,
        "open_shares": report.open_shares,
        "time_us": report.time_us,
        "time": iso(report.time_us),
        "previous_hash": report.previous_hash,
        "hash": report.hash,
    }


def refused_order(row: RefusedOrder) -> View:
    """An order that the door refused."""
    return {
        "client_id": row.client_id,
        "client_order_id": row.client_order_id,
        "security": row.security_id,
        "side": row.side,
        "quantity": row.quantity,
        "status": "rejected",
        "reason": row.reason,
        "message": row.message,
        "time_us": row.time_us,
        "time": iso(row.time_us),
    }


def standing(row: Standing, equity_e4: int) -> View:
    """What a client owns, and what that is worth."""
    return {
        "client_id": row.account.client_id,
        "role": row.role,
        "balance": format_e4(row.account.balance_e4),
        "held": format_e4(row.account.held_e4),
        "holdings": {
            name: held.quantity for name, held in sorted(row.holdings.items()) if held.quantity
        },
        "borrowed": {
            name: held.borrowed for name, held in sorted(row.holdings.items()) if held.borrowed
        },
        "equity": format_e4(equity_e4),
    }


def session(now: Session, time_us: int) -> View:
    """The phase of each shard, and what there is to say of single securities."""
    return {
        "phases": {str(shard): _phase(state) for shard, state in sorted(now.shards().items())},
        "securities": {
            name: security_session(now, shard, name) for shard, name in now.remarkable()
        },
        "time_us": time_us,
    }


def security_session(now: Session, shard: int, security_id: str) -> View:
    """The phase of a security, what its auction would do, and whether its band holds it."""
    indication, limit = now.indication(shard, security_id), now.limit_state(shard, security_id)
    return _phase(now.phase(shard, security_id)) | {
        "indicative_price": money(indication.price_e4) if indication else None,
        "paired_quantity": indication.paired if indication else 0,
        "imbalance_quantity": indication.imbalance if indication else 0,
        "imbalance_side": indication.side if indication else None,
        "limit_state": limit.side if limit else None,
        "band_low": money(limit.band_low_e4) if limit else None,
        "band_high": money(limit.band_high_e4) if limit else None,
        "corporate_action": _action(now.newest_action(shard, security_id)),
    }


def _action(newest: SessionRow | None) -> View | None:
    if newest is None or not isinstance(newest.event, ActionEvent):
        return None
    step = _STEPS[type(newest.event)]
    return {"action_id": newest.event.action_id, "step": step, "time_us": newest.time_us}


def _phase(state: PhaseState) -> View:
    return {"phase": state.phase, "reason": state.reason, "until_us": state.until_us}


def _role(report: ExecutionReport) -> str:
    """Who took whom; in an auction nobody."""
    if report.is_aggressor is None:
        return "auction"
    return "taker" if report.is_aggressor else "maker"


def book(market: SecurityMarket, depth: int | None) -> dict[str, Any]:
    """Both sides, best first; at most `depth` levels each."""
    return {
        "bids": levels(market.bids.depth(depth)),
        "asks": levels(market.asks.depth(depth)),
    }


def trade_message(trade: RecordedTrade, previous: int) -> dict[str, Any]:
    """A trade on the stream: its sequence is its trade_id."""
    return {
        "channel": "trades",
        **public_trade(trade),
        "sequence": trade.trade_id,
        "previous": previous,
    }
