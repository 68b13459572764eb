CREATE TABLE orders (
    order_id BIGINT NOT NULL,
    client_id TEXT NOT NULL,
    client_order_id TEXT,
    security_id TEXT NOT NULL,
    side TEXT NOT NULL,
    order_type TEXT NOT NULL,
    time_in_force TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    price_e4 BIGINT NOT NULL,
    filled BIGINT NOT NULL,
    leaves BIGINT NOT NULL,
    notional_e4 BIGINT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    accepted_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    event_sequence BIGINT NOT NULL,
    PRIMARY KEY (order_id)
)
 WITH (fillfactor = 80);

CREATE INDEX orders_client_id ON orders (client_id, order_id);

CREATE INDEX orders_open ON orders (client_id, order_id) WHERE status IN ('new', 'partially_filled');

COMMENT ON TABLE orders IS 'Each order as it stands. price_e4: its limit, or a market order''s band edge; notional_e4: sum of its fills; event_sequence: its newest event. orders_open finds a client''s open orders and, at a start, all.';

CREATE TABLE order_reports (
    client_id TEXT NOT NULL,
    event_sequence BIGINT NOT NULL,
    order_id BIGINT,
    previous_sequence BIGINT,
    kind TEXT NOT NULL,
    security_id TEXT,
    side TEXT,
    quantity BIGINT,
    price_e4 BIGINT,
    filled BIGINT,
    leaves BIGINT,
    status TEXT,
    reason TEXT,
    trade_id BIGINT,
    last_quantity BIGINT,
    last_price_e4 BIGINT,
    is_aggressor BOOLEAN,
    time_us BIGINT NOT NULL,
    PRIMARY KEY (client_id, event_sequence)
);

CREATE INDEX order_reports_fills ON order_reports (client_id, event_sequence) WHERE kind = 'trade';

CREATE INDEX order_reports_rejects ON order_reports (order_id) WHERE kind IN ('cancel_rejected', 'amend_rejected');

COMMENT ON TABLE order_reports IS 'Execution reports: what an event meant to one owner, and how the order stood after it. An event means something to a client at most once, so the key serves replay too. previous_sequence chains an order''s reports backwards from orders.event_sequence: no index on order_id is needed.';

CREATE TABLE trades (
    security_id TEXT NOT NULL,
    trade_id BIGINT NOT NULL,
    event_sequence BIGINT NOT NULL,
    price_e4 BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    aggressor TEXT NOT NULL,
    buy_order_id BIGINT NOT NULL,
    buy_client_id TEXT NOT NULL,
    sell_order_id BIGINT NOT NULL,
    sell_client_id TEXT NOT NULL,
    time_us BIGINT NOT NULL,
    PRIMARY KEY (security_id, trade_id)
);

COMMENT ON TABLE trades IS 'Each trade once. trade_id rises along a security''s tape, so the key serves paging and replay.';

CREATE TABLE settlements (
    sequence BIGINT NOT NULL,
    client_id TEXT NOT NULL,
    client_sequence BIGINT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (sequence)
);

CREATE INDEX settlements_client_id ON settlements (client_id, sequence);

COMMENT ON TABLE settlements IS 'Settlement reports as published (JSON), venue-wide gap-free.';

CREATE TABLE refused_orders (
    gateway_run TEXT NOT NULL,
    number BIGINT NOT NULL,
    client_id TEXT NOT NULL,
    client_order_id TEXT,
    security_id TEXT,
    side TEXT,
    quantity BIGINT,
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    time_us BIGINT NOT NULL,
    PRIMARY KEY (gateway_run, number)
);

CREATE INDEX refused_orders_client_id ON refused_orders (client_id, time_us);

COMMENT ON TABLE refused_orders IS 'Orders the door refused. Text comes from outside: cut and cleaned; quantity null where too large.';

CREATE TABLE stream_positions (
    stream TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (stream)
);

COMMENT ON TABLE stream_positions IS 'Newest number recorded of each stream, written in the transaction of the record itself.';
