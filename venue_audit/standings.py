"""The ranking: who owns what at the marks, and what came of what was paid in."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from typing import Any

import msgspec
import psycopg2

from trading_bots.refusal import VenueUnavailable
from trading_bots.transport import Transport
from venue_launcher.running_venue import RunningVenue
from venue_protocol.holds import CASH
from venue_protocol.money import format_e4, format_for_people
from venue_protocol.roles import TRADER

_PATIENCE_S = 3.0
_FIXED_COLUMNS = 56
_USUAL_COLUMNS = 80

# Transfers have a reference, trades have none: a partial index finds the few among the many.
_PAID_IN = """
SELECT client_id, sum(CASE WHEN asset = %s THEN amount ELSE amount * reference_price_e4 END)
FROM journals CROSS JOIN LATERAL unnest(accounts, assets, amounts) AS leg(client_id, asset, amount)
LEFT JOIN securities ON security_id = asset
WHERE reference IS NOT NULL GROUP BY client_id
"""


class Standing(msgspec.Struct, frozen=True):
    """What one client owns, dollars and shares, as the feed says it; equity is at the marks."""

    client_id: str
    role: str
    balance: Decimal
    held: Decimal
    holdings: dict[str, int]
    equity: Decimal


class RankedClient(msgspec.Struct, frozen=True):
    """One line of the ranking; money in dollars."""

    rank: int | None
    """Among the traders, by equity; None for market makers."""
    client_id: str
    role: str
    cash: Decimal
    shares_value: Decimal
    """At the marks (docs/market-data.md)."""
    equity: Decimal
    paid_in: Decimal
    """Starting cash and deposits less withdrawals, and given shares at the reference price."""
    return_percent: Decimal | None
    holdings: dict[str, int]


class StandingsReader:
    """Reads the ranking of a running venue. For one thread."""

    def __init__(self, venue: RunningVenue) -> None:
        self._feed = Transport(venue.market_data_url, venue.admin_key, patience_s=_PATIENCE_S)
        self._clearing_url = venue.owner_clearing_url

    def read(self, prefix: str = "") -> list[RankedClient]:
        """The clients whose ids start with `prefix`, best first.

        Raises VenueUnavailable, Refused.
        """
        standings: list[Standing] = []
        after: str | None = "0"
        while after is not None:
            content = self._feed.request("GET", "/v1/standings", query={"after": after})
            standings += msgspec.convert(content["standings"], list[Standing], strict=False)
            after = content["next"]
        return ranking(
            [each for each in standings if each.client_id.startswith(prefix)],
            paid_in(self._clearing_url),
        )

    def close(self) -> None:
        """Close the connection."""
        self._feed.close()


def paid_in(clearing_url: str) -> dict[str, Decimal]:
    """What each client was given, in dollars. Raises VenueUnavailable."""
    try:
        connection = psycopg2.connect(clearing_url)
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(_PAID_IN, (CASH,))
            return {client_id: Decimal(format_e4(int(amount))) for client_id, amount in cursor}
    except psycopg2.OperationalError as error:
        raise VenueUnavailable(f"the database is away ({type(error).__name__})") from error


def ranking(standings: Sequence[Standing], given: Mapping[str, Decimal]) -> list[RankedClient]:
    """Traders by equity, the richest first; then the others, which are not ranked."""
    ordered = sorted(
        standings, key=lambda each: (each.role != TRADER, -each.equity, each.client_id)
    )
    return [
        _ranked(place, each, given.get(each.client_id, Decimal(0)))
        for place, each in enumerate(ordered, 1)
    ]


def _ranked(place: int, standing: Standing, given: Decimal) -> RankedClient:
    return RankedClient(
        rank=place if standing.role == TRADER else None,
        client_id=standing.client_id,
        role=standing.role,
        cash=standing.balance,
        shares_value=standing.equity - standing.balance,
        equity=standing.equity,
        paid_in=given,
        return_percent=_percent(standing.equity / given - 1) if given > 0 else None,
        holdings=standing.holdings,
    )


def _percent(part: Decimal) -> Decimal:
    """In hundredths of a percent; a loss too small to show is no minus zero."""
    return (part * 100).quantize(Decimal("0.01")) + 0


def table(ranked: Sequence[RankedClient], columns: int | None = None) -> list[str]:
    """A heading and a line for each client, as wide as the terminal (80 columns without one)."""
    columns = columns or shutil.get_terminal_size((_USUAL_COLUMNS, 24)).columns
    longest = max([len("client"), *(len(each.client_id) for each in ranked)])
    width = max(min(longest, columns - 1 - _FIXED_COLUMNS), len("client"))
    lines = [_line("#", f"{'client':<{width}}", "cash", "shares", "equity", "return")]
    for each in ranked:
        gain = "-" if each.return_percent is None else f"{each.return_percent:+,.2f}%"
        money = [
            format_for_people(amount) for amount in (each.cash, each.shares_value, each.equity)
        ]
        lines.append(
            _line(
                str(each.rank or "-"),
                _fitted(each.client_id, width),
                money[0],
                money[1],
                money[2],
                gain,
            )
        )
    return lines


def _line(rank: str, client: str, cash: str, shares: str, equity: str, gain: str) -> str:
    return f"{rank:>3} {client} {cash:>14} {shares:>12} {equity:>14} {gain:>8}"


def _fitted(name: str, width: int) -> str:
    return f"{name:<{width}}" if len(name) <= width else f"{name[: width - 1]}…"


def as_json(ranked: Sequence[RankedClient]) -> list[dict[str, Any]]:
    """The same as JSON has it: money as decimal strings."""
    return [msgspec.to_builtins(each) for each in ranked]
