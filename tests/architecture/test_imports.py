"""Who may import whom: the contracts of .importlinter, and that they see what they must see."""

import ast
import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / ".importlinter"


def _sections() -> list[str]:
    config = configparser.ConfigParser()
    config.read(CONFIG)
    return config.sections()


def listed(option: str, section: str) -> list[str]:
    """The lines of an option of .importlinter."""
    config = configparser.ConfigParser()
    config.read(CONFIG)
    return config[section][option].split()


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter on the packages in `folder`.

    In a process of its own: it imports them, and changes logging.
    """
    call = f"lint_imports({CONFIG.name!r}, no_cache=True)"
    program = f"from importlinter.cli import lint_imports; raise SystemExit({call})"
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True
    )


def test_the_import_contracts_are_kept() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


FORBIDDEN = {
    "matching_engine/domain/book.py": ("import time", "time"),
    "clearinghouse/domain/ledger.py": ("from random import randint", "random"),
    "venue_protocol/money.py": ("def late() -> None:\n    import socket", "socket"),
    "market_data_feed/domain/market.py": (
        "from service_runtime import metrics",
        "service_runtime.metrics",
    ),
    "order_entry_gateway/handlers.py": (
        "import matching_engine.domain.engine",
        "matching_engine.domain.engine",
    ),
    "trading_bots/client.py": ("import venue_protocol.money", "venue_protocol.money"),
    "clearinghouse/handlers.py": ("import pika", "pika"),
    "migrations/schema.py": ("import matching_engine.handlers", "matching_engine.handlers"),
    "service_runtime/http/application.py": (
        "import clearinghouse.handlers",
        "clearinghouse.handlers",
    ),
    "service_runtime/http/request_body.py": ("import venue_protocol.money", "venue_protocol.money"),
    "market_data_feed/loops/recorder.py": ("import venue_launcher.ports", "venue_launcher.ports"),
    "venue_storage/listed_securities.py": (
        "import clearinghouse.domain.ledger",
        "clearinghouse.domain.ledger",
    ),
    "venue_audit/proof.py": ("import clearinghouse.handlers", "clearinghouse.handlers"),
    "venue_simulation/plan.py": ("import psycopg2", "psycopg2"),
    "venue_trials/load/plan.py": (
        "import venue_trials.recorded_flow.steps",
        "venue_trials.recorded_flow.steps",
    ),
    "venue_chaos/timetable.py": ("import venue_trials.load.plan", "venue_trials.load.plan"),
    "venue_trials/recorded_flow/steps.py": (
        "import venue_trials.bench.core",
        "venue_trials.bench.core",
    ),
    "venue_competition/scoring.py": ("import subprocess", "subprocess"),
    "market_data_feed/handlers.py": (
        "import market_data_feed.adapters.views",
        "market_data_feed.adapters.views",
    ),
    "clearinghouse/ports.py": ("import clearinghouse.handlers", "clearinghouse.handlers"),
}


@pytest.fixture(scope="module")
def verdict_on_broken_copy(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy in which every contract is broken."""
    copy = tmp_path_factory.mktemp("copy")
    for package in listed("root_packages", "importlinter"):
        shutil.copytree(
            ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(CONFIG, copy)
    for file, (line, _) in FORBIDDEN.items():
        with (copy / file).open("a") as source:
            source.write(f"\n{line}\n")
    done = lint(copy)
    assert done.returncode == 1
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("file", FORBIDDEN)
def test_a_forbidden_import_breaks_a_contract(verdict_on_broken_copy: str, file: str) -> None:
    module = file.removesuffix(".py").replace("/", ".")
    assert f"{module} -> {FORBIDDEN[file][1]} (l." in verdict_on_broken_copy


@pytest.mark.parametrize("section", [name for name in _sections() if ":contract:" in name])
def test_every_contract_can_be_broken(verdict_on_broken_copy: str, section: str) -> None:
    config = configparser.ConfigParser()
    config.read(CONFIG)
    assert f"{config[section]['name']} BROKEN" in verdict_on_broken_copy


def test_every_package_of_ours_is_under_contract() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages == set(listed("root_packages", "importlinter"))


def test_every_domain_is_under_the_purity_contract() -> None:
    domains = {f"{path.parent.parent.name}.domain" for path in ROOT.glob("*/domain/__init__.py")}
    assert domains | {"venue_protocol"} == set(
        listed("source_modules", "importlinter:contract:pure")
    )


def test_every_word_of_the_trade_is_forbidden_to_the_plumbing() -> None:
    """service_runtime may know names, refusals and queues; a new module of words is the trade's."""
    words = {f"venue_protocol.{path.stem}" for path in ROOT.glob("venue_protocol/[!_]*.py")}
    known = {f"venue_protocol.{name}" for name in ("identifiers", "refusals", "topology")}
    assert set(listed("forbidden_modules", "importlinter:contract:runtime")) == words - known


NOUNS_OF_THE_TRADE = re.compile(
    r"\b(orders|trad(e|es|ing|er|ers)|settlements?|settled|securities|auctions?|prices?|quantit\w+"
    r"|holdings?|cash|shares|shards?|balances?|ledger|books?|engine|gateway|clearinghouse)\b",
    re.IGNORECASE,
)


def words_of(path: Path) -> str:
    """The text of a module, with each name split into its words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", path.read_text()).replace("_", " ")


PLUMBING = sorted(ROOT.glob("service_runtime/**/*.py"))


@pytest.mark.parametrize("path", PLUMBING, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_plumbing_says_no_word_of_the_trade(path: Path) -> None:
    """Imports don't show it: a setting, a metric or an example can know of orders as well."""
    said = [line.strip() for line in words_of(path).splitlines() if NOUNS_OF_THE_TRADE.search(line)]
    assert said == []


# A rate in tokens a second is no money and no quantity.
FLOATS_ALLOWED = ROOT / "order_entry_gateway/domain/rate_limit.py"


def pure_sources() -> list[Path]:
    """Modules of venue_protocol and of every domain."""
    return sorted([*ROOT.glob("venue_protocol/**/*.py"), *ROOT.glob("*/domain/**/*.py")])


@pytest.mark.parametrize("path", pure_sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_pure_code_opens_and_prints_nothing_and_uses_no_floats(path: Path) -> None:
    """Builtins need no import, so the contracts can't see them."""
    called = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    forbidden = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint", "float"}
    assert called & (forbidden - {"float"} if path == FLOATS_ALLOWED else forbidden) == set()


def test_a_service_is_wired_in_its_main_module_only() -> None:
    """Real parts (the RabbitMQ bus, the system's clock, databases) are made in `__main__`; the
    seeding of a new database (`bootstrap`) is the one other place.
    """
    services = ("order_entry_gateway", "matching_engine", "clearinghouse", "market_data_feed")
    made_elsewhere = [
        f"{path.relative_to(ROOT)}: {name}"
        for service in services
        for path in sorted((ROOT / service).rglob("*.py"))
        if path.name not in ("__main__.py", "bootstrap.py")
        for name in _called_names(path) & {"RabbitBus", "SystemClock", "Database"}
    ]
    assert made_elsewhere == []


def _called_names(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return {
        node.func.id
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
