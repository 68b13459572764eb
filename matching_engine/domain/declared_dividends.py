"""Cash dividends that were declared and are not paid yet."""

import msgspec

from venue_protocol.corporate_actions import CashDividend


class DeclaredDividend(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One of them, with the rules of its security."""

    action_id: int
    security_id: str
    action: CashDividend
    tick_e4: int
    lot: int
    reference_e4: int
    """The listed reference price now."""
    is_ex: bool = False
    """Whether the security is traded without it."""
