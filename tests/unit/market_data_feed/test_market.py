"""Depth and top of book as derived from the events."""

from hypothesis import given
from hypothesis import strategies as st

from market_data_feed.domain.market import BookSide, Level, Market, MarketChange
from market_data_feed.domain.orders import Fold
from market_data_feed.domain.working_order import WorkingOrder
from tests.unit.market_data_feed.tape import Tape


class Screen:
    """A market that follows a tape, batch by batch."""

    def __init__(self) -> None:
        self.tape = Tape()
        self.market = Market()
        self.working: dict[int, WorkingOrder] = {}

    def play(self, *lines: str) -> list[MarketChange]:
        """Apply one batch; what it changed."""
        batch = self.tape.batch(*lines)
        fold = Fold(self.working)
        fold.apply(batch, batch.first)
        return self.market.apply(fold.effects[0])

    def depth(self, security_id: str = "AAPL") -> tuple[list[Level], list[Level]]:
        """Bids and asks."""
        state = self.market.security(security_id)
        return state.bids.depth(), state.asks.depth()


def test_levels_sum_their_orders_best_first() -> None:
    screen = Screen()
    screen.play(
        "new 1 a BUY 10@1.00", "new 2 b BUY 5@1.01", "new 3 c BUY 7@1.00", "new 4 d SELL 3@1.05"
    )
    assert screen.depth() == ([(10_100, 5, 1), (10_000, 17, 2)], [(10_500, 3, 1)])


def test_the_next_best_bid_is_shown_when_the_best_is_canceled() -> None:
    screen = Screen()
    screen.play("new 1 a BUY 10@1.00", "new 2 b BUY 5@1.01")
    (change,) = screen.play("cancel 2")
    assert change.top is not None and change.top.bid == (10_000, 10, 1)


def test_no_ask_is_shown_when_the_last_ask_goes() -> None:
    screen = Screen()
    screen.play("new 1 a SELL 10@1.00")
    (change,) = screen.play("cancel 1")
    assert change.top is not None and change.top.ask is None
    assert change.asks == [(10_000, 0, 0)]


def test_an_order_that_ends_within_its_batch_is_never_seen() -> None:
    screen = Screen()
    screen.play("new 1 a SELL 10@1.00")
    changes = screen.play("new 2 b BUY 4@0.99 AAPL IOC", "cancel 2 ioc_remainder")
    assert changes == []


def test_an_aggressing_order_that_rests_shows_only_its_rest() -> None:
    screen = Screen()
    screen.play("new 1 a SELL 10@1.00")
    (change,) = screen.play("new 2 b BUY 15@1.01", "trade 2 1 10@1.00 BUY")
    assert screen.depth() == ([(10_100, 5, 1)], [])
    assert change.bids == [(10_100, 5, 1)] and change.asks == [(10_000, 0, 0)]
    assert change.top is not None and change.top.last_e4 == 10_000


def test_an_amend_moves_the_order_to_its_new_level() -> None:
    screen = Screen()
    screen.play("new 1 a BUY 10@1.00", "new 2 b BUY 5@1.00")
    screen.play("amend 1 6@0.99")
    assert screen.depth() == ([(10_000, 5, 1), (9_900, 6, 1)], [])


def test_a_change_behind_the_best_level_is_no_new_top() -> None:
    screen = Screen()
    screen.play("new 1 a BUY 10@1.00")
    (change,) = screen.play("new 2 b BUY 5@0.99")
    assert change.top is None and change.bids == [(9_900, 5, 1)]


def test_securities_do_not_mix() -> None:
    screen = Screen()
    changes = screen.play("new 1 a BUY 10@1.00 AAPL", "new 2 b SELL 5@0.99 MSFT")
    assert {change.security_id for change in changes} == {"AAPL", "MSFT"}
    assert screen.depth("AAPL") == ([(10_000, 10, 1)], [])
    assert screen.depth("MSFT") == ([], [(9_900, 5, 1)])


def test_books_rebuilt_from_open_orders_equal_the_live_ones() -> None:
    screen = Screen()
    screen.play("new 1 a BUY 10@1.00", "new 2 b BUY 5@1.00", "new 3 c SELL 8@1.10")
    screen.play("new 4 d SELL 4@1.00", "trade 1 4 4@1.00 SELL")
    screen.play("amend 2 3@0.98")
    rebuilt = Market()
    rebuilt.rest(screen.working.values())
    state = rebuilt.security("AAPL")
    assert (state.bids.depth(), state.asks.depth()) == screen.depth()


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 9)), max_size=60),
    st.sampled_from(["BUY", "SELL"]),
)
def test_a_half_book_equals_a_sorted_sum(orders: list[tuple[int, int]], side: str) -> None:
    book_side = BookSide(side)  # type: ignore[arg-type]
    expected: dict[int, list[int]] = {}
    for price_e4, shares in orders:
        book_side.change(price_e4, shares, 1)
        level = expected.setdefault(price_e4, [0, 0])
        level[0] += shares
        level[1] += 1
    for price_e4, shares in orders[::2]:
        book_side.change(price_e4, -shares, -1)
        expected[price_e4][0] -= shares
        expected[price_e4][1] -= 1
    rows = [(price, *level) for price, level in expected.items() if level[0]]
    assert book_side.depth() == sorted(rows, reverse=side == "BUY")
    assert book_side.best() == (book_side.depth() or [None])[0]
