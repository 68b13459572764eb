"""Compares clients, keys and securities with the record of what administrators did.

The record is append-only and written in the transaction of each change, so a row that nobody
created through the clearinghouse is found, and so is one that was changed by hand. An example: a
security listed at 100.00 whose reference price is 100.01 now differs in `reference_price_e4`.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from clearinghouse.domain.venue_accounts import VENUE_ACCOUNTS
from venue_audit.differences import ACTIONS, Differences
from venue_audit.fee_check import FEE_ACTIONS, FeeRecord
from venue_audit.snapshot import Snapshot

_ACTIONS = """
SELECT number, time_us, action, client_id, security_id, reason, details
FROM administrative_actions ORDER BY number
"""
_HAS_RECORD = "SELECT to_regclass('administrative_actions') IS NOT NULL"
_CLIENTS = """
SELECT client_id, role, rate_limit_per_second, suspended_us, suspension_reason
FROM clients ORDER BY client_id
"""
_KEYS = "SELECT client_id, count(*) FROM api_keys WHERE revoked_us IS NULL GROUP BY client_id"
_HAS_JOIN_CODES = "SELECT to_regclass('join_codes') IS NOT NULL"
_JOIN_CODES = "SELECT label, places, used FROM join_codes ORDER BY label"
_SECURITY_COLUMNS = (
    "security_id",
    "name",
    "shard",
    "tick_e4",
    "lot",
    "band_bps",
    "reference_price_e4",
    "max_quantity",
)
_SECURITIES = f"SELECT {', '.join(_SECURITY_COLUMNS)} FROM securities ORDER BY security_id"


@dataclass
class _Client:
    """A client as the record says it is."""

    role: str
    rate_limit_per_second: int | None = None
    keys: int = 0
    is_suspended: bool = False
    suspension_reason: str | None = None
    number: int | None = None
    """The newest action on it."""


@dataclass
class _Record:
    """What the record adds up to."""

    clients: dict[str, _Client] = field(
        default_factory=lambda: {name: _Client("venue") for name in VENUE_ACCOUNTS}
    )
    securities: dict[str, tuple[int, Mapping[str, Any]]] = field(default_factory=dict)
    """Number of the listing's action, and the security's fields."""
    join_codes: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Number of the opening's action, and places."""
    joined: Counter[str] = field(default_factory=Counter)
    """Clients that were made with each join code."""
    fees: FeeRecord = field(default_factory=FeeRecord)


class AdministrationCheck:
    """Reads one snapshot of clearing_data."""

    def __init__(self, clearing: Snapshot, differences: Differences) -> None:
        self._clearing = clearing
        self._differences = differences
        self.actions = 0

    def run(self, acted_on: Mapping[str, str | None]) -> None:
        """Compare everything; nothing on a database from before there was a record.

        `acted_on`: the securities that corporate actions changed, each with its successor; their
        prices are compared with the log.
        """
        row = self._clearing.one(_HAS_RECORD)
        if row is None or not row[0]:
            return
        record = _Record()
        for number, _, action, client_id, security_id, reason, details in self._clearing.stream(
            _ACTIONS
        ):
            self.actions += 1
            known = record.clients.get(client_id)
            if action in FEE_ACTIONS:
                record.fees.apply(number, action, client_id, security_id, json.loads(details))
            if action == "list_security":
                record.securities[security_id] = (number, json.loads(details))
            elif action == "create_client":
                created = json.loads(details)
                record.clients[client_id] = _created(number, created)
                record.joined.update([created["join_code"]] if "join_code" in created else [])
            elif action == "open_join_code":
                opened = json.loads(details)
                record.join_codes[opened["label"]] = (number, opened["places"])
            elif known is not None:
                _change(known, number, action, reason, json.loads(details))
        self._compare_clients(record.clients)
        for name, successor in acted_on.items():
            if successor is not None and name in record.securities:
                record.securities[successor] = record.securities[name]
        changed = acted_on.keys() | set(acted_on.values())
        self._compare_securities(record.securities, changed)
        self._compare_join_codes(record)
        record.fees.compare(self._clearing, self._differences)

    def _compare_clients(self, expected: dict[str, _Client]) -> None:
        keys: Counter[str] = Counter(dict(self._clearing.all(_KEYS)))
        for client_id, role, rate_limit, suspended_us, reason in self._clearing.stream(_CLIENTS):
            client = expected.pop(client_id, None)
            if client is None:
                self._differences.compare("client", client_id, "role", None, role)
                continue
            values = (
                ("role", client.role, role),
                ("rate_limit_per_second", client.rate_limit_per_second, rate_limit),
                ("is_suspended", client.is_suspended, suspended_us is not None),
                ("suspension_reason", client.suspension_reason, reason),
                ("valid_keys", client.keys, keys[client_id]),
            )
            for name, wanted, found in values:
                self._differences.compare(
                    "client", client_id, name, wanted, found, ACTIONS, client.number
                )
        for client_id, client in expected.items():
            # A database that was made and never given its first state has no accounts at all.
            if client.number is not None:
                self._differences.compare(
                    "client", client_id, "role", client.role, None, ACTIONS, client.number
                )

    def _compare_join_codes(self, record: _Record) -> None:
        """Places and used places of each code; a code that nobody opened is named."""
        row = self._clearing.one(_HAS_JOIN_CODES)
        stored = self._clearing.all(_JOIN_CODES) if row and row[0] else []
        found = {label: (places, used) for label, places, used in stored}
        for label in sorted(found.keys() | record.join_codes.keys()):
            number, places = record.join_codes.get(label, (None, None))
            for name, wanted, value in zip(
                ("places", "used"),
                (places, record.joined[label]),
                found.get(label, (None, None)),
                strict=True,
            ):
                self._differences.compare("join code", label, name, wanted, value, ACTIONS, number)

    def _compare_securities(
        self, expected: dict[str, tuple[int, Mapping[str, Any]]], acted_on: Collection[str | None]
    ) -> None:
        for row in self._clearing.stream(_SECURITIES):
            found = dict(zip(_SECURITY_COLUMNS, row, strict=True))
            security_id = found.pop("security_id")
            number, listed = expected.pop(security_id, (None, None))
            if listed is None:
                self._differences.compare("security", security_id, "row", None, str(found))
                continue
            if security_id in acted_on:
                del found["reference_price_e4"]
            for name, value in found.items():
                self._differences.compare(
                    "security", security_id, name, listed[name], value, ACTIONS, number
                )
        for security_id, (number, listed) in expected.items():
            self._differences.compare(
                "security", security_id, "row", str(listed["name"]), None, ACTIONS, number
            )


def _created(number: int, details: Mapping[str, Any]) -> _Client:
    return _Client(
        details["role"],
        details["rate_limit_per_second"],
        details["keys"],
        details.get("is_suspended", False),
        details.get("suspension_reason"),
        number,
    )


def _change(
    client: _Client, number: int, action: str, reason: str | None, details: Mapping[str, Any]
) -> None:
    """Apply one action to a client; actions that change nothing here, as deposits, pass."""
    client.number = number
    if action == "suspend":
        client.is_suspended, client.suspension_reason = True, reason
    elif action == "resume":
        client.is_suspended, client.suspension_reason = False, None
    elif action == "set_rate_limit":
        client.rate_limit_per_second = details["after"]
    elif action == "add_key":
        client.keys += 1
    elif action == "revoke_keys":
        client.keys = 0
    elif action == "rotate_keys":
        client.keys = 1
