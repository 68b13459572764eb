"""The client behind an API key."""

import logging
import threading
import time
from dataclasses import dataclass

from flask import request

from service_runtime.api_keys import ADMINISTRATOR, key_hash
from service_runtime.database import Database, DatabaseUnavailable
from service_runtime.http import request_context
from venue_protocol.identifiers import is_client_id
from venue_protocol.refusals import RejectReason, refuse, unknown_client

log = logging.getLogger(__name__)

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
    """Its commands are refused; it may still read. Known within a second, like a revoked key."""

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
        caller = self._remembered(hashed, now_s) or self._look_up(hashed, now_s)
        request_context.note_caller(caller.client_id)
        return caller

    def remembered(self, key: str | None) -> Caller | None:
        """The caller with this key, if that needs no statement; None says nothing about the key."""
        if not key:
            return None
        caller = self._remembered(key_hash(key), time.monotonic())
        if caller is not None:
            request_context.note_caller(caller.client_id)
        return caller

    def follow(self, stopping: threading.Event) -> None:
        """Until stopping, look the keys in use up before their time is over.

        So a request hardly ever waits for that.
        """
        while not stopping.wait(_REMEMBER_S / 2):
            try:
                self._refresh(time.monotonic())
            except DatabaseUnavailable:
                log.debug("keys not refreshed: the database is away")

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
            raise unknown_client(client_id, field=None)
        if not caller.is_administrator():
            raise refuse(RejectReason.FORBIDDEN, "this account belongs to another client")
        return caller

    def _remembered(self, hashed: bytes, now_s: float) -> Caller | None:
        remembered = self._known.get(hashed)
        if remembered is None or remembered.good_until_s <= now_s:
            return None
        remembered.asked_s = now_s
        return remembered.caller

    def _refresh(self, now_s: float) -> None:
        """Look up the keys asked for of late."""
        with self._lock:
            in_use = [
                key
                for key, remembered in self._known.items()
                if now_s < remembered.asked_s + _IN_USE_S
            ]
        for start in range(0, len(in_use), _MOST_TOGETHER):
            wanted = set(in_use[start : start + _MOST_TOGETHER])
            self._remember(wanted, self._find(wanted), None, now_s)

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
        found = self._find(wanted)
        self._remember(wanted, found, hashed, now_s)
        if hashed not in found:
            raise refuse(RejectReason.KEY_INVALID, "this key is wrong or revoked")
        return found[hashed]

    def _find(self, wanted: set[bytes]) -> dict[bytes, Caller]:
        with self._clearing.transaction() as cursor:
            cursor.execute(
                "SELECT key_hash, client_id, role, suspended_us IS NOT NULL"
                " FROM api_keys JOIN clients USING (client_id)"
                " WHERE key_hash = ANY (%s) AND revoked_us IS NULL",
                (list(wanted),),
            )
            return {bytes(key): Caller(*columns) for key, *columns in cursor}

    def _remember(
        self, wanted: set[bytes], found: dict[bytes, Caller], asked: bytes | None, now_s: float
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


def key_in(authorization: str | None, api_key: str | None) -> str | None:
    """The key in the headers Authorization and X-API-Key of a request, if any."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() == "bearer" and key:
        return key.strip()
    return api_key


def _key_of_request() -> str | None:
    return key_in(request.headers.get("Authorization"), request.headers.get("X-API-Key"))
