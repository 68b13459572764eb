"""What the clearinghouse's lists read from `clearing_data`: one page each, in an order that stays.

Each function reads one row more than a page has, so that the page knows whether another follows.
"""

from typing import NamedTuple

from clearinghouse.adapters.client_reports import OF_NO_JOURNAL, first_report_after
from clearinghouse.domain.fees import FEES
from clearinghouse.domain.venue_accounts import BANK, CLEARINGHOUSE, DEPOSITORY
from service_runtime.database import Database
from venue_protocol.securities import Security
from venue_storage.clearing_rows import ActionRow

LAST_LEG = (1 << 63) - 1
"""A cursor of this leg stands behind all legs of its journal."""


class ClientLine(NamedTuple):
    """A client with its cash, ten-thousandths of a dollar."""

    client_id: str
    role: str
    balance_e4: int
    held_e4: int
    rate_limit_per_second: int | None
    suspended_us: int | None
    suspension_reason: str | None


class EntryLine(NamedTuple):
    """One leg of a journal on a client's account; amount in ten-thousandths or shares."""

    journal_id: int
    leg: int
    asset: str
    amount: int
    journal_kind: str
    trade_id: int | None
    time_us: int


class NumberedAction(NamedTuple):
    """One row of the record of what administrators did, with its place in it."""

    number: int
    action: ActionRow


class AccountQueries:
    """The queries, each a transaction of its own."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing

    def clients(self, after: str, limit: int) -> list[ClientLine]:
        """Clients other than the venue's own, by name, from behind `after`; one more than limit."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                f"SELECT {', '.join(ClientLine._fields)} FROM clients JOIN accounts"
                " USING (client_id) WHERE role <> 'venue' AND client_id COLLATE \"C\" > %s"
                ' ORDER BY client_id COLLATE "C" LIMIT %s',
                (after, limit + 1),
            )
            return [ClientLine(*row) for row in cursor]

    def securities(self, after: str, limit: int) -> list[Security]:
        """Listed securities by name, from behind `after`; one more than limit."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                f"SELECT {', '.join(Security.__struct_fields__)} FROM securities"
                ' WHERE security_id COLLATE "C" > %s ORDER BY security_id COLLATE "C" LIMIT %s',
                (after, limit + 1),
            )
            return [Security(*row) for row in cursor]

    def actions(self, client_id: str | None, after: int, limit: int) -> list[NumberedAction]:
        """What administrators did (to this client), oldest first; one more than limit."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                f"SELECT number, {', '.join(ActionRow._fields)} FROM administrative_actions"
                " WHERE number > %(after)s"
                " AND (%(client)s::text IS NULL OR client_id = %(client)s)"
                " ORDER BY number LIMIT %(most)s",
                {"after": after, "client": client_id, "most": limit + 1},
            )
            return [NumberedAction(number, ActionRow(*row)) for number, *row in cursor]

    def entries(self, client_id: str, after: tuple[int, ...], limit: int) -> list[EntryLine]:
        """A client's legs behind the cursor (journal, leg), oldest first; one more than limit.

        The journals are found by the client's settlement reports: these are numbered per client
        and have an index, while no index of the journals knows whose legs are in them (it would
        cost each trade four entries).
        A journal has at least as many legs of the client as it has reports to it, so the next
        `limit + 1` reports reach far enough.
        """
        journal_id, leg = after
        kinds = _KINDS_WITHOUT_REPORTS.get(client_id)
        if kinds is not None:
            return self._entries_without_reports(client_id, kinds, after, limit)
        with self._clearing.transaction() as cursor:
            first = first_report_after(cursor, client_id, journal_id)
            cursor.execute(
                ENTRIES,
                {
                    "client": client_id,
                    "journal": journal_id,
                    "leg": leg,
                    "first": first,
                    "failed": OF_NO_JOURNAL,
                    "most": limit + 1,
                },
            )
            return [EntryLine(*row) for row in cursor]

    def _entries_without_reports(
        self, client_id: str, kinds: str, after: tuple[int, ...], limit: int
    ) -> list[EntryLine]:
        """The same for an account of the venue that gets no reports: all journals of these kinds
        are looked at, in their order, until the page is full.
        """
        journal_id, leg = after
        with self._clearing.transaction() as cursor:
            cursor.execute(
                f"SELECT {', '.join(EntryLine._fields)} FROM ledger_entries"
                " WHERE client_id = %(client)s AND (journal_id, leg) > (%(journal)s, %(leg)s)"
                " AND journal_id IN (SELECT journal_id FROM journals"
                f"  WHERE journal_id >= %(journal)s AND {kinds} AND %(client)s = ANY (accounts)"
                "  ORDER BY journal_id LIMIT %(most)s)"
                " ORDER BY journal_id, leg LIMIT %(most)s",
                # One more journal: all legs of the first may lie before the cursor.
                {"client": client_id, "journal": journal_id, "leg": leg, "most": limit + 2},
            )
            return [EntryLine(*row) for row in cursor][: limit + 1]


# One list of journals, not `journal_id = … OR journal_id IN (…)`: with that each journal of the
# venue would be looked at, for every page.
ENTRIES = f"""
SELECT {", ".join(EntryLine._fields)} FROM ledger_entries
WHERE client_id = %(client)s AND (journal_id, leg) > (%(journal)s, %(leg)s)
AND journal_id IN (
    SELECT %(journal)s::bigint UNION ALL (
        SELECT (report::json->>'journal_id')::bigint FROM settlement_reports
        WHERE client_id = %(client)s AND client_sequence >= %(first)s
        AND report NOT LIKE %(failed)s
        ORDER BY client_sequence LIMIT %(most)s
    )
)
ORDER BY journal_id, leg LIMIT %(most)s
"""
_KINDS_WITHOUT_REPORTS = {
    BANK: "journal_kind <> 'trade'",
    DEPOSITORY: "journal_kind <> 'trade'",
    CLEARINGHOUSE: "journal_kind IN ('trade', 'net_settlement', 'bust', 'correction')",
    FEES: "true",
}
"""Accounts that get no settlement reports, and the journals in which their legs are; the first two
have an index of these.
"""
