"""Writes the archive of a simulated market while it runs."""

from pathlib import Path

import msgspec

from clearinghouse.domain.venue_accounts import VENUE_ACCOUNTS
from venue_simulation.market_archive import (
    ACCOUNTS,
    MANIFEST,
    ORDER_LOG,
    SCHEMA,
    SECURITIES,
    TRANSFERS,
    ArchivedAccount,
    ArchivedHolding,
    Manifest,
    SealedFile,
    ShardEnd,
    log_line,
    seal_json,
    write_manifest,
)
from venue_simulation.market_plan import plan_json
from venue_simulation.simulated_market import SimulatedMarket
from venue_simulation.simulated_venue import Committed


class ArchiveWriter:
    """An observer that writes. FileExistsError for a folder that holds an archive already."""

    def __init__(self, folder: Path) -> None:
        if (folder / MANIFEST).exists() or (folder / ORDER_LOG).exists():
            raise FileExistsError(f"{folder} holds an archive already")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._log = SealedFile(folder / ORDER_LOG)
        self._transfers = SealedFile(folder / TRANSFERS)
        self._transferred = 0

    def begun(self, market: SimulatedMarket) -> None:
        """The first deposits."""
        self._write_transfers(market)

    def committed(self, market: SimulatedMarket, committed: Committed) -> None:
        """The new rows of the log."""
        for row in committed.rows:
            self._log.write(log_line(row))

    def sampled(self, market: SimulatedMarket) -> None:
        """Deposits that came meanwhile."""
        self._write_transfers(market)

    def close(self, market: SimulatedMarket) -> None:
        """The other files, the manifest last."""
        self._write_transfers(market)
        folder, venue = self._folder, market.venue
        files = {
            ORDER_LOG: self._log.close(),
            TRANSFERS: self._transfers.close(),
            SECURITIES: seal_json(folder / SECURITIES, list(venue.securities.values())),
            ACCOUNTS: seal_json(folder / ACCOUNTS, _accounts(market)),
        }
        engine = venue.engine
        last_report, last_journal = venue.clearing.tables.settlement_head[True]
        end = ShardEnd(
            engine.shard, engine.log_position, engine.event_position, engine.state_hash()
        )
        plan = market.plan
        manifest = Manifest(
            SCHEMA,
            "simulated",
            plan.seed,
            plan.start_us,
            plan.end_us,
            plan_json(plan),
            [end],
            last_journal,
            last_report,
            files,
        )
        write_manifest(folder, manifest)

    def _write_transfers(self, market: SimulatedMarket) -> None:
        transfers = market.venue.transfers
        for transfer in transfers[self._transferred :]:
            self._transfers.write(msgspec.json.encode(transfer))
        self._transferred = len(transfers)


def _accounts(market: SimulatedMarket) -> list[ArchivedAccount]:
    tables = market.venue.clearing.tables
    accounts = []
    for client_id, row in tables.accounts.items():
        seat = market.seats.get(client_id)
        accounts.append(
            ArchivedAccount(
                client_id,
                tables.clients[client_id],
                seat.spec.group if seat else _group(client_id),
                row.is_external,
                row.balance_e4,
                row.held_e4,
                row.report_count,
                row.report_hash,
                {
                    name: ArchivedHolding(deposit.quantity, deposit.held)
                    for name in market.markets
                    if (deposit := tables.deposits.get((client_id, name))) is not None
                },
            )
        )
    return accounts


def _group(client_id: str) -> str:
    return "venue" if client_id in VENUE_ACCOUNTS else "player"
