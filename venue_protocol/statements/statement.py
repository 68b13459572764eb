"""A client's statement: every movement of a period, and sums that fit to the ten-thousandth.

It is made from the client's settlement reports alone, and from prices. Three sums hold, for every
client and every period; `Statement.faults` says where one does not:

    opening cash   + cash of the movements, by cause            = closing cash
    opening shares + shares of the movements, for each security = closing shares
    opening equity + paid in + earned + change in unrealised    = closing equity

Equity is cash and shares at a price; unrealised is what the shares held are worth less what they
cost (`cost_basis`: average cost, without fees, which have a line of their own).
"""

from typing import NamedTuple

import msgspec

from venue_protocol.money import format_for_people
from venue_protocol.settlement import SettlementReport

DEPOSITS, WITHDRAWALS = "deposits", "withdrawals"
BOUGHT, SOLD, FEES = "bought", "sold", "fees"
DIVIDENDS, ACTIONS = "dividends", "corporate_actions"
BUSTS, CORRECTIONS, FINES = "busts", "corrections", "fines"
FAILS, LOANS, DEFAULTS, OTHER = "fails_charges", "stock_loans", "close_outs", "other"
CAUSES = {
    DEPOSITS: "deposits",
    WITHDRAWALS: "withdrawals",
    BOUGHT: "paid for shares bought",
    SOLD: "received for shares sold",
    FEES: "trading fees and rebates",
    DIVIDENDS: "dividends",
    ACTIONS: "corporate actions",
    BUSTS: "trades taken back (busts)",
    CORRECTIONS: "corrections",
    FINES: "fines",
    FAILS: "charges for failing to deliver",
    LOANS: "fees for borrowed shares",
    DEFAULTS: "close-outs",
    OTHER: "other movements",
}
"""Why cash moves, in the order of a statement, and in words."""
_OF_KIND = {
    "dividend": DIVIDENDS,
    "split": ACTIONS,
    "symbol_change": ACTIONS,
    "delisting": ACTIONS,
    "bust": BUSTS,
    "correction": CORRECTIONS,
    "fine": FINES,
    "fails_charge": FAILS,
    "stock_loan": LOANS,
    "loan_return": LOANS,
    "loan_fee": LOANS,
    "close_out": DEFAULTS,
}
REALISED, UNREALISED = "realised", "unrealised"
EARNINGS = {
    REALISED: "realised profit, at average cost",
    UNREALISED: "change in unrealised profit",
} | CAUSES
"""What changes the equity of a client other than what is paid in or out."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """One movement, as a settlement report tells it."""

    sequence: int
    """Of the report, in the whole venue."""
    number: int
    """Of the report, among the client's."""
    journal_id: int
    time_us: int
    kind: str
    cause: str
    """One of CAUSES: where its cash counts."""
    what: str
    """In words."""
    security_id: str | None
    shares: int
    """Signed change of the holding."""
    price_e4: int | None
    gross_e4: int
    """Signed cash without the fee: of a trade, price times quantity."""
    fee_e4: int
    """Charged; below zero for a rebate."""
    cash_e4: int
    """Signed change of the balance: gross less fee."""
    balance_e4: int
    holding: int | None
    realised_e4: int
    """Earned by it, at average cost, before fees."""
    trade_id: int | None
    order_id: int | None
    memo: str | None


class Moment(msgspec.Struct, frozen=True, gc=False):
    """What the client had at one end of the period, ten-thousandths of a dollar."""

    time_us: int
    cash_e4: int
    shares_value_e4: int
    """At the prices of that moment; borrowed shares count below zero."""
    cost_e4: int
    """What those shares cost."""

    @property
    def equity_e4(self) -> int:
        """Cash and shares."""
        return self.cash_e4 + self.shares_value_e4

    @property
    def unrealised_e4(self) -> int:
        """What the shares are worth more than they cost."""
        return self.shares_value_e4 - self.cost_e4


class SecurityLine(msgspec.Struct, frozen=True, gc=False):
    """One security over the period: shares, and ten-thousandths of a dollar."""

    security_id: str
    opening: int
    bought: int
    bought_e4: int
    sold: int
    sold_e4: int
    other: int
    """Signed: given, taken, split, busted, corrected, borrowed, returned."""
    closing: int
    borrowed: int
    """Of the closing shares, those that must be given back."""
    unsettled: int
    """Of them, those that trades brought and a settlement cycle has not yet; below zero: the
    reverse.
    """
    cost_e4: int
    price_e4: int | None
    """At the end; None if it has none."""
    realised_e4: int
    dividends_e4: int

    @property
    def owned(self) -> int:
        """Closing shares less those borrowed."""
        return self.closing - self.borrowed

    @property
    def value_e4(self) -> int:
        """Of the shares owned; without a price at their cost."""
        return self.cost_e4 if self.price_e4 is None else self.owned * self.price_e4

    @property
    def unrealised_e4(self) -> int:
        """What they are worth more than they cost."""
        return self.value_e4 - self.cost_e4


