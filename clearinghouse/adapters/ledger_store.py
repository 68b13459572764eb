"""The ledger in Postgres: lock and load what a batch touches, write back what it changed. Set-based throughout."""

from collections.abc import Iterable, Sequence

from clearinghouse.domain.ledger import Journal, Ledger, Position, ReportChain
from clearinghouse.domain.report_chain import SealedReport
from clearinghouse.domain.settlement import Obligation, Settlement
from service_runtime.copying import copy_rows
from service_runtime.database import Cursor
from venue_protocol import codec
from venue_protocol.holds import CASH

READER = "clearinghouse"


def lock_settlement(cursor: Cursor, keys: Iterable[tuple[str, str]]) -> Settlement:
    """A Settlement on the positions `(client_id, asset)` named, locked until the transaction ends.

    Whoever moves cash or shares locks the single settlement_heads row first, so sequences have no gap;
    accounts and deposits are locked in key order, as the gateway does.
    """
    cursor.execute("SELECT last_journal_id, last_report_sequence FROM settlement_heads FOR UPDATE")
    last_journal_id, last_report_sequence = cursor.fetchone()
    keys = set(keys)
    ledger, chains = Ledger(), {}
    cursor.execute(
        "SELECT client_id, balance_e4, held_e4, is_external, report_count, report_hash FROM accounts"
        " WHERE client_id = ANY (%s) ORDER BY client_id FOR UPDATE",
        (sorted({client_id for client_id, _ in keys}),),
    )
    for client_id, balance_e4, held_e4, is_external, count, report_hash in cursor:
        ledger.positions[client_id, CASH] = Position(balance_e4, held_e4, is_external)
        chains[client_id] = ReportChain(count, report_hash)
    deposits = sorted(key for key in keys if key[1] != CASH)
    cursor.execute(
        "SELECT client_id, security_id, quantity, held, is_external FROM securities_deposits"
        " JOIN unnest(%s::text[], %s::text[]) AS wanted(client_id, security_id) USING (client_id, security_id)"
        " ORDER BY client_id, security_id FOR UPDATE OF securities_deposits",
        ([client_id for client_id, _ in deposits], [asset for _, asset in deposits]),
    )
    for client_id, security_id, quantity, held, is_external in cursor:
        ledger.positions[client_id, security_id] = Position(quantity, held, is_external)
    return Settlement(ledger, chains, last_journal_id, last_report_sequence)


def write_settlement(cursor: Cursor, settlement: Settlement) -> None:
    """Write all that the settlement changed: positions, chains, journals, reports, obligations, heads."""
    _write_accounts(cursor, settlement)
    _write_deposits(cursor, settlement.ledger)
    _write_journals(cursor, settlement.journals)
    _write_reports(cursor, settlement.reports)
    _write_obligations(cursor, settlement.obligations)
    if settlement.journals or settlement.reports:
        cursor.execute(
            "UPDATE settlement_heads SET last_journal_id = %s, last_report_sequence = %s",
            (settlement.last_journal_id, settlement.last_report_sequence),
        )


def read_position(cursor: Cursor, stream: str) -> int:
    """Newest number of `stream` whose effect is committed; 0 at the beginning."""
    cursor.execute("SELECT sequence FROM stream_positions WHERE reader = %s AND stream = %s", (READER, stream))
    row = cursor.fetchone()
    return row[0] if row else 0


def write_position(cursor: Cursor, stream: str, sequence: int) -> None:
    """Store the position in the transaction of the effect."""
    cursor.execute(
        "INSERT INTO stream_positions (reader, stream, sequence) VALUES (%s, %s, %s)"
        " ON CONFLICT (reader, stream) DO UPDATE SET sequence = EXCLUDED.sequence",
        (READER, stream, sequence),
    )


def _write_accounts(cursor: Cursor, settlement: Settlement) -> None:
    clients = sorted(
        {client_id for client_id, asset in settlement.ledger.touched if asset == CASH}
        | {report.client_id for report in settlement.reports}
    )
    if not clients:
        return
    positions = [settlement.ledger.position(client_id, CASH) for client_id in clients]
    chains = [settlement.chains.get(client_id) or ReportChain() for client_id in clients]
    cursor.execute(
        "UPDATE accounts SET balance_e4 = changed.balance_e4, held_e4 = changed.held_e4,"
        " report_count = changed.report_count, report_hash = changed.report_hash"
        " FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[])"
        " AS changed(client_id, balance_e4, held_e4, report_count, report_hash)"
        " WHERE accounts.client_id = changed.client_id",
        (
            clients,
            [position.quantity for position in positions],
            [position.held for position in positions],
            [chain.count for chain in chains],
            [chain.hash for chain in chains],
        ),
    )


def _write_deposits(cursor: Cursor, ledger: Ledger) -> None:
    keys = sorted(key for key in ledger.touched if key[1] != CASH)
    if not keys:
        return
    positions = [ledger.positions[key] for key in keys]
    columns = (
        [client_id for client_id, _ in keys],
        [security_id for _, security_id in keys],
        [position.quantity for position in positions],
        [position.held for position in positions],
        [position.is_external for position in positions],
    )
    cursor.execute(
        "UPDATE securities_deposits SET quantity = changed.quantity, held = changed.held"
        " FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[])"
        " AS changed(client_id, security_id, quantity, held)"
        " WHERE securities_deposits.client_id = changed.client_id"
        " AND securities_deposits.security_id = changed.security_id",
        columns[:4],
    )
    if cursor.rowcount < len(keys):
        cursor.execute(
            "INSERT INTO securities_deposits (client_id, security_id, quantity, held, is_external)"
            " SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::boolean[])"
            " ON CONFLICT DO NOTHING",
            columns,
        )


def _write_journals(cursor: Cursor, journals: Sequence[Journal]) -> None:
    rows = [
        (
            journal.journal_id,
            journal.kind,
            journal.time_us,
            journal.trade_id,
            journal.reference,
            _array(leg.client_id for leg in journal.legs),
            _array(leg.asset for leg in journal.legs),
            _array(str(leg.amount) for leg in journal.legs),
        )
        for journal in journals
    ]
    copy_rows(
        cursor, "journals (journal_id, journal_kind, time_us, trade_id, reference, accounts, assets, amounts)", rows
    )


def _write_reports(cursor: Cursor, reports: Sequence[SealedReport]) -> None:
    rows = [(report.sequence, report.client_id, report.client_sequence, report.encoded.decode()) for report in reports]
    copy_rows(cursor, "settlement_reports (sequence, client_id, client_sequence, report)", rows)


def _write_obligations(cursor: Cursor, obligations: Sequence[Obligation]) -> None:
    for obligation in obligations:
        cursor.execute(
            "INSERT INTO obligations (trade_id, time_us, reason, trade) VALUES (%s, %s, %s, %s)",
            (
                obligation.trade.trade_id,
                obligation.time_us,
                obligation.reason,
                codec.encode(obligation.trade).decode(),
            ),
        )


def _array(items: Iterable[str]) -> str:
    """A Postgres array literal. Client and security ids have no character that it would have to quote."""
    return "{" + ",".join(items) + "}"
