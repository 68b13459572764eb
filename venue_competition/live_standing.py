"""The standing of a live round, for the terminal and for /v1/competition."""

from collections.abc import Mapping, Sequence
from typing import Any

from venue_competition.course import Stopped
from venue_competition.rules import Rules
from venue_launcher import terminal
from venue_protocol.money import format_e4, format_for_people, parse_e4

_MOST_POINTS = 200
_S = 1_000_000
_MARK = "the venue's own marks; the results have the marks of the rules"


class LiveStanding:
    """Equity and profit of each player at the venue's marks."""

    def __init__(self, ours: Rules) -> None:
        self._rules = ours
        self._number = 0
        self._start_us = self._time_us = 0
        self._start_e4: dict[str, int] = {}
        self._equity_e4: dict[str, int] = {}
        self._before_e4 = dict.fromkeys(ours.player_names(), 0)
        """Profit of the rounds that are over."""
        self._curves: dict[str, list[dict[str, Any]]] = {}
        self._stopped: Mapping[str, Stopped] = {}

    def begin(self, number: int, start_us: int, standings: Mapping[str, Mapping[str, Any]]) -> None:
        """A round starts."""
        self._number, self._start_us, self._time_us = number, start_us, start_us
        self._start_e4 = self._equities(standings)
        self._equity_e4 = dict(self._start_e4)
        self._curves = {name: [] for name in self._rules.player_names()}
        self._stopped = {}

    def update(
        self,
        now_us: int,
        standings: Mapping[str, Mapping[str, Any]],
        stopped: Mapping[str, Stopped],
    ) -> None:
        """What is so now."""
        self._time_us, self._stopped = now_us, dict(stopped)
        self._equity_e4 |= self._equities(standings)
        step_us = max(self._rules.seconds * _S // _MOST_POINTS, _S)
        for name, curve in self._curves.items():
            is_due = not curve or now_us >= curve[-1]["time_us"] + step_us
            if is_due and len(curve) < _MOST_POINTS:
                equity = format_e4(self._equity_e4.get(name, 0))
                curve.append({"time_us": now_us, "equity": equity})

    def end(self) -> None:
        """The round is over: its profits are kept."""
        for name in self._before_e4:
            self._before_e4[name] += self._profit_e4(name)
        self._start_e4 = dict(self._equity_e4)

    def shown(self, state: str) -> dict[str, Any]:
        """The body of PUT /v1/competition."""
        return {
            "name": self._rules.name[:200],
            "state": state,
            "round": self._number,
            "rounds": self._rules.rounds,
            "starts_us": self._start_us,
            "ends_us": self._start_us + self._rules.seconds * _S,
            "time_us": self._time_us,
            "mark": _MARK,
            "players": [
                {
                    "rank": rank,
                    "player": name,
                    "equity": format_e4(self._equity_e4.get(name, 0)),
                    "profit": format_e4(self._profit_e4(name)),
                    "total_profit": format_e4(self._total_e4(name)),
                    "stopped": self._stopped[name].reason if name in self._stopped else None,
                    "curve": self._curves.get(name, []),
                }
                for rank, name in enumerate(self._ranked(), 1)
            ],
        }

    def lines(self, left_s: float) -> list[str]:
        """For the terminal."""
        rows = [
            {
                "#": rank,
                "player": name,
                "equity": format_for_people(self._equity_e4.get(name, 0)),
                "profit": format_for_people(self._profit_e4(name)),
                "total": format_for_people(self._total_e4(name)),
                "": f"stopped: {self._stopped[name].reason}" if name in self._stopped else "",
            }
            for rank, name in enumerate(self._ranked(), 1)
        ]
        head = f"round {self._number} of {self._rules.rounds}, {left_s:,.0f} s left"
        return [head, terminal.table(rows, ["#", "player", "equity", "profit", "total", ""])]

    def _ranked(self) -> Sequence[str]:
        return sorted(self._before_e4, key=lambda name: (-self._total_e4(name), name))

    def _total_e4(self, name: str) -> int:
        return self._before_e4[name] + self._profit_e4(name)

    def _profit_e4(self, name: str) -> int:
        return self._equity_e4.get(name, 0) - self._start_e4.get(name, 0)

    def _equities(self, standings: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
        return {
            name: parse_e4(str(standings[name]["equity"]))
            for name in self._rules.player_names()
            if name in standings
        }
