"""The order in which servers are looked for, and what is said when none is found."""

from pathlib import Path

import pytest

from venue_launcher.infrastructure import finder, given, local, memory, private
from venue_launcher.infrastructure.found import FoundBroker, FoundPostgres
from venue_launcher.infrastructure.memory import Remembered
from venue_launcher.infrastructure.urls import with_vhost, without_password
from venue_launcher.infrastructure.virtual_hosts import GivenHost
from venue_launcher.infrastructure.ways import WAYS, InfrastructureError, Unavailable


class FakeServers:
    """Stands for the four ways; `working` names those that work."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, working: set[str]) -> None:
        self.working = working
        self.tried: list[str] = []
        monkeypatch.setattr(given, "find_postgres", lambda _: self.postgres("given"))
        monkeypatch.setattr(local, "find_postgres", lambda _: self.postgres("local"))
        monkeypatch.setattr(private, "find_postgres", lambda way, *_: self.postgres(way))
        monkeypatch.setattr(given, "find_broker", lambda _: self.broker("given"))
        monkeypatch.setattr(local, "find_broker", lambda *_: self.broker("local"))
        monkeypatch.setattr(private, "find_broker", lambda way, *_: self.broker(way))

    def postgres(self, way: str) -> FoundPostgres:
        self._try(way)
        return FoundPostgres(f"postgresql://{way}", way, f"postgres of {way}")

    def broker(self, way: str) -> FoundBroker:
        self._try(way)
        return FoundBroker(f"amqp://{way}", way, f"broker of {way}", GivenHost(""))

    def _try(self, way: str) -> None:
        self.tried.append(way)
        if way not in self.working:
            raise Unavailable(f"no {way} server")


def start(
    state_dir: Path, way: str | None = None, environment: dict[str, str] | None = None
) -> finder.Infrastructure:
    return finder.start(way, state_dir, lambda _: None, environment or {})


def test_given_comes_before_local_before_private_before_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = FakeServers(monkeypatch, {"download"})
    assert start(tmp_path).postgres.way == "download"
    assert servers.tried[:4] == ["given", "local", "private", "download"]


def test_each_server_goes_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers = FakeServers(monkeypatch, {"local", "private"})
    monkeypatch.setattr(local, "find_broker", lambda *_: servers.broker("no vhost"))
    found = start(tmp_path)
    assert (found.postgres.way, found.broker.way) == ("local", "private")
    assert "local (postgres of local)" in found.how and "private (broker of private)" in found.how


def test_a_forced_way_tries_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers = FakeServers(monkeypatch, {"local", "private"})
    assert start(tmp_path, "private").postgres.way == "private"
    assert set(servers.tried) == {"private"}


def test_without_any_way_the_error_names_three_commands_and_each_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeServers(monkeypatch, set())
    with pytest.raises(InfrastructureError) as error:
        start(tmp_path)
    said = str(error.value)
    assert all(f"no {way} server" in said for way in WAYS)
    assert "apt-get install -y postgresql rabbitmq-server" in said
    assert "--infrastructure download" in said
    assert "export VENUE_POSTGRES_URL=" in said


def test_the_second_start_takes_what_the_first_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = FakeServers(monkeypatch, {"private"})
    start(tmp_path)
    servers.working = {"local", "private"}
    found = start(tmp_path)
    assert (found.postgres.way, found.broker.way) == ("private", "private")


def test_data_that_cannot_be_reached_are_never_replaced_by_an_empty_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.remember(tmp_path, Remembered("local", "127.0.0.1:5432", "local"))
    FakeServers(monkeypatch, {"private", "download"})
    with pytest.raises(InfrastructureError, match=r"127\.0\.0\.1:5432"):
        start(tmp_path)


def test_a_given_postgres_wins_over_the_remembered_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.remember(tmp_path, Remembered("private", "/somewhere", "private"))
    FakeServers(monkeypatch, {"given", "private"})
    found = start(
        tmp_path,
        environment={"VENUE_POSTGRES_URL": "postgresql://x", "VENUE_BROKER_URL": "amqp://x"},
    )
    assert (found.postgres.way, found.broker.way) == ("given", "given")


def test_a_given_server_that_does_not_answer_is_an_error_not_a_fallback(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="VENUE_POSTGRES_URL is set, but"):
        start(
            tmp_path,
            environment={"VENUE_POSTGRES_URL": "postgresql://postgres@127.0.0.1:1/postgres"},
        )


def test_other_data_get_another_virtual_host() -> None:
    assert finder.place_key("127.0.0.1:5432") != finder.place_key("/private/postgres")


def test_messages_never_show_a_password() -> None:
    assert without_password("amqp://ann:secret@host:5672/v") == "amqp://ann@host:5672/v"


def test_a_virtual_host_is_escaped_in_the_url() -> None:
    assert with_vhost("amqp://u:p@h:1/", "a/b") == "amqp://u:p@h:1/a%2Fb"
