"""compose.yaml against the code: commands, settings, databases and secrets are the ones that
exist.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from migrations.provision import SERVICES, Provisioned
from service_runtime import settings
from venue_cli import console
from venue_cli.commands.compose_env import variable_names
from venue_launcher import services
from venue_launcher.state_folder import CHECKOUT

TEXT = (CHECKOUT / "compose.yaml").read_text()
SECRETS = {name: f"secret-{name.lower().replace('_', '-')}" for name in variable_names()}
DEFINITIONS = {service.name: service for service in services.STOP_ORDER}


def filled_in(text: str) -> str:
    """The text with variables replaced as compose does it:

    `${NAME:?…}`, `${NAME:-default}`, `${NAME}`.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        return default if default is not None else SECRETS[name]

    return re.sub(r"\$\{(?P<name>\w+)(?::\?[^}]*|:-(?P<default>[^}]*))?\}", value, text)


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    declared: dict[str, Any] = yaml.safe_load(filled_in(TEXT))["services"]
    return declared


def test_every_secret_is_required_and_none_has_a_default() -> None:
    required = set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert required == set(variable_names())
    assert set(re.findall(r"\$\{(\w+):-", TEXT)) == {
        "VENUE_PUBLISH_ADDRESS",
        "VENUE_PUBLISH_ADMINISTRATION_ADDRESS",
    }


def test_the_written_env_file_has_every_variable_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert console.main(["compose-env", "--file", str(path)]) == 0
    assert path.stat().st_mode & 0o777 == 0o600
    lines = dict(line.split("=", 1) for line in path.read_text().splitlines())
    assert list(lines) == variable_names() and len(set(lines.values())) == len(lines)
    before = path.read_text()
    assert console.main(["compose-env", "--file", str(path)]) == 1
    assert path.read_text() == before


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_gets_settings_that_it_can_load(composed: dict[str, Any], name: str) -> None:
    service = composed[name]
    loaded = settings.load(service["environment"])
    expected = Provisioned(
        "postgresql://postgres@postgres:5432/postgres", "venue", _role_passwords()
    )
    assert service["command"] == ["python", "-m", name]
    assert loaded.clearing_url == expected.clearing_url(name)
    assert loaded.market_url == (
        expected.market_url(name) if DEFINITIONS[name].has_market_role else ""
    )
    assert loaded.port == DEFINITIONS[name].usual_port
    assert loaded.broker_url == f"amqp://venue:{SECRETS['RABBITMQ_PASSWORD']}@rabbitmq:5672/venue"


def _role_passwords() -> dict[str, str]:
    return {service: SECRETS[f"{service.upper()}_PASSWORD"] for service in SERVICES}


def test_every_command_is_a_module_or_a_console_command(composed: dict[str, Any]) -> None:
    for name, service in composed.items():
        if "command" not in service:
            continue
        python, option, module, *rest = service["command"]
        assert (python, option) == ("python", "-m") and importlib.util.find_spec(module), name
        if module == "venue_cli":
            parsed, unknown = console.parser(rest[0]).parse_known_args(rest)
            assert parsed.command == rest[0] and not unknown, name


def test_provisioning_gets_the_password_of_every_role(composed: dict[str, Any]) -> None:
    environment = composed["migrations"]["environment"]
    assert {f"{service.upper()}_PASSWORD" for service in SERVICES} <= set(environment)


def test_every_start_waits_for_the_health_of_what_it_needs(composed: dict[str, Any]) -> None:
    for name, service in composed.items():
        for needed, terms in service.get("depends_on", {}).items():
            is_job = terms["condition"] == "service_completed_successfully"
            assert is_job or "healthcheck" in composed[needed], (
                f"{name} waits for the health of {needed}"
            )


def test_everything_is_restarted_and_jobs_only_on_failure(composed: dict[str, Any]) -> None:
    policies = {name: service["restart"] for name, service in composed.items()}
    jobs = {"migrations", "enrollment"}
    assert policies == {
        name: "on-failure" if name in jobs else "unless-stopped" for name in composed
    }


def test_the_image_copies_every_package_that_its_commands_import() -> None:
    copied = set(
        re.findall(r"^COPY (\w+) \1$", (CHECKOUT / "Dockerfile").read_text(), re.MULTILINE)
    )
    packages = {path.parent.name for path in CHECKOUT.glob("*/__init__.py")} - {
        "tests",
        "market_analytics",
    }
    assert copied == packages


def test_docker_accepts_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if (
        not docker
        or subprocess.run(
            [docker, "compose", "version"], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("docker compose is not installed here")
    command = [docker, "compose", "-f", str(CHECKOUT / "compose.yaml"), "config", "--quiet"]
    checked = subprocess.run(
        command, env=os.environ | SECRETS, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_only_the_public_services_are_published_with_the_public_address() -> None:
    published = re.findall(r'ports: \["\$\{VENUE_PUBLISH_ADDRESS:-127.0.0.1\}:(\d+):', TEXT)
    public = {str(service.usual_port) for service in services.STOP_ORDER if service.is_public}
    assert set(published) == public == {"8000", "8001"}


def test_the_bots_have_their_own_keys_and_not_the_administrators(composed: dict[str, Any]) -> None:
    def volumes(name: str) -> set[str]:
        return {volume.partition(":")[0] for volume in composed[name].get("volumes", [])}

    assert volumes("bots") == {"bots"}
    with_admin_key = {name for name in composed if "keys" in volumes(name)}
    assert with_admin_key == {"migrations", "enrollment"}
