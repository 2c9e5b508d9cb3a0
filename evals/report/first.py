"""What to do on Monday morning: the costliest gaps with what each of them lacks, and what changed since last time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from evals.cases import ReplyCase
from evals.loop.gaps import Gap, one_line
from evals.report.lacks import Lack, telling
from evals.report.pieces import Pieces, clean
from evals.report.since import Since
from evals.statistics import Difference

_NAMED, _QUESTION = 3, 56
_SLICE_PAIRS = 8  # below, a slice's fall is mostly luck
_SEEN = 0.005  # a smaller fall would be told as 0.00
_FIGURE = re.compile(r"(duration|amount|share|count|number|date|time|measure \S+) (\S+)")


def since_section(p: Pieces, since: Since | None, cases: Mapping[str, ReplyCase]) -> str:
    """What changed since the last stored run; one line where there is none."""
    if since is None:
        return p.nothing("since", "since_none")
    found = since.comparison
    main = found.measures[found.main]
    verdict = "since_worse" if found.regression else "since_better" if found.improvement else "since_same"
    kind = " bad" if found.regression else ""
    told = p.t(verdict, **_difference(main))
    out = [f'<p class="note{kind}">{escape(told)}</p>']
    for name, keys in (("now_unsolved", since.now_unsolved), ("now_solved", since.now_solved)):
        if keys:
            shown = "".join(
                f"<li>{escape(one_line(clean(telling(cases[key])), _QUESTION))} <code>{escape(key)}</code></li>"
                for key in keys[:_NAMED]
            )
            more = p.t("and_more", count=len(keys) - _NAMED) if len(keys) > _NAMED else ""
            rest = f'<li class="soft">{escape(more)}</li>' if more else ""
            out.append(f"<h3>{escape(p.t(name, count=len(keys)))}</h3><ul>{shown}{rest}</ul>")
    fallen = [
        f"{p.named(name)}: {p.named(value)} {d.mean:+.2f} ({d.low:+.2f} – {d.high:+.2f}, n={d.pairs})"
        for name, values in found.slices.items()
        for value, d in values.items()
        if name != "cause" and d.pairs >= _SLICE_PAIRS and d.mean is not None and d.low is not None
        if d.high is not None and d.high < 0 and d.mean <= -_SEEN
    ]
    if fallen:
        out.append(f"<h3>{escape(p.t('fallen'))}</h3><ul>{''.join(f'<li>{escape(line)}</li>' for line in fallen)}</ul>")
    if since.changed:
        out.append(p.soft(p.t("changed", what=p.joined([p.named(f"changed_{name}") for name in since.changed]))))
    out += [p.soft(p.t(word)) for word in _doubts(since)]
    note = p.t("since_note", date=f"{since.at:%Y-%m-%d %H:%M}", run=found.before)
    return p.section("since", "".join(out), note)


def todo_section(p: Pieces, gaps: Sequence[tuple[Gap, Sequence[Lack]]], all_minutes: float | None) -> str:
    """The costliest gaps, each with what is missing; one line where nothing failed or causes were not looked for."""
    items = []
    for gap, lacks in gaps:
        share = "" if not all_minutes else p.t("gap_share", share=f"{gap.minutes / all_minutes:.0%}")
        line = p.t("gap_line", cases=len(gap.case_ids), minutes=f"{gap.minutes:.0f}", low=gap.low_ratings) + share
        todo = "".join(f"<li>{lack_line(p, lack)}</li>" for lack in lacks)
        link = f'<a href="#gap-{escape(gap.id)}">{escape(p.t("see_examples"))}</a>'
        items.append(f'<li><h3>{escape(gap.name)}</h3><p class="soft">{escape(line)} · {link}</p><ul>{todo}</ul></li>')
    return p.section("todo", f'<ol class="todos">{"".join(items)}</ol>', p.t("todo_note"))


def lack_line(p: Pieces, lack: Lack) -> str:
    """One lack as HTML: the cause in bold, then what to do."""
    cause = lack.word.removeprefix("lack_").removesuffix("_past")
    name = {
        "no_rule": "knowledge_missing",
        "quoted": "knowledge_stale",
        "changed": "knowledge_stale",
        "records": "state_needed",
        "staff": "action_needed",
    }.get(cause, cause)
    values = dict(lack.values)
    if lack.kinds:
        values["kinds"] = p.joined([p.named(f"kind_{kind}") for kind in lack.kinds])
    if lack.clashes:
        values["clash"] = "; ".join(_clash(p, mine, theirs) for mine, theirs in lack.clashes)
    if lack.past:
        values["past"] = lack.past
    return f"<strong>{escape(p.t(name))} ({lack.cases})</strong> {escape(p.t(lack.word, **values))}"


def _clash(p: Pieces, mine: str, theirs: str) -> str:
    match = _FIGURE.fullmatch(mine)
    if match is not None and " " not in theirs:
        mine, theirs = (_readable(p, match[1], value) for value in (match[2], theirs))
    return p.t("clash", human=mine, ours=theirs)


def _readable(p: Pieces, kind: str, value: str) -> str:
    """A figure's normal form as people write it."""
    if kind == "duration" and value.endswith("h"):
        hours = float(value[:-1])
        return p.t("days", count=f"{hours / 24:g}") if hours >= 24 else p.t("hours", count=f"{hours:g}")
    if kind == "duration":
        return p.t("months", count=value.removesuffix("mo"))
    if kind == "amount":
        return p.t("yuan", count=value)
    if kind == "share":
        return f"{value}%"
    if kind == "date":
        return value.replace("-", "/")
    return f"{value} {kind.removeprefix('measure ')}" if kind.startswith("measure ") else value


def _difference(d: Difference) -> dict[str, str]:
    values = {"mean": d.mean, "low": d.low, "high": d.high}
    signed = {name: "–" if value is None else f"{value:+.3f}" for name, value in values.items()}
    return {**signed, "pairs": str(d.pairs), "seen": "–" if d.detectable is None else f"{d.detectable:.3f}"}


def _doubts(since: Since) -> list[str]:
    found = since.comparison
    other_cases = found.only_before or found.only_after
    other_scorer = any("different models" in warning for warning in found.warnings)
    doubts = (("doubt_lost", found.lost), ("doubt_cases", other_cases), ("doubt_scorer", other_scorer))
    return [word for word, doubtful in doubts if doubtful]
