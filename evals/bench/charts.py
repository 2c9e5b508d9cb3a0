"""Plots of the benchmarks page, as SVG that does not change where its figures do not."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from evals.bench.systems import OURS

OURS_COLOUR = "#0b57d0"
_OTHERS = ("#b3261e", "#7d5700", "#386a20", "#6750a4", "#5f6368", "#00696d", "#984061", "#8a5100", "#3b6939", "#4a6267")


def dots(*, rows: Sequence[Mapping[str, Any]], group: str, label: str, value: str, low: float | None = None) -> str:
    """SVG text: a line a ``group``, a dot a ``label`` at its ``value`` (0–1), ours large and on top.

    ``low`` is the left edge, 0 unless given.
    """
    plt = _pyplot()
    groups = list(dict.fromkeys(str(r[group]) for r in rows))
    labels = list(dict.fromkeys(str(r[label]) for r in rows))
    figure, axes = plt.subplots(figsize=(9, 1.6 + 0.5 * len(groups)))
    for number, name in enumerate([*(n for n in labels if n != OURS), *(n for n in labels if n == OURS)]):
        of = [r for r in rows if r[label] == name]
        ours = name == OURS
        axes.plot(
            [r[value] for r in of],
            [groups.index(str(r[group])) for r in of],
            "D" if ours else "o",
            markersize=9 if ours else 6,
            alpha=1 if ours else 0.75,
            color=OURS_COLOUR if ours else _OTHERS[number % len(_OTHERS)],
            label=name,
        )
    axes.set_yticks(range(len(groups)), groups)
    axes.invert_yaxis()
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlim(0 if low is None else low, 1.01)
    axes.set_xlabel(value)
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8, frameon=False)
    return svg(figure)


def svg(figure: Any) -> str:
    """The figure as SVG text, without date; it is closed."""
    held = io.StringIO()
    figure.savefig(held, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    _pyplot().close(figure)
    return "\n".join(line.rstrip() for line in held.getvalue().splitlines()) + "\n"


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "teachback"  # the same ids in every run
    matplotlib.rcParams["font.family"] = "DejaVu Sans"
    from matplotlib import pyplot

    return pyplot
