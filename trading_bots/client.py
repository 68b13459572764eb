"""The client library: everything a bot can do at the venue, over its public API.

    venue = VenueClient.from_environment()
    receipt = venue.place("AAPL", "BUY", 10, price="100.05")

Each order gets a client_order_id of its own, so a request that met a time-out, a 5xx or a 429 is
repeated without ever placing an order twice. A refusal raises `Refused`; a venue that does not
answer within the client's patience raises `VenueUnavailable`. One client serves one thread.
"""

import os
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trading_bots.commands import Amend, Amount, Cancel, Command, Place, command_json
from trading_bots.order_names import OrderNames
from trading_bots.order_socket import OrderSocket
from trading_bots.records import (
    Balance,
    Book,
    Fill,
    Holding,
    Order,
    Price,
    PublicTrade,
    Receipt,
    SecurityRules,
    SettlementReport,
    read,
)
from trading_bots.refusal import Refused, VenueUnavailable, refusal_of
from trading_bots.results import already_canceled, result_of, was_canceled_by_first_request
from trading_bots.stream import Stream
from trading_bots.transport import Transport
from trading_bots.venue_address import MARKET_DATA_URL, ORDER_ENTRY_URL, VenueAddress

__all__ = ["Amend", "Cancel", "Place", "Refused", "VenueClient", "VenueUnavailable"]

_PAGE = 500
"""Rows asked for at a time: half of the most that the feed gives, so that a page stays small."""


