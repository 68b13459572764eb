"""Strategies are found by name, module or file, and their parameters fit or are refused."""

from decimal import Decimal
from pathlib import Path

import pytest

from trading_bots.loading import load_strategy
from trading_bots.strategies.market_maker import MarketMaker

MAKER = """
from collections.abc import Callable
from decimal import Decimal
from beside import WORD
from trading_bots.strategy import Strategy

class Maker(Strategy):
    def __init__(self, spread: Decimal = Decimal("0.05"), levels=3, peers: tuple[str, ...] = (),
                 value: Callable[[], float] | None = None, free=None):
        self.spread, self.levels, self.peers, self.value = spread, levels, peers, value
        self.free, self.word = free, WORD

class NoStrategy:
    pass
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("WORD = 'beside'\n")
    path = tmp_path / "my_bot.py"
    path.write_text(MAKER)
    return path


def test_a_file_anywhere_gives_its_class_and_imports_what_lies_beside_it(file: Path) -> None:
    bot = load_strategy(f"{file}:Maker")
    assert vars(bot)["word"] == "beside" and vars(bot)["levels"] == 3


def test_a_module_in_the_working_folder_gives_its_class(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    assert type(load_strategy("my_bot:Maker")).__name__ == "Maker"


def test_text_becomes_what_the_parameter_wants(file: Path) -> None:
    text = {"spread": "0.02", "levels": "5", "peers": "AAPL,MSFT", "free": "x", "interval_s": "0.5"}
    bot = vars(load_strategy(f"{file}:Maker", text))
    assert (bot["spread"], bot["levels"], bot["peers"]) == (Decimal("0.02"), 5, ("AAPL", "MSFT"))
    assert (bot["free"], bot["interval_s"]) == ("x", 0.5)


def test_numbers_of_a_file_fit_a_decimal_and_a_function_passes_as_it_is(file: Path) -> None:
    bot = vars(load_strategy(f"{file}:Maker", {"spread": 0.02, "value": float}))
    assert bot["spread"] == Decimal("0.02") and bot["value"] is float


def test_an_example_is_found_by_its_name() -> None:
    assert isinstance(load_strategy("market_maker", {"most_lots": "2"}), MarketMaker)


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("oracle", {}, "'oracle' is not one of random_walk"),
        ("no_such_module:Maker", {}, "no module no_such_module"),
        ("no_such_file.py:Maker", {}, "no file no_such_file.py"),
        ("{file}:Taker", {}, "has no class Taker"),
        ("{file}:NoStrategy", {}, "NoStrategy is not a Strategy"),
        ("{file}:Maker", {"spred": "1"}, "no parameter spred; it has spread, levels"),
        ("{file}:Maker", {"levels": "many"}, "levels='many'"),
        ("{file}:Maker", {"interval_s": "0"}, "interval_s '0' is not"),
        ("{file}:", {}, "neither module:Class"),
    ],
)
def test_what_does_not_fit_is_said(
    file: Path, name: str, parameters: dict[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        load_strategy(name.format(file=file), parameters)


def test_a_file_that_fails_is_said_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(ValueError, match=r"broken\.py can't be loaded: ZeroDivisionError"):
        load_strategy(f"{tmp_path / 'broken.py'}:Maker")
