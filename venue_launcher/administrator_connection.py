"""One service's HTTP API with the administrator's key."""

from typing import Any

import requests

from venue_launcher.errors import VenueError


class AdministrationError(VenueError):
    """The service refused (`status`) or did not answer (status None).

    The message is the service's own.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class AdministratorConnection:
    """Asks one service, and takes its answers apart."""

    def __init__(self, service: str, url: str, admin_key: str, timeout_s: float) -> None:
        self._service = service
        self._url = url
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {admin_key}"

    def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """The content of the answer. Raises AdministrationError."""
        try:
            answer = self._session.request(
                method, self._url + path, json=body, headers=headers, timeout=self._timeout_s
            )
        except requests.RequestException as error:
            raise AdministrationError(
                f"the {self._service} at {self._url} does not answer: see ./venue status"
            ) from error
        try:
            content: dict[str, Any] = answer.json()
        except ValueError:
            content = {}
        if not answer.ok:
            message = content.get("error", {}).get("message", f"status {answer.status_code}")
            raise AdministrationError(f"the {self._service} refused: {message}", answer.status_code)
        return content
