"""Plots as inline SVG: no script, no font, no file beside them."""

from collections.abc import Mapping, Sequence
from html import escape

COLORS = ("#1f6fb4", "#d1495b", "#2f8f5b", "#b07d12", "#7a4fb3", "#157f8c", "#c2571a", "#5b6472")
_WIDTH, _HEIGHT = 760, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 14, 12, 28
_MOST_POINTS = 400
_TICKS = 4


def color(place: int) -> str:
    """Of the player at this place in the rules."""
    return COLORS[place % len(COLORS)]


def lines(curves: Mapping[str, Sequence[tuple[float, float]]], unit: str) -> str:
    """One line for each name, in their order; x in seconds, y in dollars. Empty without points."""
    points = [point for curve in curves.values() for point in curve]
    if not points:
        return ""
    scale = _Scale(
        min(x for x, _ in points),
        max(x for x, _ in points),
        min(y for _, y in points),
        max(y for _, y in points),
    )
    parts = [scale.axes(unit)]
    for place, (name, curve) in enumerate(curves.items()):
        drawn = " ".join(scale.at(x, y) for x, y in _thinned(curve))
        parts.append(
            f'<polyline fill="none" stroke="{color(place)}" stroke-width="1.6" points="{drawn}">'
            f"<title>{escape(name)}</title></polyline>"
        )
    return _svg(parts, _HEIGHT)


def intervals(rows: Sequence[tuple[str, float, float, float]], unit: str) -> str:
    """One row for each name: low, middle and high of an interval. Empty without rows."""
    if not rows:
        return ""
    low = min(0.0, *(row[1] for row in rows))
    high = max(0.0, *(row[3] for row in rows))
    span = (high - low) or 1.0
    height = 24 * len(rows) + 40
    inner = _WIDTH - 190

    def x(value: float) -> str:
        return f"{160 + (value - low) / span * inner:.1f}"

    parts = [f'<line x1="{x(0)}" x2="{x(0)}" y1="6" y2="{height - 26}" class="axis"/>']
    for place, (name, least, middle, most) in enumerate(rows):
        y = 20 + 24 * place
        parts.append(f'<text x="150" y="{y + 4}" text-anchor="end">{escape(_short(name))}</text>')
        parts.append(
            f'<line x1="{x(least)}" x2="{x(most)}" y1="{y}" y2="{y}" stroke="{color(place)}" '
            f'stroke-width="3"/><circle cx="{x(middle)}" cy="{y}" r="5" fill="{color(place)}"/>'
        )
    for value in (low, high):
        parts.append(
            f'<text x="{x(value)}" y="{height - 8}" text-anchor="middle">'
            f"{value:,.2f} {escape(unit)}</text>"
        )
    return _svg(parts, height)


class _Scale:
    """From values to places in the picture."""

    def __init__(self, left: float, right: float, low: float, high: float) -> None:
        if high - low < 1e-9:
            low, high = low - 1, high + 1
        self._left, self._span_x = left, (right - left) or 1.0
        self._low, self._span_y = low, high - low

    def at(self, x: float, y: float) -> str:
        """A point as SVG has it."""
        return f"{self._x(x):.1f},{self._y(y):.1f}"

    def axes(self, unit: str) -> str:
        """Horizontal lines with their values, and the seconds below."""
        parts = []
        for tick in range(_TICKS + 1):
            value = self._low + self._span_y * tick / _TICKS
            y = self._y(value)
            parts.append(
                f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
                f'class="axis"/><text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
                f"{value:,.2f}</text>"
            )
        for share in (0.0, 0.5, 1.0):
            seconds = self._left + self._span_x * share
            parts.append(
                f'<text x="{self._x(seconds):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">'
                f"{seconds:,.0f} s</text>"
            )
        parts.append(f'<text x="4" y="12">{escape(unit)}</text>')
        return "".join(parts)

    def _x(self, x: float) -> float:
        return _LEFT + (x - self._left) / self._span_x * (_WIDTH - _LEFT - _RIGHT)

    def _y(self, y: float) -> float:
        return _HEIGHT - _BOTTOM - (y - self._low) / self._span_y * (_HEIGHT - _TOP - _BOTTOM)


def _thinned(curve: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """As many points as the picture has room for, the last one with them."""
    step = len(curve) // _MOST_POINTS + 1
    return [*curve[:-1:step], curve[-1]] if curve else []


def _short(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:19]}…"


def _svg(parts: Sequence[str], height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'role="img">{"".join(parts)}</svg>'
    )
