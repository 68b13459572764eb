"""What an answer means to whoever sent the command."""

from collections.abc import Mapping
from typing import Any

from trading_bots.records import Receipt, read
from trading_bots.refusal import Refused, refusal_of

_ALREADY_CANCELED = "order.already_canceled"


def result_of(action: Mapping[str, Any], answer: Any, is_repeated: bool) -> Receipt | Refused:
    """The receipt or the refusal of one command of a list; `is_repeated`: the list was sent more
    than once.
    """
    refused = refusal_of(answer)
    if refused is None:
        receipt: Receipt = read(answer, Receipt)
        return receipt
    order_id = action.get("order_id")
    if (
        action.get("action") == "cancel"
        and order_id is not None
        and is_canceled_before(refused, is_repeated)
    ):
        return canceled_before(order_id)
    return refused


def is_canceled_before(refused: Refused, is_repeated: bool) -> bool:
    """Whether a cancel that was sent again found its order canceled: what it asked for is done.

    A cancel has no name by which the venue could know it again, so the sender must.
    """
    return is_repeated and refused.code == _ALREADY_CANCELED


def canceled_before(order_id: int) -> Receipt:
    """The receipt of such a cancel."""
    return Receipt(order_id=order_id, status="canceled", duplicate=True)
