"""The check of a trade's journal is one expression: it was two thirds of what Postgres did for a
settled trade.
"""

from alembic import op

revision = "clearing_0002"
down_revision = "clearing_0001"
branch_labels = None
depends_on = None

# The shape of nearly every journal, the eight legs of a novated trade, first; any NULL or other
# bounds in it make the
# condition NULL or false, and then the loop decides as before.
_OF_A_TRADE = """
    IF array_dims(amounts) = '[1:8]' AND array_dims(accounts) = '[1:8]'
        AND array_position(accounts, NULL) IS NULL AND assets[1] <> assets[5]
        AND assets = ARRAY[assets[1], assets[1], assets[1], assets[1],
            assets[5], assets[5], assets[5], assets[5]]
        AND amounts[1] + amounts[2] + amounts[3] + amounts[4] = 0
        AND amounts[5] + amounts[6] + amounts[7] + amounts[8] = 0
    THEN
        RETURN true;
    END IF;
"""
_JOURNAL_IS_BALANCED = """
CREATE OR REPLACE FUNCTION journal_is_balanced(accounts text[], assets text[], amounts bigint[])
RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    legs int := cardinality(amounts);
    total numeric;
BEGIN{of_a_trade}
    IF legs < 2 OR cardinality(accounts) <> legs OR cardinality(assets) <> legs THEN
        RETURN false;
    END IF;
    FOR i IN 1..legs LOOP
        IF accounts[i] IS NULL OR assets[i] IS NULL OR amounts[i] IS NULL THEN RETURN false; END IF;
        CONTINUE WHEN i > 1 AND assets[i] = ANY (assets[1:i - 1]);
        total := 0;
        FOR j IN i..legs LOOP
            IF assets[j] = assets[i] THEN total := total + amounts[j]; END IF;
        END LOOP;
        IF total <> 0 THEN RETURN false; END IF;
    END LOOP;
    RETURN true;
END $$;
"""


def upgrade() -> None:
    op.execute(_JOURNAL_IS_BALANCED.format(of_a_trade=_OF_A_TRADE))


def downgrade() -> None:
    op.execute(_JOURNAL_IS_BALANCED.format(of_a_trade=""))
