"""New clients, deposits and listings: what an administrator brings in, each in one transaction.

What changes a client that exists is in `client_administration`.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from clearinghouse.administrative_record import CONSOLE, ActionRecord, Note, log_actions
from clearinghouse.client_administration import check_rate_limit
from clearinghouse.domain import listing
from clearinghouse.domain.ledger import Leg, Shortfall
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import (
    BANK,
    DEPOSITORY,
    EXTERNAL,
    ISSUER,
    MOVED_BY_RULES,
    VENUE_ACCOUNTS,
)
from clearinghouse.handlers import SettlementDesk
from clearinghouse.ports import ClientExists, LedgerStore, LedgerTransaction, SecurityExists
from service_runtime.api_keys import ADMINISTRATOR, key_hash, new_key
from service_runtime.clock import Clock
from service_runtime.settings import SettingsError
from venue_protocol.holds import CASH
from venue_protocol.identifiers import is_client_id
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.money import format_e4
from venue_protocol.refusals import RejectReason, refuse, unknown_client
from venue_protocol.roles import TRADER
from venue_protocol.securities import Security
from venue_protocol.settlement import STARTING_POSITION
from venue_storage.clearing_rows import ActionRow

T = TypeVar("T")

STARTING_CASH_E4 = 100_000_000
"""Each trader starts with exactly $10,000.00."""

_MOST_OF_AN_ASSET = (1 << 63) - 1
_ACTIONS = {"deposit": "deposit", "withdrawal": "withdraw"}
"""What the record of administrative actions calls each kind of journal."""
"""What a BIGINT holds.

