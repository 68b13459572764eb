"""Rows of `clearing_data` that are written many at a time, in the order of their columns."""

from typing import NamedTuple


class LogRow(NamedTuple):
    """One command of the order log."""

    shard: int
    sequence: int
    time_us: int
    client_id: str
    client_order_id: str | None
    amended_order_id: int | None
    command: str
    """JSON."""


class JournalRow(NamedTuple):
    """One journal, its legs in three parallel tuples."""

    journal_id: int
    journal_kind: str
    time_us: int
    trade_id: int | None
    reference: str | None
    accounts: tuple[str, ...]
    assets: tuple[str, ...]
    amounts: tuple[int, ...]


class ReportRow(NamedTuple):
    """One settlement report: `report` is the JSON that is published."""

    sequence: int
    client_id: str
    client_sequence: int
    report: str


class Suspension(NamedTuple):
    """Since when, and why, the orders of a client are refused."""

    since_us: int
    reason: str | None


class ActionRow(NamedTuple):
    """What an administrator did, to whom, when and why."""

    time_us: int
    administrator: str
    """Its client_id; `console` for whoever works on the database itself."""
    action: str
    """Such as `suspend`."""
    client_id: str | None
    security_id: str | None
    reason: str | None
    details: str
    """JSON."""


class CloseOutOrder(NamedTuple):
    """A buy order of the account `close_out` that the gateway is to log, once."""

    client_order_id: str
    security_id: str
    quantity: int
    price_e4: int
    action_id: int = 0
    """The security's newest corporate action when it was made: after a further one its terms are
    those of other shares, and the gateway leaves it.
    """


class ProposalRow(NamedTuple):
    """What somebody proposed, and what became of it."""

    proposal_id: int
    """From 1, rising."""
    proposal_kind: str
    trade_id: int | None
    """The trade that it is about, if it is about one."""
    client_id: str | None
    """The client that it is about, if it is about one."""
    details: str
    """JSON of `venue_protocol.proposals.Proposed`."""
    reason: str
    idempotency_key: str
    """Of whoever proposed it."""
    proposed_by: str
    proposed_us: int
    status: str = "open"
    decided_by: str | None = None
    decided_us: int | None = None
    decision_reason: str | None = None
    journal_id: int | None = None
    """The journal that did it."""
