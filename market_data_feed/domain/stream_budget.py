"""What the actions on a stream cost: a debt that is worked off before the next one is heard.

Each action costs a token before it is decoded, more by what it makes the feed do. The payer is the
client whose key the stream showed, or the address of a stream without a key; so one that opens many
streams pays from one account.
"""

from dataclasses import dataclass

LEVELS_PER_TOKEN = 500
"""Price levels of a snapshot: encoding 500 of them takes about a millisecond."""
REPLAYED_PER_TOKEN = 100
"""Messages read from the record for one that resumes."""


@dataclass(frozen=True, kw_only=True)
class BudgetLimits:
    """How much a payer may ask for (docs/limits.md)."""

    per_second: int = 50
    """Tokens a second: so much takes about a twentieth of the interpreter's time."""
    most_saved: int = 2_000
    """Tokens of one that was quiet: a start with 1,000 securities on two channels fits."""
    longest_wait_s: float = 5.0
    """A payer that would have to wait for longer is refused, one that waits less is paused."""


@dataclass
class _Account:
    tokens: float
    counted_at_s: float


class StreamBudget:
    """Token accounts by payer; an account may go into debt by the cost of one action.

    Example: a book of 10,000 levels costs 1 + 20 tokens. A stranger subscribes to it 95 times at
    once; after that its address is heard about twice a second.
    """

    def __init__(self, limits: BudgetLimits | None = None) -> None:
        self.limits = limits or BudgetLimits()
        self._accounts: dict[str, _Account] = {}
        self._sweep_at = 1_024

    def charge(self, payer: str, tokens: int, now_s: float) -> float:
        """Take `tokens`, on credit too; returns the seconds until the debt is worked off."""
        account = self._accounts.get(payer)
        if account is None:
            self._forget_full(now_s)
            account = self._accounts[payer] = _Account(self.limits.most_saved, now_s)
        self._refill(account, now_s)
        account.tokens -= tokens
        return max(0.0, -account.tokens / self.limits.per_second)

    def _refill(self, account: _Account, now_s: float) -> None:
        earned = (now_s - account.counted_at_s) * self.limits.per_second
        account.tokens = min(self.limits.most_saved, account.tokens + earned)
        account.counted_at_s = now_s

    def _forget_full(self, now_s: float) -> None:
        """Drop accounts that are full again: they are as if never seen. Bounds the memory, since
        strangers choose their addresses.
        """
        if len(self._accounts) < self._sweep_at:
            return
        for payer, account in list(self._accounts.items()):
            self._refill(account, now_s)
            if account.tokens >= self.limits.most_saved:
                del self._accounts[payer]
        # Twice what is left, so that sweeping costs a constant share of entering.
        self._sweep_at = max(1_024, 2 * len(self._accounts))


def snapshot_cost(levels: int) -> int:
    """Tokens for a snapshot with so many price levels, beside the one for the action."""
    return levels // LEVELS_PER_TOKEN


def replay_cost(messages: int) -> int:
    """Tokens for so many messages read from the record."""
    return messages // REPLAYED_PER_TOKEN