The other side of all deposits is one account, so it is the first to be full.
"""


@dataclass(frozen=True)
class Receipt:
    """The answer to a transfer: the journal that did it; `duplicate` if it was done before."""

    journal_id: int
    duplicate: bool


class Administration:
    """The administrator's desk. Refusals are raised as `Refused`."""

    def __init__(
        self,
        desk: SettlementDesk,
        store: LedgerStore,
        clock: Clock,
        endowment: Mapping[str, int] | None = None,
    ) -> None:
        self._desk = desk
        self._store = store
        self._clock = clock
        self._endowment = dict(endowment or {})
        self._record = ActionRecord(clock)

    def create_client(
        self,
        client_id: str,
        role: str,
        cash_e4: int | None = None,
        shares: Mapping[str, int] | None = None,
        rate_limit_per_second: int | None = None,
        by: str = CONSOLE,
    ) -> str:
        """A new client with its starting cash and shares; returns its API key, shown this once."""
        if role == TRADER and (cash_e4 not in (None, STARTING_CASH_E4) or shares):
            rule = (
                f"each trader starts with {format_e4(STARTING_CASH_E4)} and the endowment of "
                "shares; deposit the rest"
            )
            raise refuse(RejectReason.STARTING_CASH_FIXED, rule, "shares" if shares else "cash")
        if role == TRADER:
            cash_e4, shares = STARTING_CASH_E4, self._endowment
        if rate_limit_per_second is not None:
            check_rate_limit(rate_limit_per_second)
        key = new_key()

        def work(transaction: LedgerTransaction, record: Note) -> tuple[None, Settlement]:
            for security_id, quantity in sorted((shares or {}).items()):
                _check_lot(transaction, security_id, quantity, "shares")
            self._insert_client(transaction, client_id, role, rate_limit_per_second)
            self._insert_key(transaction, client_id, key)
            details = {"role": role, "rate_limit_per_second": rate_limit_per_second, "keys": 1}
            record("create_client", by, client_id=client_id, details=details)
            legs = self._starting_legs(client_id, cash_e4 or 0, shares or {})
            return None, self._transfer(
                transaction, "deposit", legs, f"start:{client_id}", STARTING_POSITION
            )

        self._move(work)
        return key

    def deposit(
        self, client_id: str, asset: str, amount: int, idempotency_key: str, by: str = CONSOLE
    ) -> Receipt:
        """Bring cash from outside, or shares from the issuer, to a client.

        The same key again does nothing.
        """
        _require_movable(client_id, asset, amount)
        source = BANK if asset == CASH else ISSUER
        legs = (Leg(source, asset, -amount), Leg(client_id, asset, amount))
        return self._carry("deposit", client_id, legs, idempotency_key, by)

    def withdraw(
        self, client_id: str, asset: str, amount: int, idempotency_key: str, by: str = CONSOLE
    ) -> Receipt:
        """Take cash out of the venue, or shares back to the issuer; never what an order holds.

        The same key again does nothing.
        """
        _require_movable(client_id, asset, amount)
        target = BANK if asset == CASH else ISSUER
        legs = (Leg(client_id, asset, -amount), Leg(target, asset, amount))
        return self._carry("withdrawal", client_id, legs, idempotency_key, by)

    def _carry(
        self, kind: str, client_id: str, legs: tuple[Leg, Leg], idempotency_key: str, by: str
    ) -> Receipt:
        """One deposit or withdrawal, once for each key."""
        reference = f"{kind}:{idempotency_key}"
        asset, amount = legs[1].asset, legs[1].amount

        def work(transaction: LedgerTransaction, record: Note) -> tuple[Receipt, Settlement | None]:
            _require_client(transaction, client_id)
            if asset != CASH:
                _check_lot(transaction, asset, amount, "security")
            done = transaction.transfer(reference)
            if done is None:
                settlement = self._transfer(transaction, kind, legs, reference, kind)
                details = {
                    "asset": asset,
                    "amount": amount,
                    "journal_id": settlement.last_journal_id,
                }
                record(_ACTIONS[kind], by, client_id=client_id, details=details)
                return Receipt(settlement.last_journal_id, False), settlement
            if done.legs != legs:
                raise refuse(
                    RejectReason.IDEMPOTENCY_KEY_REUSED,
                    f"this Idempotency-Key stands for another {kind}",
                )
            return Receipt(done.journal_id, True), None

        return self._move(work)

    def list_security(self, security: Security, issued_shares: int, by: str = CONSOLE) -> None:
        """List a security and issue its shares to the issuer."""
        if security.security_id == CASH:
            raise refuse(RejectReason.INVALID_FIELD, f"{CASH} is the name of cash", "security")

        listing_fault = listing.fault(security, issued_shares)
        if listing_fault is not None:
            raise refuse(RejectReason.INVALID_FIELD, listing_fault.message, listing_fault.field)

        def work(transaction: LedgerTransaction, record: Note) -> tuple[None, Settlement | None]:
            try:
                transaction.add_security(security)
            except SecurityExists:
                raise refuse(
                    RejectReason.SECURITY_EXISTS,
                    f"security {security.security_id} is listed already",
                    "security",
                ) from None
            record(
                "list_security",
                by,
                security_id=security.security_id,
                details=msgspec.structs.asdict(security) | {"issued_shares": issued_shares},
            )
            if not issued_shares:
                return None, None
            legs = (
                Leg(DEPOSITORY, security.security_id, -issued_shares),
                Leg(ISSUER, security.security_id, issued_shares),
            )
            return None, self._transfer(
                transaction, "issue", legs, f"issue:{security.security_id}", "issue"
            )

        self._move(work)

    def _move(self, work: Callable[[LedgerTransaction, Note], tuple[T, Settlement | None]]) -> T:
        """Run a transfer at the settlement desk; its actions are logged once they are committed."""
        noted: list[ActionRow] = []
        result = self._desk.move(
            lambda transaction: work(transaction, self._record.note_taker(transaction, noted))
        )
        log_actions(noted)
        return result

    def _transfer(
        self,
        transaction: LedgerTransaction,
        kind: str,
        legs: tuple[Leg, ...],
        reference: str,
        memo: str,
    ) -> Settlement:
        keys = {(leg.client_id, leg.asset) for leg in legs} | {
            (leg.client_id, CASH) for leg in legs
        }
        settlement = transaction.lock(keys)
        for leg in legs:
            settlement.ledger.position(leg.client_id, leg.asset).is_external |= (
                leg.client_id in EXTERNAL
            )
        if legs:
            shortfall = settlement.transfer(kind, self._clock.now_us(), legs, reference, memo)
            if shortfall is not None:
                raise _refuse_short(shortfall)
            if any(
                abs(settlement.ledger.position(*leg[:2]).quantity) > _MOST_OF_AN_ASSET
                for leg in legs
            ):
                raise refuse(
                    RejectReason.INVALID_FIELD, "this is more than an account can hold", "amount"
                )
        transaction.write(settlement)
        return settlement

    def _starting_legs(
        self, client_id: str, cash_e4: int, shares: Mapping[str, int]
    ) -> tuple[Leg, ...]:
        legs = [Leg(BANK, CASH, -cash_e4), Leg(client_id, CASH, cash_e4)] if cash_e4 else []
        for security_id, quantity in sorted(shares.items()):
            if quantity:
                legs += [Leg(ISSUER, security_id, -quantity), Leg(client_id, security_id, quantity)]
        return tuple(legs)

    def _insert_client(
        self,
        transaction: LedgerTransaction,
        client_id: str,
        role: str,
        rate_limit_per_second: int | None,
    ) -> None:
        try:
            transaction.add_client(
                client_id,
                role,
                self._clock.now_us(),
                rate_limit_per_second,
                is_external=client_id in EXTERNAL,
            )
        except ClientExists:
            raise refuse(
                RejectReason.CLIENT_EXISTS, f"client {client_id} exists already", "client_id"
            ) from None

    def _insert_key(self, transaction: LedgerTransaction, client_id: str, key: str) -> None:
        transaction.add_key(key_hash(key), client_id, self._clock.now_us())

    def ensure_venue_accounts(self) -> bool:
        """Make those of the venue's own accounts that are missing; whether it is a new venue.

        A venue of an older version has some of them. Raises BrokenInvariant if somebody else has
        the name of one: money of the venue would go to a client.
        """
        with self._store.transaction() as transaction:
            is_new = not transaction.has_client(BANK)
            for client_id in VENUE_ACCOUNTS:
                known = transaction.lock_client(client_id)
                if known is None:
                    self._insert_client(transaction, client_id, "venue", None)
                elif known.role != "venue":
                    raise BrokenInvariant(f"{client_id} is the name of an account of the venue")
        return is_new

    def ensure_administrator(self, key: str | None, client_id: str = ADMINISTRATOR) -> str | None:
        """A new key of the administrator, if `key` is none of an administrator's; else None.

        The administrator is made if there is none of this name. For the launcher, which owns the
        database: after `reset` of a folder or after all keys were revoked its key file works again.
        """
        with self._record.transaction(self._store) as (transaction, record):
            if key is not None and transaction.role_of_key(key_hash(key)) == ADMINISTRATOR:
                return None
            known = transaction.lock_client(client_id)
            if known is None:
                self._insert_client(transaction, client_id, ADMINISTRATOR, None)
                details = {"role": ADMINISTRATOR, "rate_limit_per_second": None, "keys": 0}
                record("create_client", CONSOLE, client_id=client_id, details=details)
            elif known.role != ADMINISTRATOR:
                raise refuse(RejectReason.CLIENT_EXISTS, f"client {client_id} is no administrator")
            fresh = new_key()
            self._insert_key(transaction, client_id, fresh)
            record("add_key", CONSOLE, client_id=client_id)
        return fresh


