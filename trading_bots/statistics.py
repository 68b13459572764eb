"""What a bot has done so far, in numbers."""

from collections import Counter
from dataclasses import dataclass, field

from trading_bots.commands import Command, Place
from trading_bots.records import Receipt
from trading_bots.refusal import Refused


@dataclass
class Statistics:
    """Written by one bot's thread, read by any."""

    decisions: int = 0
    commands: int = 0
    accepted: int = 0
    """Commands of any kind."""
    orders: int = 0
    """Orders among the accepted commands."""
    unanswered: int = 0
    """Requests without a definite answer, each repeated later."""
    refused: Counter[str] = field(default_factory=Counter)
    """Refusals by code."""

    def count(self, command: Command, result: Receipt | Refused) -> None:
        """Add one answered command."""
        self.commands += 1
        if isinstance(result, Refused):
            self.refused[result.code] += 1
            return
        self.accepted += 1
        self.orders += isinstance(command, Place)

    def add(self, other: "Statistics") -> None:
        """Add another bot's numbers."""
        self.decisions += other.decisions
        self.commands += other.commands
        self.accepted += other.accepted
        self.orders += other.orders
        self.unanswered += other.unanswered
        self.refused.update(dict(other.refused))
