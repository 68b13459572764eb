"""The fee schedule over HTTP."""

from typing import Annotated, Any

import msgspec
from flask import Flask, Response, request

from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator
from service_runtime.http.openapi import Maybe, Operation, Query
from service_runtime.http.request_body import body_as
from trading_fees.desk import FeeDesk
from venue_protocol.fee_schedule import ALL_SECURITIES, STANDARD, TIER_PATTERN, FeeRow
from venue_protocol.fees import FeeRates
from venue_protocol.identifiers import SecurityId

TierName = Annotated[str, msgspec.Meta(pattern=TIER_PATTERN, max_length=32)]


class FeeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of PUT /v1/fees: a row of the schedule, basis points of a trade's value."""

    maker_bps: int
    taker_bps: int
    auction_bps: int = 0
    security: SecurityId | None = None
    """None: for all securities."""
    tier: TierName = STANDARD

    def row(self) -> FeeRow:
        """The row; `venue_protocol.fee_schedule` says whether it fits the others."""
        return FeeRow(
            self.security or ALL_SECURITIES,
            self.tier,
            *(self.maker_bps, self.taker_bps, self.auction_bps),
        )


class TierRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of PUT /v1/clients/{client_id}/fee-tier."""

    tier: TierName


_fee_decoder = msgspec.json.Decoder(FeeRequest)
_tier_decoder = msgspec.json.Decoder(TierRequest)

_FEES_OF_CLIENT = {
    "security": Maybe("AAPL"),
    "maker_bps": -1,
    "taker_bps": 3,
    "auction_bps": 1,
}
_FEES = _FEES_OF_CLIENT | {"tier": "standard"}
_FOR_SECURITY = Query(
    "security", "the row of this security; without it the row for all", {"type": "string"}
)
_FOR_TIER = Query("tier", "`standard` if it is left out", {"type": "string", "maxLength": 32})
OPERATIONS = (
    Operation(
        "GET",
        "/v1/fees",
        "The fee schedule, basis points of a trade's value; below zero is a rebate, security null "
        "is for all.",
        "anybody",
        {200: {"fees": [_FEES]}},
    ),
    Operation(
        "PUT",
        "/v1/fees",
        "Set the fees of a security, or of all, for one tier. They concern later orders.",
        "administrator",
        {200: _FEES},
        body=FeeRequest,
        body_example={"maker_bps": -1, "taker_bps": 3, "auction_bps": 1},
    ),
    Operation(
        "DELETE",
        "/v1/fees",
        "Remove a row of the schedule; what it was for falls back to the next that fits.",
        "administrator",
        {200: {"was_set": True}},
        query=(_FOR_SECURITY, _FOR_TIER),
    ),
    Operation(
        "GET",
        "/v1/fee-tiers",
        "Tier by client, of those that are not in the standard one.",
        "administrator",
        {200: {"tiers": {}}},
    ),
    Operation(
        "PUT",
        "/v1/clients/<client_id>/fee-tier",
        "Put a client into a tier of fees. It concerns later orders.",
        "administrator",
        {200: {"client_id": "ann", "tier": "gold"}},
        body=TierRequest,
        body_example={"tier": "standard"},
    ),
    Operation(
        "GET",
        "/v1/clients/<client_id>/fees",
        "What the next orders of a client cost: for all securities, and for those that differ.",
        "client",
        {200: {"client_id": "ann", "tier": "standard", "fees": [_FEES_OF_CLIENT]}},
    ),
)


def add_routes(app: Flask, fees: FeeDesk, authenticator: Authenticator) -> None:
    """Put the routes of fees on `app`."""

    @app.get("/v1/fees")
    def schedule() -> Response:
        return json_response({"fees": [_shown(row) for row in fees.schedule().rows]})

    @app.put("/v1/fees")
    def set_fees() -> Response:
        caller = authenticator.administrator()
        row = body_as(_fee_decoder).row()
        fees.set_fees(row, caller.client_id)
        return json_response(_shown(row))

    @app.delete("/v1/fees")
    def remove_fees() -> Response:
        caller = authenticator.administrator()
        security_id = request.args.get("security", ALL_SECURITIES)
        tier = request.args.get("tier", STANDARD)
        was_set = fees.remove_fees(security_id, tier, caller.client_id)
        return json_response({"was_set": was_set})

    @app.get("/v1/fee-tiers")
    def tiers() -> Response:
        authenticator.administrator()
        return json_response({"tiers": dict(sorted(fees.schedule().tiers.items()))})

    @app.get("/v1/clients/<client_id>/fees")
    def fees_of(client_id: str) -> Response:
        authenticator.may_read(client_id)
        schedule = fees.schedule()
        named = sorted({ALL_SECURITIES, *(row.security_id for row in schedule.rows)})
        tier = schedule.tier_of(client_id)
        rows = [_of_client(name, schedule.rates(client_id, name)) for name in named]
        return json_response({"client_id": client_id, "tier": tier, "fees": rows})

    @app.put("/v1/clients/<client_id>/fee-tier")
    def set_tier(client_id: str) -> Response:
        caller = authenticator.administrator()
        tier = body_as(_tier_decoder).tier
        fees.set_tier(client_id, tier, caller.client_id)
        return json_response({"client_id": client_id, "tier": tier})


def _of_client(security_id: str, rates: FeeRates | None) -> dict[str, Any]:
    return {
        "security": None if security_id == ALL_SECURITIES else security_id,
        "maker_bps": rates.maker_bps if rates is not None else 0,
        "taker_bps": rates.taker_bps if rates is not None else 0,
        "auction_bps": rates.auction_bps if rates is not None else 0,
    }


def _shown(row: FeeRow) -> dict[str, Any]:
    return {
        "security": None if row.security_id == ALL_SECURITIES else row.security_id,
        "tier": row.tier,
        "maker_bps": row.maker_bps,
        "taker_bps": row.taker_bps,
        "auction_bps": row.auction_bps,
    }
