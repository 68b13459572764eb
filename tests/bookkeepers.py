"""The real beancount and hledger, asked whether they accept an export, and what they find in it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from beancount import loader
from beancount.core import data, inventory, realization

from venue_audit.ledger_export import FORMS, lines
from venue_audit.snapshot import Snapshot

Verdict = list[str]
"""What a program complains of; empty: it accepts the whole."""

needs_hledger = pytest.mark.skipif(
    shutil.which("hledger") is None,
    reason="hledger is not installed: on Debian, apt-get install hledger",
)


def exported(form: str, clearing_url: str, market_url: str) -> str:
    """The export of these databases."""
    with Snapshot(clearing_url) as clearing, Snapshot(market_url) as market:
        return "\n".join(lines(FORMS[form], clearing, market)) + "\n"


def beancount(text: str, folder: Path) -> Verdict:
    """What beancount's own loader, with all its checks, says of the text."""
    _, errors, _ = loader.load_string(text)
    return [error.message for error in errors]


def beancount_balances(text: str) -> dict[str, inventory.Inventory]:
    """What beancount makes of the transactions, by account."""
    entries, errors, _ = loader.load_string(text)
    assert errors == []
    root = realization.realize([each for each in entries if isinstance(each, data.Transaction)])
    return {each.account: each.balance for each in realization.iter_children(root)}


def hledger(text: str, folder: Path) -> Verdict:
    """What `hledger check` says of the text."""
    file = folder / "venue.journal"
    file.write_text(text)
    command = ["hledger", "-f", str(file), "check", "accounts", "commodities"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr.splitlines() if done.returncode else []


def hledger_balances(text: str, folder: Path) -> dict[str, str]:
    """What hledger makes of the transactions: `amount commodity` by account."""
    file = folder / "balances.journal"
    file.write_text(text)
    command = ["hledger", "-f", str(file), "balance", "--flat", "--no-total", "-O", "csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.strip('"').split('","') for line in done.stdout.splitlines()[1:]]
    return {row[0]: row[1] for row in rows}


PROGRAMS: list[object] = [
    pytest.param("beancount", beancount, id="beancount"),
    pytest.param("hledger", hledger, id="hledger", marks=needs_hledger),
]
Program = Callable[[str, Path], Verdict]
