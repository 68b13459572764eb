"""Buying a loan back through the book, and who pays for it: the default waterfall.

The money for the purchase is collected in the account `close_out`, in this order, each source until
it is empty: the client's collateral, its other free cash, its contribution to the default fund, the
clearinghouse's capital, and the contributions of the other members, by their size. What is left
over goes back in the opposite order, so that those who come last lose first nothing.

An example: Ann must return 10 AAPL; $1,500.00 are held for them, and her account has nothing else.
The first order may pay 102 % of the mark of $160.00, $163.20 a share and so $1,632.00. Ann's
contribution of $100.00 is used up, and the capital gives $32.00. The 10 shares cost $1,610.00; the
$22.00 that are left go back to the capital, which has lost $10.00.
"""

from collections.abc import Mapping

import msgspec

from venue_protocol.securities import BASIS_POINTS, Security
from venue_protocol.settlement import CLEARING_CAPITAL, CLOSE_OUT, DEFAULT_FUND
from venue_protocol.stock_loans import MarginRules, StockLoan, required_e4

STEP_BPS = 200
"""Each order may pay 2 % of the mark more than the one before: others have the time between two
orders to sell for less, so a lone ask far above the market is not what the loan is bought at.
"""
MEMBER = "member"
"""The client's own cash, collateral and free."""


def contribution_of(client_id: str) -> str:
    """The name by which a contribution to the default fund stands in `used_e4`."""
    return f"{DEFAULT_FUND}:{client_id}"


class Means(msgspec.Struct, frozen=True):
    """What there is to pay with, ten-thousandths of a dollar."""

    free_e4: int
    """The client's cash that nothing holds."""
    contributions_e4: Mapping[str, int]
    """Of each member to the default fund."""
    capital_e4: int


def closing(loan: StockLoan, mark_e4: int, rules: MarginRules) -> StockLoan:
    """The loan that is closed out from now on; collateral of what is to come back is in the pot.

    A margin call takes the whole loan, a recall what it asks for.
    """
    wanted = loan.recalled if loan.call_kind == "recall" else loan.quantity
    stays_e4 = required_e4(loan.quantity - wanted, mark_e4, rules.initial_bps)
    kept_e4 = min(loan.collateral_e4, stays_e4)
    moved_e4 = loan.collateral_e4 - kept_e4
    return msgspec.structs.replace(
        loan,
        stage="closing",
        recalled=wanted,
        collateral_e4=kept_e4,
        pot_e4=moved_e4,
        used_e4={MEMBER: moved_e4} if moved_e4 else {},
    )


def limit_e4(mark_e4: int, attempt: int, security: Security) -> int:
    """What order number `attempt` (from 1) may pay for a share: a whole tick inside the band."""
    wanted = mark_e4 * (BASIS_POINTS + STEP_BPS * attempt)
    ticks = -(-wanted // (BASIS_POINTS * security.tick_e4))
    return min(ticks * security.tick_e4, security.band_high_e4)


def quantity_of(loan: StockLoan, price_e4: int, means_e4: int, security: Security) -> int:
    """Shares that the next order asks for: what is wanted, as far as the money goes, whole lots."""
    affordable = means_e4 // price_e4 if price_e4 > 0 else 0
    most = min(loan.recalled, affordable, security.max_quantity)
    return most // security.lot * security.lot


def draws(need_e4: int, client_id: str, means: Means) -> dict[str, int]:
    """What each source gives for `need_e4`, in the order of the waterfall; less if all are empty.

    An example: for $100.00, with $30.00 of free cash, no contribution of the client, $20.00 of
    capital, and contributions of $200.00 and $100.00: 30, 20, 33.3333 and 16.6667.
    """
    others = {
        name: amount_e4
        for name, amount_e4 in sorted(means.contributions_e4.items())
        if name != client_id
    }
    own_e4 = means.contributions_e4.get(client_id, 0)
    given: dict[str, int] = {}
    for source, has_e4 in (
        (MEMBER, means.free_e4),
        (contribution_of(client_id), own_e4),
        (CLEARING_CAPITAL, means.capital_e4),
    ):
        amount_e4 = max(0, min(need_e4 - sum(given.values()), has_e4))
        if amount_e4:
            given[source] = amount_e4
    rest_e4 = min(need_e4 - sum(given.values()), sum(others.values()))
    for name, amount_e4 in shared(rest_e4, others).items():
        given[contribution_of(name)] = amount_e4
    return given


def shared(amount: int, parts: Mapping[str, int]) -> dict[str, int]:
    """`amount`, at most the sum of `parts`, split in proportion to them, to the last unit.

    What is lost by rounding down goes, a unit each, to the largest fractions; of equal ones to the
    first by name. Nobody gives more than its part.
    """
    whole = sum(parts.values())
    if amount <= 0 or not whole:
        return {}
    given = {name: amount * part // whole for name, part in parts.items()}
    left = amount - sum(given.values())
    by_fraction = sorted(parts, key=lambda name: (-(amount * parts[name] % whole), name))
    for name in by_fraction[:left]:
        given[name] += 1
    return {name: given[name] for name in sorted(given) if given[name]}


def added(used_e4: Mapping[str, int], more_e4: Mapping[str, int]) -> dict[str, int]:
    """What came from each source, with what comes now."""
    total = dict(used_e4)
    for source, amount_e4 in more_e4.items():
        total[source] = total.get(source, 0) + amount_e4
    return total


def given_back(loan: StockLoan) -> dict[str, int]:
    """What each source gets of the pot that is left: the last of the waterfall first."""
    own = (MEMBER, contribution_of(loan.client_id), CLEARING_CAPITAL)
    others = {name: amount for name, amount in loan.used_e4.items() if name not in own}
    left_e4 = loan.pot_e4
    back = shared(min(left_e4, sum(others.values())), others)
    left_e4 -= sum(back.values())
    for source in reversed(own):
        amount_e4 = min(left_e4, loan.used_e4.get(source, 0))
        if amount_e4:
            back[source] = amount_e4
        left_e4 -= amount_e4
    if left_e4:
        # Cheaper than what came in can't be: the pot is what came in, less what was paid.
        raise ValueError(f"{left_e4} of the pot of {loan.key} came from nowhere")
    return back


def movements(client_id: str, amounts_e4: Mapping[str, int], sign: int) -> dict[str, int]:
    """Cash that each account gets by a draw (sign 1), or by giving back (-1)."""
    by_account: dict[str, int] = {}
    for source, amount_e4 in amounts_e4.items():
        account = client_id if source == MEMBER else source.partition(":")[0]
        by_account[account] = by_account.get(account, 0) - sign * amount_e4
    by_account[CLOSE_OUT] = -sum(by_account.values())
    return by_account
