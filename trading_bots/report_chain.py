"""Checks a client's settlement reports without trusting the venue: none changed, none left out.

    first_break = verify(fetch("http://127.0.0.1:8000", api_key))

or `python -m trading_bots.report_chain`, which takes VENUE_API_KEY from the environment. Each
report carries the SHA-256 of its own text without the hash, and the hash of the client's report
before it. So a client that keeps one hash can prove that everything before it is still what it was.
"""

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from trading_bots.refusal import Refused, VenueUnavailable
from trading_bots.transport import Transport
from trading_bots.venue_address import VenueAddress

GENESIS_HASH = "0" * 64
"""What the first report of a client names as its predecessor."""

_HASH_FIELD = ',"hash":"'
_E4 = 10_000
_PAGE = 500


class Break(msgspec.Struct, frozen=True):
    """The first report at which the chain does not hold, and why."""

    sequence: int | None
    """The venue-wide sequence the report claims; None if it is not a report at all."""
    reason: str


class _Canonical(msgspec.Struct, frozen=True, omit_defaults=True):
    """A report as the venue hashes it: fields in this order, without those at their default.

    Money is in ten-thousandths of a dollar.
    """

    sequence: int
    client_id: str
    client_sequence: int
    settlement_kind: str
    journal_id: int
    cash_e4: int
    shares: int
    balance_e4: int
    time_us: int
    previous_hash: str
    security_id: str | None = None
    holding: int | None = None
    trade_id: int | None = None
    order_id: int | None = None
    side: str | None = None
    quantity: int | None = None
    price_e4: int | None = None
    memo: str | None = None
    fee_e4: int = 0
    settlement_cycle: int | None = None
    settled_cash_e4: int = 0
    settled_shares: int = 0
    open_shares: int = 0
    hash: str = ""


Report = str | bytes | Mapping[str, Any]
"""A report's exact JSON text, or a report as GET /settlement-reports shows it (decoded JSON)."""


def verify(
    reports: Iterable[Report],
    previous_hash: str = GENESIS_HASH,
    client_sequence: int = 0,
    balance_e4: int = 0,
    holdings: Mapping[str, int] | None = None,
) -> Break | None:
    """The first break in these reports of one client, oldest first; None if there is none.

    A chain is unbroken when hashes and numbers follow each other and the sums hold. To go on from a
    checked part, give its last report's hash, client_sequence, balance and holdings.
    """
    held = dict(holdings or {})
    client_id: str | None = None
    for given in reports:
        try:
            report, text = _read(given)
        except (msgspec.MsgspecError, ArithmeticError, ValueError, KeyError, TypeError) as error:
            return Break(None, f"not a settlement report: {error}")
        client_sequence += 1
        balance_e4 += report.cash_e4
        if report.security_id is not None:
            held[report.security_id] = held.get(report.security_id, 0) + report.shares
        reason = _fault(report, text, client_id, client_sequence, previous_hash, balance_e4, held)
        if reason is not None:
            return Break(report.sequence, reason)
        client_id, previous_hash = report.client_id, report.hash
    return None


def fetch(
    market_data_url: str, api_key: str, client_id: str | None = None, after: int = 0
) -> Iterator[dict[str, Any]]:
    """The key owner's settlement reports after a sequence, oldest first, read page by page.

    An administrator may name a client. Raises Refused or VenueUnavailable.
    """
    transport = Transport(market_data_url, api_key)
    try:
        while True:
            query = {"after": after, "limit": _PAGE, "client_id": client_id}
            reports = transport.request("GET", "/settlement-reports", query=query)["reports"]
            yield from reports
            if len(reports) < _PAGE:
                return
            after = reports[-1]["sequence"]
    finally:
        transport.close()


def main() -> int:
    """Check the key owner's chain and print what was found; 0 when it holds."""
    url = VenueAddress.find().market_data_url
    try:
        reports = list(fetch(url, os.environ["VENUE_API_KEY"]))
    except (KeyError, Refused, VenueUnavailable) as error:
        print(f"the reports can't be read: {error}", file=sys.stderr)
        return 2
    found = verify(reports)
    if found is not None:
        print(f"the chain breaks at settlement report {found.sequence}: {found.reason}")
        return 1
    newest = reports[-1]["hash"] if reports else GENESIS_HASH
    print(
        f"{len(reports)} reports are an unbroken chain; keep its end to check again later: {newest}"
    )
    return 0


def _fault(
    report: _Canonical,
    text: str,
    client_id: str | None,
    client_sequence: int,
    previous_hash: str,
    balance_e4: int,
    held: Mapping[str, int],
) -> str | None:
    """Why this report does not follow what was before, or None."""
    if client_id not in (None, report.client_id):
        return f"it is a report of {report.client_id}, not of {client_id}"
    if report.client_sequence != client_sequence:
        return f"client_sequence is {report.client_sequence}, {client_sequence} must follow"
    if report.previous_hash != previous_hash:
        return f"previous_hash is {report.previous_hash}, the report before has {previous_hash}"
    if not text.endswith(f'{_HASH_FIELD}{report.hash}"}}'):
        return "the hash is not the last thing in the report"
    own = hashlib.sha256((text.rpartition(_HASH_FIELD)[0] + "}").encode()).hexdigest()
    if own != report.hash:
        return f"hash is {report.hash}, the report's text has {own}"
    if report.balance_e4 != balance_e4:
        return (
            f"balance is {report.balance_e4} ten-thousandths of a dollar, its movements sum to "
            f"{balance_e4}"
        )
    if report.security_id is not None and report.holding != held[report.security_id]:
        return (
            f"holding is {report.holding} {report.security_id}, its movements sum to "
            f"{held[report.security_id]}"
        )
    return None


def _read(given: Report) -> tuple[_Canonical, str]:
    """The report and the text that its hash was made from."""
    if isinstance(given, Mapping):
        report = _Canonical(**_canonical_fields(given))
        return report, msgspec.json.encode(report).decode()
    text = given.decode() if isinstance(given, bytes) else given
    return msgspec.json.decode(text, type=_Canonical), text


def _canonical_fields(shown: Mapping[str, Any]) -> dict[str, Any]:
    """The hashed fields of a report as the API shows it: dollars there, ten-thousandths here."""
    fields = {name: shown[name] for name in _Canonical.__struct_fields__ if name in shown}
    fields["security_id"] = shown.get("security")
    fields["cash_e4"] = _e4(shown["cash"])
    fields["balance_e4"] = _e4(shown["balance"])
    fields["fee_e4"] = _e4(shown.get("fee", 0))
    fields["settled_cash_e4"] = _e4(shown.get("settled_cash", 0))
    fields["price_e4"] = None if shown.get("price") is None else _e4(shown["price"])
    return fields


def _e4(dollars: Any) -> int:
    """Ten-thousandths of a dollar, exactly; ValueError for a finer amount."""
    scaled = Decimal(str(dollars)) * _E4
    if scaled != int(scaled):
        raise ValueError(f"{dollars} has more than four decimals")
    return int(scaled)


if __name__ == "__main__":
    sys.exit(main())
