"""Clients and securities from before the record of administrators get their rows in it.

The audit compares both tables with the record; `create_client` says what a client was at that
moment, its number of valid keys included.
"""

from alembic import op

revision = "clearing_0008"
down_revision = "clearing_0007"
branch_labels = None
depends_on = None

_NOW_US = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_CLIENTS = f"""
INSERT INTO administrative_actions (time_us, administrator, action, client_id, details)
SELECT {_NOW_US}, 'migration', 'create_client', client_id, json_build_object(
    'role', role, 'rate_limit_per_second', rate_limit_per_second,
    'keys', (SELECT count(*) FROM api_keys WHERE api_keys.client_id = clients.client_id
             AND revoked_us IS NULL),
    'is_suspended', suspended_us IS NOT NULL, 'suspension_reason', suspension_reason)::text
FROM clients WHERE role <> 'venue' ORDER BY client_id
"""
_SECURITIES = f"""
INSERT INTO administrative_actions (time_us, administrator, action, security_id, details)
SELECT {_NOW_US}, 'migration', 'list_security', security_id, row_to_json(securities)::text
FROM securities ORDER BY security_id
"""


def upgrade() -> None:
    op.execute(_CLIENTS)
    op.execute(_SECURITIES)


def downgrade() -> None:
    """The record is append-only; its rows mean the same to the revision before."""
