"""Compares what was proposed and consented with what was moved, recorded and told.

Each bust, correction, fine and withdrawal that a second person consented to is derived again: from
its proposal, and of a trade from the trade as the log gives it. The record of what administrators
did, which nobody can change, says who proposed and who consented. An example: a bust whose journal
gives the buyer one cent too much differs in that leg; a proposal that its own proposer consented to
differs in `decided_by`.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from clearinghouse.domain.corrections import (
    Correction,
    DoneCorrection,
    SettledTrade,
    after,
    correction_of,
)
from clearinghouse.domain.ledger import Leg
from clearinghouse.domain.proposed_transfers import legs_of
from clearinghouse.domain.settlement import trade_legs
from market_data_feed.domain.trade_corrections import TradeCorrectionRow, corrections_of
from venue_audit.differences import ACTIONS, JOURNALS, REPORTS, Differences, Value
from venue_audit.snapshot import Snapshot
from venue_protocol import codec
from venue_protocol.events import Event, Trade
from venue_protocol.proposals import (
    Proposed,
    TradeBust,
    TradeCorrection,
    decode,
    journal_reference,
    kind_of,
)
from venue_storage.clearing_rows import ProposalRow

_PROPOSALS = f"SELECT {', '.join(ProposalRow._fields)} FROM proposals ORDER BY proposal_id"
_HAS_PROPOSALS = "SELECT to_regclass('proposals') IS NOT NULL"
_ACTIONS = """
SELECT number, administrator, action, reason, details FROM administrative_actions
WHERE action IN ('propose', 'consent', 'decline') ORDER BY number
"""
_ADMINISTRATORS = "SELECT client_id FROM clients WHERE role = 'administrator'"
_TOLD = f"""
SELECT {", ".join(TradeCorrectionRow._fields)} FROM trade_corrections
ORDER BY sequence, security_id, trade_id
"""
_HAS_TOLD = "SELECT to_regclass('trade_corrections') IS NOT NULL"


class Consented(NamedTuple):
    """What the journal of a proposal must be."""

    proposal: ProposalRow
    correction: Correction | None
    """Of a bust or correction; else the rest says it."""
    kind: str
    legs: tuple[Leg, ...]
    reference: str
    memo: str


class _Recorded(NamedTuple):
    """What the record of administrative actions says of one proposal."""

    number: int
    administrator: str
    action: str
    reason: str | None
    details: Mapping[str, Any]


class ProposalsCheck:
    """Follows the history: trades are noted as they come, proposals looked up by their journal."""

    def __init__(
        self, clearing: Snapshot, market: Snapshot, recorded: int, differences: Differences
    ) -> None:
        self._clearing = clearing
        self._market = market
        self._recorded = recorded
        """Newest settlement report that the feed has recorded."""
        self._differences = differences
        rows = map(ProposalRow._make, clearing.all(_PROPOSALS)) if self._is_kept() else ()
        self.proposals = {row.proposal_id: row for row in rows}
        self._proposed = {number: self._decoded(row) for number, row in self.proposals.items()}
        self._by_journal = {
            row.journal_id: row for row in self.proposals.values() if row.journal_id is not None
        }
        self._wanted = {row.trade_id for row in self.proposals.values() if row.trade_id is not None}
        self._trades: dict[int, SettledTrade] = {}
        self._told: list[TradeCorrectionRow] = []

    def note(self, events: Iterable[Event]) -> None:
        """Keep the trades that something was proposed about."""
        if not self._wanted:
            return
        for event in events:
            if type(event) is Trade and event.trade_id in self._wanted:
                self._trades[event.trade_id] = _as_settled(event)

    def consented(self, journal_id: int, kind: str) -> Consented | None:
        """What this journal must be, if it is one that a proposal explains.

        `kind` is what its witnesses call it: one that needs a proposal and has none is named.
        """
        row = self._by_journal.get(journal_id)
        proposed = self._proposed.get(row.proposal_id) if row is not None else None
        if row is None or proposed is None:
            if kind in ("bust", "correction", "fine"):
                self._journal(journal_id, "proposal", "one that was consented to", None)
            return None
        reference = journal_reference(proposed, row.proposal_id)
        if isinstance(proposed, TradeBust | TradeCorrection):
            return self._corrected(journal_id, row, proposed, reference)
        legs = legs_of(proposed)
        return Consented(row, None, kind_of(proposed), legs, reference, row.reason)

    def done(self, consented: Consented, reports: Iterable[bytes]) -> None:
        """Its journal and these reports were derived: the next one starts from there."""
        row = consented.proposal
        if consented.correction is not None and row.trade_id in self._trades:
            done = DoneCorrection(row.details, consented.legs)
            self._trades[row.trade_id] = after(self._trades[row.trade_id], done)
        self._told += corrections_of(map(codec.decode_report, reports))

    def finish(self) -> None:
        """Compare proposals with the record of actions, and what the feed tells of trades."""
        if self._is_kept():
            self._compare_actions()
        if self._market.one(_HAS_TOLD) == (True,):
            self._compare_told()

    def _corrected(
        self,
        journal_id: int,
        row: ProposalRow,
        proposed: TradeBust | TradeCorrection,
        reference: str,
    ) -> Consented | None:
        trade = self._trades.get(proposed.trade_id)
        if trade is None or trade.is_busted:
            wrong = "no settled trade" if trade is None else "busted before"
            self._journal(journal_id, f"trade {proposed.trade_id}", "a settled trade", wrong)
            return None
        correction = correction_of(trade, proposed, reference, row.reason)
        return Consented(
            row, correction, correction.kind, correction.legs, reference, correction.memo
        )

    def _decoded(self, row: ProposalRow) -> Proposed | None:
        """What a proposal says; None, and named, if its columns say something else."""
        try:
            proposed = decode(row.details)
        except msgspec.MsgspecError as error:
            self._proposal(row.proposal_id, "details", "a proposal", str(error))
            return None
        self._proposal(row.proposal_id, "proposal_kind", kind_of(proposed), row.proposal_kind)
        for name in ("trade_id", "client_id"):
            self._proposal(row.proposal_id, name, getattr(proposed, name, None), getattr(row, name))
        return proposed

    def _compare_actions(self) -> None:
        administrators = {name for (name,) in self._clearing.all(_ADMINISTRATORS)}
        proposed: dict[int, _Recorded] = {}
        decided: dict[int, _Recorded] = {}
        for number, administrator, action, reason, details in self._clearing.all(_ACTIONS):
            told = json.loads(details)
            recorded = _Recorded(number, administrator, action, reason, told)
            (proposed if action == "propose" else decided)[told["proposal_id"]] = recorded
        for proposal_id in sorted({*self.proposals, *proposed, *decided}):
            row = self.proposals.get(proposal_id)
            if row is None:
                self._proposal(proposal_id, "row", "a proposal", None)
                continue
            self._compare_proposed(row, proposed.get(proposal_id))
            self._compare_decided(row, decided.get(proposal_id), administrators)

    def _compare_proposed(self, row: ProposalRow, recorded: _Recorded | None) -> None:
        if row.proposed_by == row.client_id and row.proposal_kind == "withdrawal":
            return
        if recorded is None:
            self._proposal(row.proposal_id, "recorded proposal", None, row.proposed_by)
            return
        number = recorded.number
        for name, wanted, found in (
            ("proposed_by", recorded.administrator, row.proposed_by),
            ("reason", recorded.reason, row.reason),
            ("details", recorded.details["proposed"], row.details),
        ):
            self._proposal(row.proposal_id, name, wanted, found, number)

    def _compare_decided(
        self, row: ProposalRow, recorded: _Recorded | None, administrators: set[str]
    ) -> None:
        is_own = row.decided_by is not None and row.decided_by == row.proposed_by
        if row.status == "done" and is_own:
            self._proposal(row.proposal_id, "decided_by", "a second person", row.decided_by)
        if recorded is None:
            is_taken_back = row.status == "canceled" and is_own
            if row.status != "open" and not is_taken_back:
                self._proposal(row.proposal_id, "recorded decision", None, row.status)
            return
        if row.decided_by not in administrators:
            self._proposal(row.proposal_id, "decided_by", "an administrator", row.decided_by)
        status = "done" if recorded.action == "consent" else recorded.details["status"]
        values: list[tuple[str, Value, Value]] = [
            ("status", status, row.status),
            ("decided_by", recorded.administrator, row.decided_by),
        ]
        if recorded.action == "consent":
            values += [
                (name, recorded.details[said], getattr(row, name))
                for name, said in _OF_A_CONSENT.items()
            ]
        for name, wanted, found in values:
            self._proposal(row.proposal_id, name, wanted, found, recorded.number)

    def _compare_told(self) -> None:
        expected = {row.sequence: row for row in self._told if row.sequence <= self._recorded}
        for found in map(TradeCorrectionRow._make, self._market.all(_TOLD)):
            row = expected.pop(found.sequence, None)
            subject = f"{found.trade_id} {found.security_id}"
            if row is None:
                self._differences.compare(
                    "trade_correction", subject, "row", None, str(found), REPORTS, found.sequence
                )
                continue
            values: zip[tuple[str, Value, Value]] = zip(row._fields, row, found, strict=True)
            for name, wanted, stored in values:
                self._differences.compare(
                    "trade_correction", subject, name, wanted, stored, REPORTS, found.sequence
                )
        for row in expected.values():
            subject = f"{row.trade_id} {row.security_id}"
            self._differences.compare(
                "trade_correction", subject, "row", str(row), None, REPORTS, row.sequence
            )

    def _is_kept(self) -> bool:
        """Whether this database is of a time when there were proposals."""
        return self._clearing.one(_HAS_PROPOSALS) == (True,)

    def _journal(self, journal_id: int, field: str, expected: Value, found: Value) -> None:
        self._differences.compare(
            "journal", str(journal_id), field, expected, found, JOURNALS, journal_id
        )

    def _proposal(
        self,
        proposal_id: int,
        field: str,
        expected: Value,
        found: Value,
        number: int | None = None,
    ) -> None:
        self._differences.compare(
            "proposal", str(proposal_id), field, expected, found, ACTIONS, number
        )


_OF_A_CONSENT = {"details": "proposed", "proposed_by": "proposed_by", "journal_id": "journal_id"}
"""Columns of a proposal, and what the record of its consent calls them."""


def _as_settled(trade: Trade) -> SettledTrade:
    """A trade of the log as its own journal settled it."""
    return SettledTrade(
        trade.trade_id,
        trade.security_id,
        trade.buy_client_id,
        trade.buy_order_id,
        trade.sell_client_id,
        trade.sell_order_id,
        trade.quantity,
        trade.price_e4,
        trade_legs(trade),
    )
