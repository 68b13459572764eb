"""An archive holds all of a market, and one changed byte is found and named."""

import json
from pathlib import Path

import pytest

from tests.unit.venue_simulation.market_bots import maker, plan, taker
from venue_audit.archive_audit import audit_archive
from venue_audit.archive_replay import Replay
from venue_simulation.market_archive import BLOCK, ArchiveFault, MarketArchive
from venue_simulation.market_run import MarketRun, run_market
from venue_simulation.simulated_market import SimulatedMarket


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> MarketRun:
    return run_market(plan(maker(), taker(), seconds=400), archive=tmp_path_factory.mktemp("a"))


def copied(run: MarketRun, folder: Path) -> Path:
    assert run.archive is not None
    for path in run.archive.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_the_audit_derives_all_of_it_again(archived: MarketRun) -> None:
    assert archived.archive is not None
    verdict = audit_archive(archived.archive)
    assert verdict.is_equal, verdict.differences
    assert verdict.counts["log_rows"] == archived.counts["commands"] > BLOCK
    assert verdict.counts["trades"] == archived.counts["trades"] > 100


def test_the_same_plan_writes_the_same_bytes(archived: MarketRun, tmp_path: Path) -> None:
    run_market(plan(maker(), taker(), seconds=400), archive=tmp_path)
    assert archived.archive is not None
    for path in archived.archive.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_the_replay_ends_where_the_market_ended(archived: MarketRun) -> None:
    assert archived.archive is not None
    replay = Replay(MarketArchive(archived.archive))
    trades = [trade for step in replay for trade in step.effect.trades]
    market = SimulatedMarket(archived.plan)
    market.run()
    assert sum(trade.quantity for trade in trades) == archived.counts["shares"]
    position = replay.history.ledger.positions["taker", "AAPL"]
    assert position.quantity == market.venue.clearing.tables.deposits["taker", "AAPL"].quantity
    assert replay.market.security("AAPL").top() == market.venue.market.security("AAPL").top()


@pytest.mark.parametrize(
    ("file", "line", "before", "after", "named"),
    [
        ("order_log.jsonl", 1_200, b'"client_id":"', b'"client_id":"x', "lines 1001 to 2000"),
        ("transfers.jsonl", None, b'"maker","USD",1', b'"maker","USD",2', "transfers.jsonl"),
        ("accounts.json", None, b'"balance_e4": 1', b'"balance_e4": 2', "accounts.json"),
        ("securities.json", None, b'"tick_e4": 100', b'"tick_e4": 200', "securities.json"),
    ],
)
def test_a_changed_byte_is_found_and_named(
    archived: MarketRun,
    tmp_path: Path,
    file: str,
    line: int | None,
    before: bytes,
    after: bytes,
    named: str,
) -> None:
    path = copied(archived, tmp_path) / file
    lines = path.read_bytes().splitlines(keepends=True)
    number = (line or next(at for at, text in enumerate(lines, 1) if before in text)) - 1
    lines[number] = lines[number].replace(before, after, 1)
    path.write_bytes(b"".join(lines))
    found = [str(difference) for difference in audit_archive(tmp_path).differences]
    assert named in found[0], found


def test_a_forger_who_seals_again_is_caught_by_the_fold(
    archived: MarketRun, tmp_path: Path
) -> None:
    """Ten dollars more for the taker, with a fresh seal: the log does not say so."""
    from venue_simulation.market_archive import seal_json, write_manifest

    folder = copied(archived, tmp_path)
    archive = MarketArchive(folder)
    accounts = json.loads((folder / "accounts.json").read_text())
    next(each for each in accounts if each["client_id"] == "taker")["balance_e4"] += 100_000
    (folder / "accounts.json").unlink()
    archive.manifest.files["accounts.json"] = seal_json(folder / "accounts.json", accounts)
    write_manifest(folder, archive.manifest)
    (difference,) = audit_archive(folder).differences
    assert (difference.what, difference.subject, difference.field) == (
        "account",
        "taker",
        "balance_e4",
    )


def test_an_archive_is_never_written_over(archived: MarketRun) -> None:
    with pytest.raises(FileExistsError):
        run_market(archived.plan, archive=archived.archive)


def test_a_folder_without_an_archive_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArchiveFault, match=r"manifest\.json can't be read"):
        audit_archive(tmp_path)
