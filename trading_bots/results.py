"""What an answer means to the bot that sent the command."""

from collections.abc import Mapping
from typing import Any

from trading_bots.records import Receipt, read
from trading_bots.refusal import Refused, refusal_of

_ALREADY_CANCELED = "order.already_canceled"


def result_of(action: Mapping[str, Any], answer: Any, is_repeated: bool) -> Receipt | Refused:
    """The receipt or the refusal of one command of a list.

    `is_repeated`: the list was sent more than once.
    """
    refused = refusal_of(answer)
    if refused is None:
        receipt: Receipt = read(answer, Receipt)
        return receipt
    order_id = action.get("order_id")
    if (
        action.get("action") == "cancel"
        and order_id is not None
        and was_canceled_by_first_request(refused, is_repeated)
    ):
        return already_canceled(order_id)
    return refused


def was_canceled_by_first_request(refused: Refused, is_repeated: bool) -> bool:
    """Whether a cancel that was sent twice is done, although the second request was refused.

    A cancel has no name, so the venue can't recognise a repetition: it says that the order is
    already canceled. Only the sender knows that its own first request may have done that.
    """
    return is_repeated and refused.code == _ALREADY_CANCELED


def already_canceled(order_id: int) -> Receipt:
    """The receipt of a cancel that the first of two requests has done."""
    return Receipt(order_id=order_id, status="canceled", duplicate=True)
