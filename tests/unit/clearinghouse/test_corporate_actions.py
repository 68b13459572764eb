"""Corporate actions in the ledger: nobody gains or loses a ten-thousandth that is not explained."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.ledger import Ledger, Leg, Position, total
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import BANK, DEPOSITORY
from venue_protocol import codec
from venue_protocol.corporate_actions import CashDividend, Delisting, Split, SymbolChange
from venue_protocol.events import CorporateActionApplied, DividendPaid
from venue_protocol.holds import CASH

NOW_US = 1_700_000_000_000_000
ACTION = 77


def settlement(**shares: int) -> Settlement:
    """These clients with so many shares each, all issued by the depository."""
    ledger = Ledger()
    for client_id, quantity in shares.items():
        ledger.positions[client_id, "AAPL"] = Position(quantity)
        ledger.positions[client_id, CASH] = Position(0)
    ledger.positions[DEPOSITORY, "AAPL"] = Position(-sum(shares.values()), is_external=True)
    return Settlement(ledger, {}, 0, 0)


def split(new: int, old: int, share_price_e4: int = 333_333) -> CorporateActionApplied:
    return CorporateActionApplied(ACTION, "AAPL", Split(new, old, share_price_e4), 1_000_000)


def has(desk: Settlement, client_id: str) -> tuple[int, int]:
    """Shares and cash."""
    ledger = desk.ledger
    return ledger.position(client_id, "AAPL").quantity, ledger.position(client_id, CASH).quantity


def test_a_split_gives_whole_shares_and_cash_for_the_fraction() -> None:
    desk = settlement(ann=5, bob=4)
    desk.apply(split(3, 2), NOW_US)
    assert has(desk, "ann") == (7, 166_666)
    assert has(desk, "bob") == (6, 0)
    assert has(desk, BANK) == (0, -166_666)
    assert has(desk, DEPOSITORY) == (-13, 0)


def test_a_reverse_split_takes_shares_and_pays_a_fraction() -> None:
    desk = settlement(ann=25, bob=9)
    desk.apply(split(1, 10, 10_000_000), NOW_US)
    assert has(desk, "ann") == (2, 5_000_000)
    assert has(desk, "bob") == (0, 9_000_000)


def test_each_holder_gets_one_journal_and_one_report_and_the_listing_follows() -> None:
    desk = settlement(bob=4, ann=5)
    desk.apply(split(3, 2), NOW_US)
    told = [codec.decode_report(report.encoded) for report in desk.reports]
    assert [
        (report.client_id, report.settlement_kind, report.shares, report.cash_e4, report.holding)
        for report in told
    ] == [("ann", "split", 2, 166_666, 7), ("bob", "split", 2, 0, 6)]
    assert [journal.reference for journal in desk.journals] == [
        "action:77:ann",
        "action:77:bob",
    ]
    assert desk.actions.listings == [("AAPL", 1_000_000, ACTION, None, None)]
    assert [step[:3] for step in desk.actions.steps] == [(ACTION, "applied", "AAPL")]


def test_who_has_no_shares_hears_nothing_of_a_split() -> None:
    desk = settlement(ann=0, bob=4)
    desk.apply(split(2, 1), NOW_US)
    assert [report.client_id for report in desk.reports] == ["bob"]


def dividend(per_share_e4: int = 2_500) -> CorporateActionApplied:
    action = CashDividend(per_share_e4, NOW_US, NOW_US, NOW_US)
    return CorporateActionApplied(ACTION, "AAPL", action, 990_000)


def test_who_holds_shares_on_the_ex_date_is_paid_on_the_pay_date_whatever_he_holds_then() -> None:
    desk = settlement(ann=100, bob=10)
    desk.apply(dividend(), NOW_US)
    assert has(desk, "ann") == (100, 0)
    desk.transfer("withdrawal", NOW_US, (Leg("ann", "AAPL", -100), Leg("issuer", "AAPL", 100)))
    desk.apply(DividendPaid(ACTION, "AAPL"), NOW_US + 1)
    assert has(desk, "ann") == (0, 250_000)
    assert has(desk, "bob") == (10, 25_000)
    assert has(desk, BANK)[1] == -275_000
    told = [codec.decode_report(report.encoded) for report in desk.reports][-2:]
    assert [(report.settlement_kind, report.cash_e4, report.memo) for report in told] == [
        ("dividend", 250_000, "dividend 0.25 on 100 shares"),
        ("dividend", 25_000, "dividend 0.25 on 10 shares"),
    ]


def test_shares_that_the_issuer_has_not_sold_get_no_dividend() -> None:
    desk = settlement(issuer=1_000, ann=1)
    desk.apply(dividend(), NOW_US)
    assert [row[1:] for row in desk.actions.new_entitlements] == [("ann", 1, 2_500)]


def test_a_dividend_is_paid_once() -> None:
    desk = settlement(ann=1)
    desk.apply(dividend(), NOW_US)
    desk.apply(DividendPaid(ACTION, "AAPL"), NOW_US)
    desk.apply(DividendPaid(ACTION, "AAPL"), NOW_US)
    assert has(desk, "ann") == (1, 2_500)


def test_under_a_new_symbol_everybody_has_and_holds_the_same() -> None:
    desk = settlement(ann=10, bob=4)
    desk.ledger.positions["ann", "AAPL"].held = 7
    event = CorporateActionApplied(ACTION, "AAPL", SymbolChange("APPL"), 1_000_000)
    desk.apply(event, NOW_US)
    positions = desk.ledger.positions
    assert positions["ann", "APPL"] == Position(10, 7)
    assert positions["bob", "APPL"] == Position(4)
    assert positions[DEPOSITORY, "APPL"].quantity == -14
    assert positions[DEPOSITORY, "APPL"].is_external
    assert not any(positions[name, "AAPL"].quantity for name in ("ann", "bob", DEPOSITORY))
    told = [codec.decode_report(report.encoded) for report in desk.reports]
    assert [(report.client_id, report.security_id, report.shares) for report in told] == [
        ("ann", "AAPL", -10),
        ("ann", "APPL", 10),
        ("bob", "AAPL", -4),
        ("bob", "APPL", 4),
    ]
    assert desk.actions.listings == [("AAPL", 1_000_000, ACTION, NOW_US, "APPL")]


def test_a_delisting_pays_the_stated_price_or_writes_off() -> None:
    for price_e4 in (12_345, 0):
        desk = settlement(ann=10)
        event = CorporateActionApplied(ACTION, "AAPL", Delisting(price_e4), 1_000_000)
        desk.apply(event, NOW_US)
        assert has(desk, "ann") == (0, 10 * price_e4)
        assert has(desk, DEPOSITORY) == (0, 0)
        assert desk.actions.listings == [("AAPL", 1_000_000, ACTION, NOW_US, None)]


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 10**6), min_size=1),
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(0, 10**9),
)
def test_no_split_makes_or_loses_anything_beyond_the_stated_rounding(
    shares: dict[str, int], new: int, old: int, share_price_e4: int
) -> None:
    """Per holder: new shares and cash are what the exact fraction is worth, less than a
    ten-thousandth apart. In all: shares and cash sum to zero with the venue's other side.
    """
    desk = settlement(**shares)
    desk.apply(split(new, old, share_price_e4), NOW_US)
    assert total(desk.ledger) == total(desk.ledger, "AAPL") == 0
    for client_id, before in shares.items():
        after, cash_e4 = has(desk, client_id)
        exact = Fraction(before * new, old) - after
        assert 0 <= exact < 1
        assert 0 <= exact * share_price_e4 - cash_e4 < 1
