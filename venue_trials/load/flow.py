"""Seeded commands of many accounts as JSON text, made as they are sent: a mix, near a fixed middle
price.

A cancel names its order by client_order_id, so the flow needs no answers and is the same for the
same seed. An account keeps to one side of each security, and its neighbour to the other: nobody
meets an order of his own.
"""

import random
from collections import Counter, deque
from collections.abc import Sequence

from venue_trials.load.mixes import Mix
from venue_trials.load.plan import Account

REFERENCE_CENTS = 10_000
"""Of every security of a load: 100.00, with a tick of a cent."""
_TYPICAL_DISTANCE = 20
_FARTHEST = 400
_MOST_QUANTITY = 100
_TAKER_QUANTITY = 50
"""About the average of the resting orders, so that the book neither dries up nor fills by the
trades alone.
"""
_REACH_CENTS = 4_000
"""How far from the middle an order that shall trade may go: across the whole book, inside the band
of 50 %.
"""
_MOST_REMEMBERED = 2_000

PLACE, CANCEL = "place", "cancel"


class Flow:
    """The next commands of an account."""

    def __init__(self, mix: Mix, accounts: Sequence[Account], name: str, seed: int) -> None:
        self._mix = mix
        self._accounts = accounts
        self._name = name
        self._dice = random.Random(seed)
        met: Counter[tuple[str, ...]] = Counter()
        self._turns: list[int] = []
        """How many accounts before each have the same securities: of two in a row one buys what the
        other sells.
        """
        for account in accounts:
            self._turns.append(met[tuple(account.securities)])
            met[tuple(account.securities)] += 1
        self._resting: list[deque[str]] = [deque(maxlen=_MOST_REMEMBERED) for _ in accounts]
        self._made = 0

    def list_of(self, account: int, count: int) -> str:
        """`count` actions as a JSON list for `/v1/commands` or one WebSocket frame."""
        return "[" + ",".join([self._action(account) for _ in range(count)]) + "]"

    def single(self, account: int) -> tuple[str, str]:
        """The path and body of one REST request."""
        kind, body = self._draw(account)
        if kind == CANCEL:
            return "/v1/orders/cancel", f'{{"client_order_ids":["{body}"]}}'
        return "/v1/orders", "{" + body

    def _action(self, account: int) -> str:
        kind, body = self._draw(account)
        if kind == CANCEL:
            return f'{{"action":"cancel","client_order_id":"{body}"}}'
        return f'{{"action":"place",{body}'

    def _draw(self, account: int) -> tuple[str, str]:
        """The kind, and the name of the order to cancel or the fields of the order to place."""
        draw = self._dice.random()
        resting = self._resting[account]
        if draw < self._mix.cancel and resting:
            # Sometimes the oldest, mostly the newest: most cancels in a market follow their order
            # closely.
            return CANCEL, resting.popleft() if draw < 0.2 * self._mix.cancel else resting.pop()
        self._made += 1
        name = f"{self._name}-{self._made}"
        is_taker = draw >= 1 - self._mix.take
        if not is_taker:
            resting.append(name)
        return PLACE, self._order(account, name, is_taker)

    def _order(self, account: int, name: str, is_taker: bool) -> str:
        securities = self._accounts[account].securities
        chosen = int(self._dice.random() * len(securities))
        security = securities[chosen]
        is_buy = (self._turns[account] + chosen) % 2 == 0
        if is_taker:
            quantity, cents, ends = _TAKER_QUANTITY, _REACH_CENTS, ',"time_in_force":"IOC"}'
        else:
            quantity = (
                _TAKER_QUANTITY
                if self._mix.is_uniform
                else 1 + int(self._dice.random() * _MOST_QUANTITY)
            )
            cents, ends = (
                -1 - min(_FARTHEST, int(self._dice.expovariate(1 / _TYPICAL_DISTANCE))),
                "}",
            )
        cents = REFERENCE_CENTS + cents if is_buy else REFERENCE_CENTS - cents
        return (
            f'"security":"{security}","side":"{"BUY" if is_buy else "SELL"}",'
            f'"type":"limit","quantity":{quantity},'
            f'"price":"{cents // 100}.{cents % 100:02}","client_order_id":"{name}"{ends}'
        )
