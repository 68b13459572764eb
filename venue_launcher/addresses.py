"""Where a venue answers, for people."""

from venue_launcher.running_venue import RunningVenue
from venue_launcher.terminal import paint


def describe(venue: RunningVenue) -> str:
    """Addresses, servers, the key, and what bots elsewhere need; several lines."""
    rows = {
        "market data": f"{venue.market_data_url}  (web page, REST, WebSocket)",
        "order entry": f"{venue.gateway_url}/v1/orders",
        "accounts": f"{venue.clearinghouse_url}/v1/clients",
        "live books": f"{venue.engine_url}/v1/books/AAPL",
        "stands on": venue.how,
        "logs": str(venue.state_dir / "logs"),
        "admin key": str(venue.state_dir / "admin.key"),
        "for bots": f"export VENUE_ORDER_ENTRY_URL={venue.gateway_url} "
        f"VENUE_MARKET_DATA_URL={venue.market_data_url}",
    }
    return "\n".join(f"  {paint(f'{name:<12}', 'bold')} {value}" for name, value in rows.items())
