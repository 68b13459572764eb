"""Folds a client's settlement reports into its statement: in one pass, in bounded memory.

A report counts at its own time, or at that of the report before it where that is later: reports of
the order log and those of transfers come from two clocks, and a period is a run of reports.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from venue_protocol.settlement import GENESIS_HASH, SettlementReport
from venue_protocol.statements.cost_basis import AmendedBasis, CostBasis, Move
from venue_protocol.statements.holding import Holding, owned, security_line, value
from venue_protocol.statements.statement import (
    ACTIONS,
    BOUGHT,
    DEPOSITS,
    DIVIDENDS,
    FEES,
    LOANS,
    REALISED,
    SOLD,
    UNREALISED,
    WITHDRAWALS,
    Line,
    Moment,
    Statement,
    Told,
    line_of,
    told,
)

_ALL = 1 << 63
AMENDING_KINDS = ("bust", "correction")
"""Kinds of reports that change a trade of before."""


class Discharge(NamedTuple):
    """What the client owes of borrowed shares changed without a report of shares to it: a close-out
    bought some, or the loan followed a corporate action.
    """

    after_report: int
    """Sequence of the venue's newest report when it happened."""
    time_us: int
    security_id: str
    shares: int
    """Owed less."""
    is_exchange: bool = True
    """False: their number changed and their cost did not (a split)."""
    renamed: str | None = None
    """The symbol under which all of it is owed from now on."""


