"""What the feed can be asked, for `/docs` and `/openapi.json`."""

from typing import Any

from market_data_feed.adapters import (
    api_accounts,
    api_market,
    api_obligations,
    api_orders,
    competition_http,
)
from service_runtime.http.openapi import document

OPERATIONS = (
    *api_accounts.OPERATIONS,
    *api_orders.OPERATIONS,
    *api_market.OPERATIONS,
    *api_obligations.OPERATIONS,
    *competition_http.OPERATIONS,
)


def described() -> dict[str, Any]:
    """The OpenAPI document."""
    return document(
        "Market data and accounts",
        "What happened, and what belongs to whom. More: docs/market-data.md.",
        OPERATIONS,
    )
