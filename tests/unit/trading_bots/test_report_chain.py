"""What a client finds in its own reports, as the feed shows them or as exact texts."""

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from clearinghouse.domain.ledger import Ledger, Leg
from clearinghouse.domain.settlement import Settlement
from market_data_feed.adapters import views
from trading_bots.report_chain import Break, verify
from venue_protocol import codec
from venue_protocol.events import Trade
from venue_protocol.holds import CASH

NOW_US = 1_700_000_000_000_000


def texts() -> list[str]:
    """Ann's five reports: cash, shares, a buy, a sell with a fee, and one with an odd
    ten-thousandth.
    """
    ledger = Ledger()
    settlement = Settlement(ledger, {}, 0, 0)
    for name, asset in (("bank", CASH), ("depository", "AAPL")):
        ledger.position(name, asset).is_external = True
    for asset, source, amount in ((CASH, "bank", 10**8), ("AAPL", "depository", 50)):
        for name in ("ann", "bob"):
            legs = (Leg(source, asset, -amount), Leg(name, asset, amount))
            settlement.transfer("deposit", NOW_US, legs, memo="a gift")
    trades = ((1, "ann", "bob", 1_000_500), (2, "bob", "ann", 999_900), (3, "ann", "bob", 1))
    for number, buyer, seller, price_e4 in trades:
        ledger.position(buyer, CASH).held += 3 * price_e4
        ledger.position(seller, "AAPL").held += 3
        trade = Trade(number, "AAPL", price_e4, 3, "BUY", 7, buyer, price_e4, 0, 8, seller, 0)
        if number == 2:
            trade = msgspec.structs.replace(trade, buy_fee_bps=0, sell_fee_bps=7)
        settlement.apply(trade, NOW_US + number)
    return [report.encoded.decode() for report in settlement.reports if report.client_id == "ann"]


def as_served() -> list[dict[str, Any]]:
    """The same through the feed's view and JSON, as a client receives them."""
    shown = [views.settlement(codec.decode_report(text)) for text in texts()]
    served: list[dict[str, Any]] = json.loads(json.dumps(shown))
    return served


def test_an_honest_chain_holds_as_text_and_as_served() -> None:
    assert len(texts()) == 5
    assert verify(texts()) is None
    assert verify(text.encode() for text in texts()) is None
    assert verify(as_served()) is None


def test_no_report_at_all_is_no_break() -> None:
    assert verify([]) is None


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("cash", lambda cash: str(Decimal(cash) + Decimal("0.01"))),
        ("balance", lambda cash: str(Decimal(cash) + Decimal("0.01"))),
        ("fee", lambda fee: str(Decimal(fee) + Decimal("0.01"))),
        ("shares", lambda shares: shares + 1),
        ("time_us", lambda time_us: time_us + 1),
        ("journal_id", lambda number: number + 1),
        ("client_id", lambda _: "bob"),
        ("hash", lambda text: text[::-1]),
        ("previous_hash", lambda text: "f" + text[1:]),
    ],
)
def test_one_changed_field_breaks_the_chain_there(
    place: int, field: str, change: Callable[[Any], Any]
) -> None:
    reports = as_served()
    reports[place][field] = change(reports[place][field])
    found = verify(reports)
    assert found is not None and found.sequence == reports[place]["sequence"]


def test_a_report_left_out_is_noticed_at_the_next_one() -> None:
    reports = as_served()
    assert verify(reports[:2] + reports[3:]) == Break(
        reports[3]["sequence"], "client_sequence is 4, 3 must follow"
    )


def test_a_changed_and_sealed_report_is_noticed_at_the_next_one() -> None:
    """Whoever can write the newest report can seal it, but not without breaking the link to it."""
    changed = texts()
    bare = changed[2].rpartition(',"hash":"')[0].replace('"time_us":17', '"time_us":18') + "}"
    changed[2] = f'{bare[:-1]},"hash":"{hashlib.sha256(bare.encode()).hexdigest()}"}}'
    found = verify(changed)
    assert (
        found is not None
        and found.reason.startswith("previous_hash")
        and found.sequence == codec.decode_report(changed[3]).sequence
    )


def test_a_field_after_the_hash_is_noticed() -> None:
    changed = texts()
    changed[1] = changed[1][:-1] + ',"shares":51}'
    found = verify(changed)
    assert found is not None and found.reason == "the hash is not the last thing in the report"


@pytest.mark.parametrize("rubbish", ["", "{}", "null", b"\xff", {}, {"cash": "x", "balance": "1"}])
def test_what_is_not_a_report_is_a_break_without_a_sequence(rubbish: Any) -> None:
    found = verify([rubbish])
    assert found is not None and found.sequence is None


def test_checking_can_go_on_from_a_kept_end() -> None:
    reports = as_served()
    kept = reports[2]
    ending = {
        "previous_hash": kept["hash"],
        "client_sequence": 3,
        "balance_e4": round(float(kept["balance"]) * 10_000),
        "holdings": {"AAPL": kept["holding"]},
    }
    assert verify(reports[3:], **ending) is None
    assert verify(reports[4:], **ending) is not None
