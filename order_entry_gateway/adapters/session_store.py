"""The stored trading day: commanded phases and bands, and the schedule."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from order_entry_gateway.loops import phase_schedule
from order_entry_gateway.loops.phase_schedule import Schedule
from service_runtime.database import Cursor, Database
from venue_protocol.settlement_modes import GROSS, SettlementRow
from venue_protocol.trading_day import BandRow, PhaseRow

_TURN = 0x56454E5545
"""Key of the advisory lock by which one gateway commands the schedule."""


class Turn:
    """The schedule, which one gateway holds until the block ends."""

    def __init__(self, cursor: Cursor, stored: str, done_us: int) -> None:
        self._cursor = cursor
        self._stored = stored
        self.schedule = phase_schedule.decode(stored)
        self.done_us = done_us

    def done(self, until_us: int) -> None:
        """Note that phases up to this time are commanded.

        A schedule that was replaced meanwhile begins as it was set.
        """
        self._cursor.execute(
            "UPDATE session_schedule SET done_us = %s WHERE schedule = %s AND done_us = %s",
            (until_us, self._stored, self.done_us),
        )
        self.done_us = until_us


class SessionStore:
    """Reads what was commanded; owns the schedule."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing

    def phases(self) -> list[PhaseRow]:
        """The phases commanded last, each shard's own first."""
        return [PhaseRow(*row) for row in self._rows("session_phases", PhaseRow._fields)]

    def bands(self) -> list[BandRow]:
        """The bands commanded last."""
        return [BandRow(*row) for row in self._rows("session_bands", BandRow._fields)]

    def settlements(self) -> list[SettlementRow]:
        """How each shard settles, as commanded last; gross where nothing was commanded."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                "SELECT shard, coalesce(mode, %s), interval_us, coalesce(at_close, false),"
                " coalesce(lag, 0), coalesce(time_us, 0) FROM order_log_heads"
                " LEFT JOIN session_settlement USING (shard) ORDER BY shard",
                (GROSS,),
            )
            return [SettlementRow(*row) for row in cursor]

    def schedule(self) -> Schedule:
        """The schedule."""
        with self._clearing.transaction() as cursor:
            cursor.execute("SELECT schedule FROM session_schedule")
            return phase_schedule.decode(cursor.fetchone()[0])

    def set_schedule(self, stored: Schedule, done_us: int) -> None:
        """Replace the schedule; phases that were due up to `done_us` are not commanded."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                "UPDATE session_schedule SET schedule = %s, done_us = %s",
                (phase_schedule.encode(stored), done_us),
            )

    @contextmanager
    def turn(self) -> Iterator[Turn | None]:
        """The schedule for this gateway alone; None while another has it."""
        with self._clearing.transaction() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (_TURN,))
            if not cursor.fetchone()[0]:
                yield None
                return
            cursor.execute("SELECT schedule, done_us FROM session_schedule")
            yield Turn(cursor, *cursor.fetchone())

    def _rows(self, table: str, columns: tuple[str, ...]) -> list[Any]:
        with self._clearing.transaction() as cursor:
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY shard, security_id")
            return list(cursor.fetchall())
