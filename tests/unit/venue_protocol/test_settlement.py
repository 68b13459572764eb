"""Settlement reports are chained by hash."""

import msgspec
import pytest

from venue_protocol.settlement import GENESIS_HASH, SettlementBatch, SettlementReport, report_hash

REPORT = SettlementReport(
    sequence=1,
    client_id="alice",
    client_sequence=1,
    settlement_kind="deposit",
    journal_id=1,
    cash_e4=100_000_000,
    shares=0,
    balance_e4=100_000_000,
    time_us=1_700_000_000_000_000,
    previous_hash=GENESIS_HASH,
)


def test_the_hash_does_not_cover_itself() -> None:
    sealed = msgspec.structs.replace(REPORT, hash=report_hash(REPORT))
    assert report_hash(sealed) == sealed.hash == report_hash(REPORT)


@pytest.mark.parametrize(
    "change",
    [{"cash_e4": 100_000_001}, {"previous_hash": "1" * 64}, {"client_id": "bob"}, {"memo": "x"}],
    ids=str,
)
def test_any_changed_field_changes_the_hash(change: dict[str, object]) -> None:
    assert report_hash(msgspec.structs.replace(REPORT, **change)) != report_hash(REPORT)


def test_the_hash_survives_the_wire() -> None:
    received = msgspec.json.decode(msgspec.json.encode(REPORT), type=SettlementReport)
    assert report_hash(received) == report_hash(REPORT)


def test_a_batch_knows_its_last_sequence() -> None:
    assert SettlementBatch(1, 7, [REPORT, REPORT]).last == 8
