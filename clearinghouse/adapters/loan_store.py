"""Stock loans in Postgres."""

from collections.abc import Iterable, Sequence

import msgspec

from clearinghouse.domain.venue_accounts import LENDER
from service_runtime.database import Cursor
from venue_protocol import codec
from venue_protocol.corporate_actions import CorporateAction
from venue_protocol.loan_actions import AppliedAction
from venue_protocol.securities import Security
from venue_protocol.settlement import CLOSE_OUT, SettlementReport
from venue_protocol.stock_loans import (
    LoanEvent,
    MarginRules,
    Mark,
    StockLoan,
    newest_loans,
)
from venue_storage.clearing_rows import CloseOutOrder

_RULES = ", ".join(MarginRules.__struct_fields__)
_SECURITY = ", ".join(Security.__struct_fields__)
_loan_decoder = msgspec.json.Decoder(StockLoan)
_action_decoder = msgspec.json.Decoder(CorporateAction)


class PostgresLoanBook:
    """The LoanBook on a cursor."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def rules(self) -> MarginRules:
        """What an administrator set, or the defaults."""
        self._cursor.execute(f"SELECT {_RULES} FROM margin_rules")
        row = self._cursor.fetchone()
        return MarginRules(*row) if row else MarginRules()

    def set_rules(self, rules: MarginRules) -> None:
        """Set them."""
        fields = msgspec.structs.asdict(rules)
        self._cursor.execute(
            f"INSERT INTO margin_rules (single, {_RULES})"
            f" VALUES (true, {', '.join(['%s'] * len(fields))})"
            f" ON CONFLICT (single) DO UPDATE SET ({_RULES}) = ROW ("
            + ", ".join(f"EXCLUDED.{name}" for name in fields)
            + ")",
            tuple(fields.values()),
        )

    def may_borrow(self, client_id: str) -> bool | None:
        """What was decided for this client; None if nothing was."""
        self._cursor.execute(
            "SELECT is_allowed FROM short_sellers WHERE client_id = %s", (client_id,)
        )
        row = self._cursor.fetchone()
        return row[0] if row else None

    def set_may_borrow(self, client_id: str, is_allowed: bool | None) -> None:
        """Decide it; None: as for everybody."""
        if is_allowed is None:
            self._cursor.execute("DELETE FROM short_sellers WHERE client_id = %s", (client_id,))
            return
        self._cursor.execute(
            "INSERT INTO short_sellers (client_id, is_allowed) VALUES (%s, %s)"
            " ON CONFLICT (client_id) DO UPDATE SET is_allowed = EXCLUDED.is_allowed",
            (client_id, is_allowed),
        )

    def security(self, security_id: str) -> Security | None:
        """A listed security."""
        self._cursor.execute(
            f"SELECT {_SECURITY} FROM securities WHERE security_id = %s", (security_id,)
        )
        row = self._cursor.fetchone()
        return Security(*row) if row else None

    def loan(self, client_id: str, security_id: str) -> StockLoan | None:
        """The client's loan of this security."""
        self._cursor.execute(
            "SELECT loan FROM stock_loans WHERE client_id = %s AND security_id = %s",
            (client_id, security_id),
        )
        row = self._cursor.fetchone()
        return _loan_decoder.decode(row[0]) if row else None

    def loans(self, client_id: str | None = None) -> list[StockLoan]:
        """All loans (of this client), by client and security."""
        self._cursor.execute(
            "SELECT loan FROM stock_loans WHERE %(client)s::text IS NULL OR client_id = %(client)s"
            ' ORDER BY client_id COLLATE "C", security_id COLLATE "C"',
            {"client": client_id},
        )
        return [_loan_decoder.decode(row[0]) for row in self._cursor]

    def lent(self, security_id: str) -> int:
        """Shares of this security that are lent out."""
        self._cursor.execute(
            "SELECT coalesce(sum(quantity), 0)::bigint FROM stock_loans WHERE security_id = %s",
            (security_id,),
        )
        return int(self._cursor.fetchone()[0])

    def pool(self) -> list[tuple[str, int, int]]:
        """Security, shares available and shares lent, where the pool has or lent some; by name."""
        self._cursor.execute(
            "SELECT security_id, coalesce(pool.quantity - pool.held, 0)::bigint,"
            " coalesce(lent.quantity, 0)::bigint FROM"
            " (SELECT security_id, quantity, held FROM securities_deposits WHERE client_id = %s)"
            " AS pool FULL JOIN"
            " (SELECT security_id, sum(quantity) AS quantity FROM stock_loans GROUP BY security_id)"
            ' AS lent USING (security_id) ORDER BY security_id COLLATE "C"',
            (LENDER,),
        )
        return [(security_id, available, lent) for security_id, available, lent in self._cursor]

    def write(self, time_us: int, events: Sequence[LoanEvent]) -> None:
        """Append what happened and leave each loan as its last event says."""
        if not events:
            return
        first = self.next_event()
        for number, event in enumerate(events, first):
            self._cursor.execute(
                "INSERT INTO loan_events (number, time_us, client_id, security_id, event)"
                " VALUES (%s, %s, %s, %s, %s)",
                (number, time_us, *event.loan.key, msgspec.json.encode(event).decode()),
            )
        for key, loan in newest_loans(events).items():
            if loan is None:
                self._cursor.execute(
                    "DELETE FROM stock_loans WHERE client_id = %s AND security_id = %s", key
                )
            else:
                self._put(loan)

    def _put(self, loan: StockLoan) -> None:
        self._cursor.execute(
            "INSERT INTO stock_loans (client_id, security_id, quantity, collateral_e4, loan)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (client_id, security_id) DO UPDATE SET"
            " quantity = EXCLUDED.quantity, collateral_e4 = EXCLUDED.collateral_e4,"
            " loan = EXCLUDED.loan",
            (*loan.key, loan.quantity, loan.collateral_e4, msgspec.json.encode(loan).decode()),
        )

    def next_event(self) -> int:
        """Number of the next event."""
        self._cursor.execute("SELECT coalesce(max(number), 0) + 1 FROM loan_events")
        return int(self._cursor.fetchone()[0])

    def symbols(self, security_id: str) -> list[str]:
        """The symbol and those that the security had before, the newest first."""
        names = [security_id]
        while (before := self._before(names[-1])) is not None:
            names.append(before)
        return names

    def _before(self, security_id: str) -> str | None:
        self._cursor.execute(
            "SELECT security_id FROM securities WHERE successor = %s", (security_id,)
        )
        row = self._cursor.fetchone()
        return row[0] if row else None

    def actions(self, security_ids: Sequence[str], after_us: int) -> list[AppliedAction]:
        """Corporate actions of these securities that took effect later, as they did."""
        self._cursor.execute(
            "SELECT time_us, action_id, security_id, action FROM corporate_actions"
            " WHERE step = 'applied' AND security_id = ANY (%s) AND time_us > %s"
            " ORDER BY time_us, action_id",
            (list(security_ids), after_us),
        )
        return [
            AppliedAction(time_us, action_id, security_id, _action_decoder.decode(text))
            for time_us, action_id, security_id, text in self._cursor
        ]

    def newest_action_us(self, security_ids: Sequence[str]) -> int:
        """When the newest corporate action of these took effect; 0 without one."""
        self._cursor.execute(
            "SELECT coalesce(max(time_us), 0)::bigint FROM corporate_actions"
            " WHERE step = 'applied' AND security_id = ANY (%s)",
            (list(security_ids),),
        )
        return int(self._cursor.fetchone()[0])

    def paid_dividends(self, action_ids: Iterable[int]) -> set[int]:
        """Those of these dividends that are paid."""
        self._cursor.execute(
            "SELECT action_id FROM corporate_actions WHERE step = 'paid' AND action_id = ANY (%s)",
            (list(action_ids),),
        )
        return {row[0] for row in self._cursor}

    def mark(self, security_ids: Sequence[str]) -> Mark | None:
        """The newest mark of a security under these symbols."""
        self._cursor.execute(
            f"SELECT {', '.join(Mark._fields)} FROM loan_marks WHERE security_id = ANY (%s)"
            " ORDER BY as_of_report DESC, followed_us DESC LIMIT 1",
            (list(security_ids),),
        )
        row = self._cursor.fetchone()
        return Mark(*row) if row else None

    def add_mark(self, mark: Mark) -> None:
        """Append a mark."""
        self._cursor.execute(
            f"INSERT INTO loan_marks ({', '.join(Mark._fields)})"
            f" VALUES ({', '.join(['%s'] * len(mark))})",
            mark,
        )

    def trade_reports(
        self, security_ids: Sequence[str], after: int, until: int
    ) -> Iterable[SettlementReport]:
        """Settlement reports of trades in these securities with sequences in (after, until]."""
        if not security_ids or after >= until:
            return []
        self._cursor.execute(
            "SELECT report FROM settlement_reports WHERE sequence > %s AND sequence <= %s"
            " AND report LIKE %s AND report LIKE ANY (%s) ORDER BY sequence",
            (
                after,
                until,
                '%"settlement_kind":"trade"%',
                [f'%"security_id":"{security_id}"%' for security_id in security_ids],
            ),
        )
        return [codec.decode_report(row[0]) for row in self._cursor]

    def contributions(self) -> dict[str, int]:
        """What each member has in the default fund, ten-thousandths of a dollar."""
        self._cursor.execute(
            "SELECT client_id, contribution_e4 FROM default_fund WHERE contribution_e4 > 0"
        )
        return dict(self._cursor.fetchall())

    def set_contribution(self, client_id: str, contribution_e4: int) -> None:
        """Set it."""
        self._cursor.execute(
            "INSERT INTO default_fund (client_id, contribution_e4) VALUES (%s, %s)"
            " ON CONFLICT (client_id) DO UPDATE SET contribution_e4 = EXCLUDED.contribution_e4",
            (client_id, contribution_e4),
        )

    def set_cancel_timer(self, client_id: str, due_us: int) -> None:
        """Let the gateway cancel all open orders of a client at `due_us`, through the order log."""
        self._cursor.execute("SELECT set_margin_timer(%s, %s)", (client_id, due_us))

    def add_order(self, order: CloseOutOrder) -> None:
        """Let the gateway log this order, once."""
        self._cursor.execute(
            f"INSERT INTO close_out_orders ({', '.join(CloseOutOrder._fields)})"
            f" VALUES ({', '.join(['%s'] * len(order))})",
            order,
        )

    def withdraw_order(self, client_order_id: str) -> bool:
        """Take it back; False if the gateway has logged it."""
        self._cursor.execute(
            "DELETE FROM close_out_orders WHERE client_order_id = %s", (client_order_id,)
        )
        return bool(self._cursor.rowcount)

    def logged(self, client_order_id: str) -> tuple[int, int] | None:
        """Shard and sequence of a close-out's order in the order log; None while not there."""
        self._cursor.execute(
            "SELECT shard, sequence FROM order_log WHERE client_id = %s AND client_order_id = %s",
            (CLOSE_OUT, client_order_id),
        )
        row = self._cursor.fetchone()
        return (row[0], row[1]) if row else None

    def close_out_reports(self, after: int) -> list[SettlementReport]:
        """Settlement reports of the account `close_out` behind number `after` of its own."""
        self._cursor.execute(
            "SELECT report FROM settlement_reports WHERE client_id = %s AND client_sequence > %s"
            " ORDER BY client_sequence",
            (CLOSE_OUT, after),
        )
        return [codec.decode_report(row[0]) for row in self._cursor]
