"""Finds the class of a strategy by what a command line or a file calls it, and makes one."""

import inspect
import math
import typing
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import msgspec

from trading_bots import prosperity_datamodel as datamodel
from trading_bots.prosperity import Prosperity
from trading_bots.source_files import load_file, load_module
from trading_bots.strategies import STRATEGIES
from trading_bots.strategy import Strategy

_PROSPERITY = "prosperity:"
_TRADER = "Trader"
"""What a file of IMC Prosperity calls its class."""


def load_strategy(name: str, parameters: Mapping[str, Any] | None = None) -> Strategy:
    """A new strategy.

    `name` is one of STRATEGIES, `package.module:Class`, `path/to/file.py:Class`, or
    `prosperity:path/to/trader.py`, which is the same as `path/to/trader.py:Trader`. ValueError says
    what is not found, or which parameter does not fit.
    """
    return make_strategy(find_strategy(name), parameters)


def find_strategy(name: str) -> Callable[..., Strategy]:
    """What makes the strategy: its class, or a function that returns one. ValueError."""
    if name in STRATEGIES:
        return STRATEGIES[name]
    if name.startswith(_PROSPERITY):
        return partial(Prosperity, name.removeprefix(_PROSPERITY))
    place, colon, class_name = name.rpartition(":")
    if not colon or not place or not class_name:
        raise ValueError(
            f"strategy {name!r} is not one of {', '.join(STRATEGIES)}, and neither module:Class "
            "nor file.py:Class"
        )
    is_file = place.endswith(".py")
    module = load_file(place, {"datamodel": datamodel}) if is_file else load_module(place)
    found = getattr(module, class_name, None)
    if not callable(found):
        raise ValueError(f"{place} has no class {class_name}")
    if is_file and class_name == _TRADER and not _is_strategy(found):
        return partial(Prosperity, place)
    maker: Callable[..., Strategy] = found
    return maker


def _is_strategy(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, Strategy)


def make_strategy(
    maker: Callable[..., Strategy], parameters: Mapping[str, Any] | None = None
) -> Strategy:
    """The strategy with these keyword parameters.

    Text becomes what the parameter's annotation or default says, so `spread=0.02` of a command line
    fits `spread: Decimal`. `interval_s` is taken by every strategy. ValueError names what does not
    fit.
    """
    given = dict(parameters or {})
    interval = given.pop("interval_s", None) if "interval_s" not in _accepted(maker) else None
    fitting = {name: _converted(maker, name, value) for name, value in given.items()}
    strategy = maker(**fitting)
    if not isinstance(strategy, Strategy):
        raise ValueError(f"{_title(maker)} is not a Strategy: derive it from trading_bots.strategy")
    if interval is not None:
        strategy.interval_s = _interval(interval)
    return strategy


def _interval(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"interval_s {value!r} is not a number of seconds above 0")
    return seconds


def _accepted(maker: Callable[..., Strategy]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(maker).parameters


def _converted(maker: Callable[..., Strategy], name: str, value: Any) -> Any:
    """The value as the parameter wants it; ValueError."""
    accepted = _accepted(maker)
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in accepted.values())
    if name not in accepted:
        if takes_any:
            return value
        raise ValueError(
            f"{_title(maker)} has no parameter {name}; it has {', '.join(accepted) or 'none'}"
        )
    wanted = _wanted_type(maker, accepted[name])
    if wanted is None:
        return value
    if isinstance(value, str) and typing.get_origin(wanted) in (tuple, list):
        value = value.split(",")
    try:
        return msgspec.convert(value, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{_title(maker)}: {name}={value!r}: {error}") from error


def _wanted_type(maker: Callable[..., Strategy], parameter: inspect.Parameter) -> Any:
    """The annotation; without one the type of the default; None where nothing can be converted."""
    made_by = maker.func if isinstance(maker, partial) else maker
    function: Any = cast(Any, made_by).__init__ if isinstance(made_by, type) else made_by
    try:
        hints = typing.get_type_hints(function)
    except NameError:
        hints = {}
    wanted = hints.get(parameter.name)
    if wanted is None and parameter.default not in (inspect.Parameter.empty, None):
        wanted = type(parameter.default)
    is_plain = wanted is not None and not _has_callable(wanted)
    return wanted if is_plain else None


def _has_callable(wanted: Any) -> bool:
    """Whether the type is, or may be, a function: nothing that a text could become."""
    if wanted is Any or wanted is Callable or typing.get_origin(wanted) is Callable:
        return True
    return any(_has_callable(part) for part in typing.get_args(wanted))


def _title(maker: Callable[..., Strategy]) -> str:
    made_by = maker.func if isinstance(maker, partial) else maker
    return str(getattr(made_by, "__name__", made_by))
