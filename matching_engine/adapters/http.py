"""The engine over HTTP: the live book and where it stands. For operators; clients read the feed."""

import hashlib
from collections.abc import Callable

from flask import Flask, Response

from matching_engine.domain.snapshot import encode_state
from matching_engine.handlers import MatchingDesk
from service_runtime.http.application import json_response, query_whole
from venue_protocol.money import format_e4
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.securities import Security


def add_routes(app: Flask, desk: MatchingDesk, find: Callable[[str], Security | None]) -> None:
    """Put the engine's routes on `app`; `find` knows the listed securities of all shards."""

    def is_listed_here(security_id: str) -> bool:
        found = find(security_id)
        return found is not None and found.shard == desk.engine.shard

    @app.get("/v1/books/<security_id>")
    def book(security_id: str) -> Response:
        most = query_whole("depth", 10, 1, 1000)
        if security_id not in desk.engine.books and not is_listed_here(security_id):
            raise refuse(
                RejectReason.UNKNOWN_SECURITY,
                f"{security_id[:32]!r} is not listed here",
                "security",
            )
        with desk.lock:
            bids, asks = desk.engine.depth(security_id, most)
            sequence = desk.engine.event_position
        sides = {
            name: [
                {"price": format_e4(price_e4), "quantity": quantity}
                for price_e4, quantity in levels
            ]
            for name, levels in (("bids", bids), ("asks", asks))
        }
        return json_response({"security": security_id, "sequence": sequence} | sides)

    @app.get("/v1/engine")
    def engine() -> Response:
        with desk.lock:
            state = desk.engine.state()
            open_orders = len(desk.engine.orders)
        answer = {
            "shard": state.shard,
            "log_position": state.log_position,
            "event_position": state.event_position,
            "trades": state.trade_count,
            "open_orders": open_orders,
            # Hashed without the lock: matching goes on meanwhile.
            "state_hash": hashlib.sha256(encode_state(state)).hexdigest(),
        }
        return json_response(answer)
