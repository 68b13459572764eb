"""The engine over HTTP: the live book and where it stands. For operators; clients read the feed."""

from flask import Flask, Response

from matching_engine.handlers import MatchingDesk
from service_runtime.web import json_response, query_whole, refuse
from venue_protocol.money import format_e4
from venue_protocol.refusals import RejectReason


def add_routes(app: Flask, desk: MatchingDesk) -> None:
    """Put the engine's routes on `app`."""

    @app.get("/v1/books/<security_id>")
    def book(security_id: str) -> Response:
        most = query_whole("depth", 10, 1, 1000)
        with desk.lock:
            if security_id not in desk.engine.books:
                raise refuse(RejectReason.UNKNOWN_SECURITY, f"no book of {security_id[:32]!r} yet", "security")
            bids, asks = desk.engine.depth(security_id, most)
            sequence = desk.engine.event_position
        halves = {
            name: [{"price": format_e4(price_e4), "quantity": quantity} for price_e4, quantity in levels]
            for name, levels in (("bids", bids), ("asks", asks))
        }
        return json_response({"security": security_id, "sequence": sequence} | halves)

    @app.get("/v1/engine")
    def engine() -> Response:
        with desk.lock:
            state = {
                "shard": desk.engine.shard,
                "log_position": desk.engine.log_position,
                "event_position": desk.engine.event_position,
                "trades": desk.engine.trade_count,
                "open_orders": len(desk.engine.orders),
                "state_hash": desk.engine.state_hash(),
            }
        return json_response(state)
