"""Two people for one change: somebody proposes, another one consents, and then it is done.

What an administrator proposes needs a second administrator; what a client asks for (a withdrawal of
its own cash or shares) needs one. Nothing is held or moved before the consent: what is to be moved
must be there, and not held by an order, when it comes.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from clearinghouse.administrative_record import ActionRecord, Note, log_actions
from clearinghouse.client_administration import MOST_REASON
from clearinghouse.domain.corrections import (
    MOST_CORRECTIONS,
    Correction,
    SettledTrade,
    corrected_terms,
    correction_of,
)
from clearinghouse.domain.proposed_transfers import legs_of
from clearinghouse.domain.settlement import Settlement
from clearinghouse.handlers import SettlementDesk
from clearinghouse.ports import LedgerTransaction, ProposalExists
from clearinghouse.transfers import (
    check_lot,
    lock_legs,
    refuse_short,
    require_client,
    require_movable,
    require_storable,
    transfer,
)
from service_runtime.clock import Clock
from venue_protocol.holds import CASH
from venue_protocol.proposals import (
    ProposalStatus,
    Proposed,
    TradeBust,
    TradeCorrection,
    Withdrawal,
    decode,
    encode,
    journal_reference,
    kind_of,
)
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.settlement import CLOSE_OUT
from venue_storage.clearing_rows import ActionRow, ProposalRow

T = TypeVar("T")

MOST_REQUESTS_A_DAY = 100
"""Withdrawals that one client may ask for in 24 hours: each is a row that stays for ever."""
_DAY_US = 86_400_000_000
_MOST_VALUE_E4 = 1 << 62
"""Of a corrected trade: twice this is what a column holds."""


class Answer(NamedTuple):
    """A proposal as it stands, and whether this very request was done before."""

    proposal: ProposalRow
    is_duplicate: bool


class ProposalDesk:
    """Where proposals are made and decided. Refusals are raised as `Refused`."""

    def __init__(self, desk: SettlementDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock
        self._record = ActionRecord(clock)

    def propose(self, proposed: Proposed, reason: str, idempotency_key: str, by: str) -> Answer:
        """Store what an administrator proposes, or a client asks for itself.

        Refused at once if it could not be done whoever consents: an unknown or busted trade, a
        correction that changes nothing, another open proposal on the same trade. Whether it is
        covered shows at the consent. The same key again does nothing.
        """
        _require_reason(reason)
        trade_id = getattr(proposed, "trade_id", None)
        client_id = getattr(proposed, "client_id", None)
        row = ProposalRow(
            0,
            kind_of(proposed),
            trade_id,
            client_id,
            encode(proposed),
            reason,
            idempotency_key,
            by,
            self._clock.now_us(),
        )

        def work(transaction: LedgerTransaction, record: Note) -> tuple[Answer, None]:
            self._require_not_suspended(transaction, by)
            known = transaction.proposals.find(by, idempotency_key)
            if known is not None:
                if (known.details, known.reason) != (row.details, row.reason):
                    raise refuse(
                        RejectReason.IDEMPOTENCY_KEY_REUSED,
                        f"this Idempotency-Key stands for proposal {known.proposal_id}",
                    )
                return Answer(known, True), None
            self._check(transaction, proposed, by)
            try:
                number = transaction.proposals.add(row)
            except ProposalExists:
                raise refuse(
                    RejectReason.PROPOSAL_EXISTS,
                    f"another proposal on trade {trade_id} waits to be decided",
                    "trade_id",
                ) from None
            if by != client_id:
                details = {"proposal_id": number, "proposed": row.details}
                record("propose", by, client_id=client_id, reason=reason, details=details)
            return Answer(row._replace(proposal_id=number), False), None

        return self._move(work)

    def consent(self, proposal_id: int, by: str) -> Answer:
        """Do what was proposed, in one transaction, or refuse with who lacks what.

        Refused for whoever proposed it. The same consent again gives the first answer. A refused
        consent leaves the proposal open, so it can be given again.
        """

        def work(transaction: LedgerTransaction, record: Note) -> tuple[Answer, Settlement | None]:
            row = _lock(transaction, proposal_id)
            self._require_not_suspended(transaction, by)
            if row.status == "done" and row.decided_by == by:
                return Answer(row, True), None
            _require_open(row)
            if row.proposed_by == by:
                raise refuse(
                    RejectReason.SECOND_PERSON_REQUIRED,
                    f"{by} proposed this: another administrator must consent",
                )
            settlement = self._do(transaction, row)
            decided = self._decided(row, "done", by, None, settlement.last_journal_id)
            transaction.proposals.decide(decided)
            details = {
                "proposal_id": proposal_id,
                "proposed": row.details,
                "proposed_by": row.proposed_by,
                "journal_id": settlement.last_journal_id,
            }
            record("consent", by, client_id=row.client_id, reason=row.reason, details=details)
            return Answer(decided, False), settlement

        return self._move(work)

    def decline(self, proposal_id: int, by: str, reason: str | None = None) -> Answer:
        """Decide against a proposal, so that it can't be done any more.

        Of whoever proposed it, this takes it back: it is `canceled`, of others `declined`. The same
        again gives the first answer.
        """
        if reason is not None:
            _require_reason(reason)

        def work(transaction: LedgerTransaction, record: Note) -> tuple[Answer, None]:
            row = _lock(transaction, proposal_id)
            if row.status in ("declined", "canceled") and row.decided_by == by:
                return Answer(row, True), None
            _require_open(row)
            status: ProposalStatus = "canceled" if by == row.proposed_by else "declined"
            decided = self._decided(row, status, by, reason, None)
            transaction.proposals.decide(decided)
            if by != row.client_id:
                details = {"proposal_id": proposal_id, "status": status}
                record("decline", by, client_id=row.client_id, reason=reason, details=details)
            return Answer(decided, False), None

        return self._move(work)

    def cancel_request(self, proposal_id: int, by: str) -> Answer:
        """A client takes back what it asked for itself; another's is as unknown as none."""

        def work(transaction: LedgerTransaction, record: Note) -> tuple[ProposalRow, None]:
            return _lock(transaction, proposal_id), None

        if self._move(work).proposed_by != by:
            raise _unknown(proposal_id)
        return self.decline(proposal_id, by)

    def _check(self, transaction: LedgerTransaction, proposed: Proposed, by: str) -> None:
        """Refuse what could not be done whoever consents."""
        if isinstance(proposed, TradeBust):
            _find_trade(transaction, proposed.trade_id)
        elif isinstance(proposed, TradeCorrection):
            _check_correction(transaction, proposed, _find_trade(transaction, proposed.trade_id))
        elif isinstance(proposed, Withdrawal):
            self._check_withdrawal(transaction, proposed, by)
        else:
            require_client(transaction, proposed.client_id)
            require_movable(proposed.client_id, CASH, proposed.cash_e4)
            known = transaction.lock_client(proposed.client_id)
            if known is not None and known.role == "venue":
                raise refuse(
                    RejectReason.FORBIDDEN,
                    f"{proposed.client_id} is an account of the venue itself",
                    "client_id",
                )

    def _check_withdrawal(
        self, transaction: LedgerTransaction, proposed: Withdrawal, by: str
    ) -> None:
        require_client(transaction, proposed.client_id)
        require_movable(proposed.client_id, proposed.asset, proposed.amount)
        if proposed.asset != CASH:
            check_lot(transaction, proposed.asset, proposed.amount, "security")
        since_us = self._clock.now_us() - _DAY_US
        if transaction.proposals.count_since(by, since_us) >= MOST_REQUESTS_A_DAY:
            raise refuse(
                RejectReason.TOO_MANY_PROPOSALS,
                f"{by} asked for {MOST_REQUESTS_A_DAY} withdrawals in the last 24 hours",
            )

    def _do(self, transaction: LedgerTransaction, row: ProposalRow) -> Settlement:
        proposed = decode(row.details)
        reference = journal_reference(proposed, row.proposal_id)
        if isinstance(proposed, TradeBust | TradeCorrection):
            trade = _find_trade(transaction, proposed.trade_id)
            if isinstance(proposed, TradeCorrection):
                _check_correction(transaction, proposed, trade)
            return self._correct(transaction, correction_of(trade, proposed, reference, row.reason))
        return transfer(
            transaction,
            self._clock.now_us(),
            row.proposal_kind,
            legs_of(proposed),
            reference,
            row.reason,
        )

    def _correct(self, transaction: LedgerTransaction, correction: Correction) -> Settlement:
        settlement = lock_legs(transaction, correction.legs, correction.reported())
        shortfall = settlement.correct(correction, self._clock.now_us())
        if shortfall is not None:
            raise refuse_short(shortfall)
        require_storable(settlement, correction.legs)
        transaction.write(settlement)
        return settlement

    def _decided(
        self,
        row: ProposalRow,
        status: ProposalStatus,
        by: str,
        reason: str | None,
        journal_id: int | None,
    ) -> ProposalRow:
        return row._replace(
            status=status,
            decided_by=by,
            decided_us=self._clock.now_us(),
            decision_reason=reason,
            journal_id=journal_id,
        )

    def _require_not_suspended(self, transaction: LedgerTransaction, by: str) -> None:
        known = transaction.lock_client(by)
        if known is not None and known.suspension is not None:
            raise refuse(RejectReason.CLIENT_SUSPENDED, f"{by} is suspended")

    def _move(self, work: Callable[[LedgerTransaction, Note], tuple[T, Settlement | None]]) -> T:
        """Run it at the settlement desk; what was recorded is logged once it is committed."""
        noted: list[ActionRow] = []
        result = self._desk.move(
            lambda transaction: work(transaction, self._record.note_taker(transaction, noted))
        )
        log_actions(noted)
        return result


