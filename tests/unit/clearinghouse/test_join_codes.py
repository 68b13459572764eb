"""Strangers with a join code: who gets an account, who does not, and what attackers find."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from clearinghouse.administration import Administration
from clearinghouse.bootstrap import make_first_state
from clearinghouse.enrollment import EnrolledAccounts
from clearinghouse.handlers import SettlementDesk
from client_enrollment.desk import Enrollment
from client_enrollment.join_codes import (
    FAILED_WINDOW_S,
    MOST_ADDRESSES,
    MOST_FAILED,
    FailedTries,
    is_team_name,
)
from service_runtime.api_keys import key_hash
from service_runtime.buses.memory import MemoryBus
from service_runtime.clock import ManualClock
from venue_protocol.refusals import Refused
from venue_protocol.topology import DATA_FEED
from venue_simulation.memory_ledger_store import MemoryLedgerStore
from venue_storage.memory_clearing_data import MemoryClearing

HERE, THERE = "203.0.113.7", "203.0.113.8"


class Venue:
    """A venue in memory with its enrollment, and a clock that stands until it is moved."""

    def __init__(self) -> None:
        self.clearing = MemoryClearing()
        self.clock = ManualClock()
        self.now_s = 0.0
        bus = MemoryBus()
        bus.declare([DATA_FEED])
        store = MemoryLedgerStore(self.clearing)
        desk = SettlementDesk(store, bus.publisher(), threading.Event())
        self.administration = Administration(desk, store, self.clock)
        make_first_state(self.administration)
        self.enrollment = Enrollment(
            EnrolledAccounts(self.administration, store, self.clock), self.clock, lambda: self.now_s
        )

    def refusal(self, code: str, name: str, address: str = HERE) -> str:
        """The code of the refusal that this try gets."""
        with pytest.raises(Refused) as refused:
            self.enrollment.enroll(code, name, address)
        return refused.value.refusal.reason.code


@pytest.fixture
def venue() -> Venue:
    return Venue()


def test_who_brings_the_code_gets_a_traders_account_and_a_key_that_works(venue: Venue) -> None:
    code, opened = venue.enrollment.open_code("autumn", 2, 3600, "boss")
    key = venue.enrollment.enroll(code, "ann", HERE)
    tables = venue.clearing.tables
    assert tables.keys[key_hash(key)] == ("ann", None)
    assert tables.clients["ann"] == "trader"
    assert tables.accounts["ann"].balance_e4 == 100_000_000
    assert (opened.places, opened.used) == (2, 0)
    assert [each.used for each in venue.enrollment.codes()] == [1]


def test_the_text_of_a_code_is_stored_nowhere(venue: Venue) -> None:
    code, _ = venue.enrollment.open_code("autumn", 2, 3600, "boss")
    venue.enrollment.enroll(code.upper() + " ", "ann", HERE)
    tables = venue.clearing.tables
    stored = repr([tables.join_codes, tables.actions])
    assert code not in stored and code.replace("-", "") not in stored
    assert '"join_code": "autumn"' in stored


def test_the_places_are_all_that_there_are_however_many_ask_at_once(venue: Venue) -> None:
    code, _ = venue.enrollment.open_code("autumn", 5, 3600, "boss")

    def ask(number: int) -> bool:
        try:
            venue.enrollment.enroll(code, f"team-{number}", f"203.0.113.{number}")
        except Refused as refused:
            assert refused.refusal.reason.code == "join.code_full"
            return False
        return True

    with ThreadPoolExecutor(12) as threads:
        assert sum(threads.map(ask, range(30))) == 5
    assert sum(name.startswith("team-") for name in venue.clearing.tables.clients) == 5


def test_a_code_ends_when_it_is_closed_and_when_its_time_is_over(venue: Venue) -> None:
    first, _ = venue.enrollment.open_code("first", 5, 3600, "boss")
    second, _ = venue.enrollment.open_code("second", 5, 60, "boss")
    assert venue.enrollment.close_code("first", "boss")
    assert not venue.enrollment.close_code("first", "boss")
    assert venue.refusal(first, "ann") == "join.code_invalid"
    venue.clock.advance(59_999_999)
    venue.enrollment.enroll(second, "ann", HERE)
    venue.clock.advance(1)
    assert venue.refusal(second, "bob") == "join.code_invalid"


def test_without_a_code_nothing_is_learnt_of_names(venue: Venue) -> None:
    code, _ = venue.enrollment.open_code("autumn", 5, 3600, "boss")
    venue.enrollment.enroll(code, "ann", HERE)
    assert venue.refusal("guess", "ann") == venue.refusal("guess", "nobody") == "join.code_invalid"


def test_a_name_that_is_taken_costs_no_place(venue: Venue) -> None:
    code, _ = venue.enrollment.open_code("autumn", 5, 3600, "boss")
    venue.enrollment.enroll(code, "ann", HERE)
    assert venue.refusal(code, "ann") == "client.exists"
    assert [each.used for each in venue.enrollment.codes()] == [1]


def test_an_address_that_failed_often_waits_a_minute_and_others_do_not(venue: Venue) -> None:
    code, _ = venue.enrollment.open_code("autumn", 5, 3600, "boss")
    for number in range(MOST_FAILED):
        venue.now_s += 1
        assert venue.refusal(f"guess-{number}", "ann") == "join.code_invalid"
    assert venue.refusal(code, "ann") == "rate.limited"
    venue.enrollment.enroll(code, "bob", THERE)
    venue.now_s = 1 + FAILED_WINDOW_S
    venue.enrollment.enroll(code, "ann", HERE)


def test_many_teams_join_from_one_address(venue: Venue) -> None:
    code, _ = venue.enrollment.open_code("autumn", 40, 3600, "boss")
    for number in range(40):
        venue.enrollment.enroll(code, f"team-{number}", HERE)


def test_an_ipv6_network_is_one_address_and_memory_is_bounded() -> None:
    tries = FailedTries()
    for number in range(MOST_FAILED):
        tries.add(f"2001:db8:1:2::{number:x}", 0.0)
    assert tries.wait_s("2001:db8:1:2:ffff::1", 1.0) > 0
    assert tries.wait_s("2001:db8:1:3::1", 1.0) == 0
    draws = random.Random(1)
    for _ in range(2 * MOST_ADDRESSES):
        tries.add(".".join(str(draws.randrange(256)) for _ in range(4)), 2.0)
    assert len(tries._times_s) == MOST_ADDRESSES


@pytest.mark.parametrize("name", ["ann", "team-1", "a_b", "x2"])
def test_a_team_may_be_called(name: str) -> None:
    assert is_team_name(name)


NO_NAMES = (
    *("a", "Ann", "1st", "a.b", "ann\n", "a" * 33, "\u0430nn"),
    *("population.001", "administrator", "market_maker", "maker12", "bank", "clearinghouse"),
)


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_stranger_may_not_be_called(venue: Venue, name: str) -> None:
    """Names of the venue's own accounts are taken; others are not of the form."""
    code, _ = venue.enrollment.open_code("autumn", 5, 3600, "boss")
    assert venue.refusal(code, name) in {"request.invalid_field", "client.exists"}
    assert [each.used for each in venue.enrollment.codes()] == [0]


@pytest.mark.parametrize(
    ("places", "open_s"), [(0, 60), (-1, 60), (10_001, 60), (1, 0), (1, 10**9)]
)
def test_a_code_has_bounds(venue: Venue, places: int, open_s: int) -> None:
    with pytest.raises(Refused) as refused:
        venue.enrollment.open_code("autumn", places, open_s, "boss")
    assert refused.value.refusal.reason.code == "request.invalid_field"


def test_a_label_is_used_once_and_an_unknown_one_is_said(venue: Venue) -> None:
    venue.enrollment.open_code("autumn", 1, 60, "boss")
    with pytest.raises(Refused) as again:
        venue.enrollment.open_code("autumn", 1, 60, "boss")
    assert again.value.refusal.reason.code == "join.code_exists"
    with pytest.raises(Refused) as unknown:
        venue.enrollment.close_code("winter", "boss")
    assert unknown.value.refusal.reason.code == "join.code_unknown"
