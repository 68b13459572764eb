"""Buyer, seller and two administrators who propose and consent, for the tests of proposals."""

import secrets
from typing import Any

from tests.integration.clearinghouse.conftest import Door, numbers
from venue_protocol import codec
from venue_protocol.events import EventBatch, Trade
from venue_protocol.settlement import SettlementReport


class Parties:
    """A buyer with $1,000.00, a seller with 100 AAPL, and two administrators."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.buyer, self.seller = door.name("ann"), door.name("bob")
        self.boss, self.second = door.name("boss"), door.name("second")
        self.keys = {
            name: self._key({"client_id": name, **body})
            for name, body in {
                self.buyer: {"role": "market_maker", "cash": "1000.00"},
                self.seller: {"role": "market_maker", "shares": {"AAPL": 100}},
                self.boss: {"role": "administrator"},
                self.second: {"role": "administrator"},
            }.items()
        }

    def _key(self, body: dict[str, Any]) -> str:
        return str(self.door.ask("POST", "/v1/clients", body, 201)["api_key"])

    def trade(self, quantity: int = 10, price_e4: int = 500_000) -> int:
        """A settled trade; its id."""
        shard = next(numbers)
        with self.door.database.transaction() as cursor:
            cursor.execute(
                "UPDATE accounts SET held_e4 = held_e4 + %s WHERE client_id = %s",
                (quantity * price_e4, self.buyer),
            )
            cursor.execute(
                "UPDATE securities_deposits SET held = held + %s WHERE client_id = %s",
                (quantity, self.seller),
            )
        trade = Trade(
            (shard << 40) + 1,
            "AAPL",
            price_e4,
            quantity,
            "BUY",
            5,
            self.buyer,
            price_e4,
            0,
            4,
            self.seller,
            0,
        )
        self.door.parts.desk.settle([EventBatch(1, shard, 1, 1, 1, 1, [trade])])
        return trade.trade_id

    def propose(self, body: dict[str, Any], status: int = 201, by: str | None = None) -> Any:
        return self.door.ask(
            "POST",
            "/v1/proposals",
            {"reason": "erroneous price"} | body,
            status,
            key=self.keys[by or self.boss],
            Idempotency_Key=secrets.token_hex(8),
        )

    def consent(self, proposal: Any, status: int = 200, by: str | None = None) -> Any:
        return self.door.ask(
            "POST",
            f"/v1/proposals/{proposal['proposal_id']}/consent",
            None,
            status,
            key=self.keys[by or self.second],
        )

    def standing(self) -> dict[str, tuple[int, int]]:
        """Cash in ten-thousandths, and shares, of both parties."""
        with self.door.database.transaction() as cursor:
            cursor.execute(
                "SELECT client_id, balance_e4, coalesce(quantity, 0) FROM accounts"
                " LEFT JOIN securities_deposits USING (client_id) WHERE client_id = ANY (%s)",
                ([self.buyer, self.seller],),
            )
            rows = {client_id: (cash, shares) for client_id, cash, shares in cursor}
        return {"buyer": rows[self.buyer], "seller": rows[self.seller]}

    def reports(self) -> list[SettlementReport]:
        """All reports of both parties as stored, oldest first."""
        with self.door.database.transaction() as cursor:
            cursor.execute(
                "SELECT report FROM settlement_reports WHERE client_id = ANY (%s)"
                " ORDER BY sequence",
                ([self.buyer, self.seller],),
            )
            return [codec.decode_report(report) for (report,) in cursor]


def code(answer: Any) -> str:
    """The code of a refusal."""
    return str(answer["error"]["code"])
