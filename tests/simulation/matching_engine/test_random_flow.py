"""Long seeded logs of every order type: events of the slow engine, sound books, the same state
across snapshots.
"""

from collections import Counter

import pytest

from matching_engine.domain.engine import MatchingEngine
from tests.simulation.matching_engine.reference_engine import ReferenceEngine
from tests.unit.matching_engine.random_flow import RandomFlow
from venue_protocol import codec
from venue_protocol.events import Trade
from venue_protocol.holds import held_amount
from venue_protocol.orders import BUY, SELL

_SEEN = {
    "order_triggered",
    "order_reduced",
    "canceled expired",
    "canceled post_only_would_trade",
    "canceled min_quantity_unmet",
    "canceled self_trade_prevention",
    "canceled fok_unfilled",
    "canceled ioc_remainder",
    "canceled market_remainder",
    "rejected order.post_only_would_trade",
    "rejected order.amend_below_filled",
    "rejected order.already_expired",
}


def _seen(event: object) -> str:
    kind: str = event.__struct_config__.tag  # type: ignore[attr-defined]
    short = {"order_canceled": "canceled", "amend_rejected": "rejected"}.get(kind)
    return f"{short} {event.reason}" if short else kind  # type: ignore[attr-defined]


def test_every_order_type_does_what_the_slow_engine_says() -> None:
    seen: Counter[str] = Counter()
    for seed in range(6):
        engine, reference, flow = MatchingEngine(), ReferenceEngine(), RandomFlow(seed)
        for _ in range(90):
            batch = flow.batch()
            events = engine.apply(batch).events
            assert events == reference.run(batch.commands, batch.time_us), (
                f"seed {seed}, batch {batch.first}"
            )
            engine.check_invariants()
            seen.update(map(_seen, events))
    assert set(seen) >= _SEEN, f"never seen: {_SEEN - set(seen)}"


@pytest.mark.parametrize("seed", range(3))
def test_a_snapshot_at_any_batch_goes_on_with_the_same_bytes_and_hash(seed: int) -> None:
    flow = RandomFlow(seed)
    log = [flow.batch() for _ in range(400)]
    undisturbed, restarted = MatchingEngine(), MatchingEngine()
    for batch in log:
        expected = codec.encode(undisturbed.apply(batch))
        assert codec.encode(restarted.apply(batch)) == expected
        before = restarted.snapshot()
        restarted = MatchingEngine.restore(before)
        restarted.check_invariants()
        assert restarted.snapshot() == before
    assert restarted.state_hash() == undisturbed.state_hash()


@pytest.mark.parametrize("seed", range(3))
def test_a_client_never_trades_with_itself_and_no_order_trades_more_than_it_has(seed: int) -> None:
    engine, flow = MatchingEngine(), RandomFlow(1000 + seed)
    for _ in range(400):
        for event in engine.apply(flow.batch()).events:
            if type(event) is Trade:
                assert event.buy_client_id != event.sell_client_id
                assert min(event.buy_leaves, event.sell_leaves, event.quantity - 1) >= 0
                assert held_amount(BUY, event.buy_price_e4, 1) >= event.price_e4 * held_amount(
                    SELL, 1, 1
                )
