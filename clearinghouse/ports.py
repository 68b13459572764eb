"""What the clearinghouse asks of its store.

Bodies: `adapters.ledger_store` (Postgres) and `venue_simulation.memory_ledger_store`.
tests/contract/test_ledger_store.py runs on both.
"""

import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, TypeVar

from clearinghouse.domain.corporate_actions import Entitlement
from clearinghouse.domain.corrections import SettledTrade
from clearinghouse.domain.ledger import Leg
from clearinghouse.domain.settlement import Settlement
from clearinghouse.loan_ports import LoanBook
from client_enrollment.ports import JoinCodes
from trading_fees.ports import FeeTable
from venue_protocol.securities import Security
from venue_storage.clearing_rows import ActionRow, ProposalRow, Suspension

T = TypeVar("T")


class ClientExists(RuntimeError):
    """There is a client of this id; nothing was done."""


class SecurityExists(RuntimeError):
    """There is a security of this id; nothing was done."""


class ProposalExists(RuntimeError):
    """There is an open proposal on this trade; nothing was done."""


class Transfer(NamedTuple):
    """A transfer that was done."""

    journal_id: int
    legs: tuple[Leg, ...]


class ClientState(NamedTuple):
    """What an administrator can change of a client."""

    role: str
    rate_limit_per_second: int | None
    suspension: Suspension | None


class Proposals(Protocol):
    """Proposals, and the settled trades that some of them are about; part of a transaction."""

    def add(self, proposal: ProposalRow) -> int:
        """Store an open proposal (its number is drawn here, whatever it says); its number.

        ProposalExists if one on the same trade is open; the transaction can't go on after that.
        """
        ...

    def find(self, proposed_by: str, idempotency_key: str) -> ProposalRow | None:
        """What was proposed under this key."""
        ...

    def lock(self, proposal_id: int) -> ProposalRow | None:
        """A proposal, locked until the end; None if there is none."""
        ...

    def decide(self, decided: ProposalRow) -> None:
        """Store the decision that `decided` carries; once for each proposal."""
        ...

    def count_since(self, proposed_by: str, after_us: int) -> int:
        """How many this one proposed later than `after_us`."""
        ...

    def trade(self, trade_id: int) -> SettledTrade | None:
        """A settled trade as it stands after its corrections; None if it is not settled.

        Locks the settlement head: nobody changes the trade between question and answer.
        """


class LedgerTransaction(Protocol):
    """One transaction of the clearinghouse.

    A transaction that moves cash or shares locks the settlement head first: so journals and reports
    are numbered without a gap. Accounts and deposits are locked in key order, as the gateway locks
    them: two that need the same ones then wait for each other instead of both forever.
    """

    @property
    def loans(self) -> LoanBook:
        """The tables of stock loans."""
        ...

    @property
    def proposals(self) -> Proposals:
        """What waits for a second person."""
        ...

    @property
    def join_codes(self) -> JoinCodes:
        """The table of join codes."""
        ...

    def lock(self, keys: Iterable[tuple[str, str]], with_netting: bool = False) -> Settlement:
        """A Settlement on these positions `(client_id, asset)`.

        They and the settlement head stay locked until the transaction ends. With netting: also all
        open obligations, the accounts of everybody who has one, and, not locked, their deposits.
        """
        ...

    def holders(self, security_ids: Iterable[str]) -> list[tuple[str, str]]:
        """Client and security of every deposit in these securities.

        Locks the settlement head: no deposit is added between this answer and `lock`.
        """
        ...

    def entitlements(self, action_id: int) -> list[Entitlement]:
        """Who gets a dividend that went ex in an earlier transaction, and how much.

        Locks the settlement head.
        """
        ...

    def write(self, settlement: Settlement) -> None:
        """Write all that the settlement changed.

        Positions, chains of reports, journals, reports, obligations and the settlement head.
        """
        ...

    def position(self, stream: str) -> int:
        """Newest number of `stream` whose effect is committed; 0 at the beginning."""
        ...

    def write_position(self, stream: str, sequence: int) -> None:
        """Store the position, together with the effect."""
        ...

    def last_report_sequence(self) -> int:
        """Number of the newest settlement report; 0 before the first."""
        ...

    def transfer(self, reference: str) -> Transfer | None:
        """What was done under `reference`.

        Locks the settlement head: nobody does it between question and answer.
        """
        ...

    def has_client(self, client_id: str) -> bool:
        """Whether there is such a client."""
        ...

    def lot_size(self, security_id: str) -> int | None:
        """Shares of the smallest order in a security; None if it is not listed."""
        ...

    def role_of_key(self, key_hash: bytes) -> str | None:
        """Role of the client with this key; None if the key is unknown or revoked."""
        ...

    def add_client(
        self,
        client_id: str,
        role: str,
        created_us: int,
        rate_limit_per_second: int | None,
        is_external: bool,
    ) -> None:
        """A client with an empty account. ClientExists."""
        ...

    def lock_client(self, client_id: str) -> ClientState | None:
        """What an administrator can change of a client, locked until the end; None if unknown."""
        ...

    def set_suspension(self, client_id: str, suspension: Suspension | None) -> None:
        """Suspend a client, or let it trade again."""
        ...

    def set_rate_limit(self, client_id: str, rate_limit_per_second: int | None) -> None:
        """Give a client a rate limit of its own; None: the one that each client has."""
        ...

    def set_cancel_timer(self, timer: str, client_id: str, due_us: int) -> None:
        """Let the gateway cancel all open orders of a client at `due_us`, through the order log."""
        ...

    def remove_cancel_timer(self, timer: str) -> None:
        """Remove such a timer, if it is there."""
        ...

    def has_other_administrator(self, client_id: str) -> bool:
        """Whether an administrator other than this client, not suspended, has a key that works.

        Locks all administrators: of two who suspend each other or revoke each other's keys, the
        second sees the first.
        """
        ...

    def record(self, action: ActionRow) -> None:
        """Add to the record of what administrators did."""
        ...

    def add_key(self, key_hash: bytes, client_id: str, created_us: int) -> None:
        """An API key of a client."""
        ...

    def revoke_keys(self, client_id: str, revoked_us: int) -> int:
        """Revoke all keys of a client; the number revoked."""
        ...

    def add_security(self, security: Security) -> None:
        """List a security. SecurityExists."""
        ...

    def fee_table(self) -> FeeTable:
        """The fee schedule."""
        ...


class LedgerStore(Protocol):
    """The store."""

    def transaction(self) -> AbstractContextManager[LedgerTransaction]:
        """One transaction, committed at the end of the block, rolled back on any error.

        Raises DatabaseUnavailable (nothing is committed), or CommitUnknown.
        """
        ...

    def run(
        self, work: Callable[[LedgerTransaction], T], stopping: threading.Event | None = None
    ) -> T:
        """The result of `work`, tried until it commits. `work` must be safe to repeat.

        Raises DatabaseUnavailable only when `stopping` is set meanwhile.
        """
        ...
