"""Strangers make accounts of their own with a join code, within the organiser's limits."""

import hashlib
import secrets
import threading
from collections.abc import Callable

from client_enrollment.join_codes import (
    LONGEST_OPEN_S,
    MOST_CODES,
    MOST_PLACES,
    FailedTries,
    JoinCode,
    is_team_name,
)
from client_enrollment.ports import Accounts, JoinCodeExists, JoinCodes
from service_runtime.clock import Clock
from venue_protocol.refusals import Refused, RejectReason, refuse

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that is mistaken for another when it is read from a wall."""
_GROUPS, _GROUP = 4, 4
"""16 letters of 31: 79 bits, so that nobody finds a code by trying."""
_S = 1_000_000


class Enrollment:
    """Opens codes, and takes those who bring one. Refusals are raised as `Refused`."""

    def __init__(
        self,
        accounts: Accounts,
        clock: Clock,
        now_s: Callable[[], float],
    ) -> None:
        self._accounts = accounts
        self._clock = clock
        self._now_s = now_s
        self._failed = FailedTries()
        self._lock = threading.Lock()

    def open_code(self, label: str, places: int, open_s: int, by: str) -> tuple[str, JoinCode]:
        """A new code for so many accounts and seconds; its text is shown this once."""
        _require_between("places", places, MOST_PLACES)
        _require_between("open_s", open_s, LONGEST_OPEN_S)
        text = "-".join(
            "".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS)
        )
        now_us = self._clock.now_us()
        code = JoinCode(label, _hash(text), places, 0, now_us, now_us + open_s * _S)
        with self._accounts.change(by) as (codes, record):
            if len(codes.all()) >= MOST_CODES:
                raise refuse(
                    RejectReason.INVALID_FIELD, f"a venue has {MOST_CODES} codes at most", "label"
                )
            try:
                codes.add(code)
            except JoinCodeExists:
                raise refuse(
                    RejectReason.JOIN_CODE_EXISTS, f"there is a join code {label}", "label"
                ) from None
            details = {"label": label, "places": places, "closes_us": code.closes_us}
            record("open_join_code", details)
        return text, code

    def close_code(self, label: str, by: str) -> bool:
        """Take nobody more with this code; whether it was open."""
        now_us = self._clock.now_us()
        with self._accounts.change(by) as (codes, record):
            code = codes.close(label, now_us)
            if code is None:
                raise refuse(
                    RejectReason.UNKNOWN_JOIN_CODE, f"no join code {label[:64]!r}", "label"
                )
            if was_open := code.is_open(now_us):
                record("close_join_code", {"label": label})
        return was_open

    def codes(self) -> list[JoinCode]:
        """All codes, by label."""
        with self._accounts.change("") as (codes, _):
            return codes.all()

    def enroll(self, text: str, client_id: str, address: str) -> str:
        """The API key of a new trader of this name, shown this once.

        The code is checked first, so that who has none learns nothing of names; each refusal counts
        against the address. Place and account are one transaction: a refused name costs no place.
        """
        self._require_patience(address)
        try:
            if not is_team_name(client_id):
                raise refuse(
                    RejectReason.INVALID_FIELD,
                    "a team's name has 2 to 32 of a-z, 0-9, '_' and '-', begins with a letter, and "
                    "is none that the venue uses itself",
                    "client_id",
                )
            return self._accounts.create_trader(client_id, lambda codes: self._use(codes, text))
        except Refused:
            with self._lock:
                self._failed.add(address, self._now_s())
            raise

    def _use(self, codes: JoinCodes, text: str) -> dict[str, object]:
        """Take a place of the code; what the record says of it."""
        code = codes.lock(_hash(text))
        if code is None or not code.is_open(self._clock.now_us()):
            raise refuse(RejectReason.JOIN_CODE_INVALID, "this join code is not valid", "code")
        if code.used >= code.places:
            raise refuse(RejectReason.JOIN_CODE_FULL, "all places of this code are taken", "code")
        codes.use_place(code.label)
        return {"join_code": code.label}

    def _require_patience(self, address: str) -> None:
        with self._lock:
            wait_s = self._failed.wait_s(address, self._now_s())
        if wait_s > 0:
            refusal = refuse(RejectReason.RATE_LIMITED, "too many tries failed: wait a minute")
            raise Refused(refusal.refusal, retry_after_s=int(wait_s) + 1)


def _hash(text: str) -> bytes:
    """Of a code as it may be typed: in capitals, with blanks around it."""
    return hashlib.sha256(text.strip().lower().encode("utf-8", "surrogatepass")).digest()


def _require_between(field: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise refuse(RejectReason.INVALID_FIELD, f"{field} is from 1 to {most}", field)
