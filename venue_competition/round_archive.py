"""Reads the history of a round from its archive: the log is played again by the shipped engine,
ledger and record.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path

from clearinghouse.domain.report_chain import SealedReport
from market_data_feed.domain.batch_effect import RecordedTrade
from market_data_feed.domain.execution_report import ExecutionReport
from market_data_feed.domain.orders import BrokenStream
from venue_audit.archive_replay import Replay, Step
from venue_audit.log_rows import LogBroken
from venue_competition.round_history import RoundHistory
from venue_competition.round_record import SentCommand
from venue_launcher.errors import CommandError
from venue_protocol import codec
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.settlement import SettlementReport
from venue_simulation.market_archive import ArchiveFault, MarketArchive


def read_history(folder: Path, players: Collection[str]) -> RoundHistory:
    """All trades, and what these players sent and were told.

    CommandError where the archive can't be read, or contradicts itself.
    """
    try:
        archive = MarketArchive(folder)
        reader = _Reader(frozenset(players))
        replay = Replay(archive)
        for step in replay:
            reader.settled(replay.transferred)
            reader.add(step)
        reader.settled(replay.transferred)
        reference_e4 = {each.security_id: each.reference_price_e4 for each in archive.securities()}
    except (ArchiveFault, LogBroken, BrokenInvariant, BrokenStream, ValueError) as error:
        raise CommandError(f"{folder}: {error}") from error
    return RoundHistory(
        reference_e4, reader.trades, dict(reader.reports), dict(reader.settlements), reader.commands
    )


class _Reader:
    """Keeps what the scoring and the players' files need."""

    def __init__(self, players: frozenset[str]) -> None:
        self._players = players
        self.trades: list[RecordedTrade] = []
        self.reports: dict[str, list[ExecutionReport]] = defaultdict(list)
        self.settlements: dict[str, list[SettlementReport]] = defaultdict(list)
        self.commands: list[SentCommand] = []

    def add(self, step: Step) -> None:
        """One commit."""
        self.trades += step.effect.trades
        for report in step.effect.reports:
            if report.client_id in self._players:
                self.reports[report.client_id].append(report)
        self.settled(step.reports)
        for command in step.batch.commands:
            if command.client_id in self._players:
                kind = type(command).__struct_config__.tag
                self.commands.append(SentCommand(step.batch.time_us, command.client_id, str(kind)))

    def settled(self, reports: Iterable[SealedReport]) -> None:
        """Settlement reports, of trades or of transfers."""
        for sealed in reports:
            if sealed.client_id in self._players:
                self.settlements[sealed.client_id].append(codec.decode_report(sealed.encoded))
