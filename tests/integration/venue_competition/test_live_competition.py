"""Eight players in three languages, of whom four are fair: the competition ends, and tells all."""

import json
import shutil
from pathlib import Path

import pytest
import requests

from venue_audit.databases import Databases
from venue_audit.proof import audit
from venue_competition.live_rounds import play_live
from venue_competition.verification import verify
from venue_launcher.running_venue import RunningVenue

PLAYERS = Path(__file__).parent / "players"
SECONDS = 20
CUP = f"""
name = "Eight players"
seed = 3
seconds = {SECONDS}
[shares]
ACME = 10
[[securities]]
security = "ACME"
reference_price = "50.00"
[population]
name = "examples"
size = 8
[limits]
commands_per_second = 60
open_orders = 1000
memory_mb = 1024
[scoring]
window_s = 8
resamples = 100
sample_s = 2
[[players]]
name = "maker"
strategy = "market_maker"
[[players]]
name = "walker"
strategy = "random_walk"
[[players]]
name = "careful"
command = ["sh", "careful.sh"]
[[players]]
name = "crasher"
command = ["node", "crasher.js"]
[[players]]
name = "flooder"
command = ["python3", "flooder.py"]
[[players]]
name = "deaf"
command = ["python3", "deaf.py"]
[[players]]
name = "thief"
command = ["sh", "thief.sh"]
[[players]]
name = "painter"
strategy = "painter.py:Painter"
"""


@pytest.fixture(scope="module")
def results(live_venue: RunningVenue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(PLAYERS, tmp_path_factory.mktemp("eight") / "players"))
    source = folder / "competition.toml"
    source.write_text(CUP)
    play_live(source, folder.parent / "results", live_venue, print)
    return folder.parent / "results"


def stopped(results: Path) -> dict[str, dict[str, str]]:
    course = json.loads((results / "rounds/001/course.json").read_text())
    return {stop["player"]: stop for stop in course["stopped"]}


def test_only_who_crashed_flooded_or_gave_up_is_stopped(results: Path) -> None:
    reasons = {name: stop["reason"] for name, stop in stopped(results).items()}
    assert reasons == {"crasher": "ended", "flooder": "commands_per_second", "thief": "ended"}


def test_a_crash_is_told_with_its_last_words(results: Path) -> None:
    assert stopped(results)["crasher"]["says"] == (
        "its process ended with code 3: answered 201, and now it crashes"
    )


def test_anothers_account_and_a_guessed_key_open_nothing(results: Path) -> None:
    """And the one key in the thief's environment is its own."""
    words = "another's account 403, a wrong key 401, keys 1"
    assert stopped(results)["thief"]["says"].endswith(words)


def ranked(results: Path) -> dict[str, dict[str, object]]:
    said = json.loads((results / "results.json").read_text())
    return {each["player"]: each for each in said["ranking"]}


def test_the_fair_players_trade_to_the_end(results: Path) -> None:
    players = ranked(results)
    assert int(str(players["maker"]["fills"])) > 0
    assert int(str(players["walker"]["fills"])) > 0
    bids = (results / "rounds/001/players/careful/orders.csv").read_text().splitlines()
    assert len(bids) > SECONDS / 2


def test_everybody_starts_with_the_same(results: Path) -> None:
    said = json.loads((results / "results.json").read_text())
    starts = {score["start_equity"] for score in said["rounds"][0]["scores"]}
    assert starts == {"10500.00"}


def test_who_paints_the_close_is_named(results: Path) -> None:
    (round_,) = json.loads((results / "fair_play.json").read_text())
    painters = [each["players"] for each in round_["findings"] if each["kind"] == "painted"]
    assert ["painter"] in painters


def test_no_order_of_a_player_is_open_at_the_end(results: Path) -> None:
    for name in ("flooder", "crasher", "careful", "maker"):
        text = (results / f"rounds/001/players/{name}/orders.csv").read_text()
        statuses = {line.split(",")[7] for line in text.splitlines()[1:]}
        assert statuses <= {"filled", "canceled", "rejected", "expired"}


def test_the_live_competition_is_verified_and_a_changed_byte_is_found(
    results: Path, tmp_path: Path
) -> None:
    assert verify(results).faults == []
    copy = Path(shutil.copytree(results, tmp_path / "copy"))
    log = copy / "archive/order_log.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"quantity":1', b'"quantity":2', 1))
    assert any(fault.startswith("archive/order_log.jsonl:") for fault in verify(copy).faults)


def test_the_venue_is_sound_after_all_of_it(results: Path, live_venue: RunningVenue) -> None:
    found = Databases(
        live_venue.owner_clearing_url, live_venue.owner_market_url, live_venue.engine_url
    )
    assert audit(found.clearing_url, found.market_url, found.engines()).is_equal


def test_anybody_reads_the_standing(results: Path, live_venue: RunningVenue) -> None:
    answer = requests.get(f"{live_venue.market_data_url}/v1/competition", timeout=5)
    shown = answer.json()["competition"]
    assert (shown["name"], shown["state"]) == ("Eight players", "over")
    assert {player["player"] for player in shown["players"]} == set(ranked(results))
