"""From notes to figures: a small run written down by hand."""

from array import array
from xml.etree import ElementTree

import msgspec

from venue_trials.bench import report_text
from venue_trials.bench.capacity import has_held
from venue_trials.bench.overload import normal_again
from venue_trials.bench.plot import of_run
from venue_trials.bench.positions import Position
from venue_trials.bench.run_figures import VENUE_PARTS, Measured, Part, RunFigures
from venue_trials.bench.soak import Span, Window, picture, spans
from venue_trials.bench.usage import Usage
from venue_trials.bench.watcher_process import Timeline, Watched
from venue_trials.load.histogram import summary_of
from venue_trials.load.mixes import MIXES
from venue_trials.load.plan import Account, LoadPlan, LoadResult
from venue_trials.load.rows import Row, Rows

MS = 10**6
S = 10**9
START = 50 * S
PLAN = LoadPlan(
    "http://door",
    "http-lists",
    MIXES["trades"],
    20.0,
    10,
    3.0,
    1.0,
    [Account("a", "key", ["A"])],
    1,
    "t",
)
ANSWERED = summary_of([(20_000, 40)])
LOAD = LoadResult(START, 60, 60, 60, 60, {}, 0, 0, 0, ANSWERED, summary_of([(1_000, 60)]), 0.3, 3.0)


def numbers(*values: int) -> "array[int]":
    """A column."""
    return array("q", values)


