"""A run as a picture: SVG text, no library."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from venue_trials.bench.run_figures import RunFigures

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 860, 200, 70, 40, 60
_COLOURS = ("#1f77b4", "#2ca02c", "#d62728", "#9467bd", "#ff7f0e", "#7f7f7f")


class Chart(NamedTuple):
    """Curves over the same steps of time."""

    unit: str
    curves: Mapping[str, Sequence[float]]
    until: str
    """What stands at the right end of the time."""


def of_run(figures: RunFigures) -> str:
    """Two charts over the seconds of a run: commands a second by stage, and how far each stage is
    behind.
    """
    seconds, until = figures.seconds, f"{len(figures.seconds)} s"
    rates, behind = (
        {name: [int(getattr(second, name)) for second in seconds] for name in names}
        for names in (
            ("accepted", "matched", "settled", "recorded"),
            ("unmatched", "unsettled", "unrecorded"),
        )
    )
    title = f"{figures.case}, mix {figures.mix}, {figures.rate:,.0f} commands/s asked for"
    return svg(title, [Chart("commands/s", rates, until), Chart("commands behind", behind, until)])


def svg(title: str, charts: Sequence[Chart]) -> str:
    """Charts one below the other."""
    height = len(charts) * (_HEIGHT + _GAP) + _TOP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH + 2 * _LEFT}" height="{height}"'
        ' font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_LEFT}" y="20" font-size="14">{title}</text>',
    ]
    for place, chart in enumerate(charts):
        lines += _lines(chart, _TOP + place * (_HEIGHT + _GAP))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _lines(chart: Chart, top: int) -> Iterator[str]:
    most = max(1.0, *(max(values, default=0) for values in chart.curves.values()))
    bottom = top + _HEIGHT
    yield f'<path d="M{_LEFT} {top}V{bottom}H{_LEFT + _WIDTH}" fill="none" stroke="#888"/>'
    yield f'<text x="{_LEFT - 6}" y="{top + 10}" text-anchor="end">{most:,.0f}</text>'
    yield f'<text x="{_LEFT - 6}" y="{bottom}" text-anchor="end">0</text>'
    yield f'<text x="{_LEFT}" y="{top - 6}">{chart.unit}</text>'
    yield f'<text x="{_LEFT + _WIDTH}" y="{bottom + 16}" text-anchor="end">{chart.until}</text>'
    for place, (name, values) in enumerate(chart.curves.items()):
        colour, step = _COLOURS[place % len(_COLOURS)], _WIDTH / max(1, len(values) - 1)
        points = " ".join(
            f"{_LEFT + number * step:.1f},{bottom - value / most * _HEIGHT:.1f}"
            for number, value in enumerate(values)
        )
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        yield f'<text x="{_LEFT + 120 * (place + 1)}" y="{top - 6}" fill="{colour}">{name}</text>'
