"""A competition in simulated time, from the file to the verified folder."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.unit.venue_competition import players
from venue_cli import console
from venue_competition import results_folder
from venue_competition.course import pretty
from venue_competition.rematch import rematch
from venue_competition.results_folder import MANIFEST_FILE
from venue_competition.rules import RulesError
from venue_competition.simulated_rounds import play
from venue_competition.verification import verify
from venue_launcher.errors import CommandError

CUP = """
name = "A <b>cup</b>"
seed = 7
rounds = 2
seconds = 30
[shares]
ACME = 10
[[securities]]
security = "ACME"
reference_price = "50.00"
[population]
name = "examples"
size = 6
[limits]
commands_per_second = 60
[scoring]
resamples = 100
sample_s = 5
[[players]]
name = "maker"
strategy = "market_maker"
[[players]]
name = "walker"
strategy = "random_walk"
"""


def played(folder: Path, text: str = CUP) -> Path:
    """A results folder of these rules."""
    source = folder / "cup.toml"
    source.write_text(text)
    play(source, folder / "results", lambda line: None)
    return folder / "results"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return played(tmp_path_factory.mktemp("cup"))


@pytest.fixture
def copy(results: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(results, tmp_path / "copy"))


def content(folder: Path) -> dict[str, bytes]:
    """All files of a folder."""
    return {name: (folder / name).read_bytes() for name in results_folder.file_names(folder)}


def test_the_folder_has_all_that_the_documents_promise(results: Path) -> None:
    names = set(results_folder.file_names(results))
    assert {
        "competition.toml",
        "results.json",
        "ranking.csv",
        "fair_play.json",
        "report.html",
        "manifest.json",
        "rounds/001/course.json",
        "rounds/002/archive/order_log.jsonl",
        "rounds/001/players/maker/orders.csv",
        "rounds/001/players/maker/fills.csv",
        "rounds/001/players/maker/settlements.csv",
        "rounds/002/players/walker/equity.csv",
    } <= names


def test_everybody_starts_each_round_with_the_same_and_seats_rotate(results: Path) -> None:
    said = json.loads((results / "results.json").read_text())
    starts = [score["start_equity"] for each in said["rounds"] for score in each["scores"]]
    assert starts == ["10500.00"] * 4
    seats = [each["seats"] for each in said["rounds"]]
    assert seats == [["maker", "walker"], ["walker", "maker"]]
    assert said["rounds"][0]["trades"] > 0


def test_results_are_verified_from_the_archives(results: Path) -> None:
    verdict = verify(results)
    assert (verdict.faults, verdict.rounds) == ([], 2)
    assert verdict.files == len(list(results_folder.file_names(results))) - 1


def test_the_same_rules_give_the_same_bytes(results: Path, tmp_path: Path) -> None:
    assert content(played(tmp_path)) == content(results)


def test_one_changed_byte_of_any_file_is_found_and_named(tmp_path: Path) -> None:
    short = CUP.replace("rounds = 2", "rounds = 1").replace("seconds = 30", "seconds = 6")
    copy, draws = played(tmp_path, short), Random(5)
    for name, whole in content(copy).items():
        place = draws.randrange(len(whole))
        (copy / name).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        faults = verify(copy).faults
        assert any(fault.startswith(f"{name}:") for fault in faults), (name, place, faults)
        (copy / name).write_bytes(whole)
    assert verify(copy).faults == []


def test_a_missing_and_an_added_file_are_named(copy: Path) -> None:
    (copy / "ranking.csv").unlink()
    (copy / "rounds/001/extra.txt").write_text("x")
    faults = verify(copy).faults
    assert "ranking.csv: is missing" in faults
    assert "rounds/001/extra.txt: is not in the manifest" in faults


def forged(folder: Path, name: str, change: Callable[[str], str]) -> list[str]:
    """The faults after a change with a manifest that fits it."""
    path = folder / name
    before = path.read_text()
    after = change(before)
    assert after != before
    path.write_text(after)
    hashes = results_folder.hashes(folder)
    (folder / MANIFEST_FILE).write_bytes(results_folder.manifest(hashes))
    return verify(folder).faults


def test_a_forged_result_with_a_manifest_to_match_is_found(copy: Path) -> None:
    faults = forged(copy, "ranking.csv", lambda text: text.replace("maker", "mallory"))
    assert len(faults) == 1
    assert faults[0].startswith("ranking.csv: line")
    assert "the archives say" in faults[0]


def test_a_forged_archive_with_a_manifest_to_match_is_found(copy: Path) -> None:
    faults = forged(
        copy,
        "rounds/001/archive/order_log.jsonl",
        lambda text: text.replace('"quantity":2', '"quantity":3', 1),
    )
    assert any("rounds/001/archive" in fault for fault in faults)


@pytest.mark.parametrize("name", ["securities.json", "accounts.json", "transfers.jsonl"])
def test_an_archive_that_makes_no_sense_is_a_fault_and_no_traceback(copy: Path, name: str) -> None:
    assert forged(copy, f"rounds/002/archive/{name}", lambda text: text.replace("ACME", "BCME"))


def test_another_seed_gives_another_market(results: Path, tmp_path: Path) -> None:
    other = played(tmp_path, CUP.replace("seed = 7", "seed = 8"))
    name = "rounds/001/archive/order_log.jsonl"
    assert (other / name).read_bytes() != (results / name).read_bytes()


def resealed(folder: Path) -> None:
    """The folder as a forger leaves it: all that follows is computed anew, the manifest too."""
    (folder / MANIFEST_FILE).unlink()
    results_folder.finish(folder)


def test_the_strategies_play_the_same_rounds_again(results: Path, tmp_path: Path) -> None:
    again = rematch(results, tmp_path, lambda line: None)
    assert (again.rounds, again.live, again.faults) == (2, 0, [])


def test_rounds_that_another_strategy_played_are_found_though_all_numbers_fit(
    copy: Path, tmp_path: Path
) -> None:
    """A forger plays a better strategy, and says that it was the one of the rules."""
    rules = copy / "competition.toml"
    rules.write_text(rules.read_text().replace('"random_walk"', '"momentum"'))
    resealed(copy)
    assert verify(copy).faults == []
    faults = rematch(copy, tmp_path, lambda line: None).faults
    assert faults[0].startswith("rounds/001/archive/order_log.jsonl: line ")
    assert "the strategies play" in faults[0]


def test_a_stop_that_never_was_is_found(copy: Path, tmp_path: Path) -> None:
    path = copy / "rounds/001/course.json"
    course = json.loads(path.read_text())
    stop = {"player": "walker", "time_us": course["end_us"], "reason": "raised", "says": "x"}
    path.write_bytes(pretty(course | {"stopped": [stop]}))
    resealed(copy)
    assert verify(copy).faults == []
    (fault,) = rematch(copy, tmp_path, lambda line: None).faults
    assert fault.startswith("rounds/001/course.json: line ")


def test_strategies_of_files_are_looked_for_in_the_folder_that_is_named(tmp_path: Path) -> None:
    bots = tmp_path / "cup"
    bots.mkdir()
    shutil.copy(FILE, bots / "my_bots.py")
    short = CUP.replace("rounds = 2", "rounds = 1").replace("seconds = 30", "seconds = 6")
    results = played(bots, short.replace('"random_walk"', '"my_bots.py:Floods"'))
    moved = Path(shutil.copytree(bots, tmp_path / "elsewhere"))
    assert rematch(results, moved, lambda line: None).faults == []
    with pytest.raises(CommandError, match=r"my_bots\.py: not in"):
        rematch(results, tmp_path, lambda line: None)


@pytest.mark.parametrize("outside", ["../evil.py", "{absolute}"])
def test_rules_of_a_stranger_run_no_code_outside_the_folder_that_is_named(
    copy: Path, tmp_path: Path, outside: str
) -> None:
    evil = tmp_path / "evil.py"
    evil.write_text("raise SystemExit('run')")
    bots = tmp_path / "bots"
    bots.mkdir()
    rules = copy / "competition.toml"
    named = outside.format(absolute=evil)
    rules.write_text(rules.read_text().replace('"random_walk"', f'"{named}:Maker"'))
    with pytest.raises(CommandError, match="not in"):
        rematch(copy, bots, lambda line: None)


def test_the_console_plays_again_only_where_it_is_told_to(
    results: Path, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console.main(["verify", str(results)]) == 0
    assert "played again" not in capsys.readouterr().out
    assert console.main(["verify", str(results), "--bots", str(tmp_path)]) == 0
    assert "2 rounds played again: the strategies send the same orders" in capsys.readouterr().out
    (copy / "ranking.csv").write_text("rank,player\n1,mallory\n")
    assert console.main(["verify", str(copy), "--bots", str(tmp_path)]) == 1
    assert "once more" not in capsys.readouterr().err


FILE = players.__file__
UNFAIR = (
    CUP.replace("rounds = 2", "rounds = 1")
    + f"""
