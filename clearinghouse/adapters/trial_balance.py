"""The trial balance over HTTP: what every account has, and sums that are zero for each asset."""

from typing import Any, NamedTuple

from flask import Flask, Response

from service_runtime.database import Database
from service_runtime.http import paging
from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator
from service_runtime.http.openapi import LIMIT, NEXT, Operation, Query
from venue_protocol.holds import CASH
from venue_protocol.money import format_e4

_POSITIONS = f"""
SELECT '{CASH}' AS asset, client_id, balance_e4 AS amount FROM accounts
UNION ALL SELECT security_id, client_id, quantity FROM securities_deposits
"""
_PAGE = f"""
SELECT asset, client_id, role, amount FROM ({_POSITIONS}) AS positions
JOIN clients USING (client_id)
WHERE (asset COLLATE "C", client_id COLLATE "C") > (%s, %s)
ORDER BY asset COLLATE "C", client_id COLLATE "C" LIMIT %s
"""
_TOTALS = f"""
SELECT asset, sum(greatest(amount, 0)), sum(greatest(-amount, 0)) FROM ({_POSITIONS}) AS positions
GROUP BY asset ORDER BY asset COLLATE "C"
"""
_BALANCE = {
    "asset": "USD",
    "account": "ann",
    "role": "trader",
    "debit": "9998.13",
    "credit": "0.00",
}
_TOTAL = {"asset": "USD", "debit": "187580000.00", "credit": "187580000.00"}

OPERATIONS = (
    Operation(
        "GET",
        "/v1/trial-balance",
        "What every account has, by asset and name: a debit where it is above zero, a credit where "
        "it is below. `totals` are of all accounts: both sides are equal for each asset. Dollars "
        "and shares, both as decimal strings.",
        "administrator",
        {200: {"balances": [_BALANCE], "totals": [_TOTAL], "equal": True, "next": NEXT}},
        query=(
            Query("after", "`next` of the page before", {"type": "string", "maxLength": 100}),
            LIMIT,
        ),
    ),
)


class Row(NamedTuple):
    """One account in one asset; ten-thousandths of a dollar or shares."""

    asset: str
    client_id: str
    role: str
    amount: int


class TrialBalance:
    """Reads positions, all of one moment. It looks at every account: for administrators."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing

    def read(
        self, after: tuple[str, str], limit: int
    ) -> tuple[list[Row], list[tuple[str, int, int]]]:
        """Accounts behind `after` (asset, name), one more than limit; debits and credits by
        asset.
        """
        with self._clearing.transaction() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(_TOTALS)
            totals = [(asset, int(debit), int(credit)) for asset, debit, credit in cursor]
            cursor.execute(_PAGE, (*after, limit + 1))
            return [Row(*row) for row in cursor], totals


def add_routes(app: Flask, trial_balance: TrialBalance, authenticator: Authenticator) -> None:
    """Put the route on `app`."""

    @app.get("/v1/trial-balance")
    def balances() -> Response:
        authenticator.administrator()
        limit = paging.asked_limit()
        asset, _, name = paging.asked_after_name().partition("|")
        rows, totals = trial_balance.read((asset, name), limit)
        page = paging.page("balances", rows, limit, _cursor, _row)
        return json_response(
            page
            | {
                "totals": [_total(*total) for total in totals],
                "equal": all(debit == credit for _, debit, credit in totals),
            }
        )


def _cursor(row: Row) -> str:
    return f"{row.asset}|{row.client_id}"


def _row(row: Row) -> dict[str, Any]:
    return {
        "asset": row.asset,
        "account": row.client_id,
        "role": row.role,
        "debit": _amount(row.asset, max(row.amount, 0)),
        "credit": _amount(row.asset, max(-row.amount, 0)),
    }


def _total(asset: str, debit: int, credit: int) -> dict[str, str]:
    return {"asset": asset, "debit": _amount(asset, debit), "credit": _amount(asset, credit)}


def _amount(asset: str, amount: int) -> str:
    return format_e4(amount) if asset == CASH else str(amount)
