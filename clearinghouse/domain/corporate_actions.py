"""Corporate actions in the ledger: what each holder gets and gives, and what is written of it.

Each holder's part is one journal and one report. Shares come from the depository and go back to it;
cash comes from the bank through the issuer. Every holder of the security must be in the ledger.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from clearinghouse.domain.ledger import HoldRelease, Ledger, Leg
from clearinghouse.domain.venue_accounts import BANK, DEPOSITORY, EXTERNAL, ISSUER, LENDER
from venue_protocol.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    Split,
    SymbolChange,
)
from venue_protocol.events import (
    CorporateActionApplied,
    CorporateActionDeclared,
    DividendPaid,
    Event,
    OrderAdjusted,
)
from venue_protocol.holds import CASH, held_asset
from venue_protocol.money import format_e4
from venue_protocol.settlement import CLOSE_OUT, SettlementKind

if TYPE_CHECKING:
    from clearinghouse.domain.settlement import Settlement

Key = tuple[str, str]
"""Client and asset."""
_KINDS: dict[type, SettlementKind] = {
    Split: "split",
    CashDividend: "dividend",
    SymbolChange: "symbol_change",
    Delisting: "delisting",
}


class ActionStep(NamedTuple):
    """A row of corporate_actions."""

    action_id: int
    step: Literal["declared", "applied", "paid"]
    security_id: str
    time_us: int
    action: CorporateAction | None
    """None where it is paid."""
    as_of_report: int = 0
    """The newest settlement report before it: where it stands among trades and transfers.

    0 where it is declared, for that moves nothing.
    """


class ListingChange(NamedTuple):
    """What an action makes of a listed security."""

    security_id: str
    reference_price_e4: int
    action_id: int
    delisted_us: int | None = None
    successor: str | None = None
    """The symbol under which the same security is listed from here on."""


class Entitlement(NamedTuple):
    """A row of dividend_entitlements: what a holder gets on the pay date."""

    action_id: int
    client_id: str
    shares: int
    cash_e4: int


@dataclass(slots=True)
class ActionRecord:
    """What the corporate actions of a settlement make beside journals and reports."""

    steps: list[ActionStep] = field(default_factory=list)
    listings: list[ListingChange] = field(default_factory=list)
    entitlements: dict[int, list[Entitlement]] = field(default_factory=dict)
    """By action, those of earlier settlements that are to be paid included."""
    new_entitlements: list[Entitlement] = field(default_factory=list)

    def changed(self) -> dict[str, str | None]:
        """The securities whose listing changed, each with its successor."""
        return {change.security_id: change.successor for change in self.listings}


def venue_positions(event: CorporateActionApplied) -> tuple[Key, ...]:
    """The venue's own positions that an action moves; the holders' are found by the security."""
    names = {event.security_id, *_successors(event)}
    owners = (ISSUER, DEPOSITORY, CLOSE_OUT, LENDER)
    shares = [(client_id, name) for client_id in owners for name in sorted(names)]
    return *((name, CASH) for name in (BANK, ISSUER, CLOSE_OUT, LENDER)), *shares


def holders_positions(events: Iterable[Event], held: Iterable[Key]) -> set[Key]:
    """All positions of those who have one of `held`, that these events may move."""
    after = {
        event.security_id: _successors(event)
        for event in events
        if type(event) is CorporateActionApplied
    }
    keys: set[Key] = set()
    for client_id, security_id in held:
        keys |= {(client_id, CASH), (client_id, security_id)}
        keys |= {(client_id, name) for name in after.get(security_id, ())}
    return keys


def entitled_positions(security_id: str, entitled: Iterable[Entitlement]) -> set[Key]:
    """The positions that paying these moves or reports."""
    keys = {(BANK, CASH), (ISSUER, CASH)}
    for row in entitled:
        keys |= {(row.client_id, CASH), (row.client_id, security_id)}
    return keys


def apply_action(settlement: "Settlement", event: CorporateActionApplied, time_us: int) -> None:
    """Do an action to each holder, in the order of their names, and to the listing."""
    action, record, name = event.action, settlement.actions, event.security_id
    as_of = settlement.last_report_sequence
    delisted_us, successor = None, None
    _give_to_pool(settlement, event, time_us)
    if isinstance(action, Split):
        _split(settlement, event, action, time_us)
    elif isinstance(action, CashDividend):
        _entitle(settlement, event, action)
    elif isinstance(action, SymbolChange):
        delisted_us, successor = time_us, action.new_security_id
        _rename(settlement, event, action.new_security_id, time_us)
    else:
        delisted_us = time_us
        _delist(settlement, event, action, time_us)
    record.steps.append(ActionStep(event.action_id, "applied", name, time_us, action, as_of))
    record.listings.append(
        ListingChange(name, event.reference_price_e4, event.action_id, delisted_us, successor)
    )


def note_declared(settlement: "Settlement", event: CorporateActionDeclared, time_us: int) -> None:
    """Note an action that takes effect later; nothing moves."""
    settlement.actions.steps.append(
        ActionStep(event.action_id, "declared", event.security_id, time_us, event.action)
    )


def pay_dividend(settlement: "Settlement", event: DividendPaid, time_us: int) -> None:
    """Pay those who are entitled, in the order of their names.

    An example: 100 shares held on the ex-date at $0.25 are $25.00, whatever is held now.

        account     USD
        bank        -250,000
        issuer      +250,000
        issuer      -250,000
        ann         +250,000
    """
    record, security_id = settlement.actions, event.security_id
    as_of = settlement.last_report_sequence
    for row in sorted(record.entitlements.pop(event.action_id, [])):
        memo = f"dividend {format_e4(row.cash_e4 // row.shares)} on {row.shares} shares"
        legs = _paid_by_issuer(row.client_id, row.cash_e4)
        settlement.act("dividend", time_us, legs, event.action_id, row.client_id, security_id, memo)
    record.steps.append(ActionStep(event.action_id, "paid", security_id, time_us, None, as_of))


def adjust_hold(settlement: "Settlement", event: OrderAdjusted, time_us: int) -> None:
    """Let the hold of an adjusted order follow.

    An example: SELL 10 in a split 2 for 1 holds 10 shares more; BUY 25 at $100.00 in one of 3 for 2
    becomes 37 at $66.66, and $33.58 are free.
    """
    if event.hold_change:
        asset = held_asset(event.side, event.security_id)
        settlement.ledger.change_hold(event.client_id, asset, event.hold_change)


def holders(ledger: Ledger, security_id: str) -> list[tuple[str, int]]:
    """Client and shares of everybody inside the venue who has some, by name."""
    return sorted(
        (client_id, position.quantity)
        for (client_id, asset), position in ledger.positions.items()
        if asset == security_id and position.quantity and client_id not in EXTERNAL
    )


def _successors(event: CorporateActionApplied) -> tuple[str, ...]:
    action = event.action
    return (action.new_security_id,) if isinstance(action, SymbolChange) else ()


def _split(
    settlement: "Settlement", event: CorporateActionApplied, split: Split, time_us: int
) -> None:
    """Each holding becomes whole new shares, and cash for a fraction of one.

    An example, 3 for 2 at $33.3333 a new share: Ann's 5 shares become 7, and half a share is paid
    with $16.6666.

        account     USD        AAPL
        depository                -2
        ann                       +2
        bank        -166,666
        issuer      +166,666
        issuer      -166,666
        ann         +166,666
    """
    name = event.security_id
    memo = f"split {split.new_shares} for {split.old_shares}"
    for client_id, before in holders(settlement.ledger, name):
        shares = split.shares(before) - before
        legs = _exchanged(client_id, name, shares)
        legs += _paid_by_issuer(client_id, split.cash_in_lieu_e4(before))
        settlement.act("split", time_us, legs, event.action_id, client_id, name, memo)


def _give_to_pool(settlement: "Settlement", event: CorporateActionApplied, time_us: int) -> None:
    """What close-outs have bought of the security goes where it is going, to the lender's pool: the
    action finds none of it on the way, and loans follow with what is owed beside it.
    """
    name = event.security_id
    bought = settlement.ledger.position(CLOSE_OUT, name).quantity
    if bought:
        kind = _KINDS[type(event.action)]
        legs = (Leg(CLOSE_OUT, name, -bought), Leg(LENDER, name, bought))
        reference = f"action:{event.action_id}:{CLOSE_OUT}"
        settlement.transfer(kind, time_us, legs, reference, "bought back before the action")


def _entitle(
    settlement: "Settlement", event: CorporateActionApplied, dividend: CashDividend
) -> None:
    """Who holds shares when the security goes ex gets the dividend; shares that the issuer has not
    sold get none.
    """
    rows = [
        Entitlement(event.action_id, client_id, shares, shares * dividend.per_share_e4)
        for client_id, shares in holders(settlement.ledger, event.security_id)
        if client_id != ISSUER
    ]
    settlement.actions.entitlements[event.action_id] = rows
    settlement.actions.new_entitlements += rows


def _rename(
    settlement: "Settlement", event: CorporateActionApplied, after: str, time_us: int
) -> None:
    """Each holding stands under the new symbol, with what is held of it."""
    ledger, name = settlement.ledger, event.security_id
    memo = f"{name} is {after} now"
    for client_id, quantity in holders(ledger, name):
        held = ledger.position(client_id, name).held
        legs = _exchanged(client_id, name, -quantity) + _exchanged(client_id, after, quantity)
        releases = (HoldRelease(client_id, name, held),) if held else ()
        settlement.act(
            "symbol_change", time_us, legs, event.action_id, client_id, name, memo, releases
        )
        if held:
            ledger.change_hold(client_id, after, held)


def _delist(
    settlement: "Settlement", event: CorporateActionApplied, delisting: Delisting, time_us: int
) -> None:
    """Each holding is given back, and paid if a price is stated."""
    name, price_e4 = event.security_id, delisting.share_price_e4
    memo = f"delisted at {format_e4(price_e4)}" if price_e4 else "delisted, written off"
    for client_id, quantity in holders(settlement.ledger, name):
        legs = _exchanged(client_id, name, -quantity)
        legs += _paid_by_issuer(client_id, quantity * price_e4)
        settlement.act("delisting", time_us, legs, event.action_id, client_id, name, memo)


def _exchanged(client_id: str, security_id: str, shares: int) -> tuple[Leg, ...]:
    """Shares that the depository gives, or takes back where the number is negative."""
    return Leg(DEPOSITORY, security_id, -shares), Leg(client_id, security_id, shares)


def _paid_by_issuer(client_id: str, cash_e4: int) -> tuple[Leg, ...]:
    """Cash that the issuer brings into the venue and pays; nothing for nothing."""
    if not cash_e4:
        return ()
    return (
        Leg(BANK, CASH, -cash_e4),
        Leg(ISSUER, CASH, cash_e4),
        Leg(ISSUER, CASH, -cash_e4),
        Leg(client_id, CASH, cash_e4),
    )
