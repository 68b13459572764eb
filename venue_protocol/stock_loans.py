"""Stock loans: what a client borrowed of a security, and the cash that is held for it.

A short sale is a loan and a sale. The loan brings the shares into the client's deposit, so the sale
is covered by shares as any other, and the loan is covered by cash: held like the cash of an order,
so nobody spends it, and held anew as the mark moves.

An example at an initial rate of 150 % and a maintenance rate of 130 %: Ann borrows 10 AAPL at a
mark of $100.00 and $1,500.00 of her cash are held. At a mark of $110.00 the loan asks for
$1,650.00; while she has them, $150.00 more are held. Where she has not, the call comes once the
$1,500.00 are less than 130 % of the value: above a mark of $115.38.

All changes are values: a loan and a fact give the next loan, and nothing here reads or writes.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from venue_protocol.securities import BASIS_POINTS

Stage = Literal["open", "canceling", "closing"]
"""`canceling`: the term is over and the client's orders are being canceled. `closing`: the
clearinghouse buys the shares back; the client can't return them any more.
"""
CallKind = Literal["margin", "recall"]

DAY_US = 86_400_000_000
FEE_EVERY_US = 60_000_000
"""Fees are charged by the whole minute."""
_STEP_BPS = 100
"""Collateral follows once it is 1 % off: each step is a row that stays."""


class MarginRules(msgspec.Struct, frozen=True):
    """What an administrator sets; rates in basis points of the value at the mark."""

    is_open: bool = False
    """Whether every client may borrow; else only those who were allowed to."""
    initial_bps: int = 15_000
    """Held when shares are borrowed, and again whenever the client has it (Regulation T: 150 %)."""
    maintenance_bps: int = 13_000
    """Less than this is a call (FINRA 4210: 130 %)."""
    fee_bps: int = 10
    """Fee of a day."""
    call_us: int = 60_000_000
    """How long a call waits, microseconds."""
    pool_bps: int = 5_000
    """The largest part of the pool of a security, lent or not, that one client may have."""


class StockLoan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One client's loan of one security. Money in ten-thousandths of a dollar."""

    client_id: str
    security_id: str
    quantity: int = 0
    """Shares that must come back."""
    collateral_e4: int = 0
    """Cash of the client that is held for the loan."""
    charged_us: int = 0
    """Up to when the fee is paid."""
    stage: Stage = "open"
    call_kind: CallKind | None = None
    call_due_us: int | None = None
    """Until when the client may cure it."""
    recalled: int = 0
    """Shares that a recall, or a close-out, wants back."""
    pot_e4: int = 0
    """Cash in the account `close_out` that buys this loan back."""
    used_e4: dict[str, int] = {}
    """What came into the pot, by the account that gave it, in the order of the waterfall."""
    attempt: int = 0
    """Orders of the close-out so far."""
    order: str | None = None
    """client_order_id of the order that is out."""
    ordered_us: int = 0
    """When it was made."""
    reports_before: int = 0
    """Reports of `close_out` when that order was made: its fills come behind."""
    followed_us: int = 0
    """When the newest corporate action took effect that the loan has followed, by the log."""
    dividends_e4: dict[str, int] = {}
    """What the client owes the lender on the pay date of each dividend that went ex."""

    @property
    def key(self) -> tuple[str, str]:
        """Client and security."""
        return self.client_id, self.security_id

    @property
    def is_over(self) -> bool:
        """Whether nothing is owed any more, and nothing is left to be done."""
        return not self.quantity and self.stage != "closing" and not self.dividends_e4


EventKind = Literal[
    "borrow",
    "return",
    "fee",
    "collateral",
    "call",
    "call_ended",
    "recall",
    "canceling",
    "closing",
    "order",
    "withdrawn",
    "bought",
    "taken",
    "closed",
    "split",
    "ex_dividend",
    "dividend",
    "symbol_change",
    "delisting",
]


CANCEL_US = 2_000_000
"""How long the client's orders have to be canceled before its loan is closed out."""


class LoanEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happened to a loan, and the loan after it."""

    kind: EventKind
    loan: StockLoan
    rules: MarginRules
    mark_e4: int
    as_of_report: int
    """Newest settlement report when it happened: the mark is made from those up to it."""
    journal_id: int | None = None
    """The journal that moved what the event says, if something moved."""
    acted_us: int = 0
    """When the security's newest corporate action took effect, by the log."""
    action_id: int = 0
    """The action that the loan follows here."""
    renamed: str | None = None
    """The symbol that the loan had before it."""


def newest_loans(events: Iterable[LoanEvent]) -> dict[tuple[str, str], StockLoan | None]:
    """Each loan as these events leave it; None where there is none any more."""
    loans: dict[tuple[str, str], StockLoan | None] = {}
    for event in events:
        if event.renamed is not None:
            loans[event.loan.client_id, event.renamed] = None
        loans[event.loan.key] = None if event.loan.is_over else event.loan
    return loans


class Mark(NamedTuple):
    """The mark of a lent security, made from the reports in (from_report, as_of_report] that tell
    of trades after its newest corporate action.
    """

    security_id: str
    as_of_report: int
    from_report: int
    time_us: int
    mark_e4: int
    followed_us: int = 0
    """When that action took effect, by the log."""


