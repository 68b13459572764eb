"""The export as beancount and hledger themselves read it: accepted, balances equal, and whatever is
planted is found by both, down to a ten-thousandth of a dollar.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.bookkeepers import (
    PROGRAMS,
    Program,
    beancount_balances,
    exported,
    hledger_balances,
    needs_hledger,
)
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from venue_audit.ledger_accounts import account
from venue_cli.console import main

each_program = pytest.mark.parametrize(("form", "program"), PROGRAMS)


def text_of(venue: SyntheticVenue, form: str) -> str:
    urls = venue.provisioned.owner_clearing_url, venue.provisioned.owner_market_url
    return exported(form, *urls)


def positions(venue: SyntheticVenue) -> dict[str, Decimal]:
    """What every account has, by its name in the export."""
    rows = venue.read(
        "clearing",
        "SELECT client_id, role, 'USD', balance_e4 FROM accounts JOIN clients USING (client_id)"
        " UNION ALL SELECT client_id, role, security_id, quantity FROM securities_deposits"
        " JOIN clients USING (client_id)",
    )
    return {
        account(client_id, role, asset): Decimal(amount) / (10_000 if asset == "USD" else 1)
        for client_id, role, asset, amount in rows
    }


@each_program
def test_the_program_accepts_the_ledger_of_a_venue_that_traded(
    played: SyntheticVenue, form: str, program: Program, tmp_path: Path
) -> None:
    text = text_of(played, form)
    assert text.count("trade ") > 50, "a venue that traded"
    assert program(text, tmp_path) == []


def test_beancount_has_the_venues_balances(played: SyntheticVenue) -> None:
    found = beancount_balances(text_of(played, "beancount"))
    for name, amount in positions(played).items():
        held = found[name].get_currency_units(name.rsplit(":", 1)[1]) if name in found else None
        assert (held.number if held else 0) == amount, name


@needs_hledger
def test_hledger_has_the_venues_balances(played: SyntheticVenue, tmp_path: Path) -> None:
    found = hledger_balances(text_of(played, "hledger"), tmp_path)
    for name, amount in positions(played).items():
        assert Decimal(found.get(name, "0").split()[0]) == amount, name


@each_program
@pytest.mark.parametrize(
    ("table", "where", "column", "unit", "named"),
    [
        ("accounts", "client_id = 'trader1'", "balance_e4", 100, "Trader1:USD"),
        ("accounts", "client_id = 'trader1'", "balance_e4", -1, "Trader1:USD"),
        (
            "securities_deposits",
            "client_id = 'maker0' AND security_id = 'MSFT'",
            "quantity",
            1,
            "Maker0:MSFT",
        ),
    ],
)
def test_a_planted_unit_in_a_position_is_found(
    played: SyntheticVenue,
    form: str,
    program: Program,
    tmp_path: Path,
    table: str,
    where: str,
    column: str,
    unit: int,
    named: str,
) -> None:
    with played.planted("clearing", table, where, column, lambda was: was + unit):
        found = program(text_of(played, form), tmp_path)
    assert any(named in line for line in found), found
    assert program(text_of(played, form), tmp_path) == []


@each_program
def test_a_planted_ten_thousandth_in_a_journal_is_found(
    played: SyntheticVenue, form: str, program: Program, tmp_path: Path
) -> None:
    """A leg that no longer sums to zero, and two that do and say that another paid."""
    ((number, legs),) = played.read(
        "clearing",
        "SELECT journal_id, amounts FROM journals WHERE journal_kind = 'trade'"
        " ORDER BY 1 OFFSET 50 LIMIT 1",
    )
    row = ("clearing", "journals", f"journal_id = {number}", "amounts")
    check = "journals_balanced_check CHECK (journal_is_balanced(accounts, assets, amounts))"
    played.execute("clearing", "ALTER TABLE journals DROP CONSTRAINT journals_balanced_check")
    try:
        for planted in ([legs[0] - 1, *legs[1:]], [legs[0] - 1, legs[1] + 1, *legs[2:]]):
            with played.planted(*row, lambda _was, planted=planted: planted):
                assert program(text_of(played, form), tmp_path) != []
    finally:
        played.execute("clearing", f"ALTER TABLE journals ADD CONSTRAINT {check}")


def asked(venue: SyntheticVenue, *arguments: str) -> int:
    urls = venue.provisioned.owner_clearing_url, venue.provisioned.owner_market_url
    return main([*arguments, "--clearing-url", urls[0], "--market-url", urls[1]])


def test_the_trial_balance_is_equal_and_names_a_planted_cent(
    played: SyntheticVenue, capsys: Any
) -> None:
    assert asked(played, "ledger") == 0
    assert "debits and credits are equal for each asset" in capsys.readouterr().out
    with played.planted(
        "clearing", "accounts", "client_id = 'trader1'", "balance_e4", lambda was: was + 100
    ):
        assert asked(played, "ledger") == 1
    said = capsys.readouterr().out
    assert "DOES NOT BALANCE USD: positions sum to 0.01, entries to 0.00" in said
    assert "PARTS trader1 USD" in said


def test_an_account_ends_with_its_balance_and_a_journal_names_its_trade(
    played: SyntheticVenue, capsys: Any
) -> None:
    ((balance_e4,),) = played.read(
        "clearing", "SELECT balance_e4 FROM accounts WHERE client_id = 'trader1'"
    )
    assert asked(played, "ledger", "trader1", "--asset", "USD") == 0
    last = capsys.readouterr().out.splitlines()[-1].split()
    assert Decimal(last[-1]) == Decimal(balance_e4) / 10_000
    ((number, trade_id),) = played.read(
        "clearing", "SELECT journal_id, trade_id FROM journals WHERE trade_id IS NOT NULL LIMIT 1"
    )
    assert asked(played, "ledger", "--journal", str(number)) == 0
    said = capsys.readouterr().out
    assert f"trade {trade_id}\n" in said and " bought, " in said and "clearinghouse" in said


def test_an_export_on_the_console_is_the_same_text(played: SyntheticVenue, capsys: Any) -> None:
    assert asked(played, "export", "ledger", "--format", "beancount") == 0
    assert capsys.readouterr().out == text_of(played, "beancount")
