"""Records of net settlement, as the clearinghouse keeps them and others read them.

Signs are the client's own: a quantity or cash above zero is to be received, below zero to be given.
"""

from typing import NamedTuple


class ObligationRow(NamedTuple):
    """What one client owes, or is owed, in one security in one cycle; sums of its trades."""

    shard: int
    cycle: int
    """The cycle in which it is due."""
    client_id: str
    security_id: str
    quantity: int
    """Shares."""
    cash_e4: int
    """Ten-thousandths of a dollar."""
    failed: int = 0
    """The shares in `quantity` that failed in the cycle before."""
    failing_since: int = 0
    """The cycle in which they failed first; 0 without a fail."""
    mark_e4: int = 0
    """The price at which they were marked; 0 without a fail."""


class VolumeRow(NamedTuple):
    """What was traded in one security and is due in one cycle."""

    shard: int
    cycle: int
    security_id: str
    trades: int
    quantity: int
    """Shares."""
    value_e4: int
    """Price times quantity, summed; ten-thousandths of a dollar."""


class DeliveryTerms(NamedTuple):
    """What one client asked for in one security: shares kept from delivery, or those it waits for
    at once.
    """

    client_id: str
    security_id: str
    exempt: int
    """Shares kept from delivery; 0: none."""
    deposit_e4: int
    """Cash held for the charges of fails."""
    notice_shard: int
    notice_cycle: int
    """The cycle that collected when it gave its buy-in notice; 0: it gave none."""


class CycleRow(NamedTuple):
    """What one cycle settled. Its trades would have taken four movements each, one by one."""

    shard: int
    number: int
    time_us: int
    trades: int
    gross_value_e4: int
    """What the trades' buyers would have paid one by one."""
    net_cash_e4: int
    """What those who owed cash paid."""
    net_deliveries_e4: int
    """Value of the shares delivered, at the mark."""
    movements: int
    """Payments, receipts, deliveries and deliveries received: ledger entries of members."""
    fails: int
    """Obligations to deliver that were not discharged in full."""
