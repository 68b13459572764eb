"""Any flow of orders, amends, cancels, phases and corporate actions gives the events of the slow,
obvious engine; holds follow to the ten-thousandth.
"""

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.simulation.matching_engine.reference_actions import ReferenceActions
from tests.simulation.matching_engine.test_against_reference import PRICES, SECURITIES
from tests.simulation.matching_engine.test_day_against_reference import DayAgainstReference
from venue_protocol.commands import ApplyCorporateAction, SetPhase
from venue_protocol.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    Split,
    SymbolChange,
)

_ratios = st.tuples(st.integers(1, 5), st.integers(1, 5)).filter(lambda both: both[0] != both[1])
_splits = st.builds(lambda both: Split(*both, 100), _ratios)
_dividends = st.builds(
    CashDividend,
    st.sampled_from([1, 99, 100, 101, 150, 1_000, 10_001]),
    st.integers(-2, 5),
    st.just(0),
    st.integers(0, 8),
)
_renames = st.builds(SymbolChange, st.just(""), st.booleans())


class ActionsAgainstReference(DayAgainstReference):
    """The same, with corporate actions."""

    def __init__(self) -> None:
        super().__init__()
        self.reference = ReferenceActions()
        self.symbols = 0

    @rule(
        action=_splits | _splits | _dividends | _renames | st.just(Delisting(0)),
        security=SECURITIES,
        price=PRICES,
        tick=st.sampled_from([1, 100]),
        lot=st.sampled_from([1, 1, 2]),
    )
    def act(self, action: CorporateAction, security: str, price: int, tick: int, lot: int) -> None:
        """A halt, an action and perhaps a reopening: an action is taken at rest alone."""
        now_us = self.engine.log_position + 1
        if isinstance(action, CashDividend):
            ex_us = now_us + action.ex_us
            action = CashDividend(action.per_share_e4, ex_us, ex_us, ex_us + action.pay_us)
        else:
            self._run([SetPhase("admin", "halted", security, "why")])
        if isinstance(action, SymbolChange):
            self.symbols += 1
            action = msgspec.structs.replace(action, new_security_id=f"{security}{self.symbols}")
        price -= price % tick
        self._run([ApplyCorporateAction("admin", security, action, max(price, tick), tick, lot)])

    @rule(security=SECURITIES)
    def reopen(self, security: str) -> None:
        """Trading goes on."""
        self._run([SetPhase("admin", "continuous", security, "why")])


TestActionsAgainstReference = ActionsAgainstReference.TestCase
TestActionsAgainstReference.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
