"""Which tests belong to what has changed: `./venue test --changed` runs what this prints.

The rule, for each file that differs from where the branch left main (uncommitted files included):

* a Python file: every test file that imports it, directly or through other files;
* a `conftest.py`: every test below its folder;
* any file: the tests of the whole repository (`tests/architecture`), for they read all files.

Tests that start the services as processes import none of them, so tests in a folder with the name
of a changed package (`tests/integration/clearinghouse`) run too. The acceptance tests use every
package in this way: they are left to `./venue test acceptance`.
"""

import ast
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
ALWAYS = "tests/architecture"


def module_of(path: PurePosixPath) -> str:
    """The dotted name by which others import a file.

    >>> module_of(PurePosixPath("clearinghouse/domain/ledger.py"))
    'clearinghouse.domain.ledger'
    """
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: PurePosixPath, source: str) -> Iterator[str]:
    """Dotted names that a file imports, those inside functions included.

    A module and its packages count: the `__init__` of each package runs at an import.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            here = list(path.parent.parts)
            above = here[: len(here) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def importers(sources: Mapping[PurePosixPath, str]) -> dict[PurePosixPath, set[PurePosixPath]]:
    """For each file, the files that import it directly."""
    files = {module_of(path): path for path in sources}
    found: dict[PurePosixPath, set[PurePosixPath]] = {path: set() for path in sources}
    for path, source in sources.items():
        for name in imports_of(path, source):
            if name in files:
                found[files[name]].add(path)
    return found


def choose(changed: set[PurePosixPath], sources: Mapping[PurePosixPath, str]) -> list[str]:
    """Arguments for pytest; empty when nothing has changed."""
    if not changed:
        return []
    importing = importers(sources)
    reached, todo = set(changed), list(changed)
    while todo:
        new = importing.get(todo.pop(), set()) - reached
        reached |= new
        todo.extend(new)
    packages = {path.parts[0] for path in changed if path.suffix == ".py"} - {"tests"}
    folders = {path.parent for path in changed if path.name == "conftest.py"}
    chosen = {
        path
        for path in sources
        if _is_test(path)
        and (
            path in reached
            or packages & set(path.parts[2:-1])
            or any(folder in path.parents for folder in folders)
        )
    }
    tests = sorted(str(path) for path in chosen if not path.is_relative_to("tests/acceptance"))
    return [ALWAYS, *(name for name in tests if not name.startswith(f"{ALWAYS}/"))]


def _is_test(path: PurePosixPath) -> bool:
    return path.parts[0] == "tests" and path.name.startswith("test_")


def _git(*arguments: str) -> list[str]:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    return [name for name in done.stdout.split("\0") if name]


def _base() -> str:
    """Where this branch left main; the last commit for somebody who works on main itself."""
    for main in ("origin/main", "main"):
        command = ["git", "merge-base", "HEAD", main]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
        if done.returncode == 0:
            return done.stdout.strip()
    return "HEAD"


def main() -> None:
    """Print one argument for pytest a line."""
    known = _git("ls-files", "--cached", "--others", "--exclude-standard", "-z")
    paths = [PurePosixPath(name) for name in known if name.endswith(".py")]
    sources = {path: (ROOT / path).read_text() for path in paths if (ROOT / path).is_file()}
    changed = _git("diff", "--name-only", "-z", _base())
    changed += _git("ls-files", "--others", "--exclude-standard", "-z")
    print("\n".join(choose({PurePosixPath(name) for name in changed}, sources)))


if __name__ == "__main__":
    main()
