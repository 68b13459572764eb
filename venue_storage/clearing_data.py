"""Tables of `clearing_data`: accounts, the order log, settlement.

Amounts: `_e4` ten-thousandths of a dollar; quantities: shares; times: microseconds since the epoch.
Who may write what is in the migrations' grants; each table names its owner here.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from venue_protocol.settlement import JOURNAL_KINDS
from venue_storage.table_storage import APPENDED

metadata = MetaData()

clients = Table(
    "clients",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("rate_limit_per_second", Integer),
    Column("suspended_us", BigInteger),
    Column("suspension_reason", Text),
    CheckConstraint(
        "client_id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'", name="clients_client_id_check"
    ),
    CheckConstraint(
        "role IN ('trader', 'market_maker', 'administrator', 'venue')", name="clients_role_check"
    ),
    comment="Owner: clearinghouse. Everyone with an account; role venue: the venue's own accounts.",
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_hash", LargeBinary, primary_key=True),
    Column("client_id", Text, ForeignKey("clients.client_id"), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
    CheckConstraint("length(key_hash) = 32", name="api_keys_key_hash_check"),
    Index("api_keys_client_id", "client_id"),
    comment="Owner: clearinghouse. SHA-256 of each key.",
)

securities = Table(
    "securities",
    metadata,
    Column("security_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("tick_e4", BigInteger, nullable=False),
    Column("lot", BigInteger, nullable=False),
    Column("band_bps", Integer, nullable=False),
    Column("reference_price_e4", BigInteger, nullable=False),
    Column("max_quantity", BigInteger, nullable=False),
    Column("action_id", BigInteger, nullable=False, server_default=text("0")),
    Column("delisted_us", BigInteger),
    Column("successor", Text),
    CheckConstraint("tick_e4 > 0 AND lot > 0 AND max_quantity > 0", name="securities_units_check"),
    CheckConstraint("band_bps BETWEEN 1 AND 10000", name="securities_band_bps_check"),
    CheckConstraint(
        "reference_price_e4 > 0 AND reference_price_e4 % tick_e4 = 0",
        name="securities_reference_check",
    ),
    comment="Owner: clearinghouse. Listed securities and their trading rules.",
)

accounts = Table(
    "accounts",
    metadata,
    Column("client_id", Text, ForeignKey("clients.client_id"), primary_key=True),
    Column("balance_e4", BigInteger, nullable=False),
    Column("held_e4", BigInteger, nullable=False),
    Column("is_external", Boolean, nullable=False, server_default=text("false")),
    Column("report_count", BigInteger, nullable=False, server_default=text("0")),
    Column("report_hash", Text, nullable=False, server_default=text("repeat('0', 64)")),
    CheckConstraint(
        "held_e4 >= 0 AND (is_external OR held_e4 <= balance_e4)", name="accounts_covered_check"
    ),
    comment="Owner: clearinghouse; the gateway may raise held_e4. available = balance_e4 - held_e4."
    " External: the other side of what enters and leaves the venue, so its balance is negative.",
)

securities_deposits = Table(
    "securities_deposits",
    metadata,
    Column("client_id", Text, ForeignKey("clients.client_id"), primary_key=True),
    Column("security_id", Text, ForeignKey("securities.security_id"), primary_key=True),
    Column("quantity", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("is_external", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint(
        "held >= 0 AND (is_external OR held <= quantity)", name="securities_deposits_covered_check"
    ),
    comment="Owner: clearinghouse; the gateway may raise held. Shares of one client in one"
    " security.",
)

administrative_actions = Table(
    "administrative_actions",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("time_us", BigInteger, nullable=False),
    Column("administrator", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("client_id", Text),
    Column("security_id", Text),
    Column("reason", Text),
    Column("details", Text, nullable=False),
    Index("administrative_actions_client_id", "client_id", "number"),
    comment="Owner: clearinghouse; insert only, for anybody. What an administrator did, to whom,"
    " when and why; details is JSON.",
)

order_log_heads = Table(
    "order_log_heads",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("last_time_us", BigInteger, nullable=False),
    comment="Owner: gateway. The sequencer: one row a shard, locked while a batch is appended.",
)

order_log = Table(
    "order_log",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("time_us", BigInteger, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("client_order_id", Text),
    Column("amended_order_id", BigInteger),
    Column("command", Text, nullable=False),
    CheckConstraint("sequence > 0", name="order_log_sequence_check"),
    Index(
        "order_log_client_order_id",
        "client_id",
        "client_order_id",
        unique=True,
        postgresql_where=text("client_order_id IS NOT NULL"),
    ),
    Index(
        "order_log_amended_order_id",
        "amended_order_id",
        "sequence",
        postgresql_where=text("amended_order_id IS NOT NULL"),
    ),
    postgresql_with=APPENDED,
    comment="Owner: gateway; append only. The truth: every command that changes a book, gap-free"
    " per shard."
    " Rows with the same time_us were one commit.",
)

order_expiries = Table(
    "order_expiries",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("expires_us", BigInteger, primary_key=True, autoincrement=False),
    comment="Owner: gateway. Times at which orders of a shard are due to expire and the log has"
    " not passed yet.",
)

cancel_timers = Table(
    "cancel_timers",
    metadata,
    Column("timer", Text, primary_key=True),
    Column("client_id", Text, ForeignKey("clients.client_id"), nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Index("cancel_timers_due_us", "due_us"),
    comment="Owner: gateway. When all open orders of a client are canceled, unless its timer is"
    " set again before:"
    " a dead man's switch, or the end of a WebSocket that asked for it.",
)

settlement_heads = Table(
    "settlement_heads",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("last_report_sequence", BigInteger, nullable=False),
    Column("last_journal_id", BigInteger, nullable=False),
    CheckConstraint("single", name="settlement_heads_single_check"),
    comment="Owner: clearinghouse. One row, locked by whoever moves cash or shares.",
)

journals = Table(
    "journals",
    metadata,
    Column("journal_id", BigInteger, primary_key=True, autoincrement=False),
    Column("journal_kind", Text, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("trade_id", BigInteger),
    Column("reference", Text),
    Column("accounts", ARRAY(Text), nullable=False),
    Column("assets", ARRAY(Text), nullable=False),
    Column("amounts", ARRAY(BigInteger), nullable=False),
    CheckConstraint(
        f"journal_kind IN ({', '.join(map(repr, JOURNAL_KINDS))})", name="journals_kind_check"
    ),
    CheckConstraint(
        "journal_is_balanced(accounts, assets, amounts)", name="journals_balanced_check"
    ),
    Index(
        "journals_trade_id", "trade_id", unique=True, postgresql_where=text("trade_id IS NOT NULL")
    ),
    Index(
        "journals_reference",
        "reference",
        unique=True,
        postgresql_where=text("reference IS NOT NULL"),
    ),
    Index("journals_of_transfers", "journal_id", postgresql_where=text("journal_kind <> 'trade'")),
    postgresql_with=APPENDED,
    comment="Owner: clearinghouse; insert only, for anybody. One row a journal, its legs in"
    " three parallel arrays; the view ledger_entries shows one leg a row."
    " The unique trade_id is the last guard against settling twice.",
)

settlement_reports = Table(
    "settlement_reports",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", Text, nullable=False),
    Column("client_sequence", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    UniqueConstraint("client_id", "client_sequence", name="settlement_reports_client_sequence"),
    postgresql_with=APPENDED,
    comment="Owner: clearinghouse; insert only. The outbox and the record: `report` is the JSON"
    " that was published.",
)

obligations = Table(
    "obligations",
    metadata,
    Column("trade_id", BigInteger, primary_key=True, autoincrement=False),
    Column("time_us", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("trade", Text, nullable=False),
    comment="Owner: clearinghouse. Trades that could not be settled. Empty in a healthy venue:"
    " each row is an alarm.",
)

stream_positions = Table(
    "stream_positions",
    metadata,
    Column("reader", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    comment="Owner: clearinghouse. What has been handled, written in the transaction of the"
    " effect.",
)

session_phases = Table(
    "session_phases",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("security_id", Text, primary_key=True),
    Column("phase", Text, nullable=False),
    Column("reason", Text),
    Column("lasts_us", BigInteger),
    Column("time_us", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("action_sequence", BigInteger),
    CheckConstraint(
        "phase IN ('pre_open', 'opening_auction', 'continuous', 'closing_auction', 'closed', "
        "'halted', 'reopening_auction')",
        name="session_phases_phase_check",
    ),
    comment="Owner: gateway; written in the transaction of the command."
    " The phase commanded last: of a shard (security_id empty), and of securities that differ "
    "from it.",
)

session_bands = Table(
    "session_bands",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("security_id", Text, primary_key=True),
    Column("band_bps", Integer),
    Column("limit_state_us", BigInteger, nullable=False),
    Column("pause_us", BigInteger, nullable=False),
    Column("auction_us", BigInteger, nullable=False),
    CheckConstraint("band_bps > 0 AND band_bps < 10000", name="session_bands_band_check"),
    comment="Owner: gateway; written in the transaction of the command."
    " Volatility bands as commanded last; band_bps is null where they were switched off.",
)

session_schedule = Table(
    "session_schedule",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("schedule", Text, nullable=False),
    Column("done_us", BigInteger, nullable=False),
    CheckConstraint("single", name="session_schedule_single_check"),
    comment="Owner: gateway. One row: the schedule as JSON, and up to when its phases were"
    " commanded.",
)
