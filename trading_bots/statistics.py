"""What a bot has done so far, in numbers."""

from collections import Counter
from dataclasses import dataclass, field

from trading_bots.records import Receipt
from trading_bots.refusal import Refused


@dataclass
class Statistics:
    """Written by one bot's thread, read by any."""

    decisions: int = 0
    commands: int = 0
    accepted: int = 0
    unanswered: int = 0
    """Requests without a definite answer, each repeated later."""
    refused: Counter[str] = field(default_factory=Counter)
    """Refusals by code."""

    def count(self, result: Receipt | Refused) -> None:
        """Add one answered command."""
        self.commands += 1
        if isinstance(result, Refused):
            self.refused[result.code] += 1
        else:
            self.accepted += 1

    def add(self, other: "Statistics") -> None:
        """Add another bot's numbers."""
        self.decisions += other.decisions
        self.commands += other.commands
        self.accepted += other.accepted
        self.unanswered += other.unanswered
        self.refused.update(dict(other.refused))
