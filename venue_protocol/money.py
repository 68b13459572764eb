"""Money and prices: whole ten-thousandths of a dollar inside, decimal strings at the edge.

The only module that converts and rounds. `_e4` in a name means "times 10^4".
"""

import re
from decimal import Context, Decimal
from functools import lru_cache
from typing import Annotated

import msgspec

E4 = 10_000
MAX_E4 = 10**15
"""Largest price or amount accepted at the edge: $100,000,000,000.0000."""


AmountInJson = Annotated[
    str | float,
    msgspec.Meta(
        description="Dollars: a decimal string, or a JSON number that is read exactly; "
        "at most 4 decimals."
    ),
]
"""What a request may send as an amount, for documents; `parse_json_e4` reads it."""


class MoneyError(ValueError):
    """The text is not an amount of money the venue can represent exactly."""


_AMOUNT = r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?"
_TEXT_AMOUNT = re.compile(_AMOUNT)
_JSON_AMOUNT = re.compile(f'("?)({_AMOUNT})\\1'.encode())
_EXACT = Context(prec=100, traps=[])
"""More digits than any amount that gets this far: the default of 28 would round what comes after
them away.
"""


def parse_e4(amount: Decimal | str) -> int:
    """Ten-thousandths of a dollar in `amount`; exact, never rounded.

    Raises MoneyError for NaN, infinities, more than four decimals, a size above MAX_E4, and for a
    text that is not a plain JSON number (no spaces, underscores or digits of other scripts).
    """
    if isinstance(amount, str) and _TEXT_AMOUNT.fullmatch(amount) is None:
        raise MoneyError(f"{amount[:64]!r} is not a decimal number")
    exact = Decimal(amount)
    if not exact.is_finite():
        raise MoneyError(f"{amount} is not a finite number")
    if exact.adjusted() > 15 or exact.as_tuple().exponent < -40:  # type: ignore[operator]
        raise MoneyError("the number is too large or too long")
    scaled = exact.scaleb(4, _EXACT)
    if scaled != scaled.to_integral_value(context=_EXACT):
        raise MoneyError(f"{amount} has more than four decimals")
    result = int(scaled)
    if abs(result) > MAX_E4:
        raise MoneyError(f"{amount} is larger than {format_e4(MAX_E4)}")
    return result


@lru_cache(maxsize=65_536)
def parse_json_e4(text: bytes) -> int:
    """Ten-thousandths of a dollar in a JSON number, or in a JSON string of one; exact, no float on
    the way.

    Raises MoneyError as `parse_e4`, and for any other JSON text.
    """
    match = _JSON_AMOUNT.fullmatch(text)
    if match is None:
        raise MoneyError("the amount must be a decimal number, or a string of one")
    return parse_e4(match.group(2).decode())


def format_e4(amount_e4: int) -> str:
    """Decimal string of dollars: always two decimals, four where the third or fourth is not
    zero.
    """
    sign = "-" if amount_e4 < 0 else ""
    dollars, rest = divmod(abs(amount_e4), E4)
    if rest % 100:
        return f"{sign}{dollars}.{rest:04d}"
    return f"{sign}{dollars}.{rest // 100:02d}"


def format_for_people(amount: int | Decimal) -> str:
    """As `format_e4`, with a comma between thousands; takes ten-thousandths (int) or dollars
    (Decimal).

    It shows what the venue holds, which has no largest size: MAX_E4 bounds only what comes in.
    """
    amount_e4 = amount if isinstance(amount, int) else int(amount.scaleb(4, _EXACT))
    dollars, _, decimals = format_e4(amount_e4).partition(".")
    sign = "-" if dollars.startswith("-") else ""
    return f"{sign}{int(dollars.removeprefix('-')):,}.{decimals}"