class StatementFold:
    """The statement over [from_us, to_us), being made.

    `amended` are the trades that a bust or correction changes before `to_us`: their security keeps
    its moves from then on. `reference_e4` gives the price at which shares count that came without
    a payment, of a security at a moment. With `from_us` 0 the period begins with the first report.
    """

    def __init__(
        self,
        client_id: str,
        from_us: int,
        to_us: int,
        reference_e4: Callable[[str, int], int],
        amended: Iterable[int] = (),
        discharges: Iterable[Discharge] = (),
    ) -> None:
        self._client_id = client_id
        self._from_us, self._to_us = from_us, to_us
        self._reference_e4 = reference_e4
        self._amended = dict.fromkeys(amended, "")
        self._discharges = deque(discharges)
        self._time_us = 0
        self._securities: dict[str, Holding] = {}
        self._renamed: dict[int, tuple[str, int]] = {}
        self._opening: tuple[int, dict[str, CostBasis]] | None = None
        """Cash, and the shares owned with their cost; None before the period."""
        self._cash_e4 = self._unsettled_e4 = 0
        self._cash: dict[str, int] = {}
        self._earned: dict[str, int] = {}
        self._paid_in_e4 = self._movements = self._number = 0
        self._hash = GENESIS_HASH
        self._faults: list[str] = []

    def take(self, report: SettlementReport) -> Line | None:
        """Count the client's next report; its line if it belongs to the period.

        Reports come in the client's order, from the first; what is at or behind the end is left
        out.
        """
        self._discharge(report.sequence)
        self._time_us = max(self._time_us, report.time_us)
        if self._time_us >= self._to_us:
            return None
        if self._opening is None and self._time_us >= self._from_us:
            self._begin()
        self._check(report)
        counted, realised_e4 = self._count(told(report))
        if self._opening is None:
            return None
        self._movements += 1
        return line_of(counted, realised_e4)

    def is_over(self) -> bool:
        """Whether no further report can belong to the period."""
        return self._time_us >= self._to_us

    def opening_owned(self) -> dict[str, CostBasis]:
        """Shares owned when the period began, with their cost: they need a price."""
        return self._begun()[1]

    def closing_owned(self) -> dict[str, CostBasis]:
        """The same when it ended."""
        self._begun()
        return owned(self._securities)

    def statement(self, opening_e4: Mapping[str, int], closing_e4: Mapping[str, int]) -> Statement:
        """The statement, with prices of both ends by security."""
        cash_e4, before = self._begun()
        lines = [
            security_line(name, held, closing_e4.get(name))
            for name, held in sorted(self._securities.items())
            if held.opening
            or held.holding
            or held.bought
            or held.sold
            or held.dividends_e4
            or held.borrowed
        ]
        opening = Moment(
            self._from_us or self._to_us,
            cash_e4,
            sum(value(basis, opening_e4.get(name)) for name, basis in before.items()),
            sum(basis.cost_e4 for basis in before.values()),
        )
        closing = Moment(
            self._to_us,
            self._cash_e4,
            sum(line.value_e4 for line in lines),
            sum(line.cost_e4 for line in lines),
        )
        earned = self._earned | {UNREALISED: closing.unrealised_e4 - opening.unrealised_e4}
        made = Statement(
            self._client_id,
            opening,
            closing,
            {cause: amount for cause, amount in self._cash.items() if amount},
            self._paid_in_e4,
            {cause: amount for cause, amount in earned.items() if amount},
            lines,
            self._movements,
            self._unsettled_e4,
            self._number,
            self._hash,
            self._faults,
        )
        parted = [
            f"{name}: {held.holding} shares of which {held.borrowed} are borrowed, "
            f"{held.cost.shares} with a cost"
            for name, held in self._securities.items()
            if held.holding - held.borrowed != held.cost.shares
        ]
        return msgspec.structs.replace(made, faults=[*self._faults, *_misfits(made), *parted])

    def _begun(self) -> tuple[int, dict[str, CostBasis]]:
        """What was there when the period began; it begins at the end if no report came."""
        self._discharge(_ALL)
        if self._opening is None:
            self._begin()
        assert self._opening is not None
        return self._opening

    def _begin(self) -> None:
        """All so far was before the period."""
        self._opening = (self._cash_e4, owned(self._securities))
        self._from_us = self._from_us or min(self._time_us, self._to_us)
        self._cash, self._earned = {}, {}
        self._paid_in_e4 = 0
        for held in self._securities.values():
            held.begin()

    def _check(self, report: SettlementReport) -> None:
        """The report follows the one before, and leaves what it says."""
        self._number += 1
        self._cash_e4 += report.cash_e4
        if report.client_sequence != self._number or report.previous_hash != self._hash:
            self._faults.append(
                f"report {report.client_sequence} does not follow report {self._number - 1}"
            )
            self._number = report.client_sequence
        if report.balance_e4 != self._cash_e4:
            self._faults.append(
                f"report {report.client_sequence} leaves {report.balance_e4} of cash, "
                f"the movements {self._cash_e4}"
            )
            self._cash_e4 = report.balance_e4
        self._hash = report.hash

    def _count(self, counted: Told) -> tuple[Told, int]:
        """Apply the report; what was told, with the fee of a bust apart, and what it earned."""
        report, cause = counted.report, counted.cause
        held = self._held(report)
        kind, realised_e4 = report.settlement_kind, 0
        self._settle(held, report)
        if kind == "trade" and held is not None:
            realised_e4 = self._trade(held, counted)
        elif kind in AMENDING_KINDS and report.trade_id in self._amended:
            counted, realised_e4 = self._amend(counted)
        elif cause in (DEPOSITS, WITHDRAWALS):
            realised_e4 = self._pay(held, report)
        elif kind in ("stock_loan", "loan_return"):
            self._lend(held, report)
        elif kind == "symbol_change" and held is not None and report.shares:
            self._rename(held, report)
        elif held is not None and (report.shares or cause == ACTIONS):
            realised_e4 = held.basis.apply(
                Move(report.shares, report.cash_e4, is_exchange=kind != "split")
            )
        elif report.cash_e4:
            self._earn(cause, report.cash_e4)
            if held is not None and cause == DIVIDENDS:
                held.dividends_e4 += report.cash_e4
        if held is not None:
            held.realised_e4 += realised_e4
        self._earn(REALISED, realised_e4)
        self._earn(FEES, -counted.fee_e4)
        self._cash[cause] = self._cash.get(cause, 0) + counted.gross_e4
        self._cash[FEES] = self._cash.get(FEES, 0) - counted.fee_e4
        return counted, realised_e4

    def _settle(self, held: Holding | None, report: SettlementReport) -> None:
        """What moves without a journal is paid and delivered later, by a net settlement."""
        is_later = not report.journal_id
        self._unsettled_e4 += (report.cash_e4 if is_later else 0) - report.settled_cash_e4
        if held is not None:
            held.unsettled += (report.shares if is_later else 0) - report.settled_shares

    def _discharge(self, before_report: int) -> None:
        """Change debts of shares that changed otherwise; what it cost, reports of cash tell."""
        while self._discharges and self._discharges[0].after_report < before_report:
            done = self._discharges.popleft()
            if done.time_us >= self._to_us:
                continue
            if self._opening is None and done.time_us >= self._from_us:
                self._begin()
            held = self._securities.setdefault(done.security_id, Holding())
            if done.renamed is not None:
                after = self._securities.setdefault(done.renamed, Holding())
                after.borrowed, held.borrowed = after.borrowed + held.borrowed, 0
                _take_over(held, after)
                continue
            held.borrowed -= done.shares
            earned_e4 = held.basis.apply(Move(done.shares, 0, is_exchange=done.is_exchange))
            held.realised_e4 += earned_e4
            self._earn(REALISED, earned_e4)

    def _earn(self, cause: str, amount_e4: int) -> None:
        self._earned[cause] = self._earned.get(cause, 0) + amount_e4

    def _held(self, report: SettlementReport) -> Holding | None:
        """The security of the report, with the shares it leaves; None of a report about cash."""
        if report.security_id is None:
            return self._securities.get(self._amended.get(report.trade_id or 0, ""))
        held = self._securities.setdefault(report.security_id, Holding())
        held.holding += report.shares
        if report.holding is not None and report.holding != held.holding:
            self._faults.append(
                f"report {report.client_sequence} leaves {report.holding} {report.security_id}, "
                f"the movements {held.holding}"
            )
            held.holding = report.holding
        return held

    def _trade(self, held: Holding, counted: Told) -> int:
        """Shares against cash; a trade that is changed later begins its security's memory."""
        report = counted.report
        if report.trade_id in self._amended:
            self._amended[report.trade_id] = report.security_id or ""
            if isinstance(held.basis, CostBasis):
                held.basis = AmendedBasis(held.basis)
        if counted.cause == BOUGHT:
            held.bought += report.shares
            held.bought_e4 -= counted.gross_e4
        elif counted.cause == SOLD:
            held.sold -= report.shares
            held.sold_e4 += counted.gross_e4
        return held.basis.apply(Move(report.shares, counted.gross_e4, report.trade_id))

    def _amend(self, counted: Told) -> tuple[Told, int]:
        """A bust or correction: as if the trade had never been so. A bust gives its fee back."""
        report = counted.report
        held = self._securities.get(self._amended[report.trade_id or 0])
        if held is None or isinstance(held.basis, CostBasis):
            self._faults.append(f"report {report.client_sequence} amends an unknown trade")
            self._earn(counted.cause, report.cash_e4)
            return counted, 0
        if report.settlement_kind == "bust" and report.cash_e4:
            gross_e4 = -held.basis.trade(report.trade_id, report.shares).cash_e4
            counted = counted._replace(gross_e4=gross_e4, fee_e4=gross_e4 - report.cash_e4)
        change = Move(report.shares, counted.gross_e4, report.trade_id)
        return counted, held.basis.amend(change)

    def _pay(self, held: Holding | None, report: SettlementReport) -> int:
        """Cash or shares from outside, or to there: shares come at the reference price, and go at
        their cost.
        """
        if held is None or report.security_id is None:
            self._paid_in_e4 += report.cash_e4
            return 0
        has, shares = held.cost.shares, report.shares
        if shares < 0 and -shares <= has:
            value_e4 = -held.cost.cost_of(-shares)
        else:
            value_e4 = shares * self._reference_e4(report.security_id, report.time_us)
        self._paid_in_e4 += value_e4 + report.cash_e4
        return held.basis.apply(Move(shares, -value_e4))

    def _lend(self, held: Holding | None, report: SettlementReport) -> None:
        """Borrowed shares are not the client's own: they cost nothing until they are sold."""
        if held is not None:
            held.borrowed += report.shares
        if report.cash_e4:
            self._earn(LOANS, report.cash_e4)

    def _rename(self, held: Holding, report: SettlementReport) -> None:
        """The cost goes from the old symbol to the new one, which the same journal names."""
        name, other = report.security_id or "", self._renamed.pop(report.journal_id, None)
        if other is None:
            self._renamed[report.journal_id] = (name, report.shares)
            return
        old, new = (other[0], name) if other[1] < 0 else (name, other[0])
        _take_over(self._securities[old], self._securities[new])


def _take_over(gone: Holding, came: Holding) -> None:
    """All cost that one security has goes to another."""
    shares, cost_e4 = gone.cost.shares, gone.cost.cost_e4
    came.basis.apply(Move(shares, -cost_e4))
    gone.basis.apply(Move(-shares, cost_e4))


def _misfits(made: Statement) -> list[str]:
    """The sums of a statement that do not fit: none, whatever the reports are."""
    said = []
    if made.opening.cash_e4 + sum(made.cash.values()) != made.closing.cash_e4:
        said.append("opening cash and its movements do not make the closing cash")
    explained_e4 = made.opening.equity_e4 + made.paid_in_e4 + sum(made.earned.values())
    if explained_e4 != made.closing.equity_e4:
        said.append(
            f"the equity is {made.closing.equity_e4}, what came and was earned makes {explained_e4}"
        )
    return said
