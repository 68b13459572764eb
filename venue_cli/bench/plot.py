"""A run as a picture: SVG text, no library."""

from collections.abc import Iterator, Sequence

from venue_cli.bench.run_figures import RunFigures

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 860, 200, 70, 40, 60
_RATES = (
    ("accepted", "#1f77b4"),
    ("matched", "#2ca02c"),
    ("settled", "#d62728"),
    ("recorded", "#9467bd"),
)
_BACKLOG = (("unmatched", "#2ca02c"), ("unsettled", "#d62728"), ("unrecorded", "#9467bd"))


def svg(figures: RunFigures) -> str:
    """Two charts over the seconds of a run: commands a second by stage, and how far each stage is behind."""
    title = f"{figures.case}, mix {figures.mix}, {figures.rate:,.0f} commands/s asked for"
    height = 2 * (_HEIGHT + _GAP) + _TOP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH + 2 * _LEFT}" height="{height}"'
        ' font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_LEFT}" y="20" font-size="14">{title}</text>',
        *_chart(figures, _RATES, _TOP, "commands/s"),
        *_chart(figures, _BACKLOG, _TOP + _HEIGHT + _GAP, "commands behind"),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _chart(figures: RunFigures, curves: Sequence[tuple[str, str]], top: int, unit: str) -> Iterator[str]:
    seconds = figures.seconds
    values = {name: [int(getattr(second, name)) for second in seconds] for name, _ in curves}
    most = max(1, *(max(found, default=0) for found in values.values()))
    bottom = top + _HEIGHT
    yield f'<path d="M{_LEFT} {top}V{bottom}H{_LEFT + _WIDTH}" fill="none" stroke="#888"/>'
    yield f'<text x="{_LEFT - 6}" y="{top + 10}" text-anchor="end">{most:,}</text>'
    yield f'<text x="{_LEFT - 6}" y="{bottom}" text-anchor="end">0</text>'
    yield f'<text x="{_LEFT}" y="{top - 6}">{unit}</text>'
    yield f'<text x="{_LEFT + _WIDTH}" y="{bottom + 16}" text-anchor="end">{len(seconds)} s</text>'
    step = _WIDTH / max(1, len(seconds) - 1)
    for place, (name, colour) in enumerate(curves):
        points = " ".join(
            f"{_LEFT + number * step:.1f},{bottom - value / most * _HEIGHT:.1f}"
            for number, value in enumerate(values[name])
        )
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        yield f'<text x="{_LEFT + 120 * (place + 1)}" y="{top - 6}" fill="{colour}">{name}</text>'
