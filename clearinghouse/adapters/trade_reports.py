"""The two settlement reports of a trade, without an index: each trade would pay for one."""

from service_runtime.database import Cursor
from venue_protocol import codec
from venue_protocol.identifiers import shard_and_number, sharded_id
from venue_protocol.settlement import SettlementReport

_TRADES = '%"settlement_kind":"trade"%'
_NEWEST = """
SELECT sequence, (report::json->>'trade_id')::bigint FROM settlement_reports
WHERE sequence <= %s AND report LIKE %s
AND (report::json->>'trade_id')::bigint BETWEEN %s AND %s
ORDER BY sequence DESC LIMIT 1
"""


def reports_of_trade(cursor: Cursor, trade_id: int) -> list[SettlementReport]:
    """What buyer and seller were told of this trade, in this order; [] if it is not settled.

    A binary search: the trades of a shard are settled in their order, so their ids rise with the
    reports. A million reports take 20 look-ups by the primary index.
    """
    shard, _ = shard_and_number(trade_id)
    ids = sharded_id(shard, 0), sharded_id(shard + 1, 0) - 1
    cursor.execute("SELECT last_report_sequence FROM settlement_heads")
    low, high = 0, int(cursor.fetchone()[0])
    while low < high:
        middle = (low + high + 1) // 2
        cursor.execute(_NEWEST, (middle, _TRADES, *ids))
        found = cursor.fetchone()
        if found is None or found[1] < trade_id:
            low = middle
        else:
            high = found[0] - 1
    cursor.execute(
        "SELECT report FROM settlement_reports WHERE sequence > %s AND report LIKE %s"
        " AND (report::json->>'trade_id')::bigint BETWEEN %s AND %s ORDER BY sequence LIMIT 2",
        (low, _TRADES, *ids),
    )
    told = [codec.decode_report(report) for (report,) in cursor]
    return [report for report in told if report.trade_id == trade_id]
