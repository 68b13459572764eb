"""Finds the class of a strategy by what a command line or a file calls it, and makes one."""

import hashlib
import importlib
import importlib.util
import inspect
import math
import sys
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import msgspec

from trading_bots.strategies import STRATEGIES
from trading_bots.strategy import Strategy


def load_strategy(name: str, parameters: Mapping[str, Any] | None = None) -> Strategy:
    """A new strategy.

    `name` is one of STRATEGIES, `package.module:Class`, or `path/to/file.py:Class`. ValueError says
    what is not found, or which parameter does not fit.
    """
    return make_strategy(find_strategy(name), parameters)


def find_strategy(name: str) -> Callable[..., Strategy]:
    """What makes the strategy: its class, or a function that returns one. ValueError."""
    if name in STRATEGIES:
        return STRATEGIES[name]
    place, colon, class_name = name.rpartition(":")
    if not colon or not place or not class_name:
        raise ValueError(
            f"strategy {name!r} is not one of {', '.join(STRATEGIES)}, and neither module:Class "
            "nor file.py:Class"
        )
    module = _file(place) if place.endswith(".py") else _module(place)
    found = getattr(module, class_name, None)
    if not callable(found):
        raise ValueError(f"{place} has no class {class_name}")
    maker: Callable[..., Strategy] = found
    return maker


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
    function: Any = cast(Any, maker).__init__ if isinstance(maker, type) else maker
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
    return str(getattr(maker, "__name__", maker))


def _module(name: str) -> ModuleType:
    """The module, also of a file in the folder where the command runs. ValueError."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ValueError(f"no module {error.name} (asked for by {name})") from error
    except Exception as error:
        raise ValueError(f"{name} can't be imported: {error!r}") from error
    finally:
        sys.path.remove(here)


def _file(name: str) -> ModuleType:
    """The module that the file is; it may import what lies beside it. ValueError."""
    path = Path(name).expanduser().resolve()
    if not path.is_file():
        raise ValueError(f"no file {name}")
    unique = f"strategy_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    if unique in sys.modules:
        return sys.modules[unique]
    specification = importlib.util.spec_from_file_location(unique, path)
    if specification is None or specification.loader is None:
        raise ValueError(f"{name} is no Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[unique] = module
    sys.path.insert(0, str(path.parent))
    try:
        specification.loader.exec_module(module)
    except Exception as error:
        del sys.modules[unique]
        raise ValueError(f"{name} can't be loaded: {error!r}") from error
    finally:
        sys.path.remove(str(path.parent))
    return module
