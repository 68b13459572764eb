"""Corporate actions in the ledger: nobody gains or loses a ten-thousandth that is not explained."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.ledger import Ledger, Position, total
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import BANK, DEPOSITORY
from venue_protocol import codec
from venue_protocol.corporate_actions import Split
from venue_protocol.events import CorporateActionApplied
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
    (change,) = desk.actions.listings
    assert change == ("AAPL", 1_000_000, ACTION)
    assert [step.action_id for step in desk.actions.steps] == [ACTION]


def test_who_has_no_shares_hears_nothing_of_a_split() -> None:
    desk = settlement(ann=0, bob=4)
    desk.apply(split(2, 1), NOW_US)
    assert [report.client_id for report in desk.reports] == ["bob"]


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
