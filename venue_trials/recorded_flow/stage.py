"""What a replay needs before its first order: a security of its own, and accounts with cover."""

import secrets
from collections.abc import Sequence

from trading_bots.client import VenueClient
from venue_launcher.admin_client import Administration
from venue_launcher.running_venue import RunningVenue
from venue_protocol.money import MAX_E4, format_e4
from venue_trials.recorded_flow.steps import (
    MOST_QUANTITY,
    PlaceStep,
    Plan,
    RecordingError,
    needs_of,
)

_WIDEST_BAND_BPS = 10_000


def new_security_name() -> str:
    """A name that no security has."""
    return f"RPL.{secrets.token_hex(3).upper()}"


def set_up(venue: RunningVenue, plan: Plan, security: str) -> dict[str, VenueClient]:
    """List `security` so that it takes all prices of the recording; one funded client an owner.

    Raises AdministrationError when the venue refuses, as for a security that exists.
    """
    administration = Administration(venue)
    needs = needs_of(plan.steps)
    places = plan.places()
    if any(need.cash_e4 > MAX_E4 for need in needs.values()):
        raise RecordingError(
            "the orders need more cash than an account can hold: replay fewer with --limit"
        )
    administration.add_security(
        {
            "security": security,
            "name": "Recorded order flow",
            "tick": format_e4(plan.tick_e4),
            "band_bps": _WIDEST_BAND_BPS,
            "reference_price": format_e4(reference_price_e4(places, plan.tick_e4)),
            "max_quantity": MOST_QUANTITY,
            "issued_shares": sum(need.shares for need in needs.values()),
        }
    )
    clients = {}
    for owner, need in sorted(needs.items()):
        client_id = f"{security.lower()}.{owner}"
        shares = {security: need.shares} if need.shares else None
        key = administration.create_client(
            client_id, "market_maker", format_e4(need.cash_e4), shares
        )
        clients[owner] = VenueClient(client_id, key, venue.gateway_url, venue.market_data_url)
    return clients


def reference_price_e4(places: Sequence[PlaceStep], tick_e4: int) -> int:
    """The middle of all prices, on the tick.

    The widest band around it reaches from one tick to above the highest: prices from 10.00 to
    30.00 give 20.00, and a band of 100 % takes 0.01 to 40.00.
    """
    prices = [step.price_e4 for step in places]
    if not prices:
        raise RecordingError("there is no order in the file")
    middle = (min(prices) + max(prices)) // 2
    return max(-(-middle // tick_e4), 1) * tick_e4
