"""Trades settled gross and net side by side, and one cycle of many: `./venue bench netting`.

The clearinghouse's desk alone, on a real database: events go in, committed rows come out. Members
trade with each other at random, so their net sums are small beside what they trade.
"""

import argparse
import json
import random
import threading
import time
from collections.abc import Iterator

import psycopg2

from clearinghouse.adapters.ledger_store import PostgresLedgerStore
from clearinghouse.handlers import SettlementDesk
from service_runtime.buses.memory import MemoryBus
from service_runtime.database import Database
from venue_launcher.terminal import report, silent
from venue_protocol.codec import SCHEMA
from venue_protocol.events import Event, EventBatch, SettlementCycle, Trade
from venue_protocol.identifiers import sharded_id
from venue_protocol.topology import DATA_FEED
from venue_trials.bench.private_venue import start_private

_SHARD = 1_000
"""No engine has it: the venue around is left alone."""
_BATCH = 500
_SEED = 14
_CASH_E4 = 1 << 60
_SHARES = 1 << 40
_CYCLE = 1

_MEMBERS = """
INSERT INTO clients (client_id, role, created_us)
 SELECT 'member' || i, 'market_maker', 0 FROM generate_series(1, %(members)s) AS i;
INSERT INTO securities SELECT 'NET' || i, 'Netting', 0, 100, 1, 5000, 1000000, 1000000
 FROM generate_series(1, %(securities)s) AS i;
INSERT INTO accounts (client_id, balance_e4, held_e4)
 SELECT 'member' || i, %(cash)s, %(cash)s / 2 FROM generate_series(1, %(members)s) AS i;
INSERT INTO securities_deposits (client_id, security_id, quantity, held)
 SELECT 'member' || i, 'NET' || k, %(shares)s, %(shares)s / 2
 FROM generate_series(1, %(members)s) AS i, generate_series(1, %(securities)s) AS k;
"""


def run(arguments: argparse.Namespace) -> int:
    """0 when the cycle left nothing open."""
    say = silent if arguments.json else report
    with start_private(say) as private:
        url = private.venue.owner_clearing_url
        sizes = {"members": arguments.members, "securities": arguments.securities}
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(_MEMBERS, sizes | {"cash": _CASH_E4, "shares": _SHARES})
        bench = _Bench(url, arguments.members, arguments.securities)
        say(f"settling {arguments.gross:,} trades gross …")
        gross = bench.settle(arguments.gross, None)
        say(f"settling {arguments.trades:,} trades net …")
        net = bench.settle(arguments.trades, _CYCLE)
        say("settling the cycle …")
        figures = {"gross_a_second": gross, "net_a_second": net} | bench.cycle()
    print(json.dumps(figures) if arguments.json else _said(arguments, figures))
    return 1 if figures["open"] else 0


class _Bench:
    def __init__(self, url: str, members: int, securities: int) -> None:
        self._url = url
        bus = MemoryBus()
        bus.declare([DATA_FEED])
        self._outbox = bus.consumer(DATA_FEED, prefetch=1_000_000)
        store = PostgresLedgerStore(Database(url, "bench", pool_size=2))
        self._desk = SettlementDesk(store, bus.publisher(), threading.Event())
        self._dice = random.Random(_SEED)
        self._members = [f"member{number}" for number in range(1, members + 1)]
        self._securities = [f"NET{number}" for number in range(1, securities + 1)]
        self._trades = 0
        self._events = 0

    def settle(self, count: int, cycle: int | None) -> float:
        """Trades settled a second, without the time in which they are made up."""
        seconds = 0.0
        for start in range(0, count, _BATCH):
            trades: list[Event] = list(self._made_up(min(_BATCH, count - start), cycle))
            seconds += self._settle(trades)
        return count / seconds if seconds else 0.0

    def cycle(self) -> dict[str, float]:
        """Settle the cycle; its figures."""
        seconds = self._settle([SettlementCycle(_SHARD, _CYCLE)])
        with psycopg2.connect(self._url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT trades, gross_value_e4, net_cash_e4, net_deliveries_e4, movements,"
                " (SELECT count(*) FROM net_obligations) FROM settlement_cycles WHERE shard = %s",
                (_SHARD,),
            )
            ((trades, value_e4, cash_e4, delivered_e4, movements, left),) = cursor.fetchall()
        return {
            "cycle_s": seconds,
            "cash_saved": 100 * (1 - cash_e4 / value_e4),
            "deliveries_saved": 100 * (1 - delivered_e4 / value_e4),
            "movements": movements,
            "movements_saved": 100 * (1 - movements / (4 * trades)),
            "open": left,
        }

    def _settle(self, events: list[Event]) -> float:
        batch = EventBatch(SCHEMA, _SHARD, self._events + 1, 1, 1, self._events + 1, events)
        self._events = batch.last
        began = time.perf_counter()
        self._desk.settle([batch])
        seconds = time.perf_counter() - began
        self._outbox.receive(0, 1_000_000)
        return seconds

    def _made_up(self, count: int, cycle: int | None) -> Iterator[Trade]:
        dice = self._dice
        for _ in range(count):
            self._trades += 1
            buyer, seller = dice.sample(self._members, 2)
            price_e4 = dice.randrange(9_900, 10_100) * 100
            yield Trade(
                sharded_id(_SHARD, self._trades),
                dice.choice(self._securities),
                price_e4,
                dice.randrange(1, 200),
                "BUY",
                1,
                buyer,
                price_e4,
                0,
                2,
                seller,
                0,
                settlement_cycle=cycle,
            )


def _said(arguments: argparse.Namespace, figures: dict[str, float]) -> str:
    faster = 100 * (figures["net_a_second"] / figures["gross_a_second"] - 1)
    return "\n".join(
        [
            f"gross      {figures['gross_a_second']:,.0f} trades a second",
            f"net        {figures['net_a_second']:,.0f} trades a second ({faster:+.0f} %)",
            f"one cycle  {figures['cycle_s']:.2f} s for {arguments.trades:,} trades of"
            f" {arguments.members:,} members in {arguments.securities} securities",
            f"saved      {figures['cash_saved']:.2f} % of the cash,"
            f" {figures['deliveries_saved']:.2f} % of the value delivered,"
            f" {figures['movements_saved']:.2f} % of the movements",
            "open       nothing" if not figures["open"] else f"open       {figures['open']}",
        ]
    )
