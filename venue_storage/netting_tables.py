"""Tables of net settlement in `clearing_data`: what is open, what settled, and how.

Amounts: `_e4` ten-thousandths of a dollar; quantities: shares; times: microseconds since the epoch.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    SmallInteger,
    Table,
    Text,
)

from venue_storage.clearing_data import metadata

net_obligations = Table(
    "net_obligations",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("cycle", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", Text, primary_key=True),
    Column("security_id", Text, primary_key=True),
    Column("quantity", BigInteger, nullable=False),
    Column("cash_e4", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("failing_since", BigInteger, nullable=False),
    Column("mark_e4", BigInteger, nullable=False),
    Index("net_obligations_client_id", "client_id"),
    comment="Owner: clearinghouse. What trades oblige to until their cycle settles: shares and"
    " cash that the client is to get, below zero to give. Positions have it already.",
)

net_volumes = Table(
    "net_volumes",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("cycle", BigInteger, primary_key=True, autoincrement=False),
    Column("security_id", Text, primary_key=True),
    Column("trades", BigInteger, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("value_e4", BigInteger, nullable=False),
    comment="Owner: clearinghouse. What was traded in a security and is due in a cycle that has"
    " not settled.",
)

settlement_cycles = Table(
    "settlement_cycles",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time_us", BigInteger, nullable=False),
    Column("trades", BigInteger, nullable=False),
    Column("gross_value_e4", BigInteger, nullable=False),
    Column("net_cash_e4", BigInteger, nullable=False),
    Column("net_deliveries_e4", BigInteger, nullable=False),
    Column("movements", BigInteger, nullable=False),
    Column("fails", BigInteger, nullable=False),
    comment="Owner: clearinghouse; insert only. What each cycle of net settlement settled. Its"
    " key is a guard against settling one twice.",
)

delivery_terms = Table(
    "delivery_terms",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("security_id", Text, primary_key=True),
    Column("exempt", BigInteger, nullable=False),
    Column("deposit_e4", BigInteger, nullable=False),
    Column("notice_shard", SmallInteger, nullable=False),
    Column("notice_cycle", BigInteger, nullable=False),
    CheckConstraint("exempt >= 0 AND deposit_e4 >= 0", name="delivery_terms_units_check"),
    comment="Owner: clearinghouse. Shares that a client keeps from delivery in cycles, with the"
    " cash held for it, and its buy-in notice.",
)

session_settlement = Table(
    "session_settlement",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("mode", Text, nullable=False),
    Column("interval_us", BigInteger),
    Column("at_close", Boolean, nullable=False),
    Column("lag", SmallInteger, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    CheckConstraint("mode IN ('gross', 'net')", name="session_settlement_mode_check"),
    CheckConstraint("interval_us > 0 AND lag >= 0", name="session_settlement_units_check"),
    comment="Owner: gateway; written in the transaction of the command."
    " How the trades of a shard settle, as commanded last; no row: gross.",
)
