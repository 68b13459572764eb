"""Where a venue can run for a while with servers of its own, and be gone at the end."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from venue_launcher.infrastructure import binaries
from venue_launcher.infrastructure.accounts import may_pass, postgres_account
from venue_launcher.infrastructure.ways import Unavailable


@contextmanager
def folder(prefix: str) -> Iterator[Path]:
    """A folder for the length of the block, which the account that runs Postgres can reach.

    Raises Unavailable.
    """
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        made = Path(name)
        made.chmod(0o711)
        if not may_pass(made, postgres_account()):
            raise Unavailable(
                f"the account that runs Postgres can't reach {made}: set TMPDIR to a folder it can"
            )
        yield made


def way() -> str:
    """Installed programs where there are some, else downloaded ones; never a server that others
    use.
    """
    try:
        binaries.installed_postgres(postgres_account())
        binaries.installed_rabbitmq()
    except Unavailable:
        return "download"
    return "private"
