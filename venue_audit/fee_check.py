"""Compares the fee schedule with the record of what administrators did, and the rates of each order
with the schedules of its time.

What a trade cost is checked with all else that the log gives: its rates stand in the order log, so
its journal and its reports are derived. Only where the rates came from is not in the log.
"""

from collections.abc import Mapping
from typing import Any

from venue_audit.differences import ACTIONS, LOG, Differences
from venue_audit.snapshot import Snapshot
from venue_protocol.commands import CommandBatch, PlaceOrder
from venue_protocol.fee_schedule import ALL_SECURITIES, STANDARD, FeeRow, FeeSchedule
from venue_protocol.fees import FeeRates
from venue_protocol.settlement import CLOSE_OUT

FEE_ACTIONS = ("set_fees", "remove_fees", "set_fee_tier")
WITHIN_US = 60_000_000
"""A gateway knows a new schedule some seconds later, and its clock may be another: an order's rates
must have been in force within this time before it or after it."""

_HAS_SCHEDULE = "SELECT to_regclass('fee_schedule') IS NOT NULL"
_ROWS = "SELECT security_id, tier, maker_bps, taker_bps, auction_bps FROM fee_schedule"
_TIERS = "SELECT client_id, tier FROM fee_tiers"
_CHANGES = """
SELECT number, time_us, action, client_id, security_id, details::json
FROM administrative_actions WHERE action = ANY (%s) ORDER BY number
"""


class FeeRecord:
    """The schedule that the actions add up to."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], FeeRow] = {}
        self._tiers: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        """The newest action on a row or client, by how a difference names it."""

    def apply(
        self,
        number: int,
        action: str,
        client_id: str | None,
        security_id: str | None,
        details: Mapping[str, Any],
    ) -> None:
        """One of FEE_ACTIONS."""
        if action == "set_fee_tier" and client_id is not None:
            self._tiers[client_id] = details["after"]
            self._numbers[client_id] = number
            return
        key = (security_id or ALL_SECURITIES, details["tier"])
        self._numbers[" ".join(key)] = number
        if action == "remove_fees":
            self._rows.pop(key, None)
        else:
            rates = (details["maker_bps"], details["taker_bps"], details["auction_bps"])
            self._rows[key] = FeeRow(*key, *rates)

    def schedule(self) -> FeeSchedule:
        """The schedule so far."""
        return FeeSchedule(self._rows.values(), self._tiers)

    def compare(self, clearing: Snapshot, differences: Differences) -> None:
        """Hold the tables against it; nothing on a database of a version before there were fees."""
        if not clearing.number(f"SELECT ({_HAS_SCHEDULE})::int"):
            return
        stored = {row[:2]: FeeRow(*row) for row in clearing.all(_ROWS)}
        for key in sorted(self._rows.keys() | stored.keys()):
            subject = " ".join(key)
            wanted, found = self._rows.get(key), stored.get(key)
            for place, name in enumerate(FeeRow._fields[2:], 2):
                differences.compare(
                    "fee_schedule",
                    subject,
                    name,
                    wanted[place] if wanted is not None else None,
                    found[place] if found is not None else None,
                    ACTIONS,
                    self._numbers.get(subject),
                )
        tiers: dict[str, str] = dict(clearing.all(_TIERS))
        for client_id in sorted(self._tiers.keys() | tiers.keys()):
            differences.compare(
                "fee_tier",
                client_id,
                "tier",
                self._tiers.get(client_id, STANDARD),
                tiers.get(client_id, STANDARD),
                ACTIONS,
                self._numbers.get(client_id),
            )


class FeeCheck:
    """`take` each batch of the log."""

    def __init__(self, clearing: Snapshot, differences: Differences) -> None:
        self._differences = differences
        self._schedules: list[tuple[int, FeeSchedule]] = [(-1 << 62, FeeSchedule())]
        """Since when, microseconds since the epoch, each schedule was in force."""
        row = clearing.one("SELECT to_regclass('administrative_actions') IS NOT NULL")
        record = FeeRecord()
        for number, time_us, action, client_id, security_id, details in (
            clearing.all(_CHANGES, (list(FEE_ACTIONS),)) if row and row[0] else ()
        ):
            record.apply(number, action, client_id, security_id, details)
            self._schedules.append((time_us, record.schedule()))

    def take(self, batch: CommandBatch) -> None:
        """Name each order of the batch whose rates no schedule of its time gives."""
        in_force = self._in_force(batch.time_us)
        for sequence, command in batch.numbered():
            if type(command) is not PlaceOrder:
                continue
            if command.client_id == CLOSE_OUT:
                # The clearinghouse buys a loan back with what the loan held: nothing is left to
                # pay a fee from.
                allowed: list[FeeRates | None] = [None]
            else:
                allowed = [
                    schedule.rates(command.client_id, command.security_id) for schedule in in_force
                ]
            if command.fees not in allowed:
                self._differences.compare(
                    "order",
                    f"{sequence} of {command.client_id}",
                    "fees",
                    _said(allowed[-1]),
                    _said(command.fees),
                    LOG,
                    sequence,
                    command.client_id,
                )

    def _in_force(self, time_us: int) -> list[FeeSchedule]:
        """The schedules that were in force at some moment within WITHIN_US of this time."""
        if len(self._schedules) == 1:
            return [self._schedules[0][1]]
        ends = [since_us for since_us, _ in self._schedules[1:]] + [1 << 62]
        return [
            schedule
            for (since_us, schedule), until_us in zip(self._schedules, ends, strict=True)
            if since_us <= time_us + WITHIN_US and until_us > time_us - WITHIN_US
        ]


def _said(rates: FeeRates | None) -> str:
    found = rates or FeeRates()
    return f"maker {found.maker_bps}, taker {found.taker_bps}, auction {found.auction_bps}"
