"""A security and its trading rules."""

from collections.abc import Mapping

import msgspec

from venue_protocol.money import format_e4
from venue_protocol.refusals import Refusal, RejectReason

BASIS_POINTS = 10_000


def current_symbol(securities: Mapping[str, "Security"], security_id: str) -> str:
    """The symbol under which a security is listed now."""
    known = securities.get(security_id)
    while known is not None and known.successor is not None:
        security_id = known.successor
        known = securities.get(security_id)
    return security_id


class Security(msgspec.Struct, frozen=True):
    """One listed security. Prices in ten-thousandths of a dollar, quantities in shares."""

    security_id: str
    name: str
    shard: int
    tick_e4: int
    """Prices are multiples of this, > 0."""
    lot: int
    """Quantities are multiples of this, > 0."""
    band_bps: int
    """Half width of the price band around the reference, in basis points of it, 1..10000."""
    reference_price_e4: int
    max_quantity: int = 1_000_000
    """Largest quantity of one order, shares."""
    action_id: int = 0
    """The newest corporate action that changed this listing; 0 without one."""
    delisted_us: int | None = None
    """When it was delisted, or went on under another symbol; None while it is listed."""
    successor: str | None = None
    """The symbol it goes on under."""

    @property
    def band_low_e4(self) -> int:
        """Lowest price accepted: reference minus band, rounded up to a tick, at least one tick."""
        low = self.reference_price_e4 * (BASIS_POINTS - self.band_bps)
        ticks = -(-low // (BASIS_POINTS * self.tick_e4))
        return max(ticks, 1) * self.tick_e4

    @property
    def band_high_e4(self) -> int:
        """Highest price accepted: reference plus band, rounded down to a tick."""
        high = self.reference_price_e4 * (BASIS_POINTS + self.band_bps)
        return high // (BASIS_POINTS * self.tick_e4) * self.tick_e4

    def refuse_delisted(self) -> Refusal | None:
        """The refusal of whatever names a security that is traded no more."""
        if self.delisted_us is None:
            return None
        after = f": it goes on as {self.successor}" if self.successor else ""
        message = f"{self.security_id} is delisted{after}"
        return Refusal(RejectReason.SECURITY_DELISTED, message, "security")

    def refuse_price(self, price_e4: int, field: str = "price") -> Refusal | None:
        """The refusal of a limit price, or None: positive, on the tick, inside the band."""
        if price_e4 <= 0:
            return Refusal(
                RejectReason.PRICE_NOT_POSITIVE,
                f"{field} {format_e4(price_e4)} is not above zero",
                field,
            )
        if price_e4 % self.tick_e4:
            return Refusal(
                RejectReason.PRICE_OFF_TICK,
                f"{field} {format_e4(price_e4)} is not a multiple of tick "
                f"{format_e4(self.tick_e4)}",
                field,
            )
        if not self.band_low_e4 <= price_e4 <= self.band_high_e4:
            return Refusal(
                RejectReason.PRICE_OUTSIDE_BAND,
                f"{field} {format_e4(price_e4)} is outside "
                f"{format_e4(self.band_low_e4)} to {format_e4(self.band_high_e4)}",
                field,
            )
        return None

    def refuse_quantity(self, quantity: int, field: str = "quantity") -> Refusal | None:
        """The refusal of a quantity, or None: positive, whole lots, not above the maximum."""
        if quantity <= 0:
            return Refusal(
                RejectReason.QUANTITY_NOT_POSITIVE, f"{field} {quantity} is not above zero", field
            )
        if quantity > self.max_quantity:
            return Refusal(
                RejectReason.QUANTITY_TOO_LARGE,
                f"{field} {quantity} is above {self.max_quantity}",
                field,
            )
        if quantity % self.lot:
            return Refusal(
                RejectReason.QUANTITY_OFF_LOT,
                f"{field} {quantity} is not a multiple of lot {self.lot}",
                field,
            )
        return None
