"""Tables of `clearing_data` for the fee schedule."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, Table, Text

from venue_storage.clearing_data import metadata

fee_schedule = Table(
    "fee_schedule",
    metadata,
    Column("security_id", Text, primary_key=True),
    Column("tier", Text, primary_key=True),
    Column("maker_bps", Integer, nullable=False),
    Column("taker_bps", Integer, nullable=False),
    Column("auction_bps", Integer, nullable=False),
    CheckConstraint(
        "maker_bps BETWEEN -1000 AND 1000 AND taker_bps BETWEEN -1000 AND 1000"
        " AND auction_bps BETWEEN 0 AND 1000",
        name="fee_schedule_rates_check",
    ),
    comment="Owner: clearinghouse. Rates that later orders carry, basis points of a trade's value;"
    " below zero: a rebate. security_id is * in a row for all.",
)

fee_tiers = Table(
    "fee_tiers",
    metadata,
    Column("client_id", Text, ForeignKey("clients.client_id"), primary_key=True),
    Column("tier", Text, nullable=False),
    comment="Owner: clearinghouse. Clients that are not in the standard tier of fees.",
)
