"""What statements read, asked of any connection: the client's reports, trades, reference prices.

Every function takes `ask`: it runs one statement and returns all rows. Reports are read a page at a
time, so that neither a long transaction nor a long list is needed for a client with a million.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from venue_protocol import codec
from venue_protocol.corporate_actions import CorporateAction
from venue_protocol.settlement import SettlementReport
from venue_protocol.statements.fold import Discharge
from venue_protocol.statements.maker import Listing
from venue_storage.standing_trades import STANDING_TRADES

Row = tuple[Any, ...]
Ask = Callable[[str, tuple[Any, ...]], list[Row]]

_REPORTS_A_PAGE = 2_000
_REPORTS = """
SELECT client_sequence, report FROM settlement_reports
WHERE client_id = %s AND client_sequence > %s ORDER BY client_sequence LIMIT %s
"""
_OF_KIND = """
SELECT report FROM settlement_reports
WHERE client_id = %s AND (report LIKE %s OR report LIKE %s) ORDER BY client_sequence
"""
_LOAN_EVENTS = """
SELECT time_us, security_id, event FROM loan_events WHERE client_id = %s ORDER BY number
"""
_LISTINGS = """
SELECT security_id, reference_price_e4, tick_e4, (
    SELECT (details::json->>'reference_price_e4')::bigint FROM administrative_actions
    WHERE action = 'list_security' AND administrative_actions.security_id = securities.security_id
    ORDER BY number LIMIT 1)
FROM securities
"""
_ACTIONS = """
SELECT security_id, time_us, action FROM corporate_actions WHERE step = 'applied' ORDER BY action_id
"""
_TRADE_TIME = """
SELECT trade_id, time_us FROM trades WHERE security_id = %s AND trade_id >= %s
ORDER BY trade_id LIMIT 1
"""
_LAST_TRADE = "SELECT max(trade_id) FROM trades WHERE security_id = %s"
_TRADES = f"""
SELECT time_us, price_e4, quantity, buy_client_id, sell_client_id FROM {STANDING_TRADES}
WHERE security_id = %s AND trade_id < %s ORDER BY trade_id DESC OFFSET %s LIMIT %s
"""


class _Loan(msgspec.Struct):
    """Of a loan, what a statement needs."""

    quantity: int = 0


class _LoanEvent(msgspec.Struct):
    """What happened to a loan, and the loan after it."""

    kind: str
    loan: _Loan
    as_of_report: int
    renamed: str | None = None


def reports(ask: Ask, client_id: str) -> Iterator[SettlementReport]:
    """The client's settlement reports, oldest first, as they are read."""
    after = 0
    while rows := ask(_REPORTS, (client_id, after, _REPORTS_A_PAGE)):
        for _, text in rows:
            yield codec.decode_report(text)
        if len(rows) < _REPORTS_A_PAGE:
            return
        after = rows[-1][0]


def amended_trades(ask: Ask, client_id: str) -> set[int]:
    """The client's trades that a bust or a correction names."""
    named = ('%"settlement_kind":"bust"%', '%"settlement_kind":"correction"%')
    found = [codec.decode_report(row[0]) for row in ask(_OF_KIND, (client_id, *named))]
    return {each.trade_id for each in found if each.trade_id is not None}


def discharges(ask: Ask, client_id: str) -> list[Discharge]:
    """What the client owed less without a report of shares: what close-outs bought for it, and what
    corporate actions made of its loans.
    """
    found, owed = [], dict[str, int]()
    for time_us, security_id, text in ask(_LOAN_EVENTS, (client_id,)):
        event = msgspec.json.decode(text, type=_LoanEvent)
        gone = owed.get(security_id, 0) - event.loan.quantity
        owed[security_id] = event.loan.quantity
        at = event.as_of_report, time_us
        if event.renamed is not None:
            found.append(Discharge(*at, event.renamed, 0, renamed=security_id))
        elif event.kind in ("bought", "delisting", "split") and gone:
            found.append(Discharge(*at, security_id, gone, event.kind != "split"))
    return found


def listings(ask: Ask) -> dict[str, Listing]:
    """What prices of each listed security are made with.

    A security that took over from another was not listed by anybody: its reference price is that of
    now.
    """
    actions: dict[str, list[tuple[int, CorporateAction]]] = {}
    for security_id, time_us, text in ask(_ACTIONS, ()):
        action: CorporateAction = msgspec.json.decode(text, type=CorporateAction)
        actions.setdefault(security_id, []).append((time_us, action))
    return {
        name: Listing(now_e4, tick_e4)
        if listed_e4 is None
        else Listing(listed_e4, tick_e4, actions.get(name, ()))
        for name, now_e4, tick_e4, listed_e4 in ask(_LISTINGS, ())
    }


def trades_until(ask: Ask, security_id: str, time_us: int, passed: int, most: int) -> list[Row]:
    """Trades before `time_us`, newest first, behind the newest `passed`, at most `most`.

    Time, price, quantity, buyer, seller. The first trade at or behind the time is found by a
    binary search on the key: trades of a security rise in time as they rise in number.
    """
    newest = ask(_LAST_TRADE, (security_id,))[0][0]
    low, high = 0, (newest or 0) + 1
    while low < high:
        middle = (low + high) // 2
        rows = ask(_TRADE_TIME, (security_id, middle))
        if rows and rows[0][1] < time_us:
            low = rows[0][0] + 1
        else:
            high = middle
    return ask(_TRADES, (security_id, low, passed, most))
