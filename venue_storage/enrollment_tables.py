"""Tables of `clearing_data` for join codes."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from venue_storage.clearing_data import metadata

join_codes = Table(
    "join_codes",
    metadata,
    Column("label", Text, primary_key=True),
    Column("code_hash", LargeBinary, nullable=False),
    Column("places", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("closes_us", BigInteger, nullable=False),
    CheckConstraint("places > 0 AND used >= 0 AND used <= places", name="join_codes_places_check"),
    UniqueConstraint("code_hash", name="join_codes_code_hash_key"),
    comment="Owner: clearinghouse. Codes with which strangers make accounts of their own, as"
    " SHA-256 only; times in microseconds since the epoch.",
)
