"""What the audit says of a synthetic venue, for the tests of its checks."""

import json

from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from venue_audit.differences import Difference
from venue_audit.proof import EngineState, Verdict, audit


def audited(venue: SyntheticVenue, engines: list[EngineState] | None = None) -> Verdict:
    return audit(venue.provisioned.owner_clearing_url, venue.provisioned.owner_market_url, engines)


def said(verdict: Verdict) -> str:
    return "\n".join(map(str, verdict.differences))


def differences(venue: SyntheticVenue) -> list[Difference]:
    """What the audit finds."""
    return audited(venue).differences


def some_report(venue: SyntheticVenue, kind: str) -> tuple[int, str, str]:
    """Sequence, client and text of a report of this kind from the middle of a trader's or maker's
    history.
    """
    rows = venue.read(
        "clearing",
        "SELECT sequence, client_id, report FROM settlement_reports WHERE report LIKE %s ORDER BY "
        "1 DESC OFFSET 20",
        (f'%"settlement_kind":"{kind}"%',),
    )
    return next((sequence, owner, text) for sequence, owner, text in rows if cash_of(text))


def cash_of(report: str) -> int:
    return int(json.loads(report)["cash_e4"])
