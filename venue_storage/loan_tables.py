"""Tables of `clearing_data` for stock loans.

Amounts: `_e4` ten-thousandths of a dollar; quantities: shares; times: microseconds since the epoch.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from venue_storage.clearing_data import metadata
from venue_storage.table_storage import APPENDED

margin_rules = Table(
    "margin_rules",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("is_open", Boolean, nullable=False),
    Column("initial_bps", Integer, nullable=False),
    Column("maintenance_bps", Integer, nullable=False),
    Column("fee_bps", Integer, nullable=False),
    Column("call_us", BigInteger, nullable=False),
    Column("pool_bps", Integer, nullable=False),
    CheckConstraint("single", name="margin_rules_single_check"),
    CheckConstraint(
        "maintenance_bps >= 10000 AND initial_bps >= maintenance_bps AND fee_bps >= 0"
        " AND call_us >= 0 AND pool_bps > 0 AND pool_bps <= 10000",
        name="margin_rules_rates_check",
    ),
    comment="Owner: clearinghouse. No row or one: what a stock loan asks for; rates in basis points"
    " of the value at the mark, the fee for a day.",
)

short_sellers = Table(
    "short_sellers",
    metadata,
    Column("client_id", Text, ForeignKey("clients.client_id"), primary_key=True),
    Column("is_allowed", Boolean, nullable=False),
    comment="Owner: clearinghouse. Clients for whom an administrator, or a default, decided whether"
    " they may borrow.",
)

stock_loans = Table(
    "stock_loans",
    metadata,
    Column("client_id", Text, ForeignKey("accounts.client_id"), primary_key=True),
    Column("security_id", Text, ForeignKey("securities.security_id"), primary_key=True),
    Column("quantity", BigInteger, nullable=False),
    Column("collateral_e4", BigInteger, nullable=False),
    Column("loan", Text, nullable=False),
    CheckConstraint("quantity > 0 AND collateral_e4 >= 0", name="stock_loans_amounts_check"),
    comment="Owner: clearinghouse. Shares that clients owe to the lender's pool, and the cash held"
    " for them; loan is the whole of it as JSON. The fold of loan_events.",
)

loan_events = Table(
    "loan_events",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time_us", BigInteger, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("security_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Index("loan_events_client_id", "client_id", "number"),
    postgresql_with=APPENDED,
    comment="Owner: clearinghouse; insert only, for anybody. What happened to each stock loan, as"
    " JSON, gap-free.",
)

loan_marks = Table(
    "loan_marks",
    metadata,
    Column("security_id", Text, primary_key=True),
    Column("as_of_report", BigInteger, primary_key=True, autoincrement=False),
    Column("from_report", BigInteger, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("mark_e4", BigInteger, nullable=False),
    Column(
        "followed_us", BigInteger, primary_key=True, autoincrement=False, server_default=text("0")
    ),
    postgresql_with=APPENDED,
    comment="Owner: clearinghouse; insert only, for anybody. Marks of lent securities: made from"
    " the trades among the settlement reports after from_report and up to as_of_report that were"
    " made after followed_us, the newest corporate action.",
)

default_fund = Table(
    "default_fund",
    metadata,
    Column("client_id", Text, ForeignKey("accounts.client_id"), primary_key=True),
    Column("contribution_e4", BigInteger, nullable=False),
    CheckConstraint("contribution_e4 >= 0", name="default_fund_contribution_check"),
    comment="Owner: clearinghouse. What each member has in the account default_fund.",
)

close_out_orders = Table(
    "close_out_orders",
    metadata,
    Column("client_order_id", Text, primary_key=True),
    Column("security_id", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("price_e4", BigInteger, nullable=False),
    Column("action_id", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("quantity > 0 AND price_e4 > 0", name="close_out_orders_terms_check"),
    comment="Owner: clearinghouse. Buy orders of the account close_out that are to be logged; the"
    " gateway logs each once, by its name. Removed when it is settled.",
)