def _lock(transaction: LedgerTransaction, proposal_id: int) -> ProposalRow:
    row = transaction.proposals.lock(proposal_id)
    if row is None:
        raise _unknown(proposal_id)
    return row


def _unknown(proposal_id: int) -> Exception:
    return refuse(RejectReason.UNKNOWN_PROPOSAL, f"no proposal {proposal_id}")


def _require_open(row: ProposalRow) -> None:
    if row.status != "open":
        raise refuse(
            RejectReason.PROPOSAL_DECIDED,
            f"proposal {row.proposal_id} was decided by {row.decided_by}: {row.status}",
            status=row.status,
        )


def _require_reason(reason: str) -> None:
    if not (1 <= len(reason) <= MOST_REASON and reason.isprintable()):
        raise refuse(
            RejectReason.INVALID_FIELD,
            f"reason has 1 to {MOST_REASON} characters, all of them printable",
            "reason",
        )


def _find_trade(transaction: LedgerTransaction, trade_id: int) -> SettledTrade:
    """The trade, if it can be busted or corrected."""
    trade = transaction.proposals.trade(trade_id)
    if trade is None:
        raise refuse(
            RejectReason.UNKNOWN_TRADE, f"no trade {trade_id} is settled (yet)", "trade_id"
        )
    if trade.is_busted:
        raise refuse(RejectReason.TRADE_BUSTED, f"trade {trade_id} is busted", "trade_id")
    if CLOSE_OUT in (trade.buy_client_id, trade.sell_client_id):
        raise refuse(
            RejectReason.TRADE_OF_CLOSE_OUT,
            f"a close-out bought in trade {trade_id}: its shares and money have gone on",
            "trade_id",
        )
    if trade.is_before_action:
        raise refuse(
            RejectReason.TRADE_BEFORE_ACTION,
            f"a corporate action has changed {trade.security_id} since trade {trade_id}",
            "trade_id",
        )
    return trade


def _check_correction(
    transaction: LedgerTransaction, proposed: TradeCorrection, trade: SettledTrade
) -> None:
    """Refuse a price or quantity that the trade can't have."""
    price_e4, quantity = corrected_terms(trade, proposed)
    if price_e4 <= 0:
        raise refuse(RejectReason.PRICE_NOT_POSITIVE, "price is not above zero", "price")
    if quantity <= 0:
        raise refuse(
            RejectReason.QUANTITY_NOT_POSITIVE, "quantity is not above zero: bust it", "quantity"
        )
    if price_e4 * quantity > _MOST_VALUE_E4:
        raise refuse(RejectReason.INVALID_FIELD, "this is more than an account can hold", "price")
    if (price_e4, quantity) == (trade.price_e4, trade.quantity):
        raise refuse(
            RejectReason.CORRECTION_CHANGES_NOTHING,
            f"trade {trade.trade_id} has this price and quantity",
        )
    if trade.corrections >= MOST_CORRECTIONS:
        raise refuse(
            RejectReason.TOO_MANY_PROPOSALS,
            f"trade {trade.trade_id} was corrected {trade.corrections} times: bust it",
        )
    check_lot(transaction, trade.security_id, quantity, "quantity")
