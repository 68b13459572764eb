"""The competition that is played here, as its runner says it: public, and for pages to show.

The runner, which has the administrator's key, sends the whole standing every second or so. It is
kept in memory alone: after a restart of the feed the next one is there within a second, and what
counts in the end is the results folder, not this.
"""

import threading
from typing import Annotated, Literal

import msgspec
from flask import Flask, Response

from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator
from service_runtime.http.openapi import Maybe, Operation, plain
from service_runtime.http.request_body import body_as
from venue_protocol.identifiers import ClientId

MOST_PLAYERS = 1_000
MOST_POINTS = 200
"""Of one player's equity curve."""

_Text = Annotated[str, msgspec.Meta(max_length=200)]
_Amount = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,20}\.[0-9]{2,4}\Z")]


class CurvePoint(msgspec.Struct, forbid_unknown_fields=True):
    """One point of an equity curve."""

    time_us: int
    equity: _Amount


class PlayerStanding(msgspec.Struct, forbid_unknown_fields=True):
    """One player of the competition; money in dollars, as decimal strings."""

    rank: int
    player: ClientId
    equity: _Amount
    profit: _Amount
    """In this round."""
    total_profit: _Amount
    """In all rounds so far."""
    stopped: _Text | None = None
    """Why the player was stopped."""
    curve: Annotated[list[CurvePoint], msgspec.Meta(max_length=MOST_POINTS)] = []
    """Oldest first."""


class Competition(msgspec.Struct, forbid_unknown_fields=True):
    """A competition as it stands."""

    name: _Text
    state: Literal["running", "between_rounds", "over"]
    round: int
    rounds: int
    starts_us: int
    ends_us: int
    """Of the round."""
    time_us: int
    """When this was so."""
    mark: _Text
    """How shares are valued."""
    players: Annotated[list[PlayerStanding], msgspec.Meta(max_length=MOST_PLAYERS)]


class CompetitionBoard:
    """The newest standing; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: Competition | None = None

    def show(self, competition: Competition) -> None:
        """From now on this is what everybody is told."""
        with self._lock:
            self._shown = competition

    def read(self) -> Competition | None:
        """What everybody is told; None before the first."""
        with self._lock:
            return self._shown


_decoder = msgspec.json.Decoder(Competition)
_EXAMPLE = {
    "name": "Autumn cup",
    "state": "running",
    "round": 2,
    "rounds": 12,
    "starts_us": 1795232311601670,
    "ends_us": 1795232911601670,
    "time_us": 1795232321601670,
    "mark": "last_minute",
    "players": [
        {
            "rank": 1,
            "player": "ann",
            "equity": "10012.50",
            "profit": "12.50",
            "total_profit": "30.25",
            "stopped": Maybe("loss"),
            "curve": [{"time_us": 1795232311601670, "equity": "10000.00"}],
        }
    ],
}
OPERATIONS = (
    Operation(
        "GET",
        "/v1/competition",
        "The competition that is played here; null where there is none (docs/competitions.md).",
        "anybody",
        {200: {"competition": Maybe(_EXAMPLE)}},
    ),
    Operation(
        "PUT",
        "/v1/competition",
        "Show this standing to everybody; for the competition's runner.",
        "administrator",
        {200: {"competition": Maybe(_EXAMPLE)}},
        body=Competition,
        body_example=plain(_EXAMPLE),
    ),
)


def add_routes(app: Flask, board: CompetitionBoard, authenticator: Authenticator) -> None:
    """Put the routes on `app`."""

    @app.get("/v1/competition")
    def competition() -> Response:
        return _answer(board)

    @app.put("/v1/competition")
    def show() -> Response:
        authenticator.administrator()
        board.show(body_as(_decoder))
        return _answer(board)


def _answer(board: CompetitionBoard) -> Response:
    return json_response({"competition": msgspec.to_builtins(board.read())})
