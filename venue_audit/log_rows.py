"""The order log as command batches: rows of one commit share their time."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from venue_audit.differences import LOG, Differences
from venue_protocol import codec
from venue_protocol.commands import AmendOrder, Command, CommandBatch
from venue_storage.clearing_rows import LogRow

LOG_ROWS = """
SELECT shard, sequence, time_us, client_id, client_order_id, amended_order_id, command
FROM order_log WHERE shard = %s ORDER BY sequence
"""


class LogBroken(RuntimeError):
    """The log can't be folded beyond `sequence`: what `field` must be there, and what is."""

    def __init__(
        self, sequence: int, field: str, expected: int | str | None, found: int | str | None
    ) -> None:
        super().__init__(f"order log {sequence}: {field} must be {expected}, found {found}")
        self.sequence = sequence
        self.field = field
        self.expected = expected
        self.found = found


def note_break(differences: Differences, broken: Exception, sequence: int) -> None:
    """Note why a log can't be folded to its end; at `sequence` where `broken` names no place."""
    if isinstance(broken, LogBroken):
        at, field = broken.sequence, broken.field
        expected, found = broken.expected, broken.found
    else:
        at, field, expected, found = sequence, "fold", "a lawful history", str(broken)
    differences.compare("order_log", str(at), field, expected, found, LOG, at)


def batches(shard: int, rows: Iterable[LogRow]) -> Iterator[CommandBatch]:
    """The batches of a shard's log, from row 1.

    LogBroken at a hole, at a contradiction, where time does not rise.
    """
    expected, last_us = 1, 0
    for time_us, group in groupby(rows, key=lambda row: row.time_us):
        commands = []
        for sequence, row in enumerate(group, expected):
            if row.sequence != sequence:
                raise LogBroken(sequence, "sequence", sequence, row.sequence)
            commands.append(_command(row))
        if time_us <= last_us:
            raise LogBroken(expected, "time_us", f"above {last_us}", time_us)
        yield CommandBatch(codec.SCHEMA, shard, expected, time_us, commands)
        expected, last_us = expected + len(commands), time_us


def _command(row: LogRow) -> Command:
    """The row's command, if the columns beside it say the same."""
    try:
        command = codec.decode_command(row.command)
    except codec.CodecError as error:
        raise LogBroken(row.sequence, "command", "a command", str(error)) from error
    if row.client_id != command.client_id:
        raise LogBroken(row.sequence, "client_id", command.client_id, row.client_id)
    if row.client_order_id != (name := getattr(command, "client_order_id", None)):
        raise LogBroken(row.sequence, "client_order_id", name, row.client_order_id)
    if row.amended_order_id != (
        amended := command.order_id if type(command) is AmendOrder else None
    ):
        raise LogBroken(row.sequence, "amended_order_id", amended, row.amended_order_id)
    return command
