"""Proposals in memory, for tests and simulation."""

from clearinghouse.domain.corrections import DoneCorrection, SettledTrade, settled_trade
from clearinghouse.domain.ledger import Leg
from clearinghouse.ports import ProposalExists
from venue_protocol import codec
from venue_storage.clearing_rows import JournalRow, ProposalRow
from venue_storage.memory_clearing_data import MemoryTransaction, UniqueViolated


class MemoryProposals:
    """The Proposals of a transaction on dicts."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction
        self._tables = transaction.tables

    def add(self, proposal: ProposalRow) -> int:
        """Store an open proposal; its number."""
        self._transaction.statement()
        number = len(self._tables.proposals) + 1
        try:
            self._transaction.add_proposal(proposal._replace(proposal_id=number))
        except UniqueViolated as error:
            if error.constraint != "proposals_open_trade":
                raise
            raise ProposalExists(str(proposal.trade_id)) from error
        return number

    def find(self, proposed_by: str, idempotency_key: str) -> ProposalRow | None:
        """What was proposed under this key."""
        self._transaction.statement()
        for row in self._tables.proposals.values():
            if (row.proposed_by, row.idempotency_key) == (proposed_by, idempotency_key):
                return row
        return None

    def lock(self, proposal_id: int) -> ProposalRow | None:
        """A proposal."""
        self._transaction.statement()
        return self._tables.proposals.get(proposal_id)

    def decide(self, decided: ProposalRow) -> None:
        """Store the decision."""
        self._transaction.statement()
        self._transaction.decide_proposal(decided)

    def count_since(self, proposed_by: str, after_us: int) -> int:
        """How many this one proposed later than `after_us`."""
        self._transaction.statement()
        return sum(
            row.proposed_by == proposed_by and row.proposed_us > after_us
            for row in self._tables.proposals.values()
        )

    def trade(self, trade_id: int) -> SettledTrade | None:
        """A settled trade as it stands after its corrections."""
        self._transaction.statement()
        reports = (codec.decode_report(row.report) for row in self._tables.reports.values())
        told = [
            report
            for report in reports
            if report.trade_id == trade_id and report.settlement_kind == "trade"
        ]
        if not told:
            return None
        done = [
            DoneCorrection(row.details, _legs(self._tables.journals[row.journal_id]))
            for row in sorted(self._tables.proposals.values(), key=lambda row: row.journal_id or 0)
            if row.trade_id == trade_id and row.journal_id is not None
        ]
        trade = settled_trade(told, done)
        is_before_action = any(
            step.security_id == trade.security_id and step.applied_us >= told[0].time_us
            for step in self._tables.corporate_actions.values()
        )
        return trade._replace(is_before_action=is_before_action)


def _legs(row: JournalRow) -> tuple[Leg, ...]:
    return tuple(map(Leg, row.accounts, row.assets, row.amounts))
