"""Fixtures: sample services."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.service_runtime.sample_process import SampleService, eventually


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[Callable[..., SampleService]]:
    """Starts sample services and kills them at the end."""
    started: list[SampleService] = []

    def start(**environment: str) -> SampleService:
        started.append(SampleService(tmp_path / f"{len(started)}.log", **environment))
        return started[-1]

    yield start
    for service in started:
        service.kill()


@pytest.fixture
def sample(starting: Callable[..., SampleService]) -> SampleService:
    """A sample service that answers."""
    service = starting()
    assert eventually(service.is_alive, 60), service.log_text()
    return service


@pytest.fixture(scope="module")
def lasting_sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleService]:
    """One sample service for the tests of a module that leave it alive."""
    service = SampleService(tmp_path_factory.mktemp("sample") / "log")
    assert eventually(service.is_alive, 60), service.log_text()
    yield service
    service.kill()
