"""An administrator who changes the fee schedule while everything goes wrong."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random

from service_runtime.database import DatabaseUnavailable
from venue_protocol.fee_schedule import ALL_SECURITIES, STANDARD, FeeRow
from venue_protocol.refusals import Refused
from venue_simulation.clients import Client
from venue_simulation.processes import Clearing, Process

_BY = "administrator"
_GOLD = "gold"
_MOST_BPS = 60
"""Of these markets' low prices: a fee of some ten-thousandths for each share, often rounded."""

Step = Callable[[Process, str, Callable[[], object]], None]


class FeeChanges:
    """Sets rows with fees and rebates, removes them, and moves clients between two tiers.

    Rows that no venue may have are among them, and are refused. Gateways hear of a change later, so
    orders of several schedules meet.
    """

    def __init__(
        self, clearing: Clearing, dice: Random, clients: Sequence[Client], step: Step
    ) -> None:
        self._clearing = clearing
        self._dice = dice
        self._clients = clients
        self._step = step

    def act(self) -> None:
        """One change, if the clearinghouse is there."""
        if self._clearing.is_up:
            name, change = self._next()
            self._step(self._clearing, name, lambda: self._try(change))

    def _next(self) -> tuple[str, Callable[[], object]]:
        fees, dice = self._clearing.fees, self._dice
        security_id = dice.choice([ALL_SECURITIES, *sorted(self._clearing.around.securities)])
        tier = dice.choice([STANDARD, _GOLD])
        kind = dice.random()
        if kind < 0.2:
            client_id = dice.choice(self._clients).caller.client_id
            return f"puts {client_id} into {tier}", lambda: fees.set_tier(client_id, tier, _BY)
        if kind < 0.3:
            return f"removes the fees of {security_id} for {tier}", lambda: fees.remove_fees(
                security_id, tier, _BY
            )
        taker = dice.randint(0, _MOST_BPS)
        maker = dice.randint(-taker, taker)
        row = FeeRow(security_id, tier, maker, taker, dice.randint(0, 20))
        return f"sets {row}", lambda: fees.set_fees(row, _BY)

    @staticmethod
    def _try(change: Callable[[], object]) -> None:
        with suppress(DatabaseUnavailable, Refused):
            change()