def measured() -> Measured:
    """Six requests of ten commands, two a second; the first two are warm-up. Command n gives event
    2n.

    Each is answered after 20 ms and matched after 30. Order 35, due at 1.5 s, makes trade 1,
    settled 90 ms after that.
    """
    rows = Rows()
    dues = [START + number * S // 2 for number in range(6)]
    for number, due_ns in enumerate(dues):
        rows.add(due_ns, due_ns + 20 * MS, number * 10 + 1, number * 10 + 10, 10)
    times = numbers(*(due_ns + 30 * MS for due_ns in dues))
    matched, events = numbers(10, 20, 30, 40, 50, 60), numbers(20, 40, 60, 80, 100, 120)
    watched = Watched(
        Timeline(times, matched),
        Timeline(times, events),
        Timeline(numbers(dues[3] + 90 * MS), numbers(1)),
        {35: 1},
        [
            (dues[3] + 60 * MS, 35, 0),
            (dues[3] + 100 * MS, 35, 1),
            (dues[0] + 500 * MS, 3, 0),
            (dues[4] + MS, 999, 0),
        ],
        Timeline(matched, events),
    )
    taken = [
        Position(START + S, 20, 40, 0, 40, 0, {"engine": Usage(1.0, 0)}),
        Position(START + 2 * S, 40, 79, 0, 60, 0, {"engine": Usage(1.2, 0)}),
        Position(
            START + 3 * S,
            60,
            120,
            2,
            120,
            2,
            {"engine": Usage(1.4, 0), "load generator": Usage(0.2, 0)},
        ),
    ]
    return Measured(PLAN, LOAD, rows, watched, taken)


def figures() -> RunFigures:
    """The figures of that run."""
    return measured().figures({"engine": 80.0}, drain_s=0.1)


def test_rates_are_those_of_the_steady_state() -> None:
    found = figures()
    assert (found.steady_s, found.accepted, found.matched) == (2.0, 20.0, 20.0)
    assert (found.settled, found.recorded, found.trades_settled) == (20.0, 20.0, 0.5)


def test_latencies_count_from_due_and_leave_out_the_warm_up() -> None:
    found = figures()
    assert (
        found.matched_after.count,
        found.matched_after.p50_ms,
        found.matched_after.longest_ms,
    ) == (40, 30.0, 30.0)
    assert (found.settled_after.count, found.settled_after.longest_ms) == (1, 90.0)
    assert (found.seen_after.count, found.seen_after.longest_ms) == (1, 60.0), (
        "a warm-up order and a foreign one"
    )
    assert (found.settlement_seen_after.count, found.settlement_seen_after.longest_ms) == (1, 100.0)


def test_an_order_belongs_to_the_request_whose_sequences_hold_it() -> None:
    run = measured()
    assert run.due_ns(21) == run.due_ns(30) == START + S
    assert run.due_ns(20) is None, "due in the warm-up"
    assert run.due_ns(61) is None and run.due_ns(0) is None


def test_backlog_is_what_was_logged_and_not_yet_through() -> None:
    first, second, third = figures().seconds
    assert (second.unsettled, second.unrecorded) == (10, 10), (
        "79 events of 80 settle 39 commands: the last batch is open"
    )
    assert (third.unmatched, third.unsettled, third.unrecorded) == (0, 0, 0)
    assert (first.accepted, second.accepted, third.accepted) == (20, 20, 20)


def test_processor_time_is_told_by_command() -> None:
    engine = figures().parts["engine"]
    assert (round(engine.cores, 3), round(engine.microseconds_a_command), engine.memory_mb) == (
        0.2,
        10_000,
        80.0,
    )


def test_a_rate_has_held_only_if_all_of_it_came_through() -> None:
    good = figures()
    assert has_held(good)
    replace = msgspec.structs.replace
    assert not has_held(replace(good, rate=25.0))
    assert not has_held(replace(good, recorded=17.0))
    assert not has_held(replace(good, drain_s=5.0))
    assert not has_held(replace(good, load=replace(LOAD, unsent=1)))
    assert not has_held(replace(good, acknowledged=summary_of([(2_000_000, 1)])))


def test_normal_again_is_the_first_second_without_a_slow_answer() -> None:
    def row(due_ms: int, took_ms: int) -> Row:
        return Row(due_ms * MS, (due_ms + took_ms) * MS, 1, 1, 1)

    calm = [row(due, 10) for due in range(0, 3_000, 100)]
    assert normal_again(calm, 0, normal_ms=50) == 0.0
    slow = [row(0, 900), row(400, 600), *[row(due, 10) for due in range(1_100, 3_000, 100)]]
    assert normal_again(slow, 0, normal_ms=50) == 1.0
    refused = [row(0, 5)._replace(accepted=0), *[row(due, 10) for due in range(100, 3_000, 100)]]
    assert normal_again(refused, 0, normal_ms=50) == 0.005, "a quick refusal is not normal"
    assert normal_again([row(due, 100) for due in range(0, 3_000, 100)], 0, normal_ms=50) is None


def test_the_plot_is_a_picture_with_every_curve() -> None:
    picture = ElementTree.fromstring(of_run(figures()))
    curves = [element for element in picture.iter() if element.tag.endswith("polyline")]
    assert len(curves) == 7
    assert all(len(curve.attrib["points"].split()) == 3 for curve in curves)


def test_words_admit_a_load_that_was_not_sent_as_asked() -> None:
    good = figures()
    replace = msgspec.structs.replace
    assert "not held" not in "\n".join(report_text.run_lines(good, None))
    bad = replace(good, load=replace(LOAD, unsent=7, lateness=summary_of([(90_000, 60)])))
    said = "\n".join(report_text.run_lines(bad, None))
    assert "7 of 60 commands had no free connection" in said
    assert "the load generator itself was late" in said


def test_a_soak_compares_its_first_third_with_its_last() -> None:
    def window(minute: float, memory_mb: float) -> Window:
        parts = dict.fromkeys(VENUE_PARTS, Part(0.1, 10.0, memory_mb))
        return Window(minute, msgspec.structs.replace(figures(), parts=parts), [])

    windows = [
        window(minute, memory_mb)
        for minute, memory_mb in enumerate((80, 100, 90, 500, 40, 150, 120, 180, 900))
    ]
    found = spans(windows)
    assert (
        found["memory of the engine (MB)"] == Span(90, 180)
        and found["memory of the engine (MB)"].ratio == 2
    )
    assert found["processor time (us/command)"] == Span(60, 60)
    assert found["acknowledged p50 (ms)"].ratio == 1
    drawn = ElementTree.fromstring(picture(windows))
    assert len(drawn.findall("{http://www.w3.org/2000/svg}polyline")) == 4 + len(VENUE_PARTS)