def require_listed(
    store: LedgerStore, endowment: Mapping[str, int], stopping: threading.Event | None = None
) -> None:
    """SettingsError if a trader would start with shares that can't be given."""

    def lots(transaction: LedgerTransaction) -> dict[str, int | None]:
        return {security_id: transaction.lot_size(security_id) for security_id in endowment}

    for security_id, lot in store.run(lots, stopping).items():
        quantity = endowment[security_id]
        if lot is None:
            raise SettingsError(
                f"VENUE_ENDOWMENT: {security_id}:{quantity} names a security that is not listed"
            )
        if quantity % lot:
            raise SettingsError(
                f"VENUE_ENDOWMENT: {security_id}:{quantity} is no multiple of the lot of {lot}"
            )


def _require_movable(client_id: str, asset: str, amount: int) -> None:
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


def _require_client(transaction: LedgerTransaction, client_id: str) -> None:
    if not (is_client_id(client_id) and transaction.has_client(client_id)):
        raise unknown_client(client_id)


def _check_lot(transaction: LedgerTransaction, security_id: str, quantity: int, field: str) -> None:
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


def _refuse_short(shortfall: Shortfall) -> Exception:
    reason = (
        RejectReason.INSUFFICIENT_FUNDS
        if shortfall.asset == CASH
        else RejectReason.INSUFFICIENT_SHARES
    )
    return refuse(reason, str(shortfall), client_id=shortfall.client_id, asset=shortfall.asset)
