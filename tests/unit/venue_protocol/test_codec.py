"""The codec: round trips, schema versions, and what a hostile body does."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue_protocol import codec
from venue_protocol.codec import SCHEMA, CodecError
from venue_protocol.commands import (
    AdvanceTime,
    AmendOrder,
    ApplyCorporateAction,
    CancelAllOrders,
    CancelOrder,
    Command,
    CommandBatch,
    ExemptShares,
    NotifyBuyIn,
    PlaceOrder,
    SetPhase,
    SetSettlement,
    SetVolatilityBands,
    StartSettlementCycle,
)
from venue_protocol.corporate_actions import CashDividend, Delisting, Split, SymbolChange
from venue_protocol.events import (
    AmendRejected,
    AuctionIndication,
    BuyInNotified,
    CancelRejected,
    CorporateActionApplied,
    CorporateActionDeclared,
    DividendPaid,
    Event,
    EventBatch,
    LimitStateChanged,
    MassCancelReport,
    OrderAccepted,
    OrderAdjusted,
    OrderAmended,
    OrderCanceled,
    OrderReduced,
    OrderReleased,
    OrderTriggered,
    PhaseChanged,
    SettlementCycle,
    SettlementModeChanged,
    SharesExempted,
    TimeAdvanced,
    Trade,
)
from venue_protocol.settlement import SettlementBatch, SettlementReport
from venue_protocol.streams import OrderRejected, OrderReports, ResendRequest, StreamPosition

COMMANDS = (
    PlaceOrder,
    AmendOrder,
    CancelOrder,
    CancelAllOrders,
    AdvanceTime,
    SetPhase,
    SetVolatilityBands,
    ApplyCorporateAction,
    SetSettlement,
    StartSettlementCycle,
    ExemptShares,
    NotifyBuyIn,
)
EVENTS = (
    OrderAccepted,
    OrderTriggered,
    OrderReleased,
    Trade,
    OrderCanceled,
    OrderReduced,
    OrderAmended,
    CancelRejected,
    AmendRejected,
    MassCancelReport,
    TimeAdvanced,
    PhaseChanged,
    AuctionIndication,
    LimitStateChanged,
    CorporateActionApplied,
    OrderAdjusted,
    SettlementModeChanged,
    SettlementCycle,
    CorporateActionDeclared,
    DividendPaid,
    SharesExempted,
    BuyInNotified,
)

wire_integers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


st.register_type_strategy(int, wire_integers)
st.register_type_strategy(str, texts)


def structs(*kinds: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of these message types, each field any value of its type."""
    return st.one_of([_struct(kind) for kind in kinds])


def _struct(kind: type[Any]) -> st.SearchStrategy[Any]:
    fields = {field.name: st.from_type(field.type) for field in msgspec.structs.fields(kind)}
    return st.builds(kind, **fields)


for action in (Split, CashDividend, SymbolChange, Delisting):
    st.register_type_strategy(action, structs(action))
commands = structs(*COMMANDS)
reports = structs(SettlementReport)
command_batches = st.builds(
    CommandBatch,
    st.just(SCHEMA),
    wire_integers,
    wire_integers,
    wire_integers,
    st.lists(commands, max_size=4),
)
event_batches = st.builds(
    EventBatch,
    st.just(SCHEMA),
    wire_integers,
    wire_integers,
    wire_integers,
    wire_integers,
    wire_integers,
    st.lists(structs(*EVENTS), max_size=4),
)
settlement_batches = st.builds(
    SettlementBatch, st.just(SCHEMA), wire_integers, st.lists(reports, max_size=3)
)
order_reports = st.builds(
    OrderReports,
    st.just(SCHEMA),
    texts,
    wire_integers,
    wire_integers,
    st.lists(structs(OrderRejected), max_size=3),
)
positions = st.builds(StreamPosition, st.just(SCHEMA), texts, wire_integers)
resend_requests = st.builds(ResendRequest, st.just(SCHEMA), texts, wire_integers, texts)
messages = st.one_of(
    command_batches, event_batches, settlement_batches, order_reports, positions, resend_requests
)


