"""A door and a feed that answer over real HTTP, from a small in-memory order list.

Faults can be planted.
"""

import json
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "vk_test"

Answer = tuple[int, Any, dict[str, str]]


class FakeVenue:
    """Answers both services' paths at one address; `faults` are given out first, one a request."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self.faults: deque[Callable[[FakeVenue, str, str, Any], Answer | None]] = deque()
        self.orders: dict[str, dict[str, Any]] = {}
        self.fills: list[dict[str, Any]] = []
        self.cash = "10000.00"
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, target: str, body: Any, key: str) -> Answer | None:
        """The answer to a request; None drops the connection without one."""
        with self.lock:
            self.requests.append((method, target, body))
            if self.faults:
                return self.faults.popleft()(self, method, target, body)
            return self.serve(method, target, body, key)

    def serve(self, method: str, target: str, body: Any, key: str = KEY) -> Answer:
        """The answer of a healthy venue."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        if key != KEY:
            return 401, refusal("auth.key_invalid", "this key is wrong or revoked"), {}
        if method == "POST" and parts.path == "/v1/orders":
            if isinstance(body, list):
                return 200, {"results": [self._place(order)[1] for order in body]}, {}
            return *self._place(body), {}
        if method == "POST" and parts.path == "/v1/commands":
            return 200, {"results": [self._command(command) for command in body]}, {}
        if method == "DELETE" and parts.path == "/v1/orders":
            for order in self.orders.values():
                order["leaves"] = 0
            return 202, {"status": "pending_cancel", "sequence": 9}, {}
        if method in ("DELETE", "PATCH"):
            return 202, {"order_id": 1, "status": "pending_cancel", "sequence": 9}, {}
        return self._read(parts.path, query)

    def _read(self, path: str, query: dict[str, str]) -> Answer:
        if path == "/v1/securities":
            return 200, {"securities": [SECURITY]}, {}
        if path.startswith("/v1/price/"):
            return (
                200,
                {"security": "AAPL", "last": None, "bid": "99.90", "ask": "100.10", "time_us": 1},
                {},
            )
        if path == "/v1/orders":
            return 200, self._open_orders(query), {}
        if path == "/settlement-reports":
            after, limit = int(query["after"]), int(query["limit"])
            return (
                200,
                {"reports": [report(n) for n in range(after + 1, min(after + limit, 5) + 1)]},
                {},
            )
        if path.startswith("/balance/"):
            content = {
                "client_id": "ann",
                "balance": self.cash,
                "held": "0.29",
                "available": "9999.71",
            }
            return 200, content, {}
        if path == "/holdings/ann":
            return 200, {"client_id": "ann", "holdings": [HOLDING]}, {}
        if path.startswith("/holdings/"):
            return 200, HOLDING, {}
        if path == "/v1/fills":
            after = int(query["after"])
            return (
                200,
                {
                    "fills": [fill for fill in self.fills if fill["sequence"] > after][
                        : int(query["limit"])
                    ]
                },
                {},
            )
        return 404, refusal("request.unknown_path", path), {}

    def _open_orders(self, query: dict[str, str]) -> dict[str, Any]:
        """A page of open orders, newest first: at most `limit`, with ids below `after`."""
        after, limit = int(query.get("after", 10**18)), int(query.get("limit", 100))
        found = [
            order for order in self.orders.values() if order["leaves"] and order["order_id"] < after
        ]
        found.sort(key=lambda order: -order["order_id"])
        following = str(found[limit - 1]["order_id"]) if len(found) > limit else None
        return {"orders": found[:limit], "next": following}

    def _command(self, command: dict[str, Any]) -> dict[str, Any]:
        if command["action"] == "place":
            return self._place(command)[1]
        order = self.orders.get(command.get("client_order_id", ""))
        if order is None:
            return refusal("order.unknown", "no such order")
        order["leaves"] = 0
        return {"order_id": order["order_id"], "status": "pending_cancel", "sequence": 9}

    def _place(self, order: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if order["quantity"] > 1000:
            return 422, refusal("risk.insufficient_funds", "not that rich")
        name = order["client_order_id"]
        known = self.orders.get(name)
        if known is None:
            number = len(self.orders) + 1
            self.orders[name] = {
                **order,
                "order_id": number,
                "status": "new",
                "leaves": order["quantity"],
            }
        order_id = self.orders[name]["order_id"]
        duplicate = known is not None
        return 201, {
            "order_id": order_id,
            "client_order_id": name,
            "status": "new",
            "sequence": order_id,
            "duplicate": duplicate,
        }


HOLDING = {"client_id": "ann", "security": "AAPL", "quantity": 5, "held": 0, "available": 5}

SECURITY = {
    "security": "AAPL",
    "name": "Apple Inc.",
    "tick": "0.01",
    "lot": 1,
    "band_bps": 5000,
    "band_low": "50.00",
    "band_high": "150.00",
    "reference_price": "100.00",
}


def refusal(code: str, message: str) -> dict[str, Any]:
    """The venue's error shape."""
    return {
        "error": {"code": code, "message": message, "field": None, "details": {}, "request_id": "r"}
    }


def report(sequence: int) -> dict[str, Any]:
    """A settlement report as JSON."""
    return {
        "sequence": sequence,
        "client_id": "ann",
        "client_sequence": sequence,
        "settlement_kind": "deposit",
        "cash": "1.00",
        "shares": 0,
        "balance": f"{sequence}.00",
        "time_us": sequence,
        "from_a_newer_venue": True,
    }


def _handler(venue: FakeVenue) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            super().handle_one_request()

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            key = self.headers.get("Authorization", "").removeprefix("Bearer ")
            answer = venue.answer(self.command, self.path, body, key)
            if answer is None:
                self.close_connection = True
                return
            status, content, headers = answer
            payload = json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(payload)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_DELETE = do_PATCH = _serve

        def log_message(self, *_arguments: Any) -> None:
            """Quiet."""

    return Handler
