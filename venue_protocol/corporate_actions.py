"""Corporate actions: what an issuer does to its shares, and what follows for prices and numbers of
shares.

Prices are ten-thousandths of a dollar. All rounding of shares and cash is here: what a rounding
takes from a number of shares is paid in cash (`Split.cash_in_lieu_e4`), so nobody loses by it.
"""

from typing import Any, Final

import msgspec

from venue_protocol.money import format_e4
from venue_protocol.times import format_utc

LEAST_REDUCTION_E4: Final = 100
"""One cent: a cash dividend below it changes no order (FINRA 5330)."""


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


class CashDividend(_ActionStruct, frozen=True, tag="cash_dividend"):
    """Cash for each share that is held when the security goes ex. Times by the log."""

    per_share_e4: int
    """> 0."""
    ex_us: int
    """From then on it is traded without the dividend, once it is halted or closed."""
    record_us: int
    """When holders are of record, not before `ex_us`: by then what was bought before is settled."""
    pay_us: int
    """When it is paid, not before `record_us`."""


class SymbolChange(_ActionStruct, frozen=True, tag="symbol_change"):
    """The same shares under another symbol."""

    new_security_id: str
    keeps_orders: bool = True
    """Whether open orders go on under the new symbol, or are canceled."""


class Delisting(_ActionStruct, frozen=True, tag="delisting"):
    """The security is traded no more."""

    share_price_e4: int = 0
    """What is paid for each share; 0: shares are written off."""


CorporateAction = Split | CashDividend | SymbolChange | Delisting


def reference_after_e4(action: CorporateAction, before_e4: int, tick_e4: int) -> int:
    """The listed reference price after an action: on the tick, and at least one."""
    if isinstance(action, Split):
        return action.price_e4(before_e4, tick_e4)
    if isinstance(action, CashDividend):
        return max((before_e4 - action.per_share_e4) // tick_e4, 1) * tick_e4
    return before_e4


def action_shown(action: CorporateAction) -> dict[str, Any]:
    """An action as it is shown at every door: its own name first, prices as decimal strings."""
    if isinstance(action, Split):
        return {
            "action": "split",
            "new_shares": action.new_shares,
            "old_shares": action.old_shares,
            "share_price": format_e4(action.share_price_e4),
        }
    if isinstance(action, CashDividend):
        return {
            "action": "cash_dividend",
            "per_share": format_e4(action.per_share_e4),
            "ex_time": format_utc(action.ex_us),
            "record_time": format_utc(action.record_us),
            "pay_time": format_utc(action.pay_us),
        }
    if isinstance(action, SymbolChange):
        return {
            "action": "symbol_change",
            "new_security": action.new_security_id,
            "keeps_orders": action.keeps_orders,
        }
    return {"action": "delisting", "share_price": format_e4(action.share_price_e4)}
