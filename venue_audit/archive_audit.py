"""The audit of an archive: all of it is derived again from its log and its transfers, and compared
with how its accounts and positions ended.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from clearinghouse.domain.ledger import Position, ReportChain
from clearinghouse.domain.venue_accounts import EXTERNAL
from market_data_feed.domain.orders import BrokenStream
from venue_audit.archive_replay import Replay
from venue_audit.differences import LOG, Difference, Differences
from venue_audit.history import History
from venue_audit.log_rows import LogBroken, note_break
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant
from venue_simulation.market_archive import ArchivedAccount, ArchiveFault, MarketArchive, ShardEnd

_EVERY = 1_000


class ArchiveVerdict(msgspec.Struct):
    """What was derived, and what was found."""

    counts: dict[str, int]
    differences: list[Difference]
    found: int

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return self.found == 0


def audit_archive(
    folder: Path, progress: Callable[[str, int, int], None] = lambda part, done, of: None
) -> ArchiveVerdict:
    """Audit the archive in `folder`. ArchiveFault if there is none."""
    return ArchiveAudit(MarketArchive(folder), progress).run()


class ArchiveAudit:
    """One run over one archive."""

    def __init__(self, archive: MarketArchive, progress: Callable[[str, int, int], None]) -> None:
        self._archive = archive
        self._progress = progress
        self._differences = Differences()
        self._counts = dict.fromkeys(
            ("log_rows", "events", "trades", "settlement_reports", "accounts", "open_orders"), 0
        )

    def run(self) -> ArchiveVerdict:
        """Seals, then the fold, then how everything ended."""
        for broken in self._archive.broken_seals():
            self._differences.compare("archive", broken, "seal", "whole", "changed")
        replay = Replay(self._archive)
        if self._fold(replay):
            history = replay.history
            self._check_accounts(history)
            self._check_holds(history)
            self._check_conserved(history)
            self._check_positions(history)
        return ArchiveVerdict(self._counts, list(self._differences), self._differences.count)

    def _fold(self, replay: Replay) -> bool:
        """Derive everything again; False where the log can't be followed to its end."""
        rows = sum(end.log_position for end in self._archive.manifest.shards)
        done, counts = 0, self._counts
        try:
            for step in replay:
                done = step.batch.last
                counts["log_rows"] += len(step.batch.commands)
                counts["events"] += len(step.events.events)
                counts["trades"] += len(step.effect.trades)
                counts["settlement_reports"] += len(step.reports)
                self._note_uncovered(replay.history)
                if not done % _EVERY:
                    self._progress("order log", done, rows)
        except (LogBroken, BrokenInvariant, BrokenStream, ArchiveFault) as broken:
            note_break(self._differences, broken, done + 1)
            return False
        return True

    def _note_uncovered(self, history: History) -> None:
        for sequence, client_id, held, quantity in history.uncovered:
            self._differences.compare(
                "hold",
                f"{client_id} (order log {sequence})",
                "cover",
                held,
                quantity,
                LOG,
                sequence,
            )
        history.uncovered.clear()

    def _check_accounts(self, history: History) -> None:
        """Every account and holding is what the log says, and there is no other."""
        unseen = {key: each for key, each in history.ledger.positions.items() if each.quantity}
        for account in self._archive.accounts():
            self._counts["accounts"] += 1
            self._check_account(history, account)
            unseen.pop((account.client_id, CASH), None)
            for security_id in account.holdings:
                unseen.pop((account.client_id, security_id), None)
        for (client_id, asset), position in unseen.items():
            field = "balance_e4" if asset == CASH else "quantity"
            self._differences.compare(
                "account", f"{client_id} {asset}", field, position.quantity, None
            )

    def _check_account(self, history: History, account: ArchivedAccount) -> None:
        client_id, positions = account.client_id, history.ledger.positions
        chain = history.settlement.chains.get(client_id, ReportChain())
        cash = positions.get((client_id, CASH), Position())
        for field, expected, found in (
            ("balance_e4", cash.quantity, account.balance_e4),
            ("held_e4", cash.held, account.held_e4),
            ("is_external", client_id in EXTERNAL, account.is_external),
            ("report_count", chain.count, account.report_count),
            ("report_hash", chain.hash, account.report_hash),
        ):
            self._differences.compare("account", client_id, field, expected, found)
        for security_id, holding in account.holdings.items():
            shares = positions.get((client_id, security_id), Position())
            subject = f"{client_id} {security_id}"
            compare = self._differences.compare
            compare("deposit", subject, "quantity", shares.quantity, holding.quantity)
            compare("deposit", subject, "held", shares.held, holding.held)

    def _check_holds(self, history: History) -> None:
        """What is held is what the open orders can need."""
        needed = history.held_by_open_orders()
        for key, position in history.ledger.positions.items():
            self._differences.compare(
                "hold", " ".join(key), "held", needed[key], position.held, LOG
            )
        for engine in history.engines.values():
            self._counts["open_orders"] += len(engine.orders)

    def _check_conserved(self, history: History) -> None:
        """Cash and every security sum to zero, external accounts included."""
        sums: dict[str, int] = {}
        for (_, asset), position in history.ledger.positions.items():
            sums[asset] = sums.get(asset, 0) + position.quantity
        for asset, amount in sums.items():
            self._differences.compare("conservation", asset, "sum", 0, amount)

    def _check_positions(self, history: History) -> None:
        """The log, the events, journals and reports end where the manifest says."""
        manifest, settlement = self._archive.manifest, history.settlement
        compare = self._differences.compare
        compare(
            "position", "journals", "last", settlement.last_journal_id, manifest.last_journal_id
        )
        compare(
            "position",
            "settlement reports",
            "last",
            settlement.last_report_sequence,
            manifest.last_report_sequence,
        )
        for end in manifest.shards:
            self._check_end(history, end)

    def _check_end(self, history: History, end: ShardEnd) -> None:
        engine = history.engines.get(end.shard)
        if engine is None:
            self._differences.compare(
                "book", f"engine {end.shard}", "log_position", 0, end.log_position
            )
            return
        for field, expected, found in (
            ("log_position", engine.log_position, end.log_position),
            ("event_position", engine.event_position, end.event_position),
            ("state_hash", engine.state_hash(), end.state_hash),
        ):
            self._differences.compare("book", f"engine {end.shard}", field, expected, found)
