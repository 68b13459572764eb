"""Identifiers: which texts the edge accepts, and how venue-wide ids are put together."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue_protocol.identifiers import (
    CLIENT_ORDER_ID_PATTERN,
    SECURITY_ID_PATTERN,
    is_client_id,
    shard_and_number,
    sharded_id,
)
from venue_protocol.topology import order_entry_queue, resend_queue


@given(st.integers(0, 2**13 - 1), st.integers(0, 2**40 - 1))
def test_an_id_gives_back_its_shard_and_number_and_is_exact_in_a_double(
    shard: int, number: int
) -> None:
    identifier = sharded_id(shard, number)
    assert shard_and_number(identifier) == (shard, number)
    assert int(float(identifier)) == identifier < 2**53


@pytest.mark.parametrize("text", ["a", "alice", "A-1_2.3", "x" * 64])
def test_a_client_id_is_up_to_64_plain_characters(text: str) -> None:
    assert is_client_id(text)


@pytest.mark.parametrize(
    "text", ["", "x" * 65, "-a", "a b", "a\n", "a\0", "é", "a/b", "a:b", "\ud800"]
)
def test_other_texts_are_no_client_id(text: str) -> None:
    assert not is_client_id(text)


@pytest.mark.parametrize("pattern", [CLIENT_ORDER_ID_PATTERN, SECURITY_ID_PATTERN])
def test_patterns_refuse_a_trailing_newline(pattern: str) -> None:
    assert re.search(pattern, "A1") and not re.search(pattern, "A1\n")


def test_shard_zero_has_the_plain_queue_names() -> None:
    assert (order_entry_queue(0), resend_queue(0)) == ("order_entry", "resend_requests")
    assert (order_entry_queue(2), resend_queue(2)) == ("order_entry.2", "resend_requests.2")
