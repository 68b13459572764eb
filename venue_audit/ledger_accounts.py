"""Names of accounts and commodities in the books of other programs: readable, and never the same
for two.

beancount takes letters, digits and `-` in the parts of an account, each beginning with a capital or
a digit, and knows neither `_` nor `.`. So the first letter of a client becomes a capital, a client
that begins with another character gets a `0` before it, and `-`, `_`, `.` become `--`, `-u`, `-d`:

    ann        Ann           demo1.retail   Demo1-dretail
    Ann        0Ann          7th_one        07th-uone
"""

import re

_ESCAPED = {"-": "--", "_": "-u", ".": "-d"}
_COMMODITY = re.compile(r"[A-Z][A-Z0-9.\-]{0,22}[A-Z0-9]")
_WORDS = frozenset({"TRUE", "FALSE", "NULL"})
"""What beancount takes for a value, not for a name."""
_OWN = {
    "bank": "Equity:Bank",
    "depository": "Equity:Depository",
    "fees": "Income:Fees",
}
"""Accounts of the venue that are not assets: the other side of what enters, and what it earned."""


def account(client_id: str, role: str, asset: str, *, is_settled: bool = True) -> str:
    """The account of a client in an asset, as beancount and hledger both read it.

    An example: `Assets:Clients:Ann:USD`, `Assets:Venue:Issuer:AAPL`, `Equity:Bank:USD`. What is
    not settled yet stands beside it, `Assets:Clients:Ann:Unsettled:USD`: a balance that beancount
    asserts is that of all accounts below.
    """
    name = part(client_id)
    above = _OWN.get(client_id) if role == "venue" else f"Assets:Clients:{name}"
    owner = above or f"Assets:Venue:{name}"
    return f"{owner}:{'' if is_settled else 'Unsettled:'}{_escaped(asset)}"


def part(client_id: str) -> str:
    """A client's part of the name of an account."""
    if client_id[0].islower():
        return _escaped(client_id[0].upper() + client_id[1:])
    return _escaped(f"0{client_id}")


def commodity(asset: str) -> str:
    """The asset as beancount reads it: as it is, or in `X'…'X` where beancount would not take it.

    No security has a `'` in its name.
    """
    if _COMMODITY.fullmatch(asset) and asset not in _WORDS:
        return asset
    return f"X'{asset}'X"


def _escaped(text: str) -> str:
    return "".join(_ESCAPED.get(letter, letter) for letter in text)
