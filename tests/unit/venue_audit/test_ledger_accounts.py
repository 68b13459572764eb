"""Names in the books of other programs: accepted by them, and never the same for two."""

import re
import string

from beancount.core import account as beancount_account
from beancount.parser import parser
from hypothesis import given
from hypothesis import strategies as st

from venue_audit.ledger_accounts import account, commodity, part

FIRST = string.ascii_letters + string.digits
CLIENT_IDS = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from(FIRST),
    st.text(FIRST + "_.-", max_size=10),
)
SECURITIES = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from(string.ascii_uppercase + string.digits),
    st.text(string.ascii_uppercase + string.digits + ".-", max_size=15),
)


def test_names_are_readable() -> None:
    assert part("ann") == "Ann" and part("Ann") == "0Ann"
    assert part("demo1.retail") == "Demo1-dretail" and part("7th_one") == "07th-uone"
    assert account("ann", "trader", "AAPL") == "Assets:Clients:Ann:AAPL"
    assert account("issuer", "venue", "BRK.B") == "Assets:Venue:Issuer:BRK-dB"
    assert account("bank", "venue", "USD") == "Equity:Bank:USD"
    assert account("bank", "trader", "USD") == "Assets:Clients:Bank:USD"
    assert commodity("BRK.B") == "BRK.B" and commodity("TRUE") == "X'TRUE'X"


@given(one=CLIENT_IDS, other=CLIENT_IDS)
def test_two_clients_never_share_a_name(one: str, other: str) -> None:
    assert (part(one) == part(other)) == (one == other)
    assert beancount_account.is_valid(f"Assets:Clients:{part(one)}:USD")


@given(one=SECURITIES, other=SECURITIES)
def test_beancount_takes_every_security_for_a_commodity(one: str, other: str) -> None:
    assert (commodity(one) == commodity(other)) == (one == other)
    text = f"2026-11-21 commodity {commodity(one)}\n"
    entries, errors, _ = parser.parse_string(text)
    assert errors == [] and entries[0].currency == commodity(one)
    assert re.fullmatch(r"Assets:Clients:Ann:[A-Z0-9\-]\S*", account("ann", "trader", one))
