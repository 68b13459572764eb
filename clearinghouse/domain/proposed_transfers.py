"""What a proposal that is about no trade moves, once it is consented to."""

from clearinghouse.domain.fees import FEES
from clearinghouse.domain.ledger import Leg
from clearinghouse.domain.venue_accounts import BANK, ISSUER
from venue_protocol.holds import CASH
from venue_protocol.proposals import Fine, Withdrawal


def legs_of(proposed: Withdrawal | Fine) -> tuple[Leg, Leg]:
    """Cash that is withdrawn goes to the bank, shares go back to the issuer, a fine goes to `fees`.

    An example: a withdrawal of $100.00 by Ann gives (ann, USD, -1,000,000), (bank, USD, 1,000,000).
    """
    if isinstance(proposed, Fine):
        cash_e4 = proposed.cash_e4
        return Leg(proposed.client_id, CASH, -cash_e4), Leg(FEES, CASH, cash_e4)
    target = BANK if proposed.asset == CASH else ISSUER
    return (
        Leg(proposed.client_id, proposed.asset, -proposed.amount),
        Leg(target, proposed.asset, proposed.amount),
    )
