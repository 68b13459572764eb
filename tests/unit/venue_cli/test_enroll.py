"""The bots of `./venue enroll`."""

from venue_cli.commands.enroll import STRATEGIES, roles


def test_each_security_has_all_strategies_and_each_bot_a_seed_of_its_own() -> None:
    found = roles(["AAPL", "MSFT", "AMZN"])
    assert {(strategy, security) for strategy, security, _ in found} == {
        (strategy, security) for strategy in STRATEGIES for security in ("AAPL", "MSFT", "AMZN")
    }
    assert len({seed for _, _, seed in found}) == len(found) == 15
