"""Settlements as the clearinghouse commits and publishes them."""

from tests.integration.market_data_feed.conftest import Clearing
from tests.unit.market_data_feed.tape import START_US
from venue_protocol import codec
from venue_protocol.settlement import GENESIS_HASH, SettlementBatch, SettlementReport


def settlement(
    sequence: int, client_id: str = "alice", client_sequence: int | None = None
) -> SettlementReport:
    """A deposit of one cent."""
    return SettlementReport(
        sequence=sequence,
        client_id=client_id,
        client_sequence=client_sequence or sequence,
        settlement_kind="deposit",
        journal_id=sequence,
        cash_e4=100,
        shares=0,
        balance_e4=100 * sequence,
        time_us=START_US + sequence,
        previous_hash=GENESIS_HASH,
        memo='a "quoted" \\ memo',
    )


def settle(clearing: Clearing, *reports: SettlementReport) -> SettlementBatch:
    """Reports as the clearinghouse commits them, and the batch that it then publishes."""
    for report in reports:
        clearing.execute(
            "INSERT INTO settlement_reports VALUES (%s, %s, %s, %s)",
            (
                report.sequence,
                report.client_id,
                report.client_sequence,
                codec.encode(report).decode(),
            ),
        )
    return SettlementBatch(1, reports[0].sequence, list(reports))


def settled_already(clearing: Clearing) -> int:
    """Sequence of the newest settlement report; a fresh venue has some from its first deposits."""
    (newest,) = clearing.execute("SELECT coalesce(max(sequence), 0) FROM settlement_reports")
    return int(newest[0])
