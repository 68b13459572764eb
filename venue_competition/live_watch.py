"""Watches the players of a live round: who breaks a limit, or whose process has ended."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import psycopg2

from venue_competition.course import Stopped
from venue_competition.rules import Rules
from venue_launcher.errors import CommandError
from venue_protocol.money import format_e4, parse_e4

_S = 1_000_000
_HEAD = "SELECT coalesce(max(sequence), 0) FROM order_log"
_SENT = """
SELECT sequence, client_id, time_us FROM order_log
WHERE sequence > %s AND client_id = ANY(%s) ORDER BY sequence
"""
_REFUSED = """
SELECT client_id, time_us / 1000000, count(*) FROM refused_orders
WHERE client_id = ANY(%s) AND time_us >= %s GROUP BY 1, 2
"""
_REFUSALS_LATE_S = 5
"""Refusals reach the record a little later than their time."""
_OPEN = """
SELECT client_id, count(*) FROM orders
WHERE client_id = ANY(%s) AND status IN ('new', 'partially_filled') GROUP BY client_id
"""


class LimitWatch:
    """Looks at the log and the record; for one thread."""

    def __init__(self, ours: Rules, clearing_url: str, market_url: str) -> None:
        self._rules = ours
        self._names = list(ours.player_names())
        self._clearing_url, self._market_url = clearing_url, market_url
        self._sequence = self._start_us = 0
        self._seconds: Counter[tuple[str, int]] = Counter()
        self._start: Mapping[str, Mapping[str, Any]] = {}

    def begin(self, start_us: int, standings: Mapping[str, Mapping[str, Any]]) -> None:
        """A round starts from these standings."""
        self._start_us = start_us
        self._start = dict(standings)
        self._seconds.clear()
        self._sequence = int(_rows(self._clearing_url, _HEAD, ())[0][0])

    def breaches(
        self, standings: Mapping[str, Mapping[str, Any]], now_us: int
    ) -> Iterator[Stopped]:
        """Who has broken a limit since the start of the round; each as often as asked."""
        yield from self._fast(now_us)
        most = self._rules.limits.open_orders
        for name, count in _rows(self._market_url, _OPEN, (self._names,)):
            if count > most:
                yield _stopped(name, now_us, "open_orders", f"{count} open orders, {most} allowed")
        for name in self._names:
            if name in standings and name in self._start:
                yield from self._exposed(name, standings[name], self._start[name], now_us)

    def _fast(self, now_us: int) -> Iterator[Stopped]:
        """Commands a second, by the clock of the log; refused ones count too."""
        for sequence, name, time_us in _rows(
            self._clearing_url, _SENT, (self._sequence, self._names)
        ):
            self._sequence = sequence
            self._seconds[name, time_us // _S] += 1
        since_us = max(now_us - _REFUSALS_LATE_S * _S, self._start_us)
        refused = {
            (name, second): count
            for name, second, count in _rows(self._market_url, _REFUSED, (self._names, since_us))
        }
        most = self._rules.limits.commands_per_second
        for key in sorted(self._seconds.keys() | refused.keys()):
            if self._seconds[key] + refused.get(key, 0) > most:
                says = f"more than {most} commands in a second"
                yield _stopped(key[0], now_us, "commands_per_second", says)
        oldest = now_us // _S - _REFUSALS_LATE_S
        for key in [key for key in self._seconds if key[1] < oldest]:
            del self._seconds[key]

    def _exposed(
        self, name: str, row: Mapping[str, Any], start: Mapping[str, Any], now_us: int
    ) -> Iterator[Stopped]:
        """Position and loss."""
        limits = self._rules.limits
        before: Mapping[str, int] = start["holdings"]
        now: Mapping[str, int] = row["holdings"]
        for security in sorted({*before, *now}):
            position = now.get(security, 0) - before.get(security, 0)
            if limits.position is not None and abs(position) > limits.position:
                says = f"a position of {position} {security}, {limits.position} allowed"
                yield _stopped(name, now_us, "position", says)
        loss_e4 = parse_e4(str(start["equity"])) - parse_e4(str(row["equity"]))
        if limits.loss is not None and loss_e4 > parse_e4(limits.loss):
            says = f"a loss of {format_e4(loss_e4)}, {limits.loss} allowed"
            yield _stopped(name, now_us, "loss", says)


def _rows(url: str, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    try:
        with closing(psycopg2.connect(url, connect_timeout=5)) as connection:
            cursor = connection.cursor()
            cursor.execute(statement, values)
            return list(cursor.fetchall())
    except psycopg2.OperationalError as error:
        raise CommandError(f"the database is away: {str(error).strip()}") from error


def _stopped(name: str, now_us: int, reason: str, says: str) -> Stopped:
    return Stopped(player=name, time_us=now_us, reason=reason, says=says)
