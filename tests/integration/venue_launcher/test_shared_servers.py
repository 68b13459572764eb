"""The servers of the test run, found as given ones: what is made there is ours, and removed."""

from pathlib import Path

import pytest

from venue_launcher.infrastructure import broker_probe, finder, postgres_probe, removal
from venue_launcher.infrastructure.ways import InfrastructureError
from venue_launcher.terminal import silent


def given(postgres_url: str, broker_url: str) -> dict[str, str]:
    return {"VENUE_POSTGRES_URL": postgres_url, "VENUE_BROKER_URL": broker_url}


def test_given_urls_are_taken_as_they_are(
    tmp_path: Path, postgres_url: str, broker_url: str
) -> None:
    found = finder.start(None, tmp_path, silent, given(postgres_url, broker_url))
    assert (found.postgres_url, found.broker_url) == (postgres_url, broker_url)
    assert found.servers == []
    found.stop()
    assert postgres_probe.refusal(postgres_url) is None


def test_reset_empties_a_given_virtual_host_but_keeps_it(
    tmp_path: Path, postgres_url: str, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given(postgres_url, broker_url).items():
        monkeypatch.setenv(name, value)
    finder.start("given", tmp_path, silent).stop()
    assert len(list(removal.remove(None, tmp_path))) == 2
    assert broker_probe.refusal(broker_url) is None


def test_a_role_without_rights_is_refused_with_the_reason(postgres_url: str) -> None:
    assert "does not let us in" in str(
        postgres_probe.refusal("postgresql://nobody_at_all@127.0.0.1:1/postgres")
    )


def test_given_without_urls_says_which_are_missing(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="VENUE_POSTGRES_URL is not set"):
        finder.start("given", tmp_path, silent, {})
