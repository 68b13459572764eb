"""The tests that `./venue test --changed` chooses."""

from pathlib import PurePosixPath

import pytest

from tests import changed

FILES = {
    "shop/__init__.py": "",
    "shop/price.py": "",
    "shop/till.py": "from . import price",
    "shop/door.py": "",
    "tests/conftest.py": "",
    "tests/unit/shop/help.py": "import shop.till",
    "tests/unit/shop/test_price.py": "from shop.price import of",
    "tests/unit/other/test_till.py": "def use():\n    from tests.unit.shop import help",
    "tests/unit/other/test_door.py": "import shop.door",
    "tests/integration/shop/test_whole.py": "",
    "tests/integration/other/test_other.py": "",
    "tests/acceptance/test_day.py": "import shop.price",
    "tests/architecture/test_source.py": "",
}
SOURCES = {PurePosixPath(path): source for path, source in FILES.items()}


def chosen(*paths: str) -> list[str]:
    return changed.choose({PurePosixPath(path) for path in paths}, SOURCES)


def test_a_changed_module_runs_what_imports_it_and_the_folders_of_its_package() -> None:
    assert chosen("shop/price.py") == [
        "tests/architecture",
        "tests/integration/shop/test_whole.py",
        "tests/unit/other/test_till.py",
        "tests/unit/shop/test_price.py",
    ]


def test_a_module_that_is_gone_still_runs_the_tests_of_its_package() -> None:
    assert "tests/integration/shop/test_whole.py" in chosen("shop/gone.py")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs/orders.md", []),
        ("tests/unit/other/test_door.py", ["tests/unit/other/test_door.py"]),
        ("tests/unit/shop/help.py", ["tests/unit/other/test_till.py"]),
    ],
)
def test_a_changed_file_of_tests_or_text_runs_what_it_reaches(
    path: str, expected: list[str]
) -> None:
    assert chosen(path) == ["tests/architecture", *expected]


def test_changed_fixtures_run_all_that_may_use_them() -> None:
    assert len(chosen("tests/conftest.py")) == 1 + 5


def test_nothing_runs_when_nothing_has_changed() -> None:
    assert chosen() == []
