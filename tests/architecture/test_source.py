"""House style that a machine can check: sizes, names, logging fields, no paths of a machine."""

import ast
import logging
import re
from collections import Counter
from functools import cache
from pathlib import Path
from statistics import median

from tests.architecture.repository import ROOT, tracked_files

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
TYPICAL_FUNCTION = 6
LONGEST_LINE = 100
LARGEST_PACKAGE = 8_000
LARGEST_CONSOLE = 2_500
"""Lines of venue_cli: the console only starts what other packages do."""
VAGUE_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "base",
    "misc",
    "tools",
    "shared",
    "stuff",
}
RESERVED_LOG_FIELDS = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


def sources(of_tests: bool) -> list[Path]:
    """Python files of the product, or of the tests too."""
    return [
        path
        for path in tracked_files()
        if path.suffix == ".py" and (of_tests or "tests" not in path.parts)
    ]


def named(path: Path) -> str:
    """A path as messages show it."""
    return str(path.relative_to(ROOT))


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree."""
    return ast.parse(path.read_text())


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    return [
        node
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring."""
    whole = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    is_docstring = ast.get_docstring(function, clean=False) is not None
    return whole - ((first.end_lineno or first.lineno) - first.lineno + 1 if is_docstring else 0)


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {named(path): len(path.read_text().splitlines()) for path in sources(of_tests=True)}
    too_long = {name for name, length in lengths.items() if length > LONGEST_MODULE}
    assert too_long == set()


def test_no_function_is_longer_than_60_lines() -> None:
    too_long = [
        f"{named(path)}:{function.lineno} {function.name} has {lines_of(function)}"
        for path in sources(of_tests=True)
        for function in functions(path)
        if lines_of(function) > LONGEST_FUNCTION
    ]
    assert too_long == []


def test_half_of_the_functions_have_at_most_six_lines() -> None:
    lengths = [
        lines_of(function) for path in sources(of_tests=False) for function in functions(path)
    ]
    assert median(lengths) <= TYPICAL_FUNCTION


def test_no_line_is_longer_than_100_columns() -> None:
    """ruff's own check leaves out lines that end in a URL; this one does not."""
    too_long = [
        f"{named(path)}:{number}"
        for path in sources(of_tests=True)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > LONGEST_LINE
    ]
    assert too_long == []


def test_no_package_has_grown_too_large() -> None:
    sizes = Counter[str]()
    for path in sources(of_tests=False):
        sizes[path.relative_to(ROOT).parts[0]] += len(path.read_text().splitlines())
    too_large = {name for name, size in sizes.items() if size > LARGEST_PACKAGE}
    assert too_large == set()
    assert 0 < sizes["venue_cli"] <= LARGEST_CONSOLE


def test_no_module_or_package_has_a_name_that_says_nothing() -> None:
    names = {
        named(path): {*path.relative_to(ROOT).parts[:-1], path.stem}
        for path in sources(of_tests=True)
    }
    assert {name: parts & VAGUE_NAMES for name, parts in names.items() if parts & VAGUE_NAMES} == {}


def test_every_module_class_and_public_function_of_the_product_has_a_docstring() -> None:
    missing = []
    for path in sources(of_tests=False):
        if "versions" in path.parts:
            continue
        tree = parsed(path)
        if ast.get_docstring(tree) is None and path.read_text().strip():
            missing.append(named(path))
        for node in tree.body:
            if (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                and node.name[0] != "_"
            ):
                missing += (
                    [] if ast.get_docstring(node) else [f"{named(path)}:{node.lineno} {node.name}"]
                )
    assert missing == []


def test_log_fields_do_not_collide_with_those_of_logging() -> None:
    """`extra={"thread": …}` raises KeyError where the line should have been written."""
    collisions = [
        f"{named(path)}:{call.lineno} {key.value}"
        for path in sources(of_tests=True)
        for call in ast.walk(parsed(path))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict)
        for key in keyword.value.keys
        if isinstance(key, ast.Constant) and key.value in RESERVED_LOG_FIELDS
    ]
    assert collisions == []


def test_log_messages_are_constant_text() -> None:
    """Fields carry what varies, so that lines can be counted by message."""
    levels = {"debug", "info", "warning", "error", "critical", "exception"}
    varying = [
        f"{named(path)}:{call.lineno}"
        for path in sources(of_tests=False)
        for call in ast.walk(parsed(path))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "log"
        and call.func.attr in levels
        and call.args
        and isinstance(call.args[0], ast.JoinedStr | ast.BinOp)
    ]
    assert varying == []


def test_tests_do_not_sleep_instead_of_waiting() -> None:
    """A pause inside a loop that looks for a condition is fine, and so is one in a thread that
    makes trouble.
    """
    sleeping = []
    for path in sources(of_tests=True):
        if "tests" not in path.parts:
            continue
        loops = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.While | ast.For)]
        looped = {id(inner) for loop in loops for inner in ast.walk(loop)}
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sleep", "time.sleep"):
                sleeping += [] if id(node) in looped else [f"{named(path)}:{node.lineno}"]
    assert sleeping == []


ELSEWHERE = [  # split, so that this file does not find itself
    re.compile(rb"/ho" + rb"me/[a-z]"),
    re.compile(rb"/ro" + rb"ot/"),
    re.compile(rb"/Us" + rb"ers/"),
    re.compile(rb"[A-Z]:\\\\Us" + rb"ers"),
    re.compile(rb"--(extra-)?index-" + rb"url"),
    re.compile(rb"https?://[^\s\"']*/simple\b"),
    re.compile(rb"files\.pythonho" + rb"sted\.org"),
]


def test_no_file_names_a_path_of_a_machine_or_a_package_index() -> None:
    found = [
        f"{named(path)}: {match.group().decode(errors='replace')}"
        for path in tracked_files()
        if path.suffix not in {".png", ".ico", ".woff2"}
        for pattern in ELSEWHERE
        if (match := pattern.search(path.read_bytes()))
    ]
    assert found == []


def test_no_key_or_password_is_in_the_repository() -> None:
    looks_secret = re.compile(
        rb"(BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}|vk_[A-Za-z0-9_-]{43})"
    )
    assert [named(path) for path in tracked_files() if looks_secret.search(path.read_bytes())] == []


def test_test_names_are_unique_within_their_file() -> None:
    """The second of two tests with one name hides the first."""
    repeated = []
    for path in sources(of_tests=True):
        if path.name.startswith("test_"):
            names = Counter(
                node.name for node in parsed(path).body if isinstance(node, ast.FunctionDef)
            )
            repeated += [f"{named(path)}: {name}" for name, count in names.items() if count > 1]
    assert repeated == []
