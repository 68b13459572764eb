"""Case 22 on a running venue: the audit is equal at every cut, clients can check their chains."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.acceptance.api import Client, eventually
from tests.acceptance.conftest import Administrator
from trading_bots.report_chain import fetch, verify
from venue_audit.databases import Databases
from venue_audit.proof import Verdict, audit
from venue_audit.settlements import Retelling
from venue_audit.snapshot import Snapshot
from venue_launcher.running_venue import RunningVenue

CUTS = 4


def audited(venue: RunningVenue) -> Verdict:
    """The audit as the command runs it: the engine is asked before both databases."""
    databases = Databases(venue.owner_clearing_url, venue.owner_market_url, venue.engine_url)
    return audit(databases.clearing_url, databases.market_url, databases.engines())


def trade_until(stopping: threading.Event, client: Client, security: str, seed: int) -> None:
    """Random orders around one price, with cancels and amends between them."""
    dice = random.Random(seed)
    while not stopping.is_set():
        orders = [
            {
                "security": security,
                "side": dice.choice(["BUY", "SELL"]),
                "type": "limit",
                "quantity": dice.randrange(1, 9),
                "price": f"{dice.randrange(9_950, 10_050) / 100:.2f}",
            }
            for _ in range(20)
        ]
        answer = client.gateway("POST", "/v1/orders", json=orders)
        assert answer.ok, answer.text
        placed = [result["order_id"] for result in answer.json()["results"] if "order_id" in result]
        for order_id in dice.sample(placed, len(placed) // 4):
            client.cancel(order_id)
        for order_id in dice.sample(placed, len(placed) // 4):
            client.gateway(
                "PATCH", f"/v1/orders/{order_id}", json={"quantity": dice.randrange(1, 12)}
            )


@contextmanager
def traffic(clients: list[Client], security: str) -> Iterator[None]:
    """All clients trade while the block runs."""
    stopping = threading.Event()
    threads = [
        threading.Thread(target=trade_until, args=(stopping, client, security, seed))
        for seed, client in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def test_a_venue_that_trades_is_equal_at_every_cut(
    venue: RunningVenue, administrator: Administrator, security: str
) -> None:
    clients = [administrator.maker(security) for _ in range(3)]
    with traffic(clients, security):
        for number in range(CUTS):
            body = {"client_id": clients[0].client_id, "cash": "0.01"}
            administrator.post("/v1/deposits", body, **{"Idempotency-Key": f"{security}-{number}"})
            verdict = audited(venue)
            assert verdict.is_equal, "\n".join(map(str, verdict.differences))
            assert verdict.counts["engines_compared"] == 1
    at_rest = eventually(
        lambda: audited(venue),
        lambda seen: not seen.unsettled_events and not seen.unrecorded_events,
    )
    assert at_rest.is_equal, "\n".join(map(str, at_rest.differences))
    assert at_rest.counts["trades"] > 0


def test_settlement_reports_end_with_the_live_values_and_each_client_can_check_its_chain(
    venue: RunningVenue, administrator: Administrator, security: str, maker: Client
) -> None:
    with traffic([maker, administrator.maker(security)], security):
        eventually(lambda: len(maker.feed("/v1/fills").json()["fills"]), lambda count: count >= 20)
    told: list[str] = []
    with Snapshot(venue.owner_clearing_url) as clearing:
        assert Retelling(clearing, maker.client_id, say=told.append).run() == 0
    expected = len(told) - 2
    reports = eventually(
        lambda: list(fetch(venue.market_data_url, maker.key)), lambda seen: len(seen) == expected
    )
    assert verify(reports) is None
    lines = maker.feed("/settlement-reports?format=ndjson").text.splitlines()
    assert len(lines) == expected and verify(lines) is None
    after = reports[4]["sequence"]
    assert (
        maker.feed(f"/settlement-reports?format=ndjson&after={after}&limit=3").text.splitlines()
        == lines[5:8]
    )
    assert maker.feed("/settlement-reports?format=xml").status_code == 400
    reports[10]["cash"] = "0.01"
    found = verify(reports)
    assert found is not None and found.sequence == reports[10]["sequence"]
