"""Rounds in one-line notation: `10 ann buys 5@100.00 from bob` at second 10."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from venue_competition.round_record import Movement, RoundRecord, RoundTrade, SentCommand
from venue_competition.rules import Rules, parse
from venue_protocol.money import parse_e4
from venue_protocol.orders import Side

START_US = 1_000_000_000
S = 1_000_000
_TRADE = re.compile(
    r"(?P<at>[\d.]+) (?P<one>\S+) (?P<verb>buys|sells|crosses) (?P<quantity>\d+)"
    r"@(?P<price>[\d.]+) (?:from|to|with) (?P<other>\S+)(?: in (?P<security>\S+))?"
)
_SIDES: dict[str, Side | None] = {"buys": "BUY", "sells": "SELL", "crosses": None}


def trade(text: str, number: int = 1) -> RoundTrade:
    """`10 ann sells 5@100.00 to bob`: the first one took; `crosses` is an auction, ann buys."""
    found = _TRADE.fullmatch(text)
    assert found is not None, text
    one, other = found["one"], found["other"]
    buyer, seller = (other, one) if found["verb"] == "sells" else (one, other)
    return RoundTrade(
        trade_id=number,
        time_us=START_US + int(float(found["at"]) * S),
        security=found["security"] or "ACME",
        price_e4=parse_e4(found["price"]),
        quantity=int(found["quantity"]),
        buyer=buyer,
        seller=seller,
        aggressor=_SIDES[found["verb"]],
    )


def trades(*texts: str) -> list[RoundTrade]:
    """Several, numbered from 1."""
    return [trade(text, number) for number, text in enumerate(texts, 1)]


def rules(players: str = "ann bob", **changes: Any) -> Rules:
    """Rules with these players; `changes` are lines of the file, such as rounds=3, and tables."""
    tables = {name: value for name, value in changes.items() if isinstance(value, dict)}
    lines = ['name = "test"', "seconds = 120"]
    lines += [f"{name} = {value!r}" for name, value in changes.items() if name not in tables]
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {value!r}" for key, value in table.items())]
    lines += ["[[securities]]", 'security = "ACME"']
    for player in players.split():
        lines += ["[[players]]", f'name = "{player}"', 'strategy = "noise"']
    return parse("\n".join(lines))


def record(
    made: Sequence[RoundTrade],
    clients: str = "ann bob",
    seconds: int = 120,
    cash: str = "10000",
    shares: int = 0,
    commands: Sequence[SentCommand] = (),
    open_orders: Mapping[str, int] | None = None,
) -> RoundRecord:
    """A round in ACME in which all start with the same, and only these trades move anything."""
    movements = []
    for client in clients.split():
        movements.append(Movement(START_US - 1, client, parse_e4(cash), None, 0, False))
        if shares:
            movements.append(Movement(START_US - 1, client, 0, "ACME", shares, False))
    for each in made:
        amount_e4 = each.price_e4 * each.quantity
        for client, sign in ((each.buyer, 1), (each.seller, -1)):
            movements.append(
                Movement(
                    each.time_us, client, -sign * amount_e4, "ACME", sign * each.quantity, True
                )
            )
    return RoundRecord(
        start_us=START_US,
        end_us=START_US + seconds * S,
        reference_e4={"ACME": 1_000_000},
        trades=made,
        movements=movements,
        commands=commands,
        open_orders=open_orders or {},
    )
