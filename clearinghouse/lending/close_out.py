"""Buying a loan back: an order, its fills, the next order, and the money that is left.

The order is the clearinghouse's own, of the account `close_out`: it takes what rests up to its
limit and is gone. The gateway logs it in the transaction that takes it from `close_out_orders`, so
it is logged once; it is done when settlement has passed its place in the order log. The client can
neither cancel it nor spend what it buys.
"""

from clearinghouse.domain.ledger import Leg
from clearinghouse.domain.venue_accounts import LENDER
from clearinghouse.lending.loan_step import LoanStep, waterfall_legs
from venue_protocol import default_waterfall, streams
from venue_protocol.default_waterfall import MEMBER
from venue_protocol.identifiers import sharded_id
from venue_protocol.settlement import CLOSE_OUT
from venue_storage.clearing_rows import CloseOutOrder


class CloseOut:
    """Goes on with a loan in stage `closing`."""

    def advance(self, step: LoanStep) -> None:
        """Do what can be done now: fills to the pool, the client's own shares, the next order."""
        if not self.take_fills(step):
            return
        if step.loan.recalled:
            _take_own_shares(step)
        if step.loan.recalled:
            _order(step)
        else:
            finish(step)

    def take_fills(self, step: LoanStep, is_swept: bool = False) -> bool:
        """Give to the pool what the order has bought; False while it is not settled.

        `is_swept`: a corporate action has given it to the pool already.
        """
        loan = step.loan
        if loan.order is None:
            return True
        place = step.book.logged(loan.order or "")
        if place is None or step.transaction.position(streams.order_log(place[0])) < place[1]:
            return False
        order_id = sharded_id(*place)
        fills = [
            report
            for report in step.book.close_out_reports(loan.reports_before)
            if report.order_id == order_id
        ]
        bought = sum(report.shares for report in fills)
        paid_e4 = -sum(report.cash_e4 for report in fills)
        after = step.changed(
            order=None,
            quantity=loan.quantity - bought,
            recalled=loan.recalled - bought,
            pot_e4=loan.pot_e4 - paid_e4,
        )
        moves = bought and not is_swept
        legs = _return_legs(CLOSE_OUT, loan.security_id, bought) if moves else ()
        step.note("bought", after, "loan_return", legs, f"bought back for {loan.client_id}")
        return True


def _take_own_shares(step: LoanStep) -> None:
    """Shares that the client has and no order holds go back first: they cost nothing."""
    loan = step.loan
    taken = min(step.free(loan.client_id, loan.security_id), loan.recalled)
    if taken:
        after = step.changed(quantity=loan.quantity - taken, recalled=loan.recalled - taken)
        legs = _return_legs(loan.client_id, loan.security_id, taken)
        step.note("taken", after, "loan_return", legs, "taken back by a close-out")


def _order(step: LoanStep) -> None:
    """The next order, and the money for it by the waterfall; later, where there is none."""
    loan, attempt = step.loan, step.loan.attempt + 1
    means = step.means()
    reachable_e4 = loan.pot_e4 + sum(
        default_waterfall.draws(1 << 62, loan.client_id, means).values()
    )
    price_e4 = default_waterfall.limit_e4(step.mark_e4, attempt, step.security)
    quantity = default_waterfall.quantity_of(loan, price_e4, reachable_e4, step.security)
    if not quantity:
        return
    drawn = default_waterfall.draws(price_e4 * quantity - loan.pot_e4, loan.client_id, means)
    step.change_contributions(drawn, -1)
    name = f"close-out-{step.number}"
    after = step.changed(
        pot_e4=loan.pot_e4 + sum(drawn.values()),
        used_e4=default_waterfall.added(loan.used_e4, drawn),
        attempt=attempt,
        order=name,
        ordered_us=step.now_us,
        reports_before=step.settlement.chains[CLOSE_OUT].count,
    )
    made_for = step.security.action_id
    step.book.add_order(CloseOutOrder(name, loan.security_id, quantity, price_e4, made_for))
    legs = waterfall_legs(loan.client_id, drawn, 1)
    memo = f"close-out of {loan.client_id} {loan.security_id}, order {attempt}"
    step.note("order", after, "close_out", legs, memo)


def finish(step: LoanStep) -> None:
    """The shares are back: what is left of the money goes back the way it came."""
    loan = step.loan
    back = default_waterfall.given_back(loan)
    step.change_contributions(back, 1)
    lost = {name: amount - back.get(name, 0) for name, amount in loan.used_e4.items()}
    if any(amount for name, amount in lost.items() if name != MEMBER):
        # Others paid: the client borrows again when an administrator has looked at it.
        step.book.set_may_borrow(loan.client_id, False)
    after = step.changed(
        stage="open",
        call_kind=None,
        call_due_us=None,
        pot_e4=0,
        used_e4={},
        attempt=0,
        ordered_us=0,
        reports_before=0,
    )
    legs = waterfall_legs(loan.client_id, back, -1)
    memo = f"close-out of {loan.client_id} {loan.security_id} done"
    step.note("closed", after, "close_out", legs, memo)
    step.end()


def _return_legs(client_id: str, security_id: str, quantity: int) -> tuple[Leg, ...]:
    return Leg(client_id, security_id, -quantity), Leg(LENDER, security_id, quantity)
