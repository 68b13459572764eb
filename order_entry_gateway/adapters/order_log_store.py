"""The order log in Postgres; each step is one statement for the whole batch."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from psycopg2 import errors

from order_entry_gateway.ports import NAMES, LoggedName, LogTransaction, NameTaken
from service_runtime.copy_text import NULL, copy_text, json_field, text_field
from service_runtime.database import Cursor, Database
from venue_protocol.settlement_modes import SettlementRow
from venue_protocol.streams import order_log
from venue_protocol.trading_day import BandRow, PhaseRow
from venue_storage.clearing_rows import LogRow

_SESSION_LOCK = 1
"""Key of the database's advisory locks; the only one that the venue uses in `clearing_data`."""


class PostgresOrderLog:
    """The OrderLog of `clearing_data`."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing

    @contextmanager
    def transaction(self) -> Iterator[LogTransaction]:
        """One transaction; NameTaken when another gateway logged a client_order_id meanwhile."""
        try:
            with self._clearing.transaction() as cursor:
                yield PostgresLogTransaction(cursor)
        except errors.UniqueViolation as error:
            if error.diag.constraint_name != NAMES:
                raise
            raise NameTaken(str(error).strip()) from error


class PostgresLogTransaction:
    """The LogTransaction on a cursor."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def take_timers(self, due: Sequence[tuple[str, int]]) -> Iterable[tuple[str, int]]:
        """Remove timers; returns those that were there."""
        self._cursor.execute(
            "WITH due AS (SELECT timer FROM cancel_timers"
            " JOIN unnest(%s::text[], %s::bigint[]) AS wanted(timer, due_us) USING (timer, due_us)"
            " ORDER BY timer FOR UPDATE OF cancel_timers)"
            " DELETE FROM cancel_timers USING due WHERE cancel_timers.timer = due.timer"
            " RETURNING cancel_timers.timer, due_us",
            _columns(due),
        )
        return self._cursor  # type: ignore[no-any-return]

    def lock_close_outs(self, names: Sequence[str]) -> Iterable[str]:
        """Names of those that still wait for the listing of now, locked until the end."""
        self._cursor.execute(
            "SELECT client_order_id FROM close_out_orders"
            " JOIN securities USING (security_id, action_id) WHERE client_order_id = ANY (%s)"
            " ORDER BY client_order_id FOR UPDATE OF close_out_orders",
            (list(names),),
        )
        return [name for (name,) in self._cursor]

    def remove_close_outs(self, names: Sequence[str]) -> None:
        """Remove those that are logged now."""
        self._cursor.execute(
            "DELETE FROM close_out_orders WHERE client_order_id = ANY (%s)", (list(names),)
        )

    def session_phases(self, is_changing: bool) -> Iterable[PhaseRow]:
        """The commanded phases, locked until the end.

        One advisory lock stands for all rows: a row that does not exist yet can't be locked.
        A second statement reads the rows, so that it sees what was committed during the wait.
        """
        lock = "pg_advisory_xact_lock" if is_changing else "pg_advisory_xact_lock_shared"
        self._cursor.execute(
            f"SELECT {lock}(%s); SELECT {', '.join(PhaseRow._fields)} FROM session_phases",
            (_SESSION_LOCK,),
        )
        return [PhaseRow(*row) for row in self._cursor]

    def put_session_phases(self, rows: Sequence[PhaseRow]) -> None:
        """Insert or replace rows."""
        self._cursor.execute(
            f"INSERT INTO session_phases ({', '.join(PhaseRow._fields)})"
            " SELECT * FROM unnest(%s::smallint[], %s::text[], %s::text[], %s::text[], "
            "%s::bigint[], %s::bigint[],"
            " %s::bigint[], %s::bigint[]) ON CONFLICT (shard, security_id) DO UPDATE SET"
            " phase = excluded.phase,"
            " reason = excluded.reason, lasts_us = excluded.lasts_us, time_us = excluded.time_us,"
            " sequence = excluded.sequence, action_sequence = excluded.action_sequence",
            _columns(rows),
        )

    def put_session_bands(self, rows: Sequence[BandRow]) -> None:
        """Insert or replace rows."""
        self._cursor.execute(
            "INSERT INTO session_bands (shard, security_id, band_bps, limit_state_us, pause_us, "
            "auction_us)"
            " SELECT * FROM unnest(%s::smallint[], %s::text[], %s::integer[], %s::bigint[], "
            "%s::bigint[],"
            " %s::bigint[]) ON CONFLICT (shard, security_id) DO UPDATE SET band_bps = "
            "excluded.band_bps,"
            " limit_state_us = excluded.limit_state_us, pause_us = excluded.pause_us,"
            " auction_us = excluded.auction_us",
            _columns(rows),
        )

    def has_bands(self, shard: int) -> bool:
        """Whether a security of this shard has a volatility band."""
        self._cursor.execute(
            "SELECT EXISTS (SELECT FROM session_bands WHERE shard = %s AND band_bps IS NOT NULL)",
            (shard,),
        )
        return bool(self._cursor.fetchone()[0])

    def put_settlements(self, rows: Sequence[SettlementRow]) -> None:
        """Insert or replace how these shards settle."""
        names = ", ".join(SettlementRow._fields)
        changed = ", ".join(f"{name} = excluded.{name}" for name in SettlementRow._fields[1:])
        self._cursor.execute(
            f"INSERT INTO session_settlement ({names}) SELECT * FROM unnest(%s::smallint[],"
            " %s::text[], %s::bigint[], %s::boolean[], %s::smallint[], %s::bigint[])"
            f" ON CONFLICT (shard) DO UPDATE SET {changed}",
            _columns(rows),
        )

    def cycle_interval_us(self, shard: int) -> int | None:
        """Microseconds between the settlement cycles of this shard."""
        self._cursor.execute(
            "SELECT interval_us FROM session_settlement WHERE shard = %s", (shard,)
        )
        row = self._cursor.fetchone()
        return row[0] if row else None

    def named(self, names: Sequence[tuple[str, str]]) -> Iterable[LoggedName]:
        """Commands in the log under these (client_id, client_order_id)."""
        self._cursor.execute(
            "SELECT shard, sequence, time_us, client_id, client_order_id, command FROM order_log"
            " JOIN unnest(%s::text[], %s::text[]) AS wanted(client_id, client_order_id)"
            " USING (client_id, client_order_id)",
            _columns(names),
        )
        return self._cursor  # type: ignore[no-any-return]

    def commands(self, places: Sequence[tuple[int, int]]) -> Iterable[tuple[int, int, str]]:
        """Commands at these (shard, sequence)."""
        self._cursor.execute(
            "SELECT shard, sequence, command FROM order_log"
            " JOIN unnest(%s::smallint[], %s::bigint[]) AS wanted(shard, sequence) USING (shard, "
            "sequence)",
            _columns(places),
        )
        return self._cursor  # type: ignore[no-any-return]

    def newest_amends(self, order_ids: Sequence[int]) -> Iterable[tuple[int, str]]:
        """The newest amend of each order that has one."""
        self._cursor.execute(
            "SELECT DISTINCT ON (amended_order_id) time_us, command FROM order_log WHERE "
            "amended_order_id = ANY (%s)"
            " ORDER BY amended_order_id, sequence DESC",
            (list(order_ids),),
        )
        return self._cursor  # type: ignore[no-any-return]

    def lock_accounts(self, client_ids: Sequence[str]) -> Iterable[tuple[str, int, int]]:
        """client_id, balance_e4, held_e4."""
        self._cursor.execute(
            "SELECT client_id, balance_e4, held_e4 FROM accounts WHERE client_id = ANY (%s)"
            " ORDER BY client_id FOR UPDATE",
            (list(client_ids),),
        )
        return self._cursor  # type: ignore[no-any-return]

    def lock_deposits(self, keys: Sequence[tuple[str, str]]) -> Iterable[tuple[str, str, int, int]]:
        """client_id, security_id, quantity, held."""
        self._cursor.execute(
            "SELECT client_id, security_id, quantity, held FROM securities_deposits"
            " JOIN unnest(%s::text[], %s::text[]) AS wanted(client_id, security_id) USING "
            "(client_id, security_id)"
            " ORDER BY client_id, security_id FOR UPDATE OF securities_deposits",
            _columns(keys),
        )
        return self._cursor  # type: ignore[no-any-return]

    def draw_sequences(self, shard: int, count: int, now_us: int) -> tuple[int, int]:
        """The first of the next `count` sequences, and their time.

        The sequencer's row stays locked until the end.
        """
        self._cursor.execute(
            "UPDATE order_log_heads SET last_sequence = last_sequence + %s,"
            " last_time_us = greatest(last_time_us + 1, %s)"
            " WHERE shard = %s RETURNING last_sequence, last_time_us",
            (count, now_us, shard),
        )
        last, time_us = self._cursor.fetchone()
        return last - count + 1, time_us

    def log_time_us(self, shard: int) -> int:
        """The newest time in the log of a shard."""
        self._cursor.execute("SELECT last_time_us FROM order_log_heads WHERE shard = %s", (shard,))
        return int(self._cursor.fetchone()[0])

    def settled(self, shard: int) -> int:
        """The newest command of a shard whose events are all settled."""
        self._cursor.execute(
            "SELECT sequence FROM stream_positions WHERE reader = 'clearinghouse' AND stream = %s",
            (order_log(shard),),
        )
        row = self._cursor.fetchone()
        return int(row[0]) if row else 0

    def append(self, rows: Sequence[LogRow]) -> None:
        """Append to the log."""
        copy_text(
            self._cursor,
            "order_log (shard, sequence, time_us, client_id, client_order_id, amended_order_id, "
            "command)",
            [
                f"{shard}\t{sequence}\t{time_us}\t{client_id}\t"
                f"{NULL if name is None else text_field(name)}\t"
                f"{NULL if amended is None else amended}\t{json_field(command)}\n"
                for shard, sequence, time_us, client_id, name, amended, command in rows
            ],
        )

    def expect_expiries(self, shard: int, expires_us: Sequence[int]) -> None:
        """Note the times at which orders of a shard are due to expire."""
        self._cursor.execute(
            "INSERT INTO order_expiries (shard, expires_us) SELECT %s, unnest(%s::bigint[]) ON "
            "CONFLICT DO NOTHING",
            (shard, list(expires_us)),
        )

    def forget_expiries(self, shard: int, until_us: int) -> None:
        """Forget those noted up to this time."""
        self._cursor.execute(
            "DELETE FROM order_expiries WHERE shard = %s AND expires_us <= %s", (shard, until_us)
        )

    def hold_cash(self, holds: Sequence[tuple[str, int]]) -> None:
        """Set held_e4 of accounts."""
        self._cursor.execute(
            "UPDATE accounts SET held_e4 = raised.held_e4 FROM unnest(%s::text[], %s::bigint[])"
            " AS raised(client_id, held_e4) WHERE accounts.client_id = raised.client_id",
            _columns(holds),
        )

    def hold_shares(self, holds: Sequence[tuple[str, str, int]]) -> None:
        """Set held of deposits."""
        self._cursor.execute(
            "UPDATE securities_deposits SET held = raised.held FROM unnest(%s::text[], "
            "%s::text[], %s::bigint[])"
            " AS raised(client_id, security_id, held) WHERE securities_deposits.client_id = "
            "raised.client_id"
            " AND securities_deposits.security_id = raised.security_id",
            _columns(holds),
        )


def _columns(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    """The rows, at least one, as columns."""
    return [list(column) for column in zip(*rows, strict=True)]
