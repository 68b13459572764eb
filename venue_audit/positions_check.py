"""Compares accounts, deposits, holds and heads as they stand at the cut, and what must be
conserved.
"""

from collections.abc import Mapping

from clearinghouse.domain.ledger import Position, ReportChain
from clearinghouse.domain.venue_accounts import EXTERNAL, UNREPORTED
from venue_audit.differences import LOG, REPORTS, Differences, Value
from venue_audit.history import History, Key
from venue_audit.report_ledger import ClientBooks
from venue_audit.snapshot import Snapshot
from venue_protocol.holds import CASH

_ACCOUNTS = """
SELECT client_id, balance_e4, held_e4, is_external, report_count, report_hash
FROM accounts ORDER BY client_id
"""
_DEPOSITS = """
SELECT client_id, security_id, quantity, held, is_external
FROM securities_deposits ORDER BY client_id, security_id
"""
_NEWEST_REPORT = "SELECT max(sequence) FROM settlement_reports WHERE client_id = %s"
_ENTRY_SUMS = (
    "SELECT client_id, asset, sum(amount)::bigint FROM ledger_entries GROUP BY client_id, asset"
)
_UNBALANCED = """
SELECT journal_id, asset, sum(amount)::bigint FROM ledger_entries GROUP BY journal_id, asset
HAVING sum(amount) <> 0 ORDER BY journal_id
"""
_UNSETTLED = "SELECT client_id, security_id, quantity, cash_e4 FROM net_obligations"
_NOTHING = Position()


