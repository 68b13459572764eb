"""What the command line of a back-test says, as its settings.

The rest of a back-test is imported when it is needed: the console reads this module at each start.
"""

import argparse
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from venue_protocol.fees import FeeRates
    from venue_simulation.backtest import BacktestSettings


def settings_of(arguments: argparse.Namespace) -> "BacktestSettings":
    """The settings that the command line says. ValueError for what is none."""
    from venue_simulation.backtest import BacktestSettings, Player
    from venue_simulation.market_plan import Latency

    try:
        cash = Decimal(arguments.cash)
    except InvalidOperation as error:
        raise ValueError(f"--cash {arguments.cash} is no amount") from error
    parameters: list[dict[str, str]] = [{} for _ in arguments.strategy]
    for number, key, value in arguments.set:
        parameters[number][key] = value
    return BacktestSettings(
        players=[
            Player(strategy=name, parameters=given)
            for name, given in zip(arguments.strategy, parameters, strict=True)
        ],
        securities=arguments.securities,
        seconds=arguments.seconds,
        seed=arguments.seed,
        rate=arguments.rate,
        cash=cash,
        shares=arguments.shares,
        latency=Latency(order_us=arguments.latency_us, feed_us=arguments.latency_us),
        fees=_fees_of(arguments.fees),
    )


def _fees_of(text: str | None) -> "FeeRates | None":
    """Rates of `-1,3` or `-1,3,1`: maker, taker and auction, basis points."""
    from venue_protocol.fees import FeeRates

    if text is None:
        return None
    try:
        rates = [int(part) for part in text.split(",")]
    except ValueError:
        rates = []
    if len(rates) not in (2, 3):
        raise ValueError(f"--fees {text}: write --fees MAKER,TAKER or MAKER,TAKER,AUCTION")
    return FeeRates(*rates)


class SetParameter(argparse.Action):
    """Notes a parameter with the number of the strategy that it belongs to."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """`--set key=value`, after a `--strategy`."""
        key, equals, value = str(values).partition("=")
        if not equals or not key:
            parser.error(f"--set {values}: write --set KEY=VALUE")
        if not namespace.strategy:
            parser.error("--set belongs to the --strategy before it")
        namespace.set = [*namespace.set, (len(namespace.strategy) - 1, key, value)]
