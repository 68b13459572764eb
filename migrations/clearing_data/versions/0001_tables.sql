CREATE TABLE clients (
    client_id TEXT NOT NULL,
    role TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    rate_limit_per_second INTEGER,
    PRIMARY KEY (client_id),
    CONSTRAINT clients_client_id_check CHECK (client_id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    CONSTRAINT clients_role_check CHECK (role IN ('trader', 'market_maker', 'administrator', 'venue'))
);

COMMENT ON TABLE clients IS 'Owner: clearinghouse. Everyone with an account; role venue: the venue''s own accounts.';

CREATE TABLE journals (
    journal_id BIGINT NOT NULL,
    journal_kind TEXT NOT NULL,
    time_us BIGINT NOT NULL,
    trade_id BIGINT,
    reference TEXT,
    accounts TEXT[] NOT NULL,
    assets TEXT[] NOT NULL,
    amounts BIGINT[] NOT NULL,
    PRIMARY KEY (journal_id),
    CONSTRAINT journals_kind_check CHECK (journal_kind IN ('trade', 'deposit', 'withdrawal', 'issue')),
    CONSTRAINT journals_balanced_check CHECK (journal_is_balanced(accounts, assets, amounts))
);

CREATE UNIQUE INDEX journals_reference ON journals (reference) WHERE reference IS NOT NULL;

CREATE UNIQUE INDEX journals_trade_id ON journals (trade_id) WHERE trade_id IS NOT NULL;

COMMENT ON TABLE journals IS 'Owner: clearinghouse; insert only, for anybody. One row a journal, its legs in three parallel arrays; the view ledger_entries shows one leg a row. The unique trade_id is the last guard against settling twice.';

CREATE TABLE obligations (
    trade_id BIGINT NOT NULL,
    time_us BIGINT NOT NULL,
    reason TEXT NOT NULL,
    trade TEXT NOT NULL,
    PRIMARY KEY (trade_id)
);

COMMENT ON TABLE obligations IS 'Owner: clearinghouse. Trades that could not be settled. Empty in a healthy venue: each row is an alarm.';

CREATE TABLE order_log (
    shard SMALLINT NOT NULL,
    sequence BIGINT NOT NULL,
    time_us BIGINT NOT NULL,
    client_id TEXT NOT NULL,
    client_order_id TEXT,
    amended_order_id BIGINT,
    command TEXT NOT NULL,
    PRIMARY KEY (shard, sequence),
    CONSTRAINT order_log_sequence_check CHECK (sequence > 0)
);

CREATE INDEX order_log_amended_order_id ON order_log (amended_order_id, sequence) WHERE amended_order_id IS NOT NULL;

CREATE UNIQUE INDEX order_log_client_order_id ON order_log (client_id, client_order_id) WHERE client_order_id IS NOT NULL;

COMMENT ON TABLE order_log IS 'Owner: gateway; append only. The truth: every command that changes a book, gap-free per shard. Rows with the same time_us were one commit.';

CREATE TABLE order_log_heads (
    shard SMALLINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    last_time_us BIGINT NOT NULL,
    PRIMARY KEY (shard)
);

COMMENT ON TABLE order_log_heads IS 'Owner: gateway. The sequencer: one row a shard, locked while a batch is appended.';

CREATE TABLE securities (
    security_id TEXT NOT NULL,
    name TEXT NOT NULL,
    shard SMALLINT NOT NULL,
    tick_e4 BIGINT NOT NULL,
    lot BIGINT NOT NULL,
    band_bps INTEGER NOT NULL,
    reference_price_e4 BIGINT NOT NULL,
    max_quantity BIGINT NOT NULL,
    PRIMARY KEY (security_id),
    CONSTRAINT securities_units_check CHECK (tick_e4 > 0 AND lot > 0 AND max_quantity > 0),
    CONSTRAINT securities_band_bps_check CHECK (band_bps BETWEEN 1 AND 10000),
    CONSTRAINT securities_reference_check CHECK (reference_price_e4 > 0 AND reference_price_e4 % tick_e4 = 0)
);

COMMENT ON TABLE securities IS 'Owner: clearinghouse. Listed securities and their trading rules.';

CREATE TABLE settlement_heads (
    single BOOLEAN DEFAULT true NOT NULL,
    last_report_sequence BIGINT NOT NULL,
    last_journal_id BIGINT NOT NULL,
    PRIMARY KEY (single),
    CONSTRAINT settlement_heads_single_check CHECK (single)
);

COMMENT ON TABLE settlement_heads IS 'Owner: clearinghouse. One row, locked by whoever moves cash or shares.';

CREATE TABLE stream_positions (
    reader TEXT NOT NULL,
    stream TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (reader, stream)
);

COMMENT ON TABLE stream_positions IS 'Owner: clearinghouse. What has been handled, written in the transaction of the effect.';

CREATE TABLE accounts (
    client_id TEXT NOT NULL,
    balance_e4 BIGINT NOT NULL,
    held_e4 BIGINT NOT NULL,
    is_external BOOLEAN DEFAULT false NOT NULL,
    report_count BIGINT DEFAULT 0 NOT NULL,
    report_hash TEXT DEFAULT repeat('0', 64) NOT NULL,
    PRIMARY KEY (client_id),
    CONSTRAINT accounts_covered_check CHECK (held_e4 >= 0 AND (is_external OR held_e4 <= balance_e4)),
    FOREIGN KEY(client_id) REFERENCES clients (client_id)
);

COMMENT ON TABLE accounts IS 'Owner: clearinghouse; the gateway may raise held_e4. available = balance_e4 - held_e4. External: the other side of what enters and leaves the venue, so its balance is negative.';

CREATE TABLE api_keys (
    key_hash BYTEA NOT NULL,
    client_id TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    revoked_us BIGINT,
    PRIMARY KEY (key_hash),
    CONSTRAINT api_keys_key_hash_check CHECK (length(key_hash) = 32),
    FOREIGN KEY(client_id) REFERENCES clients (client_id)
);

CREATE INDEX api_keys_client_id ON api_keys (client_id);

COMMENT ON TABLE api_keys IS 'Owner: clearinghouse. SHA-256 of each key.';

CREATE TABLE securities_deposits (
    client_id TEXT NOT NULL,
    security_id TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    held BIGINT NOT NULL,
    is_external BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (client_id, security_id),
    CONSTRAINT securities_deposits_covered_check CHECK (held >= 0 AND (is_external OR held <= quantity)),
    FOREIGN KEY(client_id) REFERENCES clients (client_id),
    FOREIGN KEY(security_id) REFERENCES securities (security_id)
);

COMMENT ON TABLE securities_deposits IS 'Owner: clearinghouse; the gateway may raise held. Shares of one client in one security.';

CREATE TABLE settlement_reports (
    sequence BIGINT NOT NULL,
    client_id TEXT NOT NULL,
    client_sequence BIGINT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (sequence),
    CONSTRAINT settlement_reports_client_sequence UNIQUE (client_id, client_sequence)
);

COMMENT ON TABLE settlement_reports IS 'Owner: clearinghouse; insert only. The outbox and the record: `report` is the JSON that was published.';
