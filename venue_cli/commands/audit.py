"""`./venue audit`: prove that the databases hold exactly what the order log and the settlement
reports say.
"""

import argparse
import json
from pathlib import Path

from venue_audit import databases, presentation
from venue_audit.archive_audit import audit_archive
from venue_audit.proof import audit
from venue_launcher.errors import CommandError
from venue_simulation.market_archive import ArchiveFault
from venue_trials.recorded_flow.progress_bar import ProgressBar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--json and which databases."""
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument(
        "--archive", type=Path, metavar="FOLDER", help="audit this archive of a market instead"
    )
    databases.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 when everything is equal, 1 on any difference."""
    if arguments.archive is not None:
        return _run_archive(arguments)
    with databases.opened(arguments) as found:
        bars = _Bars()
        try:
            verdict = audit(found.clearing_url, found.market_url, found.engines(), bars.show)
        finally:
            bars.close()
    if arguments.json:
        print(json.dumps(presentation.as_json(verdict), indent=2))
    else:
        print("\n".join(presentation.lines(verdict)))
    return 0 if verdict.is_equal else 1


def _run_archive(arguments: argparse.Namespace) -> int:
    bars = _Bars()
    try:
        verdict = audit_archive(arguments.archive, bars.show)
    except ArchiveFault as fault:
        raise CommandError(str(fault)) from fault
    finally:
        bars.close()
    if arguments.json:
        print(json.dumps(presentation.archive_json(verdict), indent=2))
    else:
        print("\n".join(presentation.archive_lines(verdict)))
    return 0 if verdict.is_equal else 1


class _Bars:
    """A progress bar for each part, one after the other."""

    def __init__(self) -> None:
        self._part = ""
        self._bar: ProgressBar | None = None

    def show(self, part: str, done: int, of: int) -> None:
        """`part` has done so many of so many."""
        if self._bar is None or part != self._part:
            self.close()
            self._part, self._bar = part, ProgressBar(part)
        self._bar.show(done, of)

    def close(self) -> None:
        """Leave the last bar's line."""
        if self._bar:
            self._bar.close()
