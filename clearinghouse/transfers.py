"""One transfer in a transaction, and the checks that everything which moves by request shares."""

from collections.abc import Iterable

from clearinghouse.domain.ledger import Leg, Shortfall
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import EXTERNAL, ISSUER, MOVED_BY_RULES
from clearinghouse.ports import LedgerTransaction
from venue_protocol.holds import CASH
from venue_protocol.identifiers import is_client_id
from venue_protocol.money import format_e4
from venue_protocol.refusals import RejectReason, refuse, unknown_client

_MOST_OF_AN_ASSET = (1 << 63) - 1
"""What a BIGINT holds.

The other side of all deposits is one account, so it is the first to be full.
"""


def transfer(
    transaction: LedgerTransaction,
    now_us: int,
    kind: str,
    legs: tuple[Leg, ...],
    reference: str,
    memo: str,
) -> Settlement:
    """Post these legs as one journal with its reports and write it; the caller commits.

    Raises Refused, with who lacks what, if a position does not cover it.
    """
    settlement = lock_legs(transaction, legs, with_netting=kind == "withdrawal")
    if kind == "withdrawal":
        _require_settled(settlement, legs[0])
    if legs:
        shortfall = settlement.transfer(kind, now_us, legs, reference, memo)
        if shortfall is not None:
            raise refuse_short(shortfall)
        require_storable(settlement, legs)
    transaction.write(settlement)
    return settlement


def lock_legs(
    transaction: LedgerTransaction,
    legs: tuple[Leg, ...],
    reported: Iterable[tuple[str, str]] = (),
    with_netting: bool = False,
) -> Settlement:
    """A Settlement on all that these legs touch, and on positions that are only reported."""
    keys = {(leg.client_id, leg.asset) for leg in legs} | {(leg.client_id, CASH) for leg in legs}
    settlement = transaction.lock(keys.union(reported), with_netting)
    for leg in legs:
        position = settlement.ledger.position(leg.client_id, leg.asset)
        position.is_external |= leg.client_id in EXTERNAL
    return settlement


def require_storable(settlement: Settlement, legs: tuple[Leg, ...]) -> None:
    """Refuse what would be more than a column holds."""
    if any(abs(settlement.ledger.position(*leg[:2]).quantity) > _MOST_OF_AN_ASSET for leg in legs):
        raise refuse(RejectReason.INVALID_FIELD, "this is more than an account can hold", "amount")


def require_movable(client_id: str, asset: str, amount: int) -> None:
    """Refuse an amount that is not above zero, and accounts that only the venue itself moves."""
    if amount <= 0:
        shown = format_e4(amount) if asset == CASH else str(amount)
        raise refuse(RejectReason.AMOUNT_NOT_POSITIVE, f"{shown} is not above zero", "amount")
    if client_id in MOVED_BY_RULES:
        raise refuse(
            RejectReason.FORBIDDEN, f"{client_id} is an account of the venue itself", "client_id"
        )
    if client_id == ISSUER and asset != CASH:
        raise refuse(
            RejectReason.FORBIDDEN, f"{ISSUER} gives these shares, it can't take them", "client_id"
        )


def _require_settled(settlement: Settlement, leg: Leg) -> None:
    """Refuse to take out what is there but not settled yet, or owed before more comes in."""
    client_id, asset, amount = leg
    position = settlement.ledger.position(client_id, asset)
    most = settlement.netting.most_to_withdraw(client_id, asset, position.quantity)
    if most < -amount <= position.quantity - position.held:
        is_cash = asset == CASH
        shown = format_e4(most) if is_cash else str(most)
        raise refuse(
            RejectReason.INSUFFICIENT_FUNDS if is_cash else RejectReason.INSUFFICIENT_SHARES,
            f"only {shown} {asset} of {client_id} are settled and not owed; the rest settles in"
            " its cycle",
            client_id=client_id,
            asset=asset,
        )


def require_client(transaction: LedgerTransaction, client_id: str) -> None:
    """Refuse a client that there is not."""
    if not (is_client_id(client_id) and transaction.has_client(client_id)):
        raise unknown_client(client_id)


def check_lot(transaction: LedgerTransaction, security_id: str, quantity: int, field: str) -> None:
    """Refuse an unknown security, and shares that could never be sold: half a lot."""
    lot = transaction.lot_size(security_id)
    if lot is None:
        raise refuse(RejectReason.UNKNOWN_SECURITY, f"no security {security_id[:64]!r}", field)
    if quantity % lot:
        raise refuse(
            RejectReason.QUANTITY_OFF_LOT,
            f"{quantity} shares of {security_id} are no multiple of its lot of {lot}",
            "shares",
        )


def refuse_short(shortfall: Shortfall) -> Exception:
    """The refusal that says whose position falls short, and of what."""
    reason = (
        RejectReason.INSUFFICIENT_FUNDS
        if shortfall.asset == CASH
        else RejectReason.INSUFFICIENT_SHARES
    )
    return refuse(reason, str(shortfall), client_id=shortfall.client_id, asset=shortfall.asset)
