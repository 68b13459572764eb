"""Request bodies: strict JSON, or a refusal that names what is wrong."""

from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_runtime.http.request_body import decode_strictly
from venue_protocol.identifiers import PATTERNS_IN_WORDS, ClientId, ClientOrderId, SecurityId
from venue_protocol.refusals import Refused, RejectReason


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """A shape like the door's."""

    security: str
    quantity: int
    side: Literal["BUY", "SELL"] = "BUY"
    price: msgspec.Raw = msgspec.Raw(b"")
    tags: dict[str, int] = {}


ORDER = msgspec.json.Decoder(Order)
ORDERS = msgspec.json.Decoder(list[Order])
ANYTHING = msgspec.json.Decoder(msgspec.Raw)


def refused(
    body: bytes | str, decoder: "msgspec.json.Decoder[Order]" = ORDER
) -> tuple[RejectReason, str | None]:
    """Why this body is refused, and the field named."""
    with pytest.raises(Refused) as raised:
        decode_strictly(decoder, body)
    return raised.value.refusal.reason, raised.value.refusal.field


def test_a_good_body_is_decoded() -> None:
    order = decode_strictly(
        ORDER, b' {"security": "A", "quantity": 5, "price": 10.05, "tags": {"a": 1}} '
    )
    assert (order.security, order.quantity, bytes(order.price)) == ("A", 5, b"10.05")


@pytest.mark.parametrize(
    "body",
    [
        b'{"security":"A","security":"B","quantity":5}',
        b'{"security":"A","quantity":5,"quantity":5}',
        b'{"security":"A","quantity":5,"tags":{"a":1,"a":2}}',
        b'{"security":"A","quantity":5,"\\u0071uantity":6}',
        b'{"security":"A\\": ","quantity":5,"quantity":6}',
        b'{"security":"A","quantity":5,"price":1,"price":2}',
        b'{"security":"A","quantity":5 , "price" : 1 , "price" :2}',
    ],
)
def test_a_key_twice_is_refused_however_it_is_spelled(body: bytes) -> None:
    assert refused(body)[0] is RejectReason.DUPLICATE_KEY


@pytest.mark.parametrize("text", ['A\\": ', '\\":\\":', "{}:,", '\\\\\\":'])
def test_text_that_looks_like_a_key_is_no_duplicate(text: str) -> None:
    body = f'{{"security":"{text}","quantity":5,"tags":{{"quantity":1,"security":2}}}}'
    assert decode_strictly(ORDER, body).quantity == 5


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        (b"", RejectReason.MALFORMED, None),
        (b"  \n", RejectReason.MALFORMED, None),
        (b"not json", RejectReason.MALFORMED, None),
        (b'{"security":"A","quantity":5}}', RejectReason.MALFORMED, None),
        (b'{"security":"A","quantity":05}', RejectReason.MALFORMED, None),
        (b'{"security":"A","quantity":NaN}', RejectReason.MALFORMED, None),
        (b'{"security":"A","quantity":Infinity}', RejectReason.MALFORMED, None),
        (b'{"security":"A","quantity":5,"price":NaN}', RejectReason.MALFORMED, None),
        (b"{'security':'A'}", RejectReason.MALFORMED, None),
        (b'\xef\xbb\xbf{"security":"A","quantity":5}', RejectReason.MALFORMED, None),
        (b'{"security":"\xff","quantity":5}', RejectReason.MALFORMED, None),
        (b'{"security":"\\ud800","quantity":5}', RejectReason.MALFORMED, None),
        ('{"security":"\ud800","quantity":5}', RejectReason.MALFORMED, None),
        ('{"security":"A","quantity":5}'.encode("utf-16"), RejectReason.MALFORMED, None),
        (b"[" * 100_000, RejectReason.INVALID_FIELD, None),
        (b'{"tags":' * 100_000, RejectReason.INVALID_FIELD, "tags"),
        (b'{"security":"A","quantity":5,"price":' + b"[" * 100_000, RejectReason.MALFORMED, None),
        (
            b'{"security":"A","quantity":5,"price":' + b"[" * 9 + b"]" * 9 + b"}",
            RejectReason.MALFORMED,
            None,
        ),
        (b'{"security":"A"}', RejectReason.MISSING_FIELD, "quantity"),
        (b'{"security":"A","quantity":5,"color":1}', RejectReason.UNKNOWN_FIELD, "color"),
        (b'{"security":"A","quantity":"5"}', RejectReason.INVALID_FIELD, "quantity"),
        (b'{"security":"A","quantity":true}', RejectReason.INVALID_FIELD, "quantity"),
        (b'{"security":"A","quantity":1.5}', RejectReason.INVALID_FIELD, "quantity"),
        (b'{"security":"A","quantity":null}', RejectReason.INVALID_FIELD, "quantity"),
        (b'{"security":"A","quantity":5,"side":"hold"}', RejectReason.INVALID_FIELD, "side"),
        (b'{"security":"A","quantity":5,"tags":{"a":"b"}}', RejectReason.INVALID_FIELD, "tags"),
        (b"[]", RejectReason.INVALID_FIELD, None),
        (b"7", RejectReason.INVALID_FIELD, None),
        (
            b'{"security":"A","quantity":5,"price":' + b"1" * 5_000 + b"}",
            RejectReason.INVALID_FIELD,
            None,
        ),
        (
            b'{"security":"\\":","quantity":5,"price":' + b"1" * 5_000 + b"}",
            RejectReason.INVALID_FIELD,
            None,
        ),
    ],
)
def test_a_bad_body_is_refused_with_its_reason_and_field(
    body: bytes | str, reason: RejectReason, field: str | None
) -> None:
    found = refused(body)
    assert (found[0], (found[1] or "").partition("[")[0] or None) == (reason, field)


