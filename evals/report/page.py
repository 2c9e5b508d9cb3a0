"""Puts the report together from a scored replay, its diagnoses and gaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from statistics import median

from evals.cases import ReplyCase
from evals.judge.run import Judged
from evals.loop.gaps import Gap, one_line
from evals.report.charts import Bar, Bin, Point, bars, reliability, trend
from evals.report.judgement import judge_section
from evals.report.style import STYLE
from evals.report.words import WORDS, Locale
from evals.root_causes import Cause, Diagnosis
from evals.runs import EvalRun
from evals.scoring import Scored
from evals.statistics import Estimate, bootstrap_mean, wilson
from ingest.redaction import redact

_GAPS, _EXAMPLES, _LONGEST = 8, 2, 420
_BASELINES = ("constant courtesy", "random human", "nearest reply", "assistant", "second human")


@dataclass(frozen=True, slots=True)
class ReportInput:
    """What a report is made from; ``solved`` is the accuracy from which a case counts as solved."""

    workspace: str
    scored: Scored
    run: EvalRun
    diagnoses: Sequence[Diagnosis]
    gaps: Sequence[Gap]
    solved: float
    judged: Judged | None = None


def render_report(given: ReportInput, locale: Locale = "zh") -> str:
    """The whole HTML page. What people wrote is escaped, and redacted: a report is passed on more easily than data."""
    return _Page(given, locale).html()


class _Page:
    def __init__(self, given: ReportInput, locale: Locale) -> None:
        self._given = given
        self._locale = locale
        self._words = WORDS[locale]
        self._scored = given.scored
        self._cases = {case.case_id: case for case in given.scored.cases}
        self._accuracy = {
            score.case_id: score.scores.accuracy for score in given.scored.scores if score.scores is not None
        }

    def html(self) -> str:
        title = self._t("title")
        sections = (
            self._headline(),
            self._baselines(),
            self._trend(),
            self._causes(),
            self._gaps(),
            self._calibration(),
            self._measures(),
            "" if self._given.judged is None else judge_section(self._given.judged, self._locale),
            self._slices(),
            self._service(),
            self._guard(),
            self._failed(),
            self._provenance(),
        )
        return (
            f'<!doctype html>\n<html lang="{"zh-CN" if self._locale == "zh" else "en"}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{''.join(sections)}</main></body></html>\n"
        )

    # -- sections -------------------------------------------------------------------------------------------------

    def _headline(self) -> str:
        scored, words = self._scored, self._t
        accuracy = scored.estimates["accuracy"]
        hits = sum(value >= self._given.solved for value in self._accuracy.values())
        share = wilson(hits, len(self._accuracy))
        human, same = scored.baselines.get("second human"), scored.baselines.get("assistant")
        when = self._given.run.provenance.created_at
        cards = [
            _card(
                words("accuracy"),
                _figure(accuracy.mean),
                words("accuracy_note", low=_figure(accuracy.low), high=_figure(accuracy.high)),
                main=True,
            ),
            _card(
                words("solved"),
                _percent(share.mean),
                words(
                    "solved_note",
                    threshold=f"{self._given.solved:g}",
                    solved=hits,
                    scored=len(self._accuracy),
                    low=_percent(share.low),
                    high=_percent(share.high),
                ),
            ),
        ]
        if human is not None:
            cards.append(
                _card(
                    words("human"),
                    _figure(human.mean),
                    words("human_note", cases=human.scored, same=_figure(same.mean if same is not None else None)),
                )
            )
        unscored = accuracy.unscored
        cards.append(_card(words("unscored"), str(unscored), words("unscored_note" if unscored else "unscored_none")))
        verdict = {True: "usable_yes", False: "usable_no", None: "usable_unknown"}[scored.usable]
        made = words(
            "made",
            workspace=self._given.workspace,
            date=f"{when:%Y-%m-%d %H:%M}",
            cases=len(scored.cases),
            transferred=sum(case.transferred for case in scored.cases),
        )
        bad = "" if scored.usable else " bad"
        return (
            f'<h1>{escape(words("title"))}</h1><p class="soft">{escape(made)}</p>'
            f'<div class="cards">{"".join(cards)}</div>'
            f'<p class="note{bad}">{escape(words(verdict))}</p>'
        )

    def _baselines(self) -> str:
        known = [(name, self._scored.baselines[name]) for name in _BASELINES if name in self._scored.baselines]
        if not known:
            return ""
        rows = [Bar(self._t(name), estimate, name == "assistant") for name, estimate in known]
        return self._section("baselines", bars(self._t("baselines"), rows))

    def _trend(self) -> str:
        weeks: dict[str, list[tuple[float | None, str]]] = defaultdict(list)
        for case in self._scored.cases:
            if case.at is not None:
                monday = (case.at - timedelta(days=case.at.weekday())).date()
                weeks[monday.isoformat()].append((self._accuracy.get(case.case_id), case.conversation_id))
        if len(weeks) < 2:
            return self._section("trend", f'<p class="soft">{escape(self._t("trend_one"))}</p>', note=False)
        points = [
            Point(self._day(week), bootstrap_mean([v for v, _ in weeks[week]], groups=[g for _, g in weeks[week]]))
            for week in sorted(weeks)
        ]
        return self._section("trend", trend(self._t("trend"), points))

    def _causes(self) -> str:
        found = self._given.diagnoses
        if not found:
            return ""
        counts = {cause: sum(d.cause is cause for d in found) for cause in Cause}
        rows = "".join(
            f'<tr><td>{escape(self._t(cause.value))}</td><td class="n">{count}</td>'
            f'<td class="m"><span class="meter" style="width:{70 * count / max(counts.values()):.0f}%"></span>'
            f" {count / len(found):.0%}</td><td>{escape(self._t(cause.value + '_do'))}</td></tr>"
            for cause, count in sorted(counts.items(), key=lambda pair: -pair[1])
            if count
        )
        head = self._head(("cause", ""), ("cases", "n"), ("", ""), ("remedy", ""))
        table = f'<div class="wide"><table>{head}{rows}</table></div>'
        return self._section("causes", table, failed=len(found))

    def _gaps(self) -> str:
        if not self._given.gaps:
            return ""
        parts = []
        for gap in self._given.gaps[:_GAPS]:
            line = self._t("gap_line", cases=len(gap.case_ids), minutes=f"{gap.minutes:.0f}", low=gap.low_ratings)
            tags = "".join(
                f'<span class="tag">{escape(self._t(cause))} {count}</span>' for cause, count in gap.causes.items()
            )
            examples = "".join(self._example(self._cases[key]) for key in gap.case_ids[:_EXAMPLES])
            names = ", ".join(gap.conversation_ids)
            parts.append(
                f'<div class="gap"><h3>{escape(gap.name)}</h3><p class="soft">{escape(line)}</p>{tags}{examples}'
                f'<p class="soft">{escape(self._t("conversations"))}: <code>{escape(names)}</code></p></div>'
            )
        return self._section("gaps", "".join(parts))

    def _calibration(self) -> str:
        pairs = sorted(
            (reply.confidence, float(self._accuracy[key] >= self._given.solved))
            for key, reply in self._scored.replay.replies.items()
            if key in self._accuracy
        )
        if len(pairs) < 10:
            return ""
        bins = calibration_bins(pairs)
        error = sum(b.cases * abs(b.confidence - b.solved) for b in bins) / sum(b.cases for b in bins)
        told = f'<p class="soft">{escape(self._t("calibration_error", value=f"{error:.2f}"))}</p>'
        return self._section("calibration", reliability(self._t("calibration"), bins) + told)

    def _measures(self) -> str:
        rows = "".join(self._estimate_row(self._t(name), e) for name, e in self._scored.estimates.items())
        head = self._head(("measure", ""), ("mean", "n"), ("interval", "n"), ("scored", "n"), ("unscored", "n"))
        return self._section("measures", f'<div class="wide"><table>{head}{rows}</table></div>', note=False)

    def _slices(self) -> str:
        rows = []
        for name in ("locale", "channel", "tier"):
            groups: dict[str, list[tuple[float | None, str]]] = defaultdict(list)
            for row in self._given.run.rows:
                groups[row.slices.get(name, "unknown")].append((row.values.get("accuracy"), row.group))
            if len(groups) > 1:
                for value, items in sorted(groups.items(), key=lambda pair: -len(pair[1])):
                    estimate = bootstrap_mean([v for v, _ in items], groups=[g for _, g in items])
                    shown = self._words.get(value, value)
                    rows.append(self._estimate_row(f"{self._t(name)}: {shown}", estimate))
        if not rows:
            return ""
        head = self._head(("slices", ""), ("mean", "n"), ("interval", "n"), ("scored", "n"), ("unscored", "n"))
        return self._section("slices", f'<div class="wide"><table>{head}{"".join(rows)}</table></div>', note=False)

    def _service(self) -> str:
        replies = self._scored.replay.replies.values()
        times = sorted(reply.timings_ms.get("total", 0.0) for reply in replies)
        if not times:
            return ""
        slow = times[min(len(times) - 1, int(0.95 * len(times)))]
        latency = self._t("latency_note", median=f"{median(times):.0f}", p95=f"{slow:.0f}")
        counts: dict[str, int] = defaultdict(int)
        for reply in replies:
            counts[reply.decision] += 1
        decisions = ", ".join(f"{self._t(name)} {count}" for name, count in sorted(counts.items(), key=lambda p: -p[1]))
        rows = _row(self._t("latency"), latency) + _row(self._t("decisions"), decisions)
        return self._section("service", f"<table>{rows}</table>", note=False)

    def _guard(self) -> str:
        record = self._scored.replay.guard.record()
        shown = (("own", "own"), ("copies", "copies"), ("derived", "derived"), ("later", "later_documents"))
        rows = "".join(_row(self._t(f"guard_{name}"), str(record[key]), number=True) for name, key in shown)
        rows += _row(self._t("guard_leaks"), str(record["leaks"]), number=True)
        return self._section("guard", f"<table>{rows}</table>")

    def _failed(self) -> str:
        if not self._given.diagnoses:
            return ""
        rows = []
        for diagnosis in self._given.diagnoses:
            case = self._cases[diagnosis.case_id]
            rows.append(
                f"<tr><td><code>{escape(case.case_id)}</code></td>"
                f"<td>{escape(one_line(redact(case.question).text, 90))}</td>"
                f"<td>{escape(self._t(diagnosis.cause.value))}</td>"
                f'<td class="n">{self._accuracy[case.case_id]:.2f}</td></tr>'
            )
        head = self._head(("cases", ""), ("customer", ""), ("cause", ""), ("score", "n"))
        return (
            f"<details><summary>{escape(self._t('all_failed'))} ({len(rows)})</summary>"
            f'<div class="wide"><table>{head}{"".join(rows)}</table></div></details>'
        )

    def _provenance(self) -> str:
        p = self._given.run.provenance
        none = self._t("none")
        commit = (p.commit or none)[:12] + (f" {self._t('dirty')}" if p.dirty else "")
        rows = [
            (self._t("run"), self._given.run.run_id),
            (self._t("commit"), commit),
            (self._t("data"), p.data[:16]),
            (self._t("models"), _pairs(p.models) or none),
            (self._t("prompts"), _pairs({name: sha[:12] for name, sha in p.prompts.items()}) or none),
            (self._t("arguments"), _pairs(p.arguments) or none),
            (self._t("packages"), _pairs(p.packages) or none),
        ]
        made = "".join(_row(name, value) for name, value in rows)
        return self._section("provenance", f"<table>{made}</table>", note=False)

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _example(self, case: ReplyCase) -> str:
        reply = self._scored.replay.replies.get(case.case_id)
        said = [turn.text for turn in case.turns if turn.role == "customer"][-2:]
        then = next((turn.text for turn in reversed(case.turns) if turn.role == "assistant"), self._t("nothing_then"))
        score = f" · {self._t('score')} {self._accuracy[case.case_id]:.2f}" if case.case_id in self._accuracy else ""
        columns = (
            ("customer", "\n".join(said), "", ""),
            ("then", then, "", ""),
            ("agent", case.references[0] if case.references else "", " agent", ""),
            ("now", reply.text if reply is not None else "", "", score),
        )
        cells = "".join(
            f'<div class="said{kind}"><strong>{escape(self._t(name) + extra)}</strong>'
            f"{escape(_cut(redact(text).text))}</div>"
            for name, text, kind, extra in columns
        )
        return f'<div class="pair">{cells}</div>'

    def _estimate_row(self, name: str, e: Estimate) -> str:
        interval = "–" if e.low is None else f"{_figure(e.low)}–{_figure(e.high)}"
        return (
            f'<tr><td>{escape(name)}</td><td class="n">{_figure(e.mean)}</td><td class="n">{interval}</td>'
            f'<td class="n">{e.scored}</td><td class="n">{e.unscored}</td></tr>'
        )

    def _head(self, *columns: tuple[str, str]) -> str:
        cells = "".join(
            f"<th{f' class={kind}' if kind else ''}>{escape(self._t(name)) if name else ''}</th>"
            for name, kind in columns
        )
        return f"<tr>{cells}</tr>"

    def _section(self, name: str, body: str, *, note: bool = True, **values: object) -> str:
        told = f'<p class="soft">{escape(self._t(name + "_note", **values))}</p>' if note else ""
        return f"<section><h2>{escape(self._t(name))}</h2>{told}{body}</section>"

    def _day(self, iso: str) -> str:
        year, month, day = (int(part) for part in iso.split("-"))
        names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905
        return f"{month}/{day}" if self._locale == "zh" and year else f"{day} {names[month - 1]}"

    def _t(self, name: str, **values: object) -> str:
        text = self._words[name]
        return text.format(**values) if values else text


def calibration_bins(pairs: Sequence[tuple[float, float]], most: int = 8) -> list[Bin]:
    """(confidence, solved) pairs in order, as at most ``most`` bins of about equal size, at least 5 cases each.

    Equal size rather than equal width, which hides it where nearly all confidences are alike (Nixon et al. 2019).
    """
    count = max(1, min(most, len(pairs) // 5))
    bins = []
    for number in range(count):
        part = pairs[number * len(pairs) // count : (number + 1) * len(pairs) // count]
        bins.append(Bin(sum(c for c, _ in part) / len(part), sum(s for _, s in part) / len(part), len(part)))
    return bins


def _card(name: str, figure: str, note: str, *, main: bool = False) -> str:
    return (
        f'<div class="card{" main" if main else ""}">{escape(name)}<b>{escape(figure)}</b>'
        f'<span class="soft">{escape(note)}</span></div>'
    )


def _row(name: str, value: str, *, number: bool = False) -> str:
    return f"<tr><td>{escape(name)}</td><td{' class=n' if number else ''}>{escape(value)}</td></tr>"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"
