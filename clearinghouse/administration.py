"""Accounts, keys, deposits and listings: what an administrator may do, each in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass

from clearinghouse.domain.ledger import Leg, Shortfall
from clearinghouse.domain.settlement import CLEARINGHOUSE, Settlement
from clearinghouse.domain.venue_accounts import BANK, DEPOSITORY, EXTERNAL, ISSUER, VENUE_ACCOUNTS
from clearinghouse.handlers import SettlementDesk
from clearinghouse.ports import ClientExists, LedgerStore, LedgerTransaction, SecurityExists
from service_runtime.clock import Clock
from service_runtime.http.authentication import ADMINISTRATOR, TRADER, key_hash, new_key
from venue_protocol.holds import CASH
from venue_protocol.identifiers import is_client_id
from venue_protocol.money import format_e4
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.securities import Security
from venue_protocol.settlement import STARTING_POSITION

STARTING_CASH_E4 = 100_000_000
"""Each trader starts with exactly $10,000.00."""

_MOST_OF_AN_ASSET = (1 << 63) - 1
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

    def create_client(
        self,
        client_id: str,
        role: str,
        cash_e4: int | None = None,
        shares: Mapping[str, int] | None = None,
        rate_limit_per_second: int | None = None,
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
        key = new_key()

        def work(transaction: LedgerTransaction) -> tuple[None, Settlement]:
            self._insert_client(transaction, client_id, role, rate_limit_per_second)
            self._insert_key(transaction, client_id, key)
            legs = self._starting_legs(client_id, cash_e4 or 0, shares or {})
            return None, self._transfer(
                transaction, "deposit", legs, f"start:{client_id}", STARTING_POSITION
            )

        self._desk.move(work)
        return key

    def add_key(self, client_id: str) -> str:
        """Another API key for a client; returned once."""
        key = new_key()
        with self._store.transaction() as transaction:
            self._require_client(transaction, client_id)
            self._insert_key(transaction, client_id, key)
        return key

    def revoke_keys(self, client_id: str) -> int:
        """Revoke all keys of a client; the number revoked."""
        with self._store.transaction() as transaction:
            self._require_client(transaction, client_id)
            return transaction.revoke_keys(client_id, self._clock.now_us())

    def deposit(self, client_id: str, asset: str, amount: int, idempotency_key: str) -> Receipt:
        """Bring cash from outside, or shares from the issuer, to a client.

        The same key again does nothing.
        """
        if amount <= 0:
            shown = format_e4(amount) if asset == CASH else str(amount)
            raise refuse(RejectReason.AMOUNT_NOT_POSITIVE, f"{shown} is not above zero", "amount")
        if client_id in EXTERNAL or client_id == CLEARINGHOUSE:
            raise refuse(
                RejectReason.FORBIDDEN,
                f"{client_id} is an account of the venue itself",
                "client_id",
            )
        reference = f"deposit:{idempotency_key}"
        source = BANK if asset == CASH else ISSUER
        if client_id == source:
            raise refuse(
                RejectReason.FORBIDDEN,
                f"{source} gives these shares, it can't take them",
                "client_id",
            )
        legs = (Leg(source, asset, -amount), Leg(client_id, asset, amount))

        def work(transaction: LedgerTransaction) -> tuple[Receipt, Settlement | None]:
            self._require_client(transaction, client_id)
            if asset != CASH:
                self._require_security(transaction, asset)
            done = transaction.transfer(reference)
            if done is None:
                settlement = self._transfer(transaction, "deposit", legs, reference, "deposit")
                return Receipt(settlement.last_journal_id, False), settlement
            if done.legs != legs:
                raise refuse(
                    RejectReason.IDEMPOTENCY_KEY_REUSED,
                    "this Idempotency-Key stands for another deposit",
                )
            return Receipt(done.journal_id, True), None

        return self._desk.move(work)

    def list_security(self, security: Security, issued_shares: int) -> None:
        """List a security and issue its shares to the issuer."""
        if security.security_id == CASH:
            raise refuse(RejectReason.INVALID_FIELD, f"{CASH} is the name of cash", "security")

        def work(transaction: LedgerTransaction) -> tuple[None, Settlement | None]:
            try:
                transaction.add_security(security)
            except SecurityExists:
                raise refuse(
                    RejectReason.SECURITY_EXISTS,
                    f"security {security.security_id} is listed already",
                    "security",
                ) from None
            if not issued_shares:
                return None, None
            legs = (
                Leg(DEPOSITORY, security.security_id, -issued_shares),
                Leg(ISSUER, security.security_id, issued_shares),
            )
            return None, self._transfer(
                transaction, "issue", legs, f"issue:{security.security_id}", "issue"
            )

        self._desk.move(work)

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

    def _require_client(self, transaction: LedgerTransaction, client_id: str) -> None:
        if not (is_client_id(client_id) and transaction.has_client(client_id)):
            raise refuse(RejectReason.UNKNOWN_CLIENT, f"no client {client_id[:64]!r}", "client_id")

    def _require_security(self, transaction: LedgerTransaction, security_id: str) -> None:
        if not transaction.has_security(security_id):
            raise refuse(RejectReason.UNKNOWN_SECURITY, f"no security {security_id!r}", "security")

    def ensure_venue_accounts(self) -> bool:
        """Make the venue's own accounts if there are none; whether they were made now."""
        with self._store.transaction() as transaction:
            if transaction.has_client(BANK):
                return False
            for client_id in VENUE_ACCOUNTS:
                self._insert_client(transaction, client_id, "venue", None)
        return True

    def ensure_administrator(self, client_id: str = ADMINISTRATOR) -> str | None:
        """The key of a first administrator, made now; None if there is one already."""
        with self._store.transaction() as transaction:
            if transaction.has_role(ADMINISTRATOR):
                return None
            key = new_key()
            self._insert_client(transaction, client_id, ADMINISTRATOR, None)
            self._insert_key(transaction, client_id, key)
        return key


def _refuse_short(shortfall: Shortfall) -> Exception:
    reason = (
        RejectReason.INSUFFICIENT_FUNDS
        if shortfall.asset == CASH
        else RejectReason.INSUFFICIENT_SHARES
    )
    return refuse(reason, str(shortfall), client_id=shortfall.client_id, asset=shortfall.asset)