def test_a_refusal_in_a_list_says_which_item() -> None:
    with pytest.raises(Refused) as raised:
        decode_strictly(ORDERS, b'[{"security":"A","quantity":5},{"security":"A","quantity":"x"}]')
    assert "1" in str(raised.value.refusal.field) or "[...]" in str(raised.value.refusal.message)


valid_bodies = st.sampled_from(
    [
        b'{"security":"AAPL","quantity":5,"side":"SELL","price":"10.05"}',
        b'{"security":"A\\": ","quantity":5,"price":1e2,"tags":{"a":1}}',
    ]
)


@given(valid_bodies, st.data())
def test_no_mutation_of_a_body_raises_anything_but_a_refusal(
    body: bytes, data: st.DataObject
) -> None:
    mutated = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(mutated)))
        end = data.draw(st.integers(start, min(len(mutated), start + 8)))
        mutated[start:end] = data.draw(
            st.one_of(st.binary(max_size=4), st.sampled_from([b'"', b"{", b"[", b":", b","]))
        )
    decoders: list[msgspec.json.Decoder[Any]] = [ORDER, ORDERS, ANYTHING]
    for decoder in decoders:
        try:
            decode_strictly(decoder, bytes(mutated))
        except Refused as error:
            assert error.refusal.reason.http_status == 400


@given(
    st.recursive(
        st.none() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text('ab\\":', max_size=3), inner),
        max_leaves=12,
    )
)
def test_a_body_without_repetitions_is_never_called_a_duplicate(value: object) -> None:
    try:
        decode_strictly(ANYTHING, msgspec.json.encode(value))
    except Refused as error:
        assert error.refusal.reason is RejectReason.MALFORMED and "nested" in error.refusal.message


class Named(msgspec.Struct):
    """Texts with a pattern each."""

    client_id: ClientId = "a"
    security: SecurityId = "A"
    client_order_id: ClientOrderId = "a"
    shares: dict[SecurityId, int] = {}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            b'{"client_id":"a b"}',
            "client_id must have 1 to 64 letters, digits, '_', '.' or '-', the first a letter",
        ),
        (b'{"client_id":""}', "client_id must have 1 to 64 letters"),
        (b'{"security":"x"}', "security must have 1 to 16 capitals, digits, '.' or '-'"),
        (
            b'{"client_order_id":"x y"}',
            "client_order_id must have 1 to 64 letters, digits, '_', '.', ':' or '-'",
        ),
        (b'{"shares":{"x":1}}', "a name must have 1 to 16 capitals"),
        (b'{"client_id":"%s"}' % (b"a" * 65), "client_id has more than 64 characters"),
    ],
)
def test_a_text_that_fits_no_pattern_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(Refused) as caught:
        decode_strictly(msgspec.json.Decoder(Named), body)
    said = caught.value.refusal.message
    assert said.startswith(words) and "regex" not in said and "Expected" not in said


def test_every_pattern_of_the_edge_has_words() -> None:
    kinds = (ClientId, ClientOrderId, SecurityId)
    assert {kind.__metadata__[0].pattern for kind in kinds} == set(PATTERNS_IN_WORDS)
