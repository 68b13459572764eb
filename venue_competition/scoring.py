"""The score of a round: equity at marks, and what it took to earn it. Whole numbers throughout.

A pure function of the round's record and the rules, so `./venue verify` finds the same bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from venue_competition.marks import Mark, new_mark
from venue_competition.round_record import Movement, RoundRecord, RoundTrade
from venue_competition.rules import Rules

_S = 1_000_000


class EquityPoint(msgspec.Struct, frozen=True):
    """One point of an equity curve; money in ten-thousandths of a dollar."""

    time_us: int
    cash_e4: int
    shares_value_e4: int
    equity_e4: int
    inventory_e4: int
    """Distance from the shares of the start, each at its mark: what the player risks."""


class PlayerScore(msgspec.Struct, frozen=True, kw_only=True):
    """One player's round; money in ten-thousandths of a dollar."""

    player: str
    start_equity_e4: int
    end_equity_e4: int
    profit_e4: int
    """Without what was paid in or out during the round."""
    max_drawdown_e4: int
    """Largest fall of the equity below an earlier point, >= 0."""
    turnover_e4: int
    """Cash paid and received for shares."""
    mean_inventory_e4: int
    max_inventory_e4: int
    fills: int
    shares_traded: int
    commands: int
    most_open_orders: int


@dataclass
class _Account:
    """One player's accounts while the round is played again."""

    cash_e4: int = 0
    shares: dict[str, int] = field(default_factory=dict)
    at_start: dict[str, int] = field(default_factory=dict)
    paid_in_e4: int = 0
    turnover_e4: int = 0
    fills: int = 0
    shares_traded: int = 0

    def apply(self, movement: Movement, is_in_round: bool) -> None:
        """Cash and shares move; trades of earlier rounds do not count for this one."""
        self.cash_e4 += movement.cash_e4
        if movement.security is not None:
            before = self.shares.get(movement.security, 0)
            self.shares[movement.security] = before + movement.shares
        if movement.is_trade and is_in_round:
            self.turnover_e4 += abs(movement.cash_e4)
            self.shares_traded += abs(movement.shares)
            self.fills += 1

    def point(self, time_us: int, marks_e4: Mapping[str, int]) -> EquityPoint:
        """Where the account stands at these marks."""
        value_e4 = sum(held * marks_e4[name] for name, held in self.shares.items())
        inventory_e4 = sum(
            abs(held - self.at_start.get(name, 0)) * marks_e4[name]
            for name, held in self.shares.items()
        )
        return EquityPoint(time_us, self.cash_e4, value_e4, self.cash_e4 + value_e4, inventory_e4)


class RoundScores(msgspec.Struct, frozen=True):
    """Scores and equity curves of one round, and the marks that they end with."""

    scores: dict[str, PlayerScore]
    curves: dict[str, list[EquityPoint]]
    marks_e4: dict[str, int]


def score_round(record: RoundRecord, rules: Rules) -> RoundScores:
    """The score of each player of the rules."""
    names = rules.player_names()
    accounts = {name: _Account() for name in names}
    close_us = record.end_us - rules.phases.closing_auction_s * _S
    marks = {
        name: new_mark(reference_e4, rules.scoring, close_us)
        for name, reference_e4 in record.reference_e4.items()
    }
    curves: dict[str, list[EquityPoint]] = {name: [] for name in names}
    marks_e4 = dict(record.reference_e4)
    movements, trades = _Feed(record.movements), _Feed(record.trades)
    for time_us in _sample_times(record, rules.scoring.sample_s):
        _pass_trades(trades, marks, time_us)
        marks_e4 = {name: mark.at(time_us) for name, mark in marks.items()}
        _pass_movements(movements, accounts, time_us, record.start_us, marks_e4)
        if time_us == record.start_us:
            for account in accounts.values():
                account.at_start = dict(account.shares)
        for name, account in accounts.items():
            curves[name].append(account.point(time_us, marks_e4))
    sent = _commands(record, names)
    scores = {
        name: _score(
            name, accounts[name], curves[name], sent[name], record.open_orders.get(name, 0)
        )
        for name in names
    }
    return RoundScores(scores, curves, marks_e4)


class _Feed:
    """Hands out rows that are in order of time, once each."""

    def __init__(self, rows: Sequence[Movement] | Sequence[RoundTrade]) -> None:
        self._rows = rows
        self._next = 0

    def until(self, time_us: int) -> Iterator[Movement | RoundTrade]:
        """The rows that are due at this time and were not handed out."""
        while self._next < len(self._rows) and self._rows[self._next].time_us <= time_us:
            yield self._rows[self._next]
            self._next += 1


def _sample_times(record: RoundRecord, sample_s: int) -> Iterator[int]:
    """From the start, every so often, and the end."""
    yield from range(record.start_us, record.end_us, sample_s * _S)
    yield record.end_us


def _pass_trades(trades: _Feed, marks: Mapping[str, Mark], time_us: int) -> None:
    for trade in trades.until(time_us):
        assert isinstance(trade, RoundTrade)
        marks[trade.security].add(trade)


def _pass_movements(
    movements: _Feed,
    accounts: Mapping[str, _Account],
    time_us: int,
    start_us: int,
    marks_e4: Mapping[str, int],
) -> None:
    """Apply what has happened; what was paid in after the start is no profit."""
    for movement in movements.until(time_us):
        assert isinstance(movement, Movement)
        account = accounts.get(movement.client_id)
        if account is None:
            continue
        is_in_round = movement.time_us > start_us
        account.apply(movement, is_in_round)
        if not movement.is_trade and is_in_round:
            price_e4 = marks_e4[movement.security] if movement.security else 0
            account.paid_in_e4 += movement.cash_e4 + movement.shares * price_e4
            if movement.security:
                given = account.at_start.get(movement.security, 0) + movement.shares
                account.at_start[movement.security] = given


def _commands(record: RoundRecord, names: Sequence[str]) -> dict[str, int]:
    counts = dict.fromkeys(names, 0)
    for command in record.commands:
        is_in_round = record.start_us <= command.time_us <= record.end_us
        if command.client_id in counts and is_in_round:
            counts[command.client_id] += 1
    return counts


def _score(
    name: str, account: _Account, curve: Sequence[EquityPoint], commands: int, open_orders: int
) -> PlayerScore:
    start, end = curve[0], curve[-1]
    inventories_e4 = [point.inventory_e4 for point in curve]
    return PlayerScore(
        player=name,
        start_equity_e4=start.equity_e4,
        end_equity_e4=end.equity_e4,
        profit_e4=end.equity_e4 - start.equity_e4 - account.paid_in_e4,
        max_drawdown_e4=max_drawdown([point.equity_e4 for point in curve]),
        turnover_e4=account.turnover_e4,
        mean_inventory_e4=sum(inventories_e4) // len(inventories_e4),
        max_inventory_e4=max(inventories_e4),
        fills=account.fills,
        shares_traded=account.shares_traded,
        commands=commands,
        most_open_orders=open_orders,
    )


def max_drawdown(equities_e4: Sequence[int]) -> int:
    """Largest fall below an earlier point, >= 0; of a curve with at least one point."""
    highest, deepest = equities_e4[0], 0
    for equity_e4 in equities_e4:
        highest = max(highest, equity_e4)
        deepest = max(deepest, highest - equity_e4)
    return deepest
