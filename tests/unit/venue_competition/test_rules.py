"""competition.toml: what it may say, and what it may not, in words that name the place."""

from decimal import Decimal
from pathlib import Path

import pytest

from venue_competition.rules import RulesError, parse, read, strategy_beside, strategy_file

GOOD = """
name = "Autumn cup"
seed = 7
rounds = 12
seconds = 1800
cash = "10000.00"
[shares]
ACME = 10
[[securities]]
security = "ACME"
tick = 0.05
reference_price = "50.00"
[population]
size = 20
[limits]
commands_per_second = 50
position = 1000
loss = 5000
[phases]
closing_auction_s = 60
[scoring]
mark = "closing_auction"
[[players]]
name = "ann"
strategy = "my_bot.py:Maker"
parameters = { risk = 0.25, levels = [1, 0.5] }
[[players]]
name = "bob"
command = ["node", "bot.js"]
[[players]]
name = "cat"
remote = true
"""


def test_a_whole_file_is_read_into_typed_rules() -> None:
    rules = parse(GOOD)
    assert (rules.name, rules.seed, rules.rounds, rules.seconds) == ("Autumn cup", 7, 12, 1800)
    assert (rules.cash_e4, rules.shares) == (100_000_000, {"ACME": 10})
    assert rules.securities[0].tick == Decimal("0.05")
    assert (rules.limits.position, rules.limits.loss) == (1000, Decimal(5000))
    assert rules.scoring.mark == "closing_auction"
    assert rules.player_names() == ("ann", "bob", "cat")
    assert rules.players[1].command == ["node", "bot.js"]


def test_numbers_of_a_strategy_are_floats_and_prices_never_are() -> None:
    rules = parse(GOOD)
    assert rules.players[0].parameters == {"risk": 0.25, "levels": [1, 0.5]}
    assert isinstance(rules.players[0].parameters["risk"], float)
    assert rules.securities[0].reference_price == Decimal("50.00")


def test_what_is_left_out_has_the_documented_default() -> None:
    rules = parse(
        'name = "x"\n[[securities]]\nsecurity = "A"\n[[players]]\nname = "b"\nremote = true'
    )
    assert (rules.cash, rules.rounds, rules.seconds, rules.population.size) == (10_000, 1, 600, 12)
    assert (rules.is_rotating, rules.limits.loss) == (True, None)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('name = "Autumn cup"', "", "missing required field `name`"),
        ("rounds = 12", "round = 12", "unknown field `round`"),
        ("size = 20", "sizes = 20", "population: Object contains unknown field `sizes`"),
        ("rounds = 12", "rounds = 0", "rounds is 0, and must be from 1 to 1000"),
        ("rounds = 12", 'rounds = "12"', "rounds: Expected `int`, got `str`"),
        ('cash = "10000.00"', 'cash = "1.00001"', "cash: 1.00001 has more than four decimals"),
        ('cash = "10000.00"', "cash = nan", "cash"),
        ('cash = "10000.00"', "cash = -1", "cash is -1, and must be above 0"),
        ("loss = 5000", "loss = 0", "limits.loss is 0, and must be above 0"),
        ("tick = 0.05", "tick = 0", "tick of ACME is 0, and must be above 0"),
        (
            "tick = 0.05",
            "tick = 0.07",
            "reference_price of ACME is not a multiple of its tick 0.07",
        ),
        ('security = "ACME"', 'security = "acme"', "security 'acme' must be 1 to 16 capitals"),
        ("ACME = 10", "ABC = 10", "shares names ABC, which is not among the [[securities]]"),
        ("ACME = 10", "ACME = -1", "shares of ACME are -1"),
        ("closing_auction_s = 60", "closing_auction_s = 0", "closing_auction_s is 0"),
        ("closing_auction_s = 60", "closing_auction_s = 1800", "leave no time to trade"),
        ('name = "bob"', 'name = "ANN"', "player ann comes twice"),
        ('name = "bob"', 'name = "../bob"', "player '../bob' must be 1 to 64 letters"),
        ("remote = true", "", "player cat must have one of strategy, command and remote"),
        ("remote = true", 'remote = true\nstrategy = "noise"', "player cat must have one of"),
        ('command = ["node", "bot.js"]', "command = []", "command of bob is empty"),
        ("remote = true", "remote = true\nparameters = {a = 1}", "parameters of cat go to a"),
        ("remote = true", 'remote = true\nsecurities = ["ABC"]', "player cat asks for ABC"),
        ("seed = 7", "seed = ", "is no TOML"),
        ('mark = "closing_auction"', 'mark = "last"', "scoring.mark: Invalid enum value 'last'"),
        ('mark = "closing_auction"', "least_clients = 1", "scoring.least_clients is 1"),
        ("[population]\nsize = 20", "population = 3", "population"),
    ],
)
def test_a_fault_is_named_with_its_place(before: str, after: str, says: str) -> None:
    assert GOOD.count(before) == 1
    with pytest.raises(RulesError) as refused:
        parse(GOOD.replace(before, after), "cup.toml")
    assert str(refused.value).startswith("cup.toml")
    assert says in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"none\.toml can't be read"):
        read(tmp_path / "none.toml")


def test_files_of_players_are_looked_for_beside_the_rules(tmp_path: Path) -> None:
    place = tmp_path.resolve()
    assert strategy_beside("my_bot.py:Maker", tmp_path) == f"{place}/my_bot.py:Maker"
    assert strategy_beside("prosperity:trader.py", tmp_path) == f"prosperity:{place}/trader.py"
    assert strategy_beside("noise", tmp_path) == "noise"


def test_a_strategy_file_is_told_from_a_module() -> None:
    assert strategy_file("bots/my_bot.py:Maker") == "bots/my_bot.py"
    assert strategy_file("my_bot:Maker") is None
    assert strategy_file("noise") is None
