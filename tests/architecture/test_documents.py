"""The documents keep up with the code: what they name exists, and their lines end at sentences."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT, tracked_files
from venue_protocol.refusals import RejectReason

WALK = re.compile(r"^(\d+)\. `([a-z_/]+\.py): ([\w.]+)`", re.MULTILINE)
NAMED_TEST = re.compile(r"`([a-z_/]+\.py)::(\w+)")
PATH_IN_TEXT = re.compile(r"`([a-z_]+(?:/[\w-]+)+\.(?:py|md|sql|js|html))`")
LINK = re.compile(r"\]\(([^)#\s]+)?(?:#[^)\s]*)?\)")
PAGES_THAT_NAME_TESTS = ("docs/invariants.md", "docs/limits.md", "docs/faults.md")


def pages() -> list[Path]:
    """Every Markdown file of the repository."""
    return sorted(path for path in tracked_files() if path.suffix == ".md")


def page_name(path: Path) -> str:
    """A page as test ids show it."""
    return str(path.relative_to(ROOT))


every_page = pytest.mark.parametrize("page", pages(), ids=page_name)


def definition(tree: ast.AST, qualified: str) -> bool:
    """Whether `Class.method`, or `function.nested`, is defined in the tree."""
    node = tree
    for name in qualified.split("."):
        found = [
            child
            for child in ast.walk(node)
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and child.name == name
        ]
        if not found:
            return False
        node = found[0]
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def test_the_ten_functions_of_the_walk_exist() -> None:
    """ARCHITECTURE.md, "The way of an order", is the one list of them."""
    walk = WALK.findall((ROOT / "ARCHITECTURE.md").read_text())
    assert [int(number) for number, _, _ in walk] == list(range(1, 11))
    missing = [
        f"{file}: {function}"
        for _, file, function in walk
        if not (ROOT / file).is_file()
        or not definition(ast.parse((ROOT / file).read_text()), function)
    ]
    assert missing == []


def files_called(path: str) -> list[Path]:
    """The files of the repository whose path is this one, or ends with it."""
    return [file for file in tracked_files() if f"/{file}".endswith(f"/{path}")]


def is_test(path: str, name: str) -> bool:
    """Whether a file called `path` defines the test or the test class `name`."""
    defined = re.compile(rf"^\s*(def |class ){name}\b|^{name} = ", re.MULTILINE)
    return any(defined.search(file.read_text()) for file in files_called(path))


@pytest.mark.parametrize("page", PAGES_THAT_NAME_TESTS)
def test_every_test_that_a_page_names_exists(page: str) -> None:
    named = NAMED_TEST.findall((ROOT / page).read_text())
    assert named
    assert [f"{path}::{name}" for path, name in named if not is_test(path, name)] == []


@every_page
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = PATH_IN_TEXT.findall(page.read_text())
    assert [path for path in named if not files_called(path)] == []


@every_page
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    broken = [
        target
        for target in LINK.findall(page.read_text())
        if target and "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def metric_names() -> set[str]:
    """Names of the metrics that the product makes, as `/metrics` shows them."""
    return {
        call.args[0].value
        for path in tracked_files()
        if path.suffix == ".py" and "tests" not in path.parts
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).rpartition(".")[2] in {"Counter", "Gauge", "Histogram"}
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and str(call.args[0].value).startswith("venue_")
    }


def test_every_metric_is_explained_and_no_other() -> None:
    table = re.findall(r"^\| `(venue_\w+)", (ROOT / "docs/operating.md").read_text(), re.MULTILINE)
    assert set(table) == metric_names()
    assert len(table) == len(set(table))


def codes_in_tables() -> list[str]:
    """Codes of refusals that stand before `when` in a table of any page."""
    tables = [
        table
        for page in pages()
        for table in re.findall(
            r"^\| code \| when \|\n((?:\|.*\n)+)", page.read_text(), re.MULTILINE
        )
    ]
    first_cells = [line.split("|")[1] for table in tables for line in table.splitlines()]
    return [code for cell in first_cells for code in re.findall(r"`([\w.]+)`", cell)]


def test_every_refusal_is_explained_in_a_table_of_codes_and_no_other() -> None:
    """Clients switch on the code: a reason without a row is one that nobody told them of."""
    assert set(codes_in_tables()) == {reason.code for reason in RejectReason}


def prose_lines(text: str) -> list[tuple[str, str]]:
    """Lines of prose, each with the line after it; no tables, headings or code."""
    lines, is_code, prose = text.splitlines(), False, []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.lstrip().startswith("```"):
            is_code = not is_code
            continue
        is_prose = not is_code and line.strip() and not line.lstrip().startswith(("|", "#", "!"))
        if is_prose and not line.startswith("    "):
            prose.append((line, following))
    return prose


def is_wrapped(line: str, following: str) -> bool:
    """Whether the sentence of a line goes on in the next one."""
    goes_on = following.strip() and not re.match(r"\s*([-*|#!>]|\d+\.|```)", following)
    return bool(goes_on) and not re.search(r"[.!?:]([)*\"”`]*)$", line)


def test_a_wrapped_sentence_is_seen() -> None:
    assert is_wrapped("The venue is", "open.")
    assert not is_wrapped("The venue is open.", "It closes at four.")
    assert not is_wrapped("The venue is open", "")


@every_page
def test_lines_of_prose_end_where_a_sentence_ends(page: Path) -> None:
    """A changed sentence is then one changed line."""
    wrapped = [
        line for line, following in prose_lines(page.read_text()) if is_wrapped(line, following)
    ]
    assert wrapped == []
