"""Compares the gateway's rows of phases and volatility bands with the commands in the order log.

The rows are what the gateway judges orders by; the log is the truth. A row that differs would let
orders through, or refuse them, other than the engine does.
"""

from order_entry_gateway.domain.trading_phases import Session
from venue_audit.differences import LOG, Differences
from venue_audit.snapshot import Snapshot
from venue_protocol.commands import (
    ApplyCorporateAction,
    CommandBatch,
    SetPhase,
    SetVolatilityBands,
)
from venue_protocol.trading_day import BandRow, PhaseRow

_PHASES = f"SELECT {', '.join(PhaseRow._fields)} FROM session_phases ORDER BY 1, 2"
_BANDS = f"SELECT {', '.join(BandRow._fields)} FROM session_bands ORDER BY 1, 2"


class TradingDayCheck:
    """`take` each batch of the log, in the order of its shard, then `finish`."""

    def __init__(self, clearing: Snapshot, differences: Differences) -> None:
        self._clearing = clearing
        self._differences = differences
        self._session = Session()
        self._band_sequences: dict[tuple[int, str], int] = {}

    def take(self, batch: CommandBatch) -> None:
        """Apply the batch's commands of the trading day, if it has any."""
        for sequence, command in batch.numbered():
            if isinstance(command, SetPhase | ApplyCorporateAction):
                self._session.command(batch.shard, command)
                self._session.logged(batch.shard, command, batch.time_us, sequence)
            elif isinstance(command, SetVolatilityBands):
                self._session.command(batch.shard, command)
                self._band_sequences[batch.shard, command.security_id] = sequence

    def finish(self) -> None:
        """Compare all rows with what the commands make of them."""
        self._compare(
            "phase",
            {row[:2]: row for row in self._session.rows.values()},
            {row[:2]: PhaseRow._make(row) for row in self._clearing.all(_PHASES)},
            {key: row.sequence for key, row in self._session.rows.items()},
        )
        self._compare(
            "band",
            {row[:2]: row for row in self._session.bands.values()},
            {row[:2]: BandRow._make(row) for row in self._clearing.all(_BANDS)},
            self._band_sequences,
        )

    def _compare(
        self,
        what: str,
        expected: dict[tuple[int, str], PhaseRow | BandRow],
        stored: dict[tuple[int, str], PhaseRow | BandRow],
        sequences: dict[tuple[int, str], int],
    ) -> None:
        for key in sorted(expected.keys() | stored.keys()):
            subject = f"{key[1] or 'all securities'} of shard {key[0]}"
            wanted, found, sequence = expected.get(key), stored.get(key), sequences.get(key)
            if wanted is None or found is None:
                self._differences.compare(
                    what, subject, "row", _said(wanted), _said(found), LOG, sequence
                )
                continue
            for name, value, other in zip(wanted._fields, wanted, found, strict=True):
                self._differences.compare(what, subject, name, value, other, LOG, sequence)


def _said(row: PhaseRow | BandRow | None) -> str | None:
    return None if row is None else str(tuple(row))
