"""The report's pictures as inline SVG, each with a title that says the same in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from evals.statistics import Estimate

_WIDTH = 420


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with its interval; ``mine`` is the one the report is about."""

    label: str
    estimate: Estimate
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a line with its interval and how many cases it stands for."""

    label: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases of like confidence: their mean confidence, and the share solved with its interval."""

    confidence: float
    solved: float
    cases: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """Share right (up) by share answered (across), both 0–1, in order of the share answered."""

    label: str
    points: Sequence[tuple[float, float]]
    mine: bool = False


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Horizontal bars 0–1 with whiskers."""
    left, right, step = 160, 44, 32
    scale = _WIDTH - left - right
    parts = []
    for number, row in enumerate(rows):
        mean, low, high = row.estimate.mean or 0.0, row.estimate.low, row.estimate.high
        y = 8 + number * step
        parts.append(f'<text x="{left - 10}" y="{y + 16}" text-anchor="end">{escape(row.label)}</text>')
        parts.append(
            f'<rect class="bar{" me" if row.mine else ""}" x="{left}" y="{y}" width="{max(1.0, mean * scale):.1f}" '
            'height="22" rx="3"/>'
        )
        end = max(mean, high or 0.0)
        if low is not None and high is not None:
            parts += [
                _line(kind, left + low * scale, y + 11, left + high * scale, y + 11) for kind in ("halo", "whisker")
            ]
        parts.append(f'<text x="{left + end * scale + 8:.1f}" y="{y + 16}">{mean:.2f}</text>')
    return _svg(title, 16 + len(rows) * step, parts)


def trend(title: str, points: Sequence[Point]) -> str:
    """A line 0–1 over the points with a band for its intervals."""
    left, right, top, bottom = 40, 20, 12, 190
    high = max([p.estimate.high or p.estimate.mean or 0.0 for p in points] + [0.5])
    reach = min(1.0, (int(high * 10) + 1) / 10)
    step = (_WIDTH - left - right) / max(1, len(points) - 1)

    def place(index: int, value: float) -> tuple[float, float]:
        return left + index * step, bottom - value / reach * (bottom - top)

    parts = []
    for tick in (0.0, reach / 2, reach):
        y = place(0, tick)[1]
        parts.append(_line("axis", left, y, _WIDTH - right, y))
        parts.append(f'<text class="soft" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:.2g}</text>')
    known = [(i, p.estimate) for i, p in enumerate(points) if p.estimate.mean is not None]
    upper = [place(i, e.high if e.high is not None else e.mean or 0.0) for i, e in known]
    lower = [place(i, e.low if e.low is not None else e.mean or 0.0) for i, e in known]
    parts.append(f'<polygon class="band" points="{_points([*upper, *reversed(lower)])}"/>')
    middle = [place(i, e.mean or 0.0) for i, e in known]
    parts.append(f'<polyline class="trend" points="{_points(middle)}"/>')
    parts += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in middle]
    every = -(-len(points) // 6)
    for index, point in enumerate(points):
        if index % every:
            continue
        x = place(index, 0)[0]
        anchor = "start" if index == 0 else "end" if index == len(points) - 1 else "middle"
        parts.append(
            f'<text class="soft" x="{x:.1f}" y="{bottom + 20}" text-anchor="{anchor}">{escape(point.label)}</text>'
        )
        cases = point.estimate.scored
        parts.append(f'<text class="soft" x="{x:.1f}" y="{bottom + 37}" text-anchor="{anchor}">n={cases}</text>')
    return _svg(title, bottom + 46, parts)


def reliability(title: str, bins: Sequence[Bin], axes: tuple[str, str] = ("", "")) -> str:
    """Stated confidence across, share solved up, with the line of perfect calibration; ``axes`` name the two."""
    left, top, side = 46, 12, 280
    parts = []
    for tick in (0.0, 0.5, 1.0):
        x, y = left + tick * side, top + (1 - tick) * side
        parts.append(_line("axis", left, y, left + side, y))
        parts.append(_line("axis", x, top, x, top + side))
        parts.append(f'<text class="soft" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
        parts.append(f'<text class="soft" x="{x:.1f}" y="{top + side + 18}" text-anchor="middle">{tick:g}</text>')
    parts.append(_line("dash", left, top + side, left + side, top))
    for item in bins:
        x, y = left + item.confidence * side, top + (1 - item.solved) * side
        if item.low is not None and item.high is not None:
            parts.append(_line("spread", x, top + (1 - item.low) * side, x, top + (1 - item.high) * side))
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="6"/>')
    across, up = map(escape, axes)
    parts.append(f'<text class="soft" x="{left + side / 2}" y="{top + side + 36}" text-anchor="middle">{across}</text>')
    parts.append(
        f'<text class="soft" x="14" y="{top + side / 2}" text-anchor="middle" '
        f'transform="rotate(-90 14 {top + side / 2})">{up}</text>'
    )
    return _svg(title, top + side + 46, parts, width=380)


def risk_coverage(title: str, curves: Sequence[Curve], axes: tuple[str, str] = ("", ""), floor: float = 0.0) -> str:
    """Share answered across, the surest first, share right up from ``floor``; ``axes`` name the two."""
    left, top, wide, high = 46, 12, 300, 220

    def place(x: float, y: float) -> tuple[float, float]:
        return left + x * wide, top + (1 - max(0.0, y - floor) / (1 - floor)) * high

    parts = []
    for step in range(5):
        x, y = step / 4, floor + (1 - floor) * step / 4
        parts.append(_line("axis", *place(0, y), *place(1, y)))
        parts.append(f'<text class="soft" x="{left - 8}" y="{place(0, y)[1] + 4:.1f}" text-anchor="end">{y:.3g}</text>')
        below = f'y="{top + high + 18}" text-anchor="middle">{x:.0%}</text>'
        parts.append(f'<text class="soft" x="{place(x, y)[0]:.1f}" {below}')
    for number, curve in enumerate(sorted(curves, key=lambda each: each.mine)):
        every = max(1, len(curve.points) // 200)  # a page needs no more than the eye sees
        kept = [place(x, y) for x, y in (*curve.points[::every], curve.points[-1])]
        kind = "trend" if curve.mine else f"other other-{number}"
        named = f"<title>{escape(curve.label)}</title>"
        parts.append(f'<polyline class="{kind}" fill="none" points="{_points(kept)}">{named}</polyline>')
    across, up = map(escape, axes)
    parts.append(f'<text class="soft" x="{left + wide / 2}" y="{top + high + 36}" text-anchor="middle">{across}</text>')
    parts.append(
        f'<text class="soft" x="12" y="{top + high / 2}" text-anchor="middle" '
        f'transform="rotate(-90 12 {top + high / 2})">{up}</text>'
    )
    return _svg(title, top + high + 46, parts, width=380)


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _svg(title: str, height: float, parts: Sequence[str], width: int = _WIDTH) -> str:
    style = f' style="max-width:{width}px"' if width != _WIDTH else ""
    opened = f'<svg viewBox="0 0 {width} {height:.0f}" role="img"{style}><title>{escape(title)}</title>'
    return f"{opened}{''.join(parts)}</svg>"
