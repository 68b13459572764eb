"""Tables of `market_data`: the record of everything that happened. Owner of all: market_data_feed.

`event_sequence` is the sharded event sequence (venue_protocol.identifiers.sharded_id), so it is
unique venue-wide and rises within a shard. Amounts: `_e4` ten-thousandths of a dollar; quantities:
shares; times: microseconds since the epoch. Rows are written by COPY and never deleted, but for
refused_orders.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, SmallInteger, Table, Text, text

from venue_storage.table_storage import APPENDED

metadata = MetaData()

orders = Table(
    "orders",
    metadata,
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", Text, nullable=False),
    Column("client_order_id", Text),
    Column("security_id", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("order_type", Text, nullable=False),
    Column("time_in_force", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("price_e4", BigInteger, nullable=False),
    Column("filled", BigInteger, nullable=False),
    Column("leaves", BigInteger, nullable=False),
    Column("notional_e4", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("accepted_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("event_sequence", BigInteger, nullable=False),
    Column("visible", BigInteger, nullable=False),
    Column("triggered_us", BigInteger),
    Column("terms", Text),
    Column("fees", Text),
    Index("orders_client_id", "client_id", "order_id"),
    Index(
        "orders_open",
        "client_id",
        "order_id",
        postgresql_where=text("status IN ('new', 'partially_filled')"),
    ),
    postgresql_with={
        "fillfactor": 80,
        "autovacuum_vacuum_scale_factor": 0.05,
        "autovacuum_freeze_min_age": 0,
    },
    comment="Each order as it stands. price_e4: its limit, or the band edge of an order without"
    " one; notional_e4: sum"
    " of its fills; event_sequence: its newest event; visible: its shares in the published book; "
    "triggered_us: when a"
    " stop was elected; terms: JSON of its rare terms. orders_open finds a client's open orders "
    "and, at a start, all.",
)

order_reports = Table(
    "order_reports",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("event_sequence", BigInteger, primary_key=True),
    Column("order_id", BigInteger),
    Column("previous_sequence", BigInteger),
    Column("kind", Text, nullable=False),
    Column("security_id", Text),
    Column("side", Text),
    Column("quantity", BigInteger),
    Column("price_e4", BigInteger),
    Column("filled", BigInteger),
    Column("leaves", BigInteger),
    Column("status", Text),
    Column("reason", Text),
    Column("trade_id", BigInteger),
    Column("last_quantity", BigInteger),
    Column("last_price_e4", BigInteger),
    Column("is_aggressor", Boolean),
    Column("time_us", BigInteger, nullable=False),
    Column("fee_e4", BigInteger),
    Index(
        "order_reports_fills",
        "client_id",
        "event_sequence",
        postgresql_where=text("kind = 'trade'"),
    ),
    Index(
        "order_reports_rejects",
        "order_id",
        postgresql_where=text("kind IN ('cancel_rejected', 'amend_rejected')"),
    ),
    postgresql_with=APPENDED,
    comment="Execution reports: what an event meant to one owner, and how the order stood after"
    " it. An event means"
    " something to a client at most once, so the key serves replay too. previous_sequence chains "
    "an order's reports"
    " backwards from orders.event_sequence: no index on order_id is needed.",
)

trades = Table(
    "trades",
    metadata,
    Column("security_id", Text, primary_key=True),
    Column("trade_id", BigInteger, primary_key=True),
    Column("event_sequence", BigInteger, nullable=False),
    Column("price_e4", BigInteger, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("aggressor", Text),
    Column("buy_order_id", BigInteger, nullable=False),
    Column("buy_client_id", Text, nullable=False),
    Column("sell_order_id", BigInteger, nullable=False),
    Column("sell_client_id", Text, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    postgresql_with=APPENDED,
    comment="Each trade once. trade_id rises along a security's tape, so the key serves paging"
    " and replay.",
)

trade_corrections = Table(
    "trade_corrections",
    metadata,
    Column("security_id", Text, primary_key=True),
    Column("trade_id", BigInteger, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("correction_kind", Text, nullable=False),
    Column("price_e4", BigInteger, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Index("trade_corrections_sequence", "security_id", "sequence"),
    comment="Busts and corrections of trades, as the clearinghouse told them: sequence is the"
    " buyer's settlement report. The newest of a trade says how it stands; its row in trades is"
    " what was matched.",
)

settlements = Table(
    "settlements",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", Text, nullable=False),
    Column("client_sequence", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    Index("settlements_client_id", "client_id", "sequence"),
    postgresql_with=APPENDED,
    comment="Settlement reports as published (JSON), venue-wide gap-free.",
)

refused_orders = Table(
    "refused_orders",
    metadata,
    Column("gateway_run", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("client_order_id", Text),
    Column("security_id", Text),
    Column("side", Text),
    Column("quantity", BigInteger),
    Column("reason", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Index("refused_orders_client_id", "client_id", "time_us"),
    Index("refused_orders_time_us", "time_us"),
    comment="Orders the door refused, forgotten by age and number. Text comes from outside: cut"
    " and cleaned; quantity"
    " null where too large.",
)

session_events = Table(
    "session_events",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("security_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("event", Text, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("event_sequence", BigInteger, nullable=False),
    comment="The newest phase, indication and limit state (JSON) of each security; security_id"
    " is empty for a whole"
    " shard. Taken in the order of event_sequence they give the session.",
)

marks = Table(
    "marks",
    metadata,
    Column("security_id", Text, primary_key=True),
    Column("trade_id", BigInteger, nullable=False),
    Column("mark_e4", BigInteger, nullable=False),
    Column("corrected", BigInteger, nullable=False, server_default=text("0")),
    comment="The mark of each security, and the newest trade that it was made from. It goes on"
    " from there: a mark of long ago can not be found in the newest trades. corrected: the newest"
    " correction that it knows of; a newer one has it made anew from the first trade.",
)

stream_positions = Table(
    "stream_positions",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    comment="Newest number recorded of each stream, written in the transaction of the record"
    " itself.",
)
