"""The ranking: order, return, and a table that fits a terminal."""

from decimal import Decimal

import pytest

from venue_audit.standings import RankedClient, Standing, as_json, ranking, table


def standing(
    client_id: str, equity: str, role: str = "trader", balance: str | None = None
) -> Standing:
    return Standing(client_id, role, Decimal(balance or equity), Decimal(0), {}, Decimal(equity))


def ranked() -> list[RankedClient]:
    standings = [
        standing("maker", "100000000", "market_maker"),
        standing("bob", "9900.00"),
        standing("eve", "9999.99"),
        standing("ann", "10150.60", balance="9000.25"),
        standing("zoe", "10150.60"),
    ]
    return ranking(
        standings,
        {
            "ann": Decimal(10_000),
            "bob": Decimal(10_000),
            "eve": Decimal(10_000),
            "maker": Decimal("100000000"),
        },
    )


def test_traders_are_ranked_by_equity_and_market_makers_stand_below_without_a_rank() -> None:
    assert [(each.rank, each.client_id) for each in ranked()] == [
        (1, "ann"),
        (2, "zoe"),
        (3, "eve"),
        (4, "bob"),
        (None, "maker"),
    ]


def test_the_return_is_on_all_that_was_paid_in() -> None:
    after_deposit = ranking([standing("ann", "10150.60")], {"ann": Decimal(20_300)})
    assert [each.return_percent for each in ranked()] == [
        Decimal("1.51"),
        None,
        Decimal("0.00"),
        Decimal("-1.00"),
        Decimal("0.00"),
    ]
    assert after_deposit[0].return_percent == Decimal("-50.00")


def test_shares_are_what_the_equity_has_beyond_the_cash() -> None:
    ann = ranked()[0]
    assert (ann.cash, ann.shares_value, ann.equity) == (
        Decimal("9000.25"),
        Decimal("1150.35"),
        Decimal("10150.60"),
    )


def test_the_table_shows_a_line_a_client() -> None:
    assert table(ranked(), 80) == [
        "  # client           cash       shares         equity   return",
        "  1 ann          9,000.25     1,150.35      10,150.60   +1.51%",
        "  2 zoe         10,150.60         0.00      10,150.60        -",
        "  3 eve          9,999.99         0.00       9,999.99   +0.00%",
        "  4 bob          9,900.00         0.00       9,900.00   -1.00%",
        "  - maker  100,000,000.00         0.00 100,000,000.00   +0.00%",
    ]


@pytest.mark.parametrize("columns", [80, 100, 132])
def test_the_table_fits_the_terminal_and_cuts_long_names(columns: int) -> None:
    long = standing("a" * 64, "10000.00")
    lines = table(ranking([long], {}), columns)
    assert max(map(len, lines)) <= columns - 1
    assert ("a…" in lines[1]) == (columns < 56 + 64 + 1)


def test_json_has_money_as_decimal_strings() -> None:
    ann = as_json(ranked())[0]
    assert (ann["rank"], ann["equity"], ann["return_percent"], ann["holdings"]) == (
        1,
        "10150.60",
        "1.51",
        {},
    )
