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
from clearinghouse.domain.ledger import Leg
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import (
    BANK,
    DEPOSITORY,
    EXTERNAL,
    ISSUER,
    VENUE_ACCOUNTS,
)
from clearinghouse.handlers import SettlementDesk
from clearinghouse.ports import ClientExists, LedgerStore, LedgerTransaction, SecurityExists
from clearinghouse.transfers import check_lot, require_client, require_movable, transfer
from service_runtime.api_keys import ADMINISTRATOR, key_hash, new_key
from service_runtime.clock import Clock
from service_runtime.settings import SettingsError
from venue_protocol import listing
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.money import format_e4
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.roles import TRADER
from venue_protocol.securities import Security
from venue_protocol.settlement import STARTING_POSITION
from venue_storage.clearing_rows import ActionRow

T = TypeVar("T")
Admission = Callable[[LedgerTransaction], dict[str, object]]

STARTING_CASH_E4 = 100_000_000
"""Each trader starts with exactly $10,000.00."""

_ACTIONS = {"deposit": "deposit", "withdrawal": "withdraw"}
"""What the record of administrative actions calls each kind of journal."""


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
        admit: Admission = lambda transaction: {},
    ) -> str:
        """A new client with its starting cash and shares; returns its API key, shown this once.

        `admit` comes first in the same transaction: it refuses, or says what the record is to say.
        """
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
            admitted = admit(transaction)
            for security_id, quantity in sorted((shares or {}).items()):
                check_lot(transaction, security_id, quantity, "shares")
            self._insert_client(transaction, client_id, role, rate_limit_per_second)
            self._insert_key(transaction, client_id, key)
            details = {"role": role, "rate_limit_per_second": rate_limit_per_second, "keys": 1}
            record("create_client", by, client_id=client_id, details=details | admitted)
            legs = self._starting_legs(client_id, cash_e4 or 0, shares or {})
            return None, transfer(
                transaction,
                self._clock.now_us(),
                "deposit",
                legs,
                f"start:{client_id}",
                STARTING_POSITION,
            )

        self._move(work)
        return key

    def deposit(
        self, client_id: str, asset: str, amount: int, idempotency_key: str, by: str = CONSOLE
    ) -> Receipt:
        """Bring cash from outside, or shares from the issuer, to a client.

        The same key again does nothing.
        """
        require_movable(client_id, asset, amount)
        source = BANK if asset == CASH else ISSUER
        legs = (Leg(source, asset, -amount), Leg(client_id, asset, amount))
        return self._carry("deposit", client_id, legs, idempotency_key, by)

    def withdraw(
        self, client_id: str, asset: str, amount: int, idempotency_key: str, by: str = CONSOLE
    ) -> Receipt:
        """Take cash out of the venue, or shares back to the issuer; never what an order holds.

        The same key again does nothing.
        """
        require_movable(client_id, asset, amount)
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
            require_client(transaction, client_id)
            if asset != CASH:
                check_lot(transaction, asset, amount, "security")
            done = transaction.transfer(reference)
            if done is None:
                settlement = transfer(
                    transaction, self._clock.now_us(), kind, legs, reference, kind
                )
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
            return None, transfer(
                transaction,
                self._clock.now_us(),
                "issue",
                legs,
                f"issue:{security.security_id}",
                "issue",
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
