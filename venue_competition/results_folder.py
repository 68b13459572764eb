"""The results folder: what was played, what follows from it, and the hash of each file.

competition.toml  rounds/001/archive/…  rounds/001/course.json   what was played
results.json  ranking.csv  fair_play.json  report.html  rounds/001/players/…   what follows
manifest.json   the SHA-256 of each file above
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from venue_competition import course as courses
from venue_competition import results, rules
from venue_competition.course import COURSE_FILE, Course, pretty
from venue_competition.outcome import Results, round_folder
from venue_competition.round_archive import read_history
from venue_competition.round_history import RoundHistory
from venue_launcher.errors import CommandError

RULES_FILE = "competition.toml"
MANIFEST_FILE = "manifest.json"
ARCHIVE_FOLDER = "archive"
SCHEMA = 1


class Manifest(msgspec.Struct, frozen=True):
    """The hash of each file, hexadecimal SHA-256, by its path inside the folder."""

    schema: int
    root: str
    """The hash of all: SHA-256 of a line `hash  path` for each file. Publish it, and nobody can
    change a byte any more, not even with a manifest to match."""
    files: dict[str, str]


def new_folder(folder: Path, source: Path) -> None:
    """A folder for results with the rules in it; CommandError if there is something already."""
    if folder.exists() and any(folder.iterdir()):
        raise CommandError(f"{folder} is not empty: choose another --output")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RULES_FILE).write_bytes(source.read_bytes())


def archive_folder(folder: Path, number: int) -> Path:
    """Where the archive of a round is, if it has one of its own."""
    return folder / round_folder(number) / ARCHIVE_FOLDER


def shared_archive(folder: Path) -> Path:
    """Where the archive of a live venue is, which holds all rounds."""
    return folder / ARCHIVE_FOLDER


def write_course(folder: Path, course: Course) -> None:
    """Beside the round's archive."""
    path = folder / round_folder(course.number) / COURSE_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(courses.encode(course))


def finish(folder: Path) -> Results:
    """Write all that follows from what was played, and the manifest."""
    found = compute(folder)
    for name, content in results.derive(found).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / MANIFEST_FILE).write_bytes(manifest(hashes(folder)))
    return found


def compute(folder: Path) -> Results:
    """The results, from the rules, archives and courses alone.

    Raises CommandError where one of them can't be read.
    """
    ours = rules.read(folder / RULES_FILE)
    players = ours.player_names()
    shared: RoundHistory | None = None
    rounds = []
    for number in round_numbers(folder):
        course = course_of(folder, number)
        if not course.is_archive_shared:
            history = read_history(archive_folder(folder, number), players)
        elif shared is None:
            history = shared = read_history(shared_archive(folder), players)
        else:
            history = shared
        rounds.append(results.score(ours, course, history))
    return results.conclude(ours, rounds)


def archives(folder: Path) -> list[Path]:
    """The archives that the rounds are scored from, each once."""
    found = [
        shared_archive(folder) if course.is_archive_shared else archive_folder(folder, number)
        for number in round_numbers(folder)
        for course in (course_of(folder, number),)
    ]
    return list(dict.fromkeys(found))


def round_numbers(folder: Path) -> list[int]:
    """Of the rounds that were played; CommandError for none."""
    found = sorted(int(path.name) for path in (folder / "rounds").glob("*") if path.name.isdigit())
    if not found:
        raise CommandError(f"{folder} has no rounds: it is no results folder")
    return found


def course_of(folder: Path, number: int) -> Course:
    """What happened in a round; CommandError if it can't be read."""
    path = folder / round_folder(number) / COURSE_FILE
    try:
        course = msgspec.json.decode(path.read_bytes(), type=Course)
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise CommandError(f"{path} can't be read: {error}") from error
    if course.number != number:
        raise CommandError(f"{path} is of round {course.number}")
    return course


def manifest(files: Mapping[str, str]) -> bytes:
    """The manifest of these hashes."""
    return pretty(Manifest(SCHEMA, root(files), dict(sorted(files.items()))))


def root(files: Mapping[str, str]) -> str:
    """The hash of all files together, hexadecimal."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def root_of(folder: Path) -> str:
    """The root hash in the manifest of a folder."""
    text = (folder / MANIFEST_FILE).read_bytes()
    return msgspec.json.decode(text, type=Manifest).root


def hashes(folder: Path) -> dict[str, str]:
    """The hash of each file of the folder but the manifest."""
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in file_names(folder)
        if name != MANIFEST_FILE
    }


def file_names(folder: Path) -> Iterator[str]:
    """Paths of all files, inside the folder, sorted."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    yield from sorted(path.as_posix() for path in paths)
