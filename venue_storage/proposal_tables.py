"""Table of `clearing_data` for what waits for the consent of a second person."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from venue_protocol.proposals import PROPOSAL_KINDS
from venue_storage.clearing_data import metadata

proposals = Table(
    "proposals",
    metadata,
    Column("proposal_id", BigInteger, Identity(), primary_key=True),
    Column("proposal_kind", Text, nullable=False),
    Column("trade_id", BigInteger),
    Column("client_id", Text, ForeignKey("clients.client_id")),
    Column("details", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_us", BigInteger, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'open'")),
    Column("decided_by", Text),
    Column("decided_us", BigInteger),
    Column("decision_reason", Text),
    Column("journal_id", BigInteger),
    UniqueConstraint("proposed_by", "idempotency_key", name="proposals_idempotency_key"),
    CheckConstraint(
        f"proposal_kind IN ({', '.join(map(repr, PROPOSAL_KINDS))})", name="proposals_kind_check"
    ),
    CheckConstraint(
        "status IN ('open', 'done', 'declined', 'canceled')", name="proposals_status_check"
    ),
    CheckConstraint(
        "(status = 'open') = (decided_by IS NULL) AND (status = 'open') = (decided_us IS NULL)"
        " AND (status = 'done') = (journal_id IS NOT NULL)",
        name="proposals_decided_check",
    ),
    CheckConstraint(
        "status <> 'done' OR decided_by <> proposed_by", name="proposals_second_person_check"
    ),
    Index(
        "proposals_open_trade",
        "trade_id",
        unique=True,
        postgresql_where=text("status = 'open' AND trade_id IS NOT NULL"),
    ),
    Index("proposals_trade_id", "trade_id", postgresql_where=text("trade_id IS NOT NULL")),
    Index("proposals_proposed_by", "proposed_by", "proposed_us"),
    Index("proposals_open", "proposal_id", postgresql_where=text("status = 'open'")),
    comment="Owner: clearinghouse. What waits for the consent of a second person, and what became"
    " of it; details is JSON. A decision is made once and nothing else of a row ever changes.",
)
