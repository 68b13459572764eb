"""The mark: each client has one voice, and two who work together can't move it."""

import pytest

from venue_protocol.mark import LEAST_VOICES, WINDOW_US, MarkTrade, mark

REFERENCE_E4 = 1_000_000
MINUTE_US = 60_000_000
HONEST = [
    (0, "100.00 x 10", "ann", "bob"),
    (1, "100.20 x 5", "cat", "ann"),
    (2, "100.10 x 5", "dan", "bob"),
]


def tape(*trades: tuple[float, str, str, str]) -> list[MarkTrade]:
    """Trades at these minutes, such as `(1, "100.20 x 5", buyer, seller)`; newest first."""
    made = []
    for minute, terms, buyer, seller in trades:
        price, quantity = terms.split(" x ")
        price_e4 = round(float(price) * 10_000)
        made.append(MarkTrade(int(minute * MINUTE_US), price_e4, int(quantity), buyer, seller))
    return made[::-1]


def test_no_trade_leaves_the_reference() -> None:
    assert mark([], REFERENCE_E4) == REFERENCE_E4


def test_one_share_between_two_clients_does_not_move_the_mark() -> None:
    """Row C3: two keys trade one share at 150.00."""
    assert mark(tape((0, "150.00 x 1", "eve", "mule")), REFERENCE_E4) == REFERENCE_E4


def test_a_million_shares_between_two_clients_do_not_move_it_either() -> None:
    assert mark(tape((0, "150.00 x 1000000", "eve", "mule")), REFERENCE_E4) == REFERENCE_E4


def test_three_clients_make_no_mark_and_a_fourth_does() -> None:
    three = HONEST[:2]
    assert mark(tape(*three), REFERENCE_E4) == REFERENCE_E4
    assert mark(tape(*HONEST), REFERENCE_E4) != REFERENCE_E4
    assert LEAST_VOICES == 4


def test_the_mark_is_the_median_of_the_clients_average_prices() -> None:
    """Voices: ann 100.0666, bob 100.0333, cat 100.20, dan 100.10; of the middle two the nearer."""
    assert mark(tape(*HONEST), REFERENCE_E4) == 1_000_666
    assert mark(tape(*HONEST), 1_100_000) == 1_001_000


@pytest.mark.parametrize("terms", ["150.00 x 1", "150.00 x 100000", "50.00 x 1", "50.00 x 99"])
def test_two_painters_among_four_others_stay_inside_what_the_others_traded_at(terms: str) -> None:
    painted = mark(tape(*HONEST, (3, terms, "eve", "mule")), REFERENCE_E4)
    assert 1_000_000 <= painted <= 1_002_000


@pytest.mark.parametrize("terms", ["150.00 x 500", "50.00 x 500"])
def test_two_painters_against_two_others_take_the_voice_nearer_to_the_mark_before(
    terms: str,
) -> None:
    trades = tape((0, "100.00 x 1", "ann", "bob"), (1, terms, "eve", "mule"))
    assert mark(trades, REFERENCE_E4) == 1_000_000


def test_painters_who_come_an_hour_later_find_the_mark_of_before() -> None:
    trades = tape(*HONEST, *((60 + n, "150.00 x 1", "eve", "mule") for n in range(50)))
    assert mark(trades, REFERENCE_E4) == mark(tape(*HONEST), REFERENCE_E4)


def test_trades_with_oneself_have_no_voice() -> None:
    alone = [(n / 10, "150.00 x 9", name, name) for n, name in enumerate("abcdefg")]
    assert mark(tape(*alone), REFERENCE_E4) == REFERENCE_E4


def test_the_window_is_five_minutes_to_the_microsecond() -> None:
    first = MarkTrade(0, 1_010_000, 1, "ann", "bob")
    inside = MarkTrade(WINDOW_US, 1_010_000, 1, "cat", "dan")
    outside = inside._replace(time_us=WINDOW_US + 1)
    assert mark([inside, first], REFERENCE_E4) == 1_010_000
    assert mark([outside, first], REFERENCE_E4) == REFERENCE_E4


def test_a_window_that_slides_forgets_what_left_it() -> None:
    """At minute 10 only ann and bob trade; the newest four voices are those of minutes 0 to 2."""
    trades = tape(*HONEST, (10, "120.00 x 1", "ann", "bob"), (16, "130.00 x 1", "cat", "dan"))
    assert mark(trades, REFERENCE_E4) == 1_000_666