class PositionsCheck:
    """Reads the positions of one snapshot and holds them against a proof."""

    def __init__(self, clearing: Snapshot, differences: Differences) -> None:
        self._clearing = clearing
        self._differences = differences
        self.accounts = 0
        self.deposits = 0

    def against_history(self, history: History) -> None:
        """Every account and deposit, with its hold, is what the folded log says."""
        unseen = dict(history.ledger.positions)
        for (
            client_id,
            balance_e4,
            held_e4,
            is_external,
            count,
            report_hash,
        ) in self._clearing.stream(_ACCOUNTS):
            self.accounts += 1
            expected = unseen.pop((client_id, CASH), _NOTHING)
            self._same("account", client_id, client_id, "balance_e4", expected.quantity, balance_e4)
            self._hold(history, (client_id, CASH), "held_e4", expected.held, held_e4)
            self._same(
                "account", client_id, client_id, "is_external", client_id in EXTERNAL, is_external
            )
            chain = history.settlement.chains.get(client_id) or ReportChain()
            self._same("account", client_id, client_id, "report_count", chain.count, count)
            self._same("account", client_id, client_id, "report_hash", chain.hash, report_hash)
        for client_id, security_id, quantity, held, is_external in self._clearing.stream(_DEPOSITS):
            self.deposits += 1
            expected = unseen.pop((client_id, security_id), _NOTHING)
            subject = f"{client_id} {security_id}"
            self._same("deposit", subject, client_id, "quantity", expected.quantity, quantity)
            self._hold(history, (client_id, security_id), "held", expected.held, held)
            self._same(
                "deposit", subject, client_id, "is_external", client_id in EXTERNAL, is_external
            )
        for (client_id, asset), missing in unseen.items():
            if missing.quantity or missing.held:
                what = "account" if asset == CASH else "deposit"
                self._same(
                    what, f"{client_id} {asset}", client_id, "quantity", missing.quantity, None
                )

    def holds_against_open_orders(self, history: History) -> None:
        """The folded holds are exactly what the open orders need."""
        needed = history.held_by_open_orders()
        for key, position in history.ledger.positions.items():
            sequence = history.hold_sequences.get(key)
            self._differences.compare(
                "hold",
                " ".join(key),
                "sum_over_open_orders",
                needed.pop(key, 0),
                position.held,
                LOG,
                sequence,
            )
        for key, amount in needed.items():
            self._differences.compare("hold", " ".join(key), "sum_over_open_orders", amount, 0, LOG)

    def heads(self, history: History) -> None:
        """The counters of journals, reports and log rows stand where their rows end."""
        settlement = history.settlement
        row = self._clearing.one(
            "SELECT last_journal_id, last_report_sequence FROM settlement_heads"
        )
        journal_id, report = row or (None, None)
        self._differences.compare(
            "position", "journals", "last_journal_id", settlement.last_journal_id, journal_id
        )
        expected = settlement.last_report_sequence
        self._differences.compare(
            "position", "settlement reports", "last_report_sequence", expected, report
        )
        for shard, last, last_us in self._clearing.all(
            "SELECT shard, last_sequence, last_time_us FROM order_log_heads"
        ):
            engine = history.engines.get(shard)
            position, time_us = (engine.log_position, engine.time_us) if engine else (0, 0)
            self._differences.compare(
                "position", f"order log {shard}", "last_sequence", position, last
            )
            self._differences.compare(
                "position", f"order log {shard}", "last_time_us", time_us, last_us
            )

    def against_reports(self, clients: Mapping[str, ClientBooks], only: str | None = None) -> None:
        """The second proof: balances, holdings and chains are what reports alone add up to; of
        `only` one client.
        """
        nothing = ClientBooks()
        for client_id, balance_e4, _, is_external, count, report_hash in self._clearing.stream(
            _ACCOUNTS
        ):
            if is_external or client_id in UNREPORTED or only not in (None, client_id):
                continue
            books = clients.get(client_id, nothing)
            field = "balance_e4 by its reports"
            self._same(
                "account", client_id, client_id, "report_count by its reports", books.count, count
            )
            self._same(
                "account",
                client_id,
                client_id,
                "report_hash by its reports",
                books.hash,
                report_hash,
            )
            self._same("account", client_id, client_id, field, books.balance_e4, balance_e4)
        unseen = {
            (name, asset): held
            for name, books in clients.items()
            for asset, held in books.holdings.items()
        }
        for client_id, security_id, quantity, _, is_external in self._clearing.stream(_DEPOSITS):
            if not is_external and only in (None, client_id):
                expected = unseen.pop((client_id, security_id), 0)
                subject = f"{client_id} {security_id}"
                self._same(
                    "deposit", subject, client_id, "quantity by its reports", expected, quantity
                )
        for (client_id, asset), quantity in unseen.items():
            if quantity:
                self._same(
                    "deposit",
                    f"{client_id} {asset}",
                    client_id,
                    "quantity by its reports",
                    quantity,
                    None,
                )

    def conservation(self) -> None:
        """Journals sum to zero in each asset; positions are the sums of their entries; nothing was
        made or lost.
        """
        for journal_id, asset, amount in self._clearing.stream(_UNBALANCED):
            field = "sum_e4" if asset == CASH else "sum"
            self._differences.compare(
                "journal", f"{journal_id} {asset}", field, 0, amount, "journal", journal_id
            )
        entries = {
            (client_id, asset): amount
            for client_id, asset, amount in self._clearing.all(_ENTRY_SUMS)
        }
        # What is not settled yet has no journal, but is in the positions since the trade.
        for client_id, security_id, quantity, cash_e4 in self._clearing.all(_UNSETTLED):
            for asset, amount in ((security_id, quantity), (CASH, cash_e4)):
                key = (client_id, asset)
                entries[key] = entries.get(key, 0) + amount
        totals: dict[str, int] = {}
        for client_id, balance_e4, *_ in self._clearing.stream(_ACCOUNTS):
            totals[CASH] = totals.get(CASH, 0) + balance_e4
            expected = entries.pop((client_id, CASH), 0)
            self._same(
                "account",
                client_id,
                client_id,
                "balance_e4 by its ledger entries",
                expected,
                balance_e4,
            )
        for client_id, security_id, quantity, *_ in self._clearing.stream(_DEPOSITS):
            totals[security_id] = totals.get(security_id, 0) + quantity
            expected = entries.pop((client_id, security_id), 0)
            subject = f"{client_id} {security_id}"
            self._same(
                "deposit", subject, client_id, "quantity by its ledger entries", expected, quantity
            )
        for (client_id, asset), amount in entries.items():
            if amount:
                self._same(
                    "deposit",
                    f"{client_id} {asset}",
                    client_id,
                    "quantity by its ledger entries",
                    amount,
                    None,
                )
        for asset, amount in totals.items():
            self._differences.compare(
                "conservation", asset, "total_e4" if asset == CASH else "total", 0, amount
            )

    def _same(
        self, what: str, subject: str, client_id: str, field: str, expected: Value, found: Value
    ) -> None:
        """What settlement wrote: it parts where the client's reports part, or else after the newest
        of them.
        """
        if expected != found:
            first = self._differences.first_sequence("settlement_report", client_id)
            newest = first or self._clearing.number(_NEWEST_REPORT, (client_id,))
            self._differences.compare(what, subject, field, expected, found, REPORTS, newest)

    def _hold(self, history: History, key: Key, field: str, expected: int, found: int) -> None:
        """A hold: it parts at the newest log row that raised it."""
        subject = " ".join(key)
        self._differences.compare(
            "hold", subject, field, expected, found, LOG, history.hold_sequences.get(key)
        )
