"""Who gets a stream when there are many: strangers never take what is left for known clients."""

from market_data_feed.domain.stream_places import StreamLimits, StreamPlaces
from venue_protocol.refusals import RejectReason

LIMITS = StreamLimits(most=10, most_strangers=6, most_strangers_of_an_address=4, most_of_a_client=3)


def fill(places: StreamPlaces, address: str, count: int, is_listening: bool) -> list[object]:
    taken = []
    for _ in range(count):
        place = places.enter(address).place
        assert place is not None
        place.is_listening = is_listening
        taken.append(place)
    return taken


def test_strangers_of_one_address_leave_room_for_those_of_another() -> None:
    places = StreamPlaces(LIMITS)
    fill(places, "a", 4, is_listening=True)
    refused = places.enter("a").refusal
    assert refused is not None and refused.reason is RejectReason.NOT_READY
    assert places.enter("b").place is not None


def test_listening_strangers_leave_room_for_a_known_client() -> None:
    places = StreamPlaces(LIMITS)
    fill(places, "a", 4, is_listening=True)
    fill(places, "b", 2, is_listening=True)
    assert places.enter("c").refusal is not None
    assert places.enter("c", "ann").place is not None


def test_the_oldest_silent_stranger_goes_first() -> None:
    places = StreamPlaces(LIMITS)
    fill(places, "a", 2, is_listening=True)
    silent = fill(places, "a", 2, is_listening=False)
    admission = places.enter("a")
    assert admission.place is not None and admission.crowded_out is silent[0]
    assert len(places) == 4


def test_a_known_client_takes_the_place_of_a_stranger_when_all_are_taken() -> None:
    places = StreamPlaces(LIMITS)
    strangers = fill(places, "a", 4, is_listening=True)
    for client in ("ann", "bob"):
        for _ in range(3):
            assert places.enter("x", client).place is not None
    admission = places.enter("x", "eve")
    assert admission.place is not None and admission.crowded_out is strangers[0]


def test_one_client_can_not_take_what_is_left_for_the_others() -> None:
    places = StreamPlaces(LIMITS)
    for _ in range(3):
        assert places.enter("x", "ann").place is not None
    refused = places.enter("x", "ann").refusal
    assert refused is not None and refused.reason is RejectReason.RATE_LIMITED
    assert places.enter("x", "bob").place is not None


def test_a_stranger_that_shows_a_key_frees_its_place_among_the_strangers() -> None:
    places = StreamPlaces(LIMITS)
    first = places.enter("a").place
    assert first is not None
    first.is_listening = True
    fill(places, "a", 3, is_listening=True)
    assert places.enter("a").refusal is not None
    assert places.identify(first, "ann") is None
    assert places.enter("a").place is not None


def test_a_place_that_is_left_twice_is_free_once() -> None:
    places = StreamPlaces(LIMITS)
    place = places.enter("a").place
    assert place is not None
    fill(places, "a", 3, is_listening=True)
    places.leave(place)
    places.leave(place)
    assert places.enter("a").place is not None
    assert places.enter("a").refusal is None, "the new one is silent: it makes room"
    assert len(places) == 4
