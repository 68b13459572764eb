"""Makes and removes virtual hosts of a broker: by its management API, by rabbitmqctl, or by our own
node.
"""

import os
import shutil
import subprocess
from typing import Protocol
from urllib.parse import quote, urlsplit

import requests

from venue_launcher.infrastructure.broker_probe import refusal
from venue_launcher.infrastructure.rabbitmq_server import USER, PrivateRabbitMQ
from venue_launcher.infrastructure.urls import with_vhost, without_password
from venue_launcher.infrastructure.ways import Unavailable

MANAGEMENT_PORT = 15672
ALL_RIGHTS = (".*", ".*", ".*")


class VirtualHosts(Protocol):
    """The right to make virtual hosts on one broker. Both calls raise Unavailable."""

    def create(self, name: str) -> str:
        """Make sure that it exists; the AMQP URL of the venue's user on it."""
        ...

    def delete(self, name: str) -> None:
        """Remove it with all queues; nothing happens when it does not exist."""
        ...


class OwnNode:
    """On a node that we started."""

    def __init__(self, node: PrivateRabbitMQ) -> None:
        self._node = node

    def create(self, name: str) -> str:
        """Make it and give our user all rights on it."""
        url = with_vhost(self._node.url, name)
        if refusal(url):
            self._node.control("add_vhost", name)
            self._node.control("set_permissions", "-p", name, USER, *ALL_RIGHTS)
        return url

    def delete(self, name: str) -> None:
        """Remove it if the node lets us in."""
        if not refusal(with_vhost(self._node.url, name)):
            self._node.control("delete_vhost", name)


class ManagementApi:
    """Through the management plugin's HTTP API, with the user of the AMQP URL."""

    def __init__(self, broker_url: str, port: int = MANAGEMENT_PORT) -> None:
        parts = urlsplit(broker_url)
        self._broker_url = broker_url
        self._user = parts.username or "guest"
        self._session = requests.Session()
        self._session.auth = (self._user, parts.password or "guest")
        self._session.trust_env = False
        self._api = f"http://{parts.hostname}:{port}/api"

    def check(self) -> None:
        """Raises Unavailable unless the API answers and the user is an administrator."""
        tags = self._call("GET", "/whoami").json().get("tags", [])
        if "administrator" not in (tags.split(",") if isinstance(tags, str) else tags):
            raise Unavailable(f"{self._user} is no administrator of the management API")

    def create(self, name: str) -> str:
        """Make it and give the user all rights on it."""
        self._call("PUT", f"/vhosts/{quote(name, safe='')}", {})
        rights = dict(zip(("configure", "write", "read"), ALL_RIGHTS, strict=True))
        self._call(
            "PUT", f"/permissions/{quote(name, safe='')}/{quote(self._user, safe='')}", rights
        )
        return with_vhost(self._broker_url, name)

    def delete(self, name: str) -> None:
        """Remove it."""
        self._call("DELETE", f"/vhosts/{quote(name, safe='')}", passes=404)

    def _call(
        self, method: str, path: str, body: object = None, passes: int = 0
    ) -> requests.Response:
        try:
            answer = self._session.request(method, self._api + path, json=body, timeout=5)
        except requests.RequestException as error:
            raise Unavailable(f"no management API at {self._api}") from error
        if not answer.ok and answer.status_code != passes:
            raise Unavailable(f"the management API answers {answer.status_code} to {method} {path}")
        return answer


class ControlTool:
    """Through the machine's rabbitmqctl, which needs to be run by root or rabbitmq."""

    def __init__(self, broker_url: str) -> None:
        self._broker_url = broker_url
        self._user = urlsplit(broker_url).username or "guest"

    def check(self) -> None:
        """Raises Unavailable unless rabbitmqctl may list the virtual hosts."""
        self._run("list_vhosts")

    def create(self, name: str) -> str:
        """Make it, give the user all rights on it, and see that it is the same broker that we talk
        to.
        """
        url = with_vhost(self._broker_url, name)
        if refusal(url) is None:
            return url
        self._run("add_vhost", name)
        self._run("set_permissions", "-p", name, self._user, *ALL_RIGHTS)
        closed = refusal(url)
        if closed:
            self._run("delete_vhost", name)
            raise Unavailable(
                f"rabbitmqctl speaks to another broker than {without_password(self._broker_url)}"
            )
        return url

    def delete(self, name: str) -> None:
        """Remove it if the broker lets us in."""
        if refusal(with_vhost(self._broker_url, name)) is None:
            self._run("delete_vhost", name)

    def _run(self, *arguments: str) -> None:
        program = shutil.which(
            "rabbitmqctl", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
        )
        if program is None:
            raise Unavailable("rabbitmqctl is not installed")
        command = [program, "-q", "--timeout", "30", *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            raise Unavailable("rabbitmqctl may only be used by root or rabbitmq")


class GivenHost:
    """A broker on which we may make nothing: only the virtual host of its URL can be used."""

    def __init__(self, broker_url: str) -> None:
        self._broker_url = broker_url

    def create(self, name: str) -> str:
        """Always Unavailable."""
        raise Unavailable(
            f"no virtual host {name} can be made on {without_password(self._broker_url)}: "
            "neither its management API nor rabbitmqctl lets us"
        )

    def delete(self, name: str) -> None:
        """There is nothing of ours to remove."""


def rights_on(broker_url: str) -> ManagementApi | ControlTool:
    """Some right to make virtual hosts on a broker that we did not start.

    Raises Unavailable with both reasons.
    """
    reasons = []
    choices: list[ManagementApi | ControlTool] = [ManagementApi(broker_url)]
    if urlsplit(broker_url).hostname in ("127.0.0.1", "localhost", "::1"):
        choices.append(ControlTool(broker_url))
    for choice in choices:
        try:
            choice.check()
        except Unavailable as reason:
            reasons.append(str(reason))
        else:
            return choice
    raise Unavailable("; ".join(reasons))