class VenueClient:
    """One client of the venue with its key."""

    def __init__(
        self,
        client_id: str,
        api_key: str,
        order_entry_url: str = ORDER_ENTRY_URL,
        market_data_url: str = MARKET_DATA_URL,
        timeout_s: float = 5.0,
        patience_s: float = 30.0,
        order_prefix: str | None = None,
        stopping: threading.Event | None = None,
    ) -> None:
        self.client_id = client_id
        self.api_key = api_key
        self.order_entry_url = order_entry_url
        self.market_data_url = market_data_url
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._order_entry = Transport(order_entry_url, api_key, timeout_s, patience_s, stopping)
        self._feed = Transport(market_data_url, api_key, timeout_s, patience_s, stopping)
        self._names = OrderNames(order_prefix or secrets.token_hex(6))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "VenueClient":
        """The client named by VENUE_CLIENT_ID and VENUE_API_KEY, at the address of `VenueAddress`.

        ValueError says what to set.
        """
        for name in ("VENUE_CLIENT_ID", "VENUE_API_KEY"):
            if not environment.get(name):
                raise ValueError(
                    f"set {name}: ./venue client create NAME prints the key of a new client"
                )
        address = VenueAddress.find(environment)
        return cls(
            environment["VENUE_CLIENT_ID"],
            environment["VENUE_API_KEY"],
            address.order_entry_url,
            address.market_data_url,
        )

    def close(self) -> None:
        """Close the connections."""
        self._order_entry.close()
        self._feed.close()

    def copy(self) -> "VenueClient":
        """Another client of the same account, for another thread, with names of its own."""
        return VenueClient(
            self.client_id,
            self.api_key,
            self.order_entry_url,
            self.market_data_url,
            self._timeout_s,
            self._patience_s,
        )

    def place(
        self,
        security: str,
        side: str,
        quantity: int,
        price: Amount | None = None,
        time_in_force: str | None = None,
        client_order_id: str | None = None,
        **terms: Any,
    ) -> Receipt:
        """Place a limit order, or a market order where `price` is None.

        The order is durable when this returns. `terms` are the rarer fields of `Place`, such as
        stop_price or post_only.
        """
        order = self._names.named(
            Place(security, side, quantity, price, time_in_force, client_order_id, **terms)
        )
        receipt: Receipt = read(
            self._order_entry.request("POST", "/v1/orders", order.to_json()), Receipt
        )
        return receipt

    def place_many(self, orders: Sequence[Place]) -> list[Receipt | Refused]:
        """Place up to MOST_COMMANDS orders in one request: for each its receipt or its refusal."""
        body = [self._names.named(order).to_json() for order in orders]
        return self._send_list("/v1/orders", body)

    def send(self, commands: Sequence[Command]) -> list[Receipt | Refused]:
        """Send up to MOST_COMMANDS commands of any kind in one request.

        The venue does them in order and gives for each its receipt or its refusal.
        """
        body = [command_json(command) for command in self.named(commands)]
        return self._send_list("/v1/commands", body)

    def cancel(self, order_id: int) -> Receipt:
        """Ask the venue to cancel what is left of an own order.

        The `orders` channel tells how the order ended.
        """
        try:
            receipt: Receipt = read(
                self._order_entry.request("DELETE", f"/v1/orders/{order_id}"), Receipt
            )
        except Refused as refused:
            if not was_canceled_by_first_request(refused, self._order_entry.is_repeated):
                raise
            return already_canceled(order_id)
        return receipt

    def cancel_all(self, security: str | None = None) -> None:
        """Cancel every open order, or those in one security."""
        self._order_entry.request("DELETE", "/v1/orders", query={"security": security})

    def cancel_after(self, timeout_ms: int) -> None:
        """Set the dead man's switch: the venue cancels all open orders after `timeout_ms`.

        Each call starts the time again; 0 turns the switch off.
        """
        self._order_entry.request("POST", "/v1/cancel-after", {"timeout_ms": timeout_ms})

    def amend(
        self, order_id: int, quantity: int | None = None, price: Amount | None = None
    ) -> Receipt:
        """Change the total quantity or the price.

        An order that only gets smaller keeps its place in the queue.
        """
        terms = Amend(order_id, None, quantity, price).to_json()
        body = {name: value for name, value in terms.items() if name != "order_id"}
        body["client_order_id"] = self._names.next_name()
        receipt: Receipt = read(
            self._order_entry.request("PATCH", f"/v1/orders/{order_id}", body), Receipt
        )
        return receipt

    def order(self, order_id: int) -> Order:
        """Where an own order stands."""
        order: Order = read(self._order_entry.request("GET", f"/v1/orders/{order_id}"), Order)
        return order

    def orders(self, status: str = "open", limit: int | None = None) -> list[Order]:
        """Own orders, newest first, `open` ones or `all`: every one, or the newest `limit`."""
        found: list[Order] = []
        after: str | None = None
        while limit is None or len(found) < limit:
            size = _PAGE if limit is None else min(_PAGE, limit - len(found))
            query = {"status": status, "limit": size, "after": after}
            content = self._feed.request("GET", "/v1/orders", query=query)
            found += _list(content, "orders", Order)
            after = content["next"]
            if after is None:
                break
        return found

    def balance(self) -> Balance:
        """Own cash."""
        balance: Balance = read(self._feed.request("GET", f"/balance/{self.client_id}"), Balance)
        return balance

    def holding(self, security: str) -> Holding:
        """Own shares of one security; zero where none were ever held."""
        holding: Holding = read(
            self._feed.request("GET", f"/holdings/{security}/{self.client_id}"), Holding
        )
        return holding

    def holdings(self) -> list[Holding]:
        """All own shares."""
        path = f"/holdings/{self.client_id}"
        return self._whole_list(path, "holdings", Holding, client_id=self.client_id)

    def fills(self, after: int = 0, limit: int = _PAGE) -> list[Fill]:
        """Own fills after a sequence, oldest first."""
        content = self._feed.request("GET", "/v1/fills", query={"after": after, "limit": limit})
        return _list(content, "fills", Fill)

    def settlement_reports(self, after: int = 0, page: int = _PAGE) -> Iterator[SettlementReport]:
        """Every own settlement report after a sequence, oldest first, read page by page."""
        while True:
            content = self._feed.request(
                "GET", "/settlement-reports", query={"after": after, "limit": page}
            )
            reports: list[SettlementReport] = _list(content, "reports", SettlementReport)
            yield from reports
            if len(reports) < page:
                return
            after = reports[-1].sequence

    def securities(self) -> list[SecurityRules]:
        """Every listed security with its trading rules."""
        return self._whole_list("/v1/securities", "securities", SecurityRules)

    def _whole_list(self, path: str, name: str, kind: type[Any], **inherited: Any) -> list[Any]:
        """Every row of a list of the feed, page by page."""
        rows: list[Any] = []
        query: dict[str, Any] = {}
        while True:
            content = self._feed.request("GET", path, query=query)
            rows += _list(content, name, kind, **inherited)
            if not content.get("next"):
                return rows
            query = {"after": content["next"]}

    def price(self, security: str) -> Price:
        """Last price, best bid and best ask."""
        price: Price = read(self._feed.request("GET", f"/v1/price/{security}"), Price)
        return price

    def book(self, security: str, depth: int = 10) -> Book:
        """The best `depth` price levels of each side."""
        book: Book = read(
            self._feed.request("GET", f"/v1/book/{security}", query={"depth": depth}), Book
        )
        return book

    def trades(
        self, security: str, limit: int = 100, before: int | None = None
    ) -> list[PublicTrade]:
        """The newest trades of a security; those before a trade_id to page back."""
        content = self._feed.request(
            "GET", f"/v1/trades/{security}", query={"limit": limit, "after": before}
        )
        return _list(content, "trades", PublicTrade)

    def stream(self) -> Stream:
        """A WebSocket with market data and with the client's own orders, fills and settlements."""
        return Stream(self.market_data_url, self.api_key)

    def order_socket(self) -> OrderSocket:
        """Order entry over a WebSocket, with this client's series of client_order_ids."""
        return OrderSocket(
            self.order_entry_url, self.api_key, self.named, self._timeout_s, self._patience_s
        )

    def _send_list(self, path: str, body: list[dict[str, Any]]) -> list[Receipt | Refused]:
        """The results, once each is definite.

        A list with a result that is still open is sent again as a whole.
        """
        if not body:
            return []
        content = self._order_entry.request("POST", path, body, open_question=_unclear_result)
        results = zip(body, content["results"], strict=True)
        return [
            result_of(action, result, self._order_entry.is_repeated) for action, result in results
        ]

    def named(self, commands: Sequence[Command]) -> list[Command]:
        """The same commands, each order and amend with a name of its own.

        A list of named commands may be sent again as a whole: the venue does nothing twice.
        """
        return self._names.all_named(commands)


def _unclear_result(content: Any) -> str | None:
    """The code of the first result that means "ask again", or None."""
    codes = (refusal.code for result in content["results"] if (refusal := refusal_of(result)))
    return next((code for code in codes if code.startswith("service.")), None)


def _list(content: Any, name: str, record: type[Any], **inherited: Any) -> list[Any]:
    """The records in `content[name]`; each gets the `inherited` fields it does not bring itself."""
    return [read({**inherited, **row}, record) for row in content[name]]
