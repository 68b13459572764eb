"""What the gateway knows of the engine's answers. The record may lag; the engine decides."""

from dataclasses import dataclass

from venue_protocol.refusals import Refusal, RejectReason

_ENDED = {
    "filled": RejectReason.ORDER_FILLED,
    "canceled": RejectReason.ORDER_CANCELED,
    "expired": RejectReason.ORDER_EXPIRED,
}


@dataclass(frozen=True, slots=True)
class RecordedOrder:
    """An order as recorded."""

    order_id: int
    client_id: str
    status: str
    quantity: int
    """Shares, filled ones included."""
    price_e4: int
    """Ten-thousandths of a dollar."""
    known_us: int
    """Log time of the newest command whose answer for this order is recorded."""

    def refusal(self) -> Refusal | None:
        """Why it can't be canceled or amended any more; None while it is open."""
        reason = _ENDED.get(self.status)
        return reason and Refusal(reason, f"order {self.order_id} is {self.status}", "order_id")