[[players]]
name = "raiser"
strategy = "{FILE}:Raises"
[[players]]
name = "flooder"
strategy = "{FILE}:Floods"
[[players]]
name = "silent"
strategy = "{FILE}:Silent"
"""
)


@pytest.fixture(scope="module")
def unfair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return played(tmp_path_factory.mktemp("unfair"), UNFAIR)


def test_a_player_that_raises_or_floods_is_stopped_and_the_others_play_on(unfair: Path) -> None:
    course = json.loads((unfair / "rounds/001/course.json").read_text())
    stopped = {stop["player"]: stop["reason"] for stop in course["stopped"]}
    assert stopped == {"raiser": "raised", "flooder": "commands_per_second"}
    said = json.loads((unfair / "results.json").read_text())
    ranked = {each["player"]: each for each in said["ranking"]}
    assert ranked["maker"]["fills"] > 0 and not ranked["maker"]["stopped"]
    assert ranked["flooder"]["stopped"][0]["reason"] == "commands_per_second"
    assert (ranked["silent"]["fills"], ranked["silent"]["turnover"]) == (0, "0.00")


def test_stopped_times_lie_inside_the_round(unfair: Path) -> None:
    course = json.loads((unfair / "rounds/001/course.json").read_text())
    for stop in course["stopped"]:
        assert course["start_us"] < stop["time_us"] < course["end_us"]


def test_the_report_escapes_every_text_of_others_and_loads_nothing(unfair: Path) -> None:
    page = (unfair / "report.html").read_text()
    assert "<script" not in page and "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "A &lt;b&gt;cup&lt;/b&gt;" in page
    assert "<svg" in page and "src=" not in page and "href=" not in page


def test_an_unfair_competition_is_verified_too(unfair: Path) -> None:
    assert verify(unfair).faults == []


INNOCENTS = ("maker", "walker")


def with_offenders(*classes: str) -> str:
    """One round of the two innocents, and of these players of `players.py` in the seats behind."""
    more = "".join(
        f'[[players]]\nname = "{name.lower()}"\nstrategy = "{FILE}:{name}"\n' for name in classes
    )
    return CUP.replace("rounds = 2", "rounds = 1") + more


def results_of_innocents(folder: Path) -> dict[str, object]:
    """Scores, equity curves and fills of the innocents; order numbers count everybody's orders."""
    said = json.loads((folder / "results.json").read_text())
    found: dict[str, object] = {
        score["player"]: score
        for score in said["rounds"][0]["scores"]
        if score["player"] in INNOCENTS
    }
    for name in INNOCENTS:
        files = folder / "rounds/001/players" / name
        found[f"{name} equity"] = (files / "equity.csv").read_text()
        with (files / "fills.csv").open(newline="") as file:
            rows = [
                {key: value for key, value in row.items() if key != "order_id"}
                for row in csv.DictReader(file)
            ]
        assert len(rows) > 50
        found[f"{name} fills"] = rows
    return found


