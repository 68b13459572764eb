"""Names for orders and amends that have none: a prefix and a count, the same rule everywhere."""

import itertools
from collections.abc import Iterable
from dataclasses import replace

from trading_bots.commands import Amend, Command, Place


class OrderNames:
    """One bot's series of client_order_ids: `prefix-1`, `prefix-2` …

    The same decisions give the same names. A client_order_id is never used twice, so a live bot
    takes a new prefix at each start.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._numbers = itertools.count(1)

    def next_name(self) -> str:
        """The next name."""
        return f"{self._prefix}-{next(self._numbers)}"

    def named(self, command: Command) -> Command:
        """The same command; an order or amend without a name gets the next one."""
        if isinstance(command, Amend) and command.amend_id is None:
            return replace(command, amend_id=self.next_name())
        if isinstance(command, Place) and not command.client_order_id:
            return replace(command, client_order_id=self.next_name())
        return command

    def all_named(self, commands: Iterable[Command]) -> list[Command]:
        """Each command named. Sent again as a whole, they are done once."""
        return [self.named(command) for command in commands]
