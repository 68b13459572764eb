"""The benchmark of the core runs, and its flows are as claimed; no speed is asserted."""

import argparse

import pytest

from venue_protocol.events import Trade
from venue_trials.bench import core
from venue_trials.bench.generated_flow import SHAPES, generate
from venue_trials.bench.order_flow import OrderFlow
from venue_trials.bench.throughput import commands_of


def run(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    """Exit code and standard output of `./venue bench core` with these options."""
    parser = argparse.ArgumentParser()
    core.add_arguments(parser)
    code = core.run(parser.parse_args(options))
    return code, capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [("--depths", "many"), ("--repeats", "0"), ("--batch", "99999"), ("--messages", "-1")],
)
def test_nonsense_is_refused_in_one_sentence(
    capsys: pytest.CaptureFixture[str], options: tuple[str, str]
) -> None:
    code, out = run(capsys, *options)
    assert (code, out) == (2, "")


@pytest.mark.parametrize("shape", SHAPES)
def test_shape_is_the_same_for_a_seed_and_trades(shape: str) -> None:
    messages = list(generate(shape, 23, 3000))
    assert messages == list(generate(shape, 23, 3000))
    assert messages != list(generate(shape, 24, 3000))
    flow = OrderFlow()
    events = [event for message in messages for event in flow.run(flow.command(message)).events]
    assert any(type(event) is Trade for event in events)
    assert len(flow.engine.orders) > 10
    assert len(commands_of(messages)) == 3000


def test_flash_crash_falls_and_recovers() -> None:
    prices = [
        message.price_ticks
        for message in generate("flash-crash", 1, 20_000)
        if message.action == "new"
    ]
    third = len(prices) // 20
    at = [sum(prices[third * part : third * (part + 1)]) / third for part in range(20)]
    assert at[10] < 0.85 * at[0]
    assert abs(at[19] / at[0] - 1) < 0.02
