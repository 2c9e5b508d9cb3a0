"""The section on confidence as Markdown and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evals.report.charts import Bin, Curve, reliability, risk_coverage

_STYLE = (
    "<style>svg{background:#fff}text{fill:#1d2733;font:13px system-ui,sans-serif}.soft{fill:#5b6875;font-size:12px}"
    ".axis{stroke:#dfe4ea}.dash{stroke:#5b6875;stroke-dasharray:4 4}.spread{stroke:#5b6875;stroke-width:1.4}"
    ".trend{fill:none;stroke:#0b6e6e;stroke-width:2.4}.dot{fill:#0b6e6e}.other{fill:none;stroke-width:1.4}"
    ".other-0{stroke:#b3261e}.other-1{stroke:#7d5700}.other-2{stroke:#6750a4}.other-3{stroke:#98a1ab}"
    ".other-4{stroke:#00696d;stroke-dasharray:5 3}</style>"
)
_COLOURS = ("red", "brown", "violet", "grey", "dashed")
_HEAD = (
    "| system | right, in scope | AURC | AUC | 50 % | 60 % | 70 % | 80 % | 90 % | 100 % | coverage at 0.95 | "
    "set on one half, used on the other: coverage, right | of in-scope alone: 70 %, coverage at 0.95 | ECE |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)
_BEFORE = """Questions that the articles answer, mixed with questions that nothing answers; each system ranks all by how
sure it is of its top article. Columns 50 % to 100 %: share right among so many of the surest, **over all questions,
out-of-scope ones too**; answering one of those is always an error, so 100 % cannot reach 1. AURC: mean risk over all
coverages, less is better. AUC: chance that a right answer is surer than a wrong one. ECE: distance of stated
confidence from the share right, ten bins of equal size. *Coverage at 0.95* is read off these very questions; the column
after it is what a threshold set on other questions keeps.
"""


def told(sets: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown: a table a set, what its questions are, and what the default thresholds would do."""
    out = [_BEFORE]
    for name, found in sets.items():
        kinds = ", ".join(f"{count} {kind}" for kind, count in found["kinds"].items())
        out += [f"### {name}", "", f"{found['articles']} articles; {kinds}.", "", _HEAD]
        out += [_row(system, figures) for system, figures in found["systems"].items()]
        made = found["decisions"]
        out += [
            "",
            f"Answering from {made['threshold']:g} on: {_share(made['answered'])} of all questions answered; "
            f"right are {_share(made['answers_right'])} of these answers. Of the in-scope questions "
            f"{_share(made['in_scope_answered'])} are answered, of the others {_share(made['out_of_scope_answered'])}.",
            "",
            f"![Risk and coverage]({_path(name, 'coverage')}) ![Reliability]({_path(name, 'reliability')})",
            "",
        ]
    names = list(next(iter(sets.values()))["systems"])[1:]
    legend = ", ".join(f"{colour}: {name}" for colour, name in zip(_COLOURS, names, strict=False))
    return "\n".join([*out, f"In the plots the thick line is Teachback's; {legend}."])


def plots(curves: Mapping[str, Mapping[str, Any]], bins: Mapping[str, Sequence[Bin]]) -> dict[str, str]:
    """File name → SVG: for each set the curve of each system, (coverage, share right) points, and Teachback's bins."""
    made = {}
    for name, systems in curves.items():
        lines = [Curve(system, points, mine=number == 0) for number, (system, points) in enumerate(systems.items())]
        axes = ("share of all questions answered", "share right")
        made[_file(name, "coverage")] = _standalone(risk_coverage(name, lines, axes, floor=0.4))
        drawn = reliability(name, bins[name], ("stated confidence", "share right"))
        made[_file(name, "reliability")] = _standalone(drawn)
    return made


def _row(system: str, f: Mapping[str, Any]) -> str:
    at = " | ".join(f"{value:.3f}" for value in f["accuracy_at"].values())
    held, ece = f["held_back"], "–" if f["ece"] is None else f"{f['ece']:.3f}"
    inside = f"{f['in_scope_accuracy_at']['0.7']:.3f}, {f['in_scope_coverage_at_target']:.1%}"
    return (
        f"| {system} | {f['accuracy_in_scope']:.3f} | {f['aurc']:.3f} | {f['auc']:.3f} | {at} | "
        f"{f['coverage_at_target']:.1%} | {held['coverage']:.1%}, {held['accuracy']:.3f} | {inside} | {ece} |"
    )


def _share(values: Sequence[float | None]) -> str:
    mean, low, high = values
    return "none" if mean is None else f"{mean:.1%} ({low:.1%}–{high:.1%})"


def _file(name: str, kind: str) -> str:
    plain = "".join(c if c.isalnum() else "-" for c in name.lower().replace(",", ""))
    return f"risk-{plain}-{kind}.svg"


def _path(name: str, kind: str) -> str:
    return f"images/{_file(name, kind)}"


def _standalone(svg: str) -> str:
    opened, rest = svg.split(">", 1)
    return f'{opened} xmlns="http://www.w3.org/2000/svg">{_STYLE}{rest}\n'
