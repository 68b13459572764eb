"""Who gained how much from whom, at the marks."""

from market_data_feed.domain.transfers import PairTrades, Transfer, transfers

MARKS = {"AAPL": 1_000_000, "MSFT": 500_000}


def test_a_mule_that_sells_far_below_the_mark_is_named_with_what_it_gave() -> None:
    """10 AAPL for 60.00 each at a mark of 100.00: ann gained 400.00 from mule."""
    pairs = [PairTrades("ann", "mule", "AAPL", 1, 10, 6_000_000)]
    assert transfers(pairs, MARKS) == [Transfer("ann", "mule", 4_000_000, 1, 10, 6_000_000)]


def test_both_directions_and_all_securities_of_a_pair_are_one_line() -> None:
    """Buying back at 110.00 gives 100.00 more, MSFT at 51.00 gives 5.00 back."""
    pairs = [
        PairTrades("ann", "mule", "AAPL", 1, 10, 6_000_000),
        PairTrades("mule", "ann", "AAPL", 1, 10, 11_000_000),
        PairTrades("ann", "mule", "MSFT", 2, 5, 2_550_000),
    ]
    assert transfers(pairs, MARKS) == [Transfer("ann", "mule", 4_950_000, 4, 25, 19_550_000)]


def test_the_largest_gain_comes_first_and_fair_trades_are_no_transfer() -> None:
    pairs = [
        PairTrades("ann", "bob", "AAPL", 1, 1, 1_000_000),
        PairTrades("bob", "cat", "AAPL", 1, 1, 990_000),
        PairTrades("dan", "cat", "AAPL", 1, 1, 1_200_000),
        PairTrades("eve", "eve", "AAPL", 1, 9, 1),
    ]
    assert [row[:3] for row in transfers(pairs, MARKS)] == [
        ("cat", "dan", 200_000),
        ("bob", "cat", 10_000),
    ]


def test_gains_and_losses_of_all_clients_sum_to_zero() -> None:
    """And each client's sum is its equity at the marks less what it was given: cash and shares."""
    pairs = [
        PairTrades("ann", "bob", "AAPL", 3, 7, 7_234_567),
        PairTrades("bob", "cat", "MSFT", 2, 4, 2_345_678),
        PairTrades("cat", "ann", "AAPL", 1, 2, 1_999_999),
    ]
    gained = {"ann": 0, "bob": 0, "cat": 0}
    for row in transfers(pairs, MARKS):
        gained[row.client_id] += row.gained_e4
        gained[row.from_client_id] -= row.gained_e4
    assert sum(gained.values()) == 0
    assert gained["ann"] == 7_000_000 - 7_234_567 + 1_999_999 - 2_000_000