@pytest.fixture(scope="module")
def without_offenders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return results_of_innocents(played(tmp_path_factory.mktemp("fair"), with_offenders()))


@pytest.mark.parametrize(
    ("classes", "reasons"),
    [
        (("RaisesAtOnce",), ["raised"]),
        (("FloodsCancels",), ["commands_per_second"]),
        (("Floods",), ["commands_per_second"]),
        (("Floods", "RaisesAtOnce", "FloodsCancels"), ["commands_per_second"] * 2 + ["raised"]),
    ],
)
def test_offenders_that_traded_nothing_leave_the_results_of_all_others_as_they_were(
    tmp_path: Path,
    without_offenders: dict[str, object],
    classes: tuple[str, ...],
    reasons: list[str],
) -> None:
    folder = played(tmp_path, with_offenders(*classes))
    course = json.loads((folder / "rounds/001/course.json").read_text())
    assert sorted(stop["reason"] for stop in course["stopped"]) == reasons
    assert results_of_innocents(folder) == without_offenders


def test_what_an_offender_traded_before_it_was_stopped_stands(
    tmp_path: Path, without_offenders: dict[str, object]
) -> None:
    folder = played(tmp_path, with_offenders("Raises"))
    assert results_of_innocents(folder) != without_offenders


def test_a_folder_that_is_not_empty_is_left_alone(results: Path) -> None:
    before = content(results)
    with pytest.raises(CommandError, match="not empty"):
        play(results / "competition.toml", results, lambda line: None)
    assert content(results) == before


def test_a_command_needs_a_live_venue(tmp_path: Path) -> None:
    source = tmp_path / "cup.toml"
    source.write_text(CUP.replace('strategy = "random_walk"', 'command = ["node", "bot.js"]'))
    with pytest.raises(RulesError, match="player walker is no strategy"):
        play(source, tmp_path / "results", lambda line: None)


def test_a_folder_without_results_is_no_results_folder(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no results folder"):
        verify(tmp_path)
