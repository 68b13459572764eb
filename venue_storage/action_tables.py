"""Tables of `clearing_data` for corporate actions."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text

from venue_storage.clearing_data import metadata

corporate_actions = Table(
    "corporate_actions",
    metadata,
    Column("action_id", BigInteger, primary_key=True, autoincrement=False),
    Column("step", Text, primary_key=True),
    Column("security_id", Text, ForeignKey("securities.security_id"), nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("action", Text),
    Column("as_of_report", BigInteger, nullable=False),
    CheckConstraint("step IN ('declared', 'applied', 'paid')", name="corporate_actions_step_check"),
    Index("corporate_actions_security_id", "security_id", "action_id"),
    comment="Owner: clearinghouse; insert only, in the transaction of the effect. When a corporate"
    " action was declared, took effect and was paid; action is JSON, action_id the sharded"
    " sequence of the command, as_of_report the newest settlement report before it.",
)

dividend_entitlements = Table(
    "dividend_entitlements",
    metadata,
    Column("action_id", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", Text, ForeignKey("accounts.client_id"), primary_key=True),
    Column("shares", BigInteger, nullable=False),
    Column("cash_e4", BigInteger, nullable=False),
    comment="Owner: clearinghouse; insert only. Who held how many shares when they went ex, and"
    " what is paid for them on the pay date.",
)
