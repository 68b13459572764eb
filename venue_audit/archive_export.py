"""Exports a live venue to an archive, so that it is derived again, scored and audited like a
simulated market.

The log is played by the shipped engine on the way: that tells the number of each event, and so the
place of each deposit and withdrawal between them.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

from clearinghouse.domain.venue_accounts import VENUE_ACCOUNTS
from matching_engine.domain.engine import MatchingEngine
from venue_audit.log_rows import LOG_ROWS, batches
from venue_audit.snapshot import Snapshot
from venue_launcher.errors import CommandError
from venue_protocol import codec
from venue_protocol.events import EventBatch, Trade
from venue_protocol.securities import Security
from venue_simulation.market_archive import (
    ACCOUNTS,
    ORDER_LOG,
    SCHEMA,
    SECURITIES,
    TRANSFERS,
    ArchivedAccount,
    ArchivedHolding,
    ArchivedTransfer,
    Manifest,
    SealedFile,
    ShardEnd,
    log_line,
    seal_json,
    write_manifest,
)
from venue_storage.clearing_rows import LogRow

_SHARD = 0
_SECURITIES = """
SELECT security_id, name, shard, tick_e4, lot, band_bps, reference_price_e4, max_quantity,
    action_id, delisted_us, successor
FROM securities ORDER BY security_id
"""
_ACCOUNTS = """
SELECT client_id, role, is_external, balance_e4, held_e4, report_count, report_hash
FROM accounts JOIN clients USING (client_id) ORDER BY client_id
"""
_HOLDINGS = """
SELECT client_id, security_id, quantity, held FROM securities_deposits ORDER BY 1, 2
"""
_JOURNALS = """
SELECT journal_id, journal_kind, time_us, trade_id, reference, accounts, assets, amounts
FROM journals ORDER BY journal_id
"""
_TRANSFER_REPORTS = """
SELECT report FROM settlement_reports WHERE report LIKE '%"settlement_kind":"deposit"%'
OR report LIKE '%"settlement_kind":"withdrawal"%' ORDER BY sequence
"""
_HEADS = "SELECT last_journal_id, last_report_sequence FROM settlement_heads"
_SETTLED = "SELECT sequence FROM stream_positions WHERE reader = 'clearinghouse' AND stream = %s"
_SHARDS = "SELECT DISTINCT shard FROM order_log"


def export(
    clearing_url: str, folder: Path, players: Collection[str], plan: dict[str, Any]
) -> Manifest:
    """Write all that the venue has committed into `folder`.

    For a venue at rest: CommandError while the clearinghouse still settles, and for a venue of
    several shards. `players` become the group of that name; `plan` is kept in the manifest.
    """
    folder.mkdir(parents=True, exist_ok=False)
    with Snapshot(clearing_url) as clearing:
        if {shard for (shard,) in clearing.all(_SHARDS)} - {_SHARD}:
            raise CommandError("a venue of several shards can't be exported")
        log = _Log(clearing, folder / ORDER_LOG)
        transfers = _transfers(clearing, log)
        settled = clearing.number(_SETTLED, (f"events.{_SHARD}",))
        if settled != log.engine.event_position:
            raise CommandError(
                f"the clearinghouse has settled {settled} of {log.engine.event_position} events: "
                "try again when it has caught up"
            )
        journal_id, report_sequence = clearing.all(_HEADS)[0]
        seals = {ORDER_LOG: log.seal, TRANSFERS: _write_lines(folder / TRANSFERS, transfers)}
        securities = [Security(*row) for row in clearing.all(_SECURITIES)]
        seals[SECURITIES] = seal_json(folder / SECURITIES, securities)
        seals[ACCOUNTS] = seal_json(folder / ACCOUNTS, _accounts(clearing, frozenset(players)))
    engine = log.engine
    end = ShardEnd(_SHARD, engine.log_position, engine.event_position, engine.state_hash())
    manifest = Manifest(
        SCHEMA,
        "live",
        None,
        log.first_us,
        log.last_us,
        plan,
        [end],
        journal_id,
        report_sequence,
        seals,
    )
    write_manifest(folder, manifest)
    return manifest


class _Log:
    """The order log, written to a file and played by an engine."""

    def __init__(self, clearing: Snapshot, path: Path) -> None:
        self.engine = MatchingEngine(_SHARD)
        self.first_us = self.last_us = 0
        self.ends: list[tuple[int, int]] = []
        """Time of each batch, and the last event of it."""
        self.trades: dict[int, int] = {}
        """By trade_id the place of its batch in `ends`."""
        file = SealedFile(path)
        for batch in batches(_SHARD, self._written(clearing, file)):
            self._note(batch.time_us, self.engine.apply(batch))
        self.seal = file.close()

    def place(self, time_us: int, earliest: int, latest: int) -> int:
        """The last event before a transfer of this time, which is settled after the batch at
        `earliest` of `ends` and before the one at `latest`.
        """
        place = earliest
        while place + 1 < latest and self.ends[place + 1][0] <= time_us:
            place += 1
        return self.ends[place][1] if place >= 0 else 0

    def _written(self, clearing: Snapshot, file: SealedFile) -> Iterator[LogRow]:
        for row in map(LogRow._make, clearing.stream(LOG_ROWS, (_SHARD,))):
            file.write(log_line(row))
            yield row

    def _note(self, time_us: int, answer: EventBatch) -> None:
        self.first_us = self.first_us or time_us
        self.last_us = time_us
        for event in answer.events:
            if type(event) is Trade:
                self.trades[event.trade_id] = len(self.ends)
        self.ends.append((time_us, self.engine.event_position))


def _transfers(clearing: Snapshot, log: _Log) -> list[ArchivedTransfer]:
    """Deposits, withdrawals and issues with their places between the events."""
    memos: dict[int, str | None] = {}
    for (text,) in clearing.stream(_TRANSFER_REPORTS):
        report = codec.decode_report(text)
        memos.setdefault(report.journal_id, report.memo)
    found: list[ArchivedTransfer] = []
    waiting: list[tuple[Any, ...]] = []
    earliest = -1
    for row in clearing.stream(_JOURNALS):
        trade_id = row[3]
        if trade_id is None:
            waiting.append(row)
            continue
        latest = log.trades[trade_id]
        earliest = _placed(waiting, log, memos, found, earliest, latest)
        earliest = max(earliest, latest)
    _placed(waiting, log, memos, found, earliest, len(log.ends))
    return found


def _placed(
    waiting: list[tuple[Any, ...]],
    log: _Log,
    memos: dict[int, str | None],
    found: list[ArchivedTransfer],
    earliest: int,
    latest: int,
) -> int:
    """Place the transfers between two trades; never one before the transfer before it."""
    for journal_id, kind, time_us, _, reference, accounts, assets, amounts in waiting:
        after = log.place(time_us, earliest, latest)
        if found and found[-1].after_event is not None:
            after = max(after, found[-1].after_event)
        legs = list(zip(accounts, assets, amounts, strict=True))
        memo = memos.get(journal_id)
        found.append(ArchivedTransfer(journal_id, kind, time_us, legs, reference, memo, after))
    waiting.clear()
    return earliest


def _accounts(clearing: Snapshot, players: frozenset[str]) -> list[ArchivedAccount]:
    holdings: dict[str, dict[str, ArchivedHolding]] = {}
    for client_id, security_id, quantity, held in clearing.all(_HOLDINGS):
        holdings.setdefault(client_id, {})[security_id] = ArchivedHolding(quantity, held)
    return [
        ArchivedAccount(
            client_id,
            role,
            _group(client_id, players),
            is_external,
            balance_e4,
            held_e4,
            report_count,
            report_hash,
            holdings.get(client_id, {}),
        )
        for (
            client_id,
            role,
            is_external,
            balance_e4,
            held_e4,
            report_count,
            report_hash,
        ) in clearing.all(_ACCOUNTS)
    ]


def _group(client_id: str, players: frozenset[str]) -> str:
    if client_id in players:
        return "player"
    return "venue" if client_id in VENUE_ACCOUNTS else "population"


def _write_lines(path: Path, transfers: list[ArchivedTransfer]) -> Any:
    file = SealedFile(path)
    for transfer in transfers:
        file.write(msgspec.json.encode(transfer))
    return file.close()
