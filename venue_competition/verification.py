"""`./venue verify`: every number and every hash again, from the archives and the rules alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from venue_audit.archive_audit import audit_archive
from venue_competition import results, results_folder
from venue_competition.results_folder import MANIFEST_FILE, Manifest
from venue_launcher.errors import CommandError, VenueError
from venue_simulation.market_archive import ArchiveFault

_NOT_OURS = f"{MANIFEST_FILE}: is changed; it is not as the program writes it"


@dataclass(frozen=True)
class Verdict:
    """What was compared, and what is not as it must be."""

    files: int
    rounds: int
    faults: list[str]
    """Sentences; each begins with the name of a file. Empty: everything is as it must be."""


def verify(folder: Path) -> Verdict:
    """Compare each file with its hash, and each derived file with what the archives say.

    CommandError if the folder is no results folder.
    """
    faults, listed = _manifest_faults(folder)
    changed = {fault.partition(":")[0] for fault in faults}
    numbers: list[int] = []
    try:
        numbers = results_folder.round_numbers(folder)
        derived = results.derive(results_folder.compute(folder))
        faults += _archive_faults(folder)
    except Exception as error:
        # A forged archive may do anything to the computation: none of it is a fault of ours.
        says = str(error) if isinstance(error, VenueError) else repr(error)
        return Verdict(listed, len(numbers), [*faults, f"{folder}: can't be computed: {says}"])
    for name, content in sorted(derived.items()):
        fault = difference(folder / name, name, content)
        if fault is not None and name not in changed:
            faults.append(fault)
    return Verdict(listed, len(numbers), faults)


def _manifest_faults(folder: Path) -> tuple[list[str], int]:
    """Files that are changed, missing or unknown; and how many the manifest lists."""
    path = folder / MANIFEST_FILE
    try:
        text = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{folder} is no results folder: {error}") from error
    found = results_folder.hashes(folder)
    try:
        known = msgspec.json.decode(text, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return [f"{MANIFEST_FILE}: is damaged ({error})"], 0
    if results_folder.root(known.files) != known.root:
        return [f"{MANIFEST_FILE}: is changed; its root is not that of its files"], 0
    faults = [] if text == results_folder.manifest(known.files) else [_NOT_OURS]
    return faults + _file_faults(known.files, found), len(known.files)


def _archive_faults(folder: Path) -> list[str]:
    """Where an archive contradicts itself: accounts, chains and positions at its end."""
    faults = []
    for archive in results_folder.archives(folder):
        name = archive.relative_to(folder).as_posix()
        try:
            differences = [str(each) for each in audit_archive(archive).differences]
        except ArchiveFault as fault:
            differences = [str(fault).removeprefix(f"{archive}/")]
        faults += [f"{name}: {difference}" for difference in differences]
    return faults


def _file_faults(known: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Where the files of the folder are not those of the manifest."""
    faults = [
        f"{name}: is changed; its SHA-256 is {found[name]}, and the manifest says {digest}"
        for name, digest in known.items()
        if name in found and found[name] != digest
    ]
    faults += [f"{name}: is missing" for name in known if name not in found]
    return faults + [f"{name}: is not in the manifest" for name in found if name not in known]


def difference(
    path: Path, name: str, expected: bytes, witness: str = "the archives say"
) -> str | None:
    """The first line in which a file is not what its `witness` says; None if there is none."""
    if not path.exists():
        return f"{name}: is missing"
    actual = path.read_bytes()
    if actual == expected:
        return None
    pairs = zip(actual.splitlines(), expected.splitlines(), strict=False)
    number, both = next(
        ((number, pair) for number, pair in enumerate(pairs, 1) if pair[0] != pair[1]),
        (min(actual.count(b"\n"), expected.count(b"\n")) + 1, None),
    )
    if both is None:
        return f"{name}: line {number} is where one of them ends, the file or what is computed"
    says, computed = (text.strip()[:120].decode(errors="replace") for text in both)
    return f"{name}: line {number} says {says!r}, and {witness} {computed!r}"
