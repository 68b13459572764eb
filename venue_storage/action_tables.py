"""Tables of `clearing_data` for corporate actions."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from venue_storage.clearing_data import metadata

corporate_actions = Table(
    "corporate_actions",
    metadata,
    Column("action_id", BigInteger, primary_key=True, autoincrement=False),
    Column("security_id", Text, ForeignKey("securities.security_id"), nullable=False),
    Column("applied_us", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Index("corporate_actions_security_id", "security_id", "action_id"),
    comment="Owner: clearinghouse; written in the transaction of the effect. Corporate actions"
    " that took effect; action is JSON, action_id the sharded sequence of the command.",
)
