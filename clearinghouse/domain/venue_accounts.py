"""The venue's own accounts: the other side of what enters, and the holder of unsold shares."""

from clearinghouse.domain.fees import FEES
from venue_protocol.settlement import CLEARING_CAPITAL, CLOSE_OUT, DEFAULT_FUND

CLEARINGHOUSE = "clearinghouse"
"""The central counterparty's account. Empty after every journal."""
BANK = "bank"
"""External: the other side of all cash that enters the venue."""
DEPOSITORY = "depository"
"""External: the other side of all shares issued."""
ISSUER = "issuer"
"""Holds issued shares until they are given or sold."""
LENDER = "lender"
"""The pool of shares that can be borrowed; it gets the loan fees."""
EXTERNAL = (BANK, DEPOSITORY)
UNREPORTED = (*EXTERNAL, FEES)
"""Get no settlement reports: what moves them is told to the other side."""
VENUE_ACCOUNTS = (
    BANK,
    DEPOSITORY,
    ISSUER,
    CLEARINGHOUSE,
    FEES,
    LENDER,
    CLOSE_OUT,
    DEFAULT_FUND,
    CLEARING_CAPITAL,
)
WITHOUT_KEYS = frozenset(VENUE_ACCOUNTS) - {ISSUER}
"""They send nothing; the issuer may sell what it holds."""
MOVED_BY_RULES = frozenset({BANK, DEPOSITORY, CLEARINGHOUSE, CLOSE_OUT, DEFAULT_FUND})
"""Accounts that no deposit or withdrawal may touch: what they hold belongs to somebody else."""
