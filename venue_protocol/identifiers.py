"""Identifiers: how they are formed and which texts the edge accepts."""

import re
from typing import Annotated

import msgspec

SHARD_BITS = 40
_SEQUENCE_MASK = (1 << SHARD_BITS) - 1

CLIENT_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}\Z"
CLIENT_ORDER_ID_PATTERN = r"^[A-Za-z0-9_.:\-]{1,64}\Z"
SECURITY_ID_PATTERN = r"^[A-Z0-9][A-Z0-9.\-]{0,15}\Z"

PATTERNS_IN_WORDS = {
    CLIENT_ID_PATTERN: "1 to 64 letters, digits, '_', '.' or '-', the first a letter or digit",
    CLIENT_ORDER_ID_PATTERN: "1 to 64 letters, digits, '_', '.', ':' or '-'",
    SECURITY_ID_PATTERN: "1 to 16 capitals, digits, '.' or '-', the first a capital or digit",
}
"""What a text must be, for whoever sent another."""

ClientId = Annotated[str, msgspec.Meta(pattern=CLIENT_ID_PATTERN, max_length=64)]
ClientOrderId = Annotated[str, msgspec.Meta(pattern=CLIENT_ORDER_ID_PATTERN, max_length=64)]
SecurityId = Annotated[str, msgspec.Meta(pattern=SECURITY_ID_PATTERN, max_length=16)]

_is_client_id = re.compile(CLIENT_ID_PATTERN).match
_is_security_id = re.compile(SECURITY_ID_PATTERN).match


def sharded_id(shard: int, number: int) -> int:
    """Venue-wide id of the `number`-th thing of a shard; below 2**53, so exact in every JSON
    reader.

    An order_id is the sharded sequence of its PlaceOrder in the order log, so ids never repeat
    and looking up an order by id is a primary-key lookup. A trade_id is a sharded trade count.
    """
    return shard << SHARD_BITS | number


def shard_and_number(identifier: int) -> tuple[int, int]:
    """The shard and the number that `sharded_id` put together."""
    return identifier >> SHARD_BITS, identifier & _SEQUENCE_MASK


def is_client_id(text: str) -> bool:
    """Whether `text` may name a client: 1 to 64 letters, digits, `_`, `.`, `-`."""
    return _is_client_id(text) is not None


def is_security_id(text: str) -> bool:
    """Whether `text` may name a security: 1 to 16 capitals, digits, `.`, `-`."""
    return _is_security_id(text) is not None
