"""Corporate actions: what an issuer does to its shares, and what follows for prices and numbers of
shares.

Prices are ten-thousandths of a dollar. All rounding is here: what a rounding takes from a number of
shares is paid in cash (`Split.cash_in_lieu`), so nobody loses by it.
"""

from typing import Any, Final

import msgspec

from venue_protocol.money import format_e4

LEAST_REDUCTION_E4: Final = 100
"""One cent: a cash dividend below it changes no order (FINRA 5330)."""
CANCELED_BY_ACTION: Final = "corporate_action"
"""Why an order left the book at a corporate action."""


class _ActionStruct(msgspec.Struct, frozen=True, gc=False, tag_field="action", omit_defaults=True):
    """The shape all actions share."""


class Split(_ActionStruct, frozen=True, tag="split"):
    """`new_shares` for `old_shares`: forward if there are more afterwards, else reverse."""

    new_shares: int
    """> 0, and not equal to `old_shares`."""
    old_shares: int
    """> 0."""
    share_price_e4: int
    """What one whole new share is paid with where a holding is no whole number of new shares."""

    @property
    def is_reverse(self) -> bool:
        """Whether there are fewer shares afterwards."""
        return self.new_shares < self.old_shares

    def shares(self, before: int) -> int:
        """Whole new shares for so many old ones.

        An example: 5 shares in a split 3 for 2 are 7 new ones, and half a share is paid in cash.
        """
        return before * self.new_shares // self.old_shares

    def cash_in_lieu_e4(self, before: int) -> int:
        """What the fraction of a new share is worth, rounded down to a ten-thousandth.

        An example: 5 shares in a split 3 for 2 at $33.3333 a new share: half of it is $16.6666.
        """
        fraction = before * self.new_shares % self.old_shares
        return fraction * self.share_price_e4 // self.old_shares

    def price_e4(self, before_e4: int, unit_e4: int = 1) -> int:
        """The same price for a new share, rounded down to a multiple of `unit_e4`; at least one.

        An example: $100.01 in a split 3 for 2 is $66.6733, on a tick of $0.01 $66.67.
        """
        return max(before_e4 * self.old_shares // self.new_shares // unit_e4, 1) * unit_e4


CorporateAction = Split


def action_shown(action: CorporateAction) -> dict[str, Any]:
    """An action as it is shown at every door: its own name first, prices as decimal strings."""
    return {
        "action": "split",
        "new_shares": action.new_shares,
        "old_shares": action.old_shares,
        "share_price": format_e4(action.share_price_e4),
    }