class Statement(msgspec.Struct, frozen=True):
    """The statement of one client over [opening.time_us, closing.time_us)."""

    client_id: str
    opening: Moment
    closing: Moment
    cash: dict[str, int]
    """Signed cash by cause (CAUSES), those that moved."""
    paid_in_e4: int
    """Cash and shares that came from outside: shares count at the reference price when they come,
    at their cost when they go.
    """
    earned: dict[str, int]
    """What changed the equity other than that, by cause (EARNINGS)."""
    securities: list[SecurityLine]
    movements: int
    unsettled_e4: int
    """Of the closing cash, what a settlement cycle has still to pay; below zero: to take."""
    last_report: int
    """The client's number of its newest report before the end; 0: none."""
    last_hash: str
    """Hash of that report, which seals all before it."""
    faults: list[str]
    """Sums that do not fit; empty unless reports are missing or were changed."""

    def realised_e4(self) -> int:
        """What sales earned in the period, at average cost, before fees."""
        return self.earned.get(REALISED, 0)


class Told(NamedTuple):
    """A report with the words and amounts of its line, before its cost is known."""

    report: SettlementReport
    cause: str
    what: str
    gross_e4: int
    fee_e4: int


def told(report: SettlementReport) -> Told:
    """What a report means: cause, words, cash without the fee, and the fee."""
    kind, cash_e4 = report.settlement_kind, report.cash_e4
    if kind == "trade" and report.price_e4 is not None and report.quantity is not None:
        is_buy = report.side == "BUY"
        gross_e4 = report.price_e4 * report.quantity * (-1 if is_buy else 1)
        return Told(
            report, BOUGHT if is_buy else SOLD, _traded(report), gross_e4, gross_e4 - cash_e4
        )
    return Told(report, cause_of(report), _moved(report), cash_e4, 0)


def cause_of(report: SettlementReport) -> str:
    """Why a report that is no trade moves cash."""
    if report.settlement_kind in ("deposit", "withdrawal"):
        return DEPOSITS if report.cash_e4 + report.shares >= 0 else WITHDRAWALS
    return _OF_KIND.get(report.settlement_kind, OTHER)


def _traded(report: SettlementReport) -> str:
    did = "bought" if report.side == "BUY" else "sold"
    return f"{did} {report.quantity} {report.security_id}"


def _settled(report: SettlementReport) -> str:
    """What a cycle paid or delivered; the balance had it already."""
    said = f"settlement cycle {report.settlement_cycle}"
    if report.settled_cash_e4:
        did = "paid to you" if report.settled_cash_e4 > 0 else "paid by you"
        said += f": {format_for_people(abs(report.settled_cash_e4))} {did}"
    if report.settled_shares:
        did = "delivered to you" if report.settled_shares > 0 else "delivered by you"
        said += f": {abs(report.settled_shares):,} {report.security_id} {did}"
    if report.open_shares:
        said += f"; {abs(report.open_shares):,} {report.security_id} failed and are due again"
    return said


_WORDS = {
    "failed_trade": "trade that could not be settled",
    "fails_charge": "charge for failing to deliver",
    "dividend": "dividend",
    "split": "split",
    "symbol_change": "symbol change",
    "delisting": "delisting",
    "bust": "bust",
    "correction": "correction",
    "fine": "fine",
    "stock_loan": "borrowed",
    "loan_return": "returned",
    "loan_fee": "fee for borrowed shares",
    "close_out": "close-out",
}


def _moved(report: SettlementReport) -> str:
    """In words; the memo of a transfer adds what its kind does not say."""
    kind, memo = report.settlement_kind, report.memo
    if kind == "net_settlement":
        return _settled(report)
    if memo is not None and _says_all(report, memo):
        return f"{memo} ({report.security_id})" if report.security_id else memo
    is_out = kind in ("deposit", "withdrawal") and report.cash_e4 + report.shares < 0
    words = _WORDS.get(kind) or ("withdrawal" if is_out else "deposit")
    if report.security_id is not None:
        shares = f"{abs(report.shares):,} " if report.shares else ""
        words += f" of {shares}{report.security_id}"
    if report.trade_id is not None:
        words += f", trade {report.trade_id}"
    return words if memo is None or memo == kind else f"{words}: {memo}"


def _says_all(report: SettlementReport, memo: str) -> bool:
    """Whether the memo is the whole: it names what was done, or nothing was moved but told."""
    begins = memo != report.settlement_kind and memo.startswith(report.settlement_kind[:5])
    return begins or not (report.cash_e4 or report.shares)


def line_of(counted: Told, realised_e4: int) -> Line:
    """The line of a report that earned this."""
    report = counted.report
    return Line(
        report.sequence,
        report.client_sequence,
        report.journal_id,
        report.time_us,
        report.settlement_kind,
        counted.cause,
        counted.what,
        report.security_id,
        report.shares,
        report.price_e4,
        counted.gross_e4,
        counted.fee_e4,
        report.cash_e4,
        report.balance_e4,
        report.holding,
        realised_e4,
        report.trade_id,
        report.order_id,
        report.memo,
    )