def share_of(amount: int, bps: int) -> int:
    """`bps` of an amount, rounded up: 150 % of 1 ten-thousandth are 2."""
    return -(-amount * bps // BASIS_POINTS)


def required_e4(quantity: int, mark_e4: int, rate_bps: int) -> int:
    """Cash that a loan of so many shares asks for at this mark, rounded up."""
    return share_of(quantity * mark_e4, rate_bps)


def borrowed(
    loan: StockLoan, quantity: int, mark_e4: int, rules: MarginRules, now_us: int
) -> StockLoan:
    """The loan with `quantity` more shares, the whole of it held anew at the initial rate."""
    after = loan.quantity + quantity
    return msgspec.structs.replace(
        loan,
        quantity=after,
        collateral_e4=required_e4(after, mark_e4, rules.initial_bps),
        charged_us=loan.charged_us or now_us,
    )


def returned(loan: StockLoan, quantity: int, mark_e4: int, rules: MarginRules) -> StockLoan:
    """The loan without `quantity` shares; it holds no more than before."""
    after = loan.quantity - quantity
    required = required_e4(after, mark_e4, rules.initial_bps)
    recalled = max(0, loan.recalled - quantity)
    is_cured = loan.call_kind == "recall" and not recalled
    return msgspec.structs.replace(
        loan,
        quantity=after,
        collateral_e4=min(loan.collateral_e4, required),
        recalled=recalled,
        call_kind=None if is_cured else loan.call_kind,
        call_due_us=None if is_cured else loan.call_due_us,
        stage="open" if is_cured else loan.stage,
    )


def followed(loan: StockLoan, available_e4: int, mark_e4: int, rules: MarginRules) -> StockLoan:
    """The loan with its collateral moved to the initial rate at this mark, as far as the client has
    the cash; as it is while it is less than 1 % off and above the maintenance rate.
    """
    wanted = required_e4(loan.quantity, mark_e4, rules.initial_bps)
    is_near = abs(wanted - loan.collateral_e4) * BASIS_POINTS < wanted * _STEP_BPS
    if is_near and not is_short(loan, mark_e4, rules):
        return loan
    reachable = loan.collateral_e4 + max(0, available_e4)
    return msgspec.structs.replace(loan, collateral_e4=min(wanted, reachable))


def is_short(loan: StockLoan, mark_e4: int, rules: MarginRules) -> bool:
    """Whether the collateral is below the maintenance rate."""
    return loan.collateral_e4 < required_e4(loan.quantity, mark_e4, rules.maintenance_bps)


def called(loan: StockLoan, mark_e4: int, rules: MarginRules, now_us: int) -> StockLoan:
    """The loan with its margin call begun or ended; a recall stays what it is.

    A call ends once the collateral is at the maintenance rate again, whoever moved: the client who
    brought cash or returned shares, or the mark.
    """
    if loan.call_kind == "recall" or loan.stage == "closing":
        return loan
    if not is_short(loan, mark_e4, rules):
        return msgspec.structs.replace(loan, call_kind=None, call_due_us=None, stage="open")
    if loan.call_kind is None:
        return msgspec.structs.replace(loan, call_kind="margin", call_due_us=now_us + rules.call_us)
    return loan


def is_due(loan: StockLoan, mark_e4: int, rules: MarginRules, now_us: int) -> bool:
    """Whether the margin run may have something to do for the loan at this mark."""
    if loan.stage != "open" or loan.call_kind is not None:
        return True
    is_charged = now_us - loan.charged_us < FEE_EVERY_US
    without_limit = 1 << 62
    return not is_charged or followed(loan, without_limit, mark_e4, rules) != loan


def recalled(loan: StockLoan, quantity: int, due_us: int) -> StockLoan:
    """The loan with `quantity` shares asked back until `due_us`."""
    return msgspec.structs.replace(
        loan, call_kind="recall", call_due_us=due_us, recalled=min(quantity, loan.quantity)
    )


def overdue(loan: StockLoan, now_us: int) -> bool:
    """Whether a call's time is over."""
    return loan.call_due_us is not None and loan.call_due_us <= now_us


def canceling(loan: StockLoan, now_us: int) -> StockLoan:
    """The loan whose call was not met: the client's orders are canceled before anything else."""
    return msgspec.structs.replace(loan, stage="canceling", call_due_us=now_us + CANCEL_US)


def fee_due_e4(loan: StockLoan, mark_e4: int, rules: MarginRules, now_us: int) -> tuple[int, int]:
    """Fee of the whole minutes since the last one, rounded up, and up to when it pays.

    An example: 100 shares at $100.00 for a minute at 10 basis points a day are
    100,000,000 * 10 / 10,000 / 1,440 = 69.4, so 70 ten-thousandths of a dollar.
    """
    elapsed = max(0, now_us - loan.charged_us) // FEE_EVERY_US * FEE_EVERY_US
    owed = loan.quantity * mark_e4 * rules.fee_bps * elapsed
    return -(-owed // (BASIS_POINTS * DAY_US)), loan.charged_us + elapsed
