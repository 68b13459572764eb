"""The venue's own accounts: the other side of what enters, and the holder of unsold shares."""

from clearinghouse.domain.fees import FEES
from clearinghouse.domain.settlement import CLEARINGHOUSE

BANK = "bank"
"""External: the other side of all cash that enters the venue."""
DEPOSITORY = "depository"
"""External: the other side of all shares issued."""
ISSUER = "issuer"
"""Holds issued shares until they are given or sold."""
EXTERNAL = (BANK, DEPOSITORY)
VENUE_ACCOUNTS = (BANK, DEPOSITORY, ISSUER, CLEARINGHOUSE, FEES)