def test_the_strategies_cover_every_message_command_and_event() -> None:
    """A new type must be added here, or the properties below would not see it."""
    assert set(COMMANDS) == set(Command.__args__)
    assert set(EVENTS) == set(Event.__args__)
    assert len(codec.Message.__args__) == 6


@given(messages)
def test_a_message_survives_the_wire(message: Any) -> None:
    assert codec.decode(codec.encode(message)) == message


@given(commands)
def test_a_command_survives_the_log(command: Command) -> None:
    encoded = codec.encode(command)
    assert codec.decode_command(encoded) == codec.decode_command(encoded.decode()) == command


@given(reports)
def test_a_report_survives_its_record(report: SettlementReport) -> None:
    assert codec.decode_report(codec.encode(report)) == report


@given(command_batches)
def test_a_batch_of_encoded_commands_has_the_bytes_of_the_typed_batch(batch: CommandBatch) -> None:
    encoded = [codec.encode(command) for command in batch.commands]
    assert codec.encode_command_batch(
        batch.shard, batch.first, batch.time_us, encoded
    ) == codec.encode(batch)


@given(settlement_batches)
def test_a_batch_of_encoded_reports_has_the_bytes_of_the_typed_batch(
    batch: SettlementBatch,
) -> None:
    encoded = [codec.encode(report) for report in batch.reports]
    assert codec.encode_settlement_batch(batch.first, encoded) == codec.encode(batch)


@given(messages, st.integers(-3, 100).filter(lambda version: version != SCHEMA))
def test_an_unknown_schema_version_is_refused(message: Any, version: int) -> None:
    with pytest.raises(CodecError, match="schema"):
        codec.decode(codec.encode(msgspec.structs.replace(message, schema=version)))


@given(messages)
def test_unknown_fields_are_ignored_at_every_depth(message: Any) -> None:
    assert (
        codec.decode(msgspec.json.encode(_with_news(msgspec.json.decode(codec.encode(message)))))
        == message
    )


def _with_news(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_news(inner) for key, inner in value.items()} | {"news": {"deep": [1]}}
    return [_with_news(inner) for inner in value] if isinstance(value, list) else value


@given(messages, st.data())
def test_a_message_without_one_of_its_envelope_fields_is_refused(
    message: Any, data: st.DataObject
) -> None:
    fields = msgspec.json.decode(codec.encode(message))
    del fields[data.draw(st.sampled_from(sorted(fields)))]
    with pytest.raises(CodecError):
        codec.decode(msgspec.json.encode(fields))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"kind":"unheard_of","schema":1}',
        b'{"kind":"stream_position","schema":"1","stream":"x","sequence":1}',
        b'{"kind":"stream_position","schema":1,"stream":"x","sequence":1.5}',
        b'{"kind":"stream_position","schema":1,"stream":"x","sequence":true}',
        b'{"kind":"stream_position","schema":1,"stream":"\xff","sequence":1}',
        b'{"kind":"stream_position","schema":1,"stream":"x","sequence":1}garbage',
        b'{"kind":"command_batch","schema":1,"shard":0,"first":1,"time_us":1,'
        b'"commands":[{"kind":"place_order"}]}',
        b'{"a":' * 100_000,
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_message_is_a_codec_error(body: bytes) -> None:
    for decode in (codec.decode, codec.decode_command, codec.decode_report):
        with pytest.raises(CodecError):
            decode(body)


@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    )
)
def test_no_bytes_raise_anything_but_a_codec_error(body: bytes) -> None:
    with pytest.raises(CodecError):
        codec.decode(body)


@given(event_batches)
def test_a_batch_numbers_its_items_without_a_gap(batch: EventBatch) -> None:
    numbers = [sequence for sequence, _ in batch.numbered()]
    assert numbers == list(range(batch.first, batch.last + 1))


def test_a_wrong_side_or_type_is_refused() -> None:
    order = PlaceOrder("alice", "AAPL", "BUY", "limit", "GTC", 10, 1_000_000)
    body = codec.encode(order)
    for good, bad in ((b'"BUY"', b'"hold"'), (b'"limit"', b'"pegged"'), (b'"GTC"', b'"GTX"')):
        assert good in body
        with pytest.raises(CodecError):
            codec.decode_command(body.replace(good, bad))
