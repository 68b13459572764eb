"""docs/invariants.md names tests: each must exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
NAMED = re.compile(r"`([a-z_/]+\.py)::(test_\w+)`")


def test_every_test_named_in_the_invariants_exists() -> None:
    named = NAMED.findall((ROOT / "docs" / "invariants.md").read_text())
    assert len(named) > 40
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / "tests" / path).is_file()
        or not re.search(rf"^def {name}\b", (ROOT / "tests" / path).read_text(), re.MULTILINE)
    ]
    assert missing == []
