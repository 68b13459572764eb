"""What the administrator of a schedule commands: the trading day, and corporate actions."""

from collections.abc import Callable, Mapping, Sequence
from random import Random

from order_entry_gateway.domain.trading_phases import SessionCandidate
from order_entry_gateway.domain.validation import DeliveryCandidate
from venue_protocol.commands import ApplyCorporateAction, SetPhase
from venue_protocol.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    Split,
    SymbolChange,
)
from venue_protocol.securities import Security
from venue_protocol.trading_day import CONTINUOUS, HALTED
from venue_simulation.clients import Client
from venue_simulation.phases import next_commands
from venue_simulation.settlement_administrator import begin_netting, next_requests

_WHO = "administrator"
_ACTION_SHARE = 0.4
_SETTLEMENT_SHARE = 0.4
_NET_SHARE = 0.6
"""Of the schedules that settle net from the first command of the administrator on."""
_REFERENCE_E4 = 950_000
"""At or above it splits are forward, below it reverse: so prices stay near 100.00."""
_LONGEST_US = 2_000_000
_LEAST_LISTED = 1
"""Securities that are not delisted."""


class Administrator:
    """Draws commands. `names` is the list of symbols that clients trade, kept as it should be."""

    def __init__(
        self, dice: Random, names: list[str], clients: Sequence[Client], now_us: Callable[[], int]
    ) -> None:
        self._clients = [client.caller.client_id for client in clients]
        self._is_first = True
        self._dice = dice
        self._names = names
        self._now_us = now_us
        self._renamed = 0

    def next_commands(
        self, known: Mapping[str, Security]
    ) -> Sequence[Sequence[SessionCandidate | DeliveryCandidate]]:
        """What comes next, as requests to one gateway; `known` is its list of securities."""
        listed = {name: each for name, each in known.items() if each.delisted_us is None}
        self._names[:] = sorted(listed)
        if self._is_first:
            self._is_first = False
            if self._dice.random() < _NET_SHARE:
                return [begin_netting(listed, self._clients, self._dice)]
        if self._dice.random() < _SETTLEMENT_SHARE:
            return [next_requests(listed, self._clients, self._dice)]
        if self._dice.random() < _ACTION_SHARE:
            return self._action(listed)
        return [next_commands(listed, self._dice)]

    def _action(self, listed: Mapping[str, Security]) -> list[list[SessionCandidate]]:
        """A halt, an action and a reopening: together, one by one, or without halt or reopening."""
        dice = self._dice
        security = listed[dice.choice(sorted(listed))]
        action = self._draw(security, len(listed))
        command = ApplyCorporateAction(
            _WHO,
            security.security_id,
            action,
            security.reference_price_e4,
            security.tick_e4,
            security.lot,
        )
        after = action.new_security_id if isinstance(action, SymbolChange) else command.security_id
        commands: list[SetPhase | ApplyCorporateAction] = [command]
        if dice.random() < 0.9:
            commands.insert(0, SetPhase(_WHO, HALTED, security.security_id, "an action"))
        if dice.random() < 0.7:
            commands.append(SetPhase(_WHO, CONTINUOUS, after))
        candidates = [SessionCandidate(security.shard, each) for each in commands]
        return [candidates] if dice.random() < 0.3 else [[each] for each in candidates]

    def _draw(self, security: Security, listed: int) -> CorporateAction:
        dice, drawn = self._dice, self._dice.random()
        if drawn < 0.5:
            ratio = dice.choice([(5, 4), (3, 2), (2, 1)])
            if security.reference_price_e4 < _REFERENCE_E4:
                ratio = ratio[::-1]
            return Split(*ratio, dice.choice([0, security.reference_price_e4]))
        if drawn < 0.75:
            ex_us = self._now_us() + dice.randint(-_LONGEST_US, _LONGEST_US)
            pay_us = ex_us + dice.randint(0, _LONGEST_US)
            return CashDividend(dice.choice([50, 100, 2_550, 10_000]), ex_us, ex_us, pay_us)
        if drawn < 0.97 or listed <= _LEAST_LISTED:
            self._renamed += 1
            name = f"{security.security_id.split('.')[0]}.{self._renamed}"
            return SymbolChange(name, dice.random() < 0.7)
        return Delisting(dice.choice([0, 12_345]))
