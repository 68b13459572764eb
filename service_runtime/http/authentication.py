"""The client behind an API key."""

import threading
import time
from dataclasses import dataclass

from flask import request

from service_runtime.api_keys import ADMINISTRATOR, key_hash
from service_runtime.database import Database
from venue_protocol.identifiers import is_client_id
from venue_protocol.refusals import RejectReason, refuse

_REMEMBER_S = 1.0
_IN_USE_S = 30.0
"""Keys asked for within this time are looked up together: a statement a second, however many
clients there are.
"""
_MOST_TOGETHER = 2_000
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """The client behind a key."""

    client_id: str
    role: str
    is_suspended: bool = False
    """Its orders are refused; it may still read. Known within a second, like a revoked key."""

    def is_administrator(self) -> bool:
        """Whether it may read and manage every account."""
        return self.role == ADMINISTRATOR


@dataclass(slots=True)
class _Remembered:
    """What was found under a key."""

    caller: Caller
    good_until_s: float
    asked_s: float


class Authenticator:
    """Finds the caller of a request. A revoked key stops working within one second."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing
        self._known: dict[bytes, _Remembered] = {}
        self._lock = threading.Lock()

    def caller(self) -> Caller:
        """The caller of the current request; Refused with 401 when the key is missing, wrong or
        revoked.
        """
        return self.caller_of(_key_of_request())

    def caller_of(self, key: str | None) -> Caller:
        """The caller with this key; Refused with 401 as above."""
        if not key:
            raise refuse(RejectReason.KEY_MISSING, "send your key as 'Authorization: Bearer KEY'")
        hashed = key_hash(key)
        now_s = time.monotonic()
        remembered = self._known.get(hashed)
        if remembered is not None and remembered.good_until_s > now_s:
            remembered.asked_s = now_s
            return remembered.caller
        return self._look_up(hashed, now_s)

    def administrator(self) -> Caller:
        """The caller, if an administrator; else Refused with 401 or 403."""
        caller = self.caller()
        if not caller.is_administrator():
            raise refuse(RejectReason.FORBIDDEN, "only an administrator may do this")
        return caller

    def may_read(self, client_id: str) -> Caller:
        """The caller, if it may read this client's accounts; unknown client 404, foreign 403."""
        caller = self.caller()
        if caller.client_id == client_id:
            return caller
        if not self._exists(client_id):
            raise refuse(RejectReason.UNKNOWN_CLIENT, f"no client {client_id[:64]!r}")
        if not caller.is_administrator():
            raise refuse(RejectReason.FORBIDDEN, "this account belongs to another client")
        return caller

    def _exists(self, client_id: str) -> bool:
        if not is_client_id(client_id):
            return False
        with self._clearing.transaction() as cursor:
            cursor.execute("SELECT 1 FROM clients WHERE client_id = %s", (client_id,))
            return cursor.fetchone() is not None

    def _look_up(self, hashed: bytes, now_s: float) -> Caller:
        """Look this key up, and with it those in use whose time is over."""
        with self._lock:
            stale = [
                key
                for key, remembered in self._known.items()
                if remembered.good_until_s <= now_s < remembered.asked_s + _IN_USE_S
            ]
        wanted = {hashed, *stale[:_MOST_TOGETHER]}
        with self._clearing.transaction() as cursor:
            cursor.execute(
                "SELECT key_hash, client_id, role, suspended_us IS NOT NULL"
                " FROM api_keys JOIN clients USING (client_id)"
                " WHERE key_hash = ANY (%s) AND revoked_us IS NULL",
                (list(wanted),),
            )
            found = {bytes(key): Caller(*columns) for key, *columns in cursor}
        self._remember(wanted, found, hashed, now_s)
        if hashed not in found:
            raise refuse(RejectReason.KEY_INVALID, "this key is wrong or revoked")
        return found[hashed]

    def _remember(
        self, wanted: set[bytes], found: dict[bytes, Caller], asked: bytes, now_s: float
    ) -> None:
        """Good from when the database was asked, so that a key revoked meanwhile is not trusted
        longer.
        """
        with self._lock:
            if len(self._known) + len(found) > _MOST_REMEMBERED:
                self._known.clear()
            for key in wanted - found.keys():
                self._known.pop(key, None)
            for key, caller in found.items():
                before = self._known.get(key)
                asked_s = now_s if key == asked or before is None else before.asked_s
                self._known[key] = _Remembered(caller, now_s + _REMEMBER_S, asked_s)


def _key_of_request() -> str | None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        return key.strip()
    return request.headers.get("X-API-Key")
