"""`replay settlements`, `explain` and `audit` as commands, on the databases of a venue that is not
running.
"""

import json
from typing import Any

import pytest

from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from venue_audit.settlements import Retelling
from venue_audit.snapshot import Snapshot
from venue_cli.console import main

ONE_CENT_MORE = ("clearing", "accounts", "client_id = 'trader1'", "balance_e4")


def run(venue: SyntheticVenue, *arguments: str) -> int:
    """A command on this venue's databases."""
    urls = [
        "--clearing-url",
        venue.provisioned.owner_clearing_url,
        "--market-url",
        venue.provisioned.owner_market_url,
    ]
    return main([*arguments, *urls])


def retold(
    venue: SyntheticVenue, client_id: str | None = None, **span: Any
) -> tuple[int, list[str]]:
    said: list[str] = []
    with Snapshot(venue.provisioned.owner_clearing_url) as clearing:
        code = Retelling(clearing, client_id, say=said.append).run(**span)
    return code, said


def test_all_reports_end_with_the_live_values(played: SyntheticVenue) -> None:
    code, said = retold(played)
    ((newest,),) = played.read("clearing", "SELECT last_report_sequence FROM settlement_heads")
    assert code == 0 and said[-1].startswith("these are exactly the live balances and holdings")
    assert [int(line.split()[0]) for line in said[:newest]] == list(range(1, newest + 1))


def test_one_clients_reports_end_with_its_live_values(played: SyntheticVenue) -> None:
    code, said = retold(played, "trader1")
    ((count, balance_e4),) = played.read(
        "clearing", "SELECT report_count, balance_e4 FROM accounts WHERE client_id = 'trader1'"
    )
    assert code == 0 and len(said) == count + 2
    assert f"balance {balance_e4 // 10_000}." in said[-2]


def test_a_balance_that_parts_from_its_reports_is_said(played: SyntheticVenue) -> None:
    with played.planted(*ONE_CENT_MORE, lambda balance_e4: balance_e4 + 100):
        code, said = retold(played, "trader1")
    assert code == 1
    assert said[-1].startswith("PARTS account trader1: balance_e4 by its reports")


def test_a_span_counts_what_was_before_it_and_says_that_it_stopped(played: SyntheticVenue) -> None:
    _, everything = retold(played)
    code, said = retold(played, first=30, last=40)
    assert code == 0 and said[:11] == everything[29:40]
    assert said[-1].startswith("stopped after report 40 of")


def test_recorded_pauses_are_kept_and_shortened(played: SyntheticVenue) -> None:
    def slept(speed: int) -> float:
        pauses: list[float] = []
        with Snapshot(played.provisioned.owner_clearing_url) as clearing:
            Retelling(clearing, "maker0", speed, say=lambda _: None, pause=pauses.append).run()
        return sum(pauses)

    rows = played.read(
        "clearing",
        "SELECT report FROM settlement_reports WHERE client_id = 'maker0' ORDER BY sequence",
    )
    times = [json.loads(row[0])["time_us"] for row in rows]
    assert slept(1) == pytest.approx((times[-1] - times[0]) / 1e6)
    assert slept(10) == pytest.approx(slept(1) / 10)


def test_explain_accounts_for_every_cent_and_share(
    played: SyntheticVenue, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(played, "explain", "trader1", "--json") == 0
    *moved, ending = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    ((balance_e4, held_e4),) = played.read(
        "clearing", "SELECT balance_e4, held_e4 FROM accounts WHERE client_id = 'trader1'"
    )
    cash = [entry for movement in moved for entry in movement["entries"] if entry["asset"] == "USD"]
    assert sum(round(float(entry["amount"]) * 10_000) for entry in cash) == balance_e4
    assert ending["equal"] and ending["balance"] == moved[-1]["balance"]
    assert round(float(ending["held"]) * 10_000) == held_e4
    trades = [movement for movement in moved if movement["trade_id"]]
    assert trades and {movement["fee"] for movement in trades} == {"0.00"}
    assert {entry["counter_account"] for movement in trades for entry in movement["entries"]} == {
        "clearinghouse"
    }
    assert all(
        float(e["amount"]) == -float(e["counter_amount"])
        for movement in moved
        for e in movement["entries"]
    )
    assert moved[0]["entries"][0]["counter_account"] == "bank"


def test_explain_begins_with_a_summary_that_its_movements_add_up_to(
    played: SyntheticVenue, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(played, "explain", "trader1", "--json") == 0
    *moved, ending = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    summary = ending["summary"]
    trades = [movement for movement in moved if movement["trade_id"]]
    bought = sum(
        movement["quantity"] for movement in trades if movement["what"].startswith("bought")
    )
    assert summary["trades"] == len(trades) > 0
    assert sum(security["bought"] for security in summary["securities"].values()) == bought
    flow = sum(float(s["received"]) - float(s["paid"]) for s in summary["securities"].values())
    paid_in = float(summary["starting_cash"]) + float(summary["deposits"])
    assert paid_in + flow == pytest.approx(float(ending["balance"]))
    assert run(played, "explain", "trader1") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "trader1:" and said[2].startswith(f"  {len(trades)} trades; realised result")


def test_explain_of_the_last_movements_shows_these_and_checks_all(
    played: SyntheticVenue, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(played, "explain", "trader1", "--json") == 0
    everything = capsys.readouterr().out.splitlines()
    assert run(played, "explain", "trader1", "--json", "--last", "2") == 0
    assert capsys.readouterr().out.splitlines() == everything[-3:]
    with played.planted(*ONE_CENT_MORE, lambda balance_e4: balance_e4 + 100):
        assert run(played, "explain", "trader1", "--last", "0") == 1


def test_explain_says_where_it_parts(
    played: SyntheticVenue, capsys: pytest.CaptureFixture[str]
) -> None:
    with played.planted(*ONE_CENT_MORE, lambda balance_e4: balance_e4 + 100):
        assert run(played, "explain", "trader1") == 1
    assert "PARTS account trader1" in capsys.readouterr().out


def test_explain_of_an_unknown_client_is_a_sentence(
    played: SyntheticVenue, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(played, "explain", "nobody") == 1
    assert "there is no client nobody" in capsys.readouterr().err


def test_the_audit_command_ends_with_1_on_a_difference_and_with_0_without(
    played: SyntheticVenue, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(played, "audit") == 0
    assert "EQUAL" in capsys.readouterr().out.splitlines()[-1]
    with played.planted(*ONE_CENT_MORE, lambda balance_e4: balance_e4 + 100) as was:
        assert run(played, "audit", "--json") == 1
    verdict = json.loads(capsys.readouterr().out)
    first = verdict["differences"][0]
    assert not verdict["equal"] and (first["expected"], first["found"]) == (was, was + 100)


def test_a_database_that_goes_away_is_a_sentence(
    played: SyntheticVenue, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def terminate(*_: object) -> None:
        played.execute(
            "clearing",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'audit' AND datname = current_database()",
        )

    monkeypatch.setattr("venue_audit.proof.MarketCheck.finish", terminate)
    assert run(played, "audit") == 1
    assert "the database went away while it was read" in capsys.readouterr().err
