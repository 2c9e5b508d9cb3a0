"""Puts the report together: what to do first, then the evidence it rests on, then where it comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from html import escape

from evals.report.charts import Bar, Bin, Curve, Point, bars, reliability, risk_coverage, trend
from evals.report.first import since_section, todo_section
from evals.report.gap_section import gap_section
from evals.report.judgement import judge_section
from evals.report.lacks import lacks_of, telling
from evals.report.model import ReportInput
from evals.report.pieces import Pieces, card, clean, figure, pairs, percent, row, wide
from evals.report.service import live_section, service_section
from evals.report.style import STYLE
from evals.report.words import Locale
from evals.risk_coverage import risk_curve
from evals.root_causes import Cause
from evals.statistics import bootstrap_mean, wilson

_FIRST, _GAPS, _LEAST_PAIRS = 3, 8, 10
_BASELINES = ("constant courtesy", "random human", "nearest reply", "assistant", "second human")
_SLICES = ("locale", "channel", "tier", "intent")
_SLICE_CASES = 5  # an intent of fewer is left out of the table, and counted


def render_report(given: ReportInput, locale: Locale = "zh") -> str:
    """The whole HTML page. What people wrote is escaped, and redacted: a report is passed on more easily than data."""
    return _Page(given, locale).html()


class _Page:
    def __init__(self, given: ReportInput, locale: Locale) -> None:
        self._given = given
        self._p = Pieces(locale)
        self._t = self._p.t
        self._scored = given.scored
        self._cases = {case.case_id: case for case in given.scored.cases}
        self._accuracy = {
            score.case_id: score.scores.accuracy for score in given.scored.scores if score.scores is not None
        }
        quoted = {
            key: self._p.joined(list(dict.fromkeys(c.title for c in reply.citations))[:2])
            for key, reply in given.scored.replay.replies.items()
        }
        now = given.run.provenance.created_at
        self._lacks = [
            lacks_of(gap, self._cases, given.diagnoses, given.titles, quoted, now) for gap in given.gaps[:_GAPS]
        ]

    def html(self) -> str:
        p, given = self._p, self._given
        sections = (
            self._headline(),
            self._todo(),
            since_section(p, given.since, self._cases),
            f'<h2 class="part">{escape(self._t("evidence"))}</h2>',
            self._baselines(),
            self._trend(),
            self._causes(),
            self._gaps(),
            self._calibration(),
            "" if given.judged is None else judge_section(given.judged, p.locale),
            live_section(p, given.in_use),
            service_section(p, given),
            self._figures(),
            self._provenance(),
        )
        return (
            f'<!doctype html>\n<html lang="{"zh-CN" if p.locale == "zh" else "en"}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
            f"<title>{escape(self._t('title'))}</title><style>{STYLE}</style></head><body><main>{''.join(sections)}"
            "</main></body></html>\n"
        )

    # -- first ----------------------------------------------------------------------------------------------------

    def _headline(self) -> str:
        scored, t = self._scored, self._t
        accuracy = scored.estimates["accuracy"]
        hits = sum(value >= self._given.solved for value in self._accuracy.values())
        share = wilson(hits, len(self._accuracy))
        human, same = scored.baselines.get("second human"), scored.baselines.get("assistant")
        when = self._given.run.provenance.created_at
        solved_note = t(
            "solved_note",
            threshold=f"{self._given.solved:g}",
            solved=hits,
            scored=len(self._accuracy),
            low=percent(share.low),
            high=percent(share.high),
        )
        accuracy_note = t("accuracy_note", low=figure(accuracy.low), high=figure(accuracy.high))
        cards = [
            card(t("accuracy"), figure(accuracy.mean), accuracy_note, main=True),
            card(t("solved"), percent(share.mean), solved_note),
        ]
        if human is not None:
            note = t("human_note", cases=human.scored, same=figure(same.mean if same is not None else None))
            cards.append(card(t("human"), figure(human.mean), note))
        unscored = accuracy.unscored
        cards.append(card(t("unscored"), str(unscored), t("unscored_note" if unscored else "unscored_none")))
        verdict = {True: "usable_yes", False: "usable_no", None: "usable_unknown"}[scored.usable]
        made = t(
            "made",
            workspace=self._given.workspace,
            date=f"{when:%Y-%m-%d %H:%M}",
            cases=len(scored.cases),
            transferred=sum(case.transferred for case in scored.cases),
        )
        bad = "" if scored.usable else " bad"
        return (
            f'<h1>{escape(t("title"))}</h1><p class="soft">{escape(made)}</p>'
            f'<div class="cards">{"".join(cards)}</div>'
            f'<p class="note{bad}">{escape(t(verdict))}</p>'
        )

    def _todo(self) -> str:
        if not self._given.gaps:
            return self._p.nothing("todo", "todo_none" if self._given.with_causes else "causes_off")
        first = list(zip(self._given.gaps[:_FIRST], self._lacks, strict=False))
        return todo_section(self._p, first, self._given.minutes)

    # -- evidence -------------------------------------------------------------------------------------------------

    def _baselines(self) -> str:
        known = [(name, self._scored.baselines[name]) for name in _BASELINES if name in self._scored.baselines]
        if not known:
            return self._p.nothing("baselines", "baselines_none")
        rows = [Bar(self._t(name), estimate, name == "assistant") for name, estimate in known]
        return self._p.section("baselines", bars(self._t("baselines"), rows), self._t("baselines_note"))

    def _trend(self) -> str:
        weeks: dict[date, list[tuple[float | None, str]]] = defaultdict(list)
        for case in self._scored.cases:
            if case.at is not None:
                monday = (case.at - timedelta(days=case.at.weekday())).date()
                weeks[monday].append((self._accuracy.get(case.case_id), case.conversation_id))
        if len(weeks) < 2:
            return self._p.nothing("trend", "trend_one")
        points = [
            Point(self._p.day(week), bootstrap_mean([v for v, _ in weeks[week]], groups=[g for _, g in weeks[week]]))
            for week in sorted(weeks)
        ]
        return self._p.section("trend", trend(self._t("trend"), points), self._t("trend_note"))

    def _causes(self) -> str:
        found = self._given.diagnoses
        if not found:
            return self._p.nothing("causes", "causes_none" if self._given.with_causes else "causes_off")
        counts = {cause: sum(d.cause is cause for d in found) for cause in Cause}
        rows = "".join(
            f'<tr><td>{escape(self._t(cause.value))}</td><td class="n">{count}</td>'
            f'<td class="m"><span class="meter" style="width:{70 * count / max(counts.values()):.0f}%"></span>'
            f" {count / len(found):.0%}</td><td>{escape(self._t(cause.value + '_do'))}</td></tr>"
            for cause, count in sorted(counts.items(), key=lambda pair: -pair[1])
            if count
        )
        head = self._p.head(("cause", ""), ("cases", "n"), ("", "m"), ("remedy", ""))
        return self._p.section("causes", wide(head + rows), self._t("causes_note", failed=len(found)))

    def _gaps(self) -> str:
        if not self._given.gaps:
            return ""  # the first section has said why
        return gap_section(self._p, self._given, self._lacks, self._accuracy, _GAPS) + self._failed()

    def _calibration(self) -> str:
        found = sorted(
            (reply.confidence, float(self._accuracy[key] >= self._given.solved))
            for key, reply in self._scored.replay.replies.items()
            if key in self._accuracy
        )
        if len(found) < _LEAST_PAIRS:
            return self._p.nothing("calibration", "calibration_few")
        bins = calibration_bins(found)
        error = sum(b.cases * abs(b.confidence - b.solved) for b in bins) / sum(b.cases for b in bins)
        told = self._p.soft(self._t("calibration_error", value=f"{error:.2f}", each=round(len(found) / len(bins))))
        axes = (self._t("confidence"), self._t("solved"))
        body = reliability(self._t("calibration"), bins, axes) + told + self._coverage(found)
        return self._p.section("calibration", body, self._t("calibration_note"))

    def _coverage(self, found: Sequence[tuple[float, float]]) -> str:
        """The risk–coverage curve of the same cases, and what answering only the surest of them would have given."""
        curve = risk_curve([sure for sure, _ in found], [solved >= 1 for _, solved in found])
        points = list(zip(curve.coverage.tolist(), curve.accuracy.tolist(), strict=True))
        axes = (self._t("answered_share"), self._t("solved"))
        drawn = risk_coverage(self._t("coverage"), [Curve(self._t("coverage"), points, mine=True)], axes)
        told = self._t(
            "coverage_told",
            area=f"{curve.area:.2f}",
            **{f"at_{share}": percent(curve.accuracy_at(share / 100)) for share in (50, 70, 100)},
        )
        return (
            f"<h3>{escape(self._t('coverage'))}</h3>{self._p.soft(self._t('coverage_note'))}{drawn}{self._p.soft(told)}"
        )

    def _figures(self) -> str:
        """Tables for those who check: measures, groups, the leak guard."""
        p = self._p
        measures = "".join(p.estimate_row(self._t(name), e) for name, e in self._scored.estimates.items())
        record = self._scored.replay.guard.record()
        shown = (("own", "own"), ("copies", "copies"), ("derived", "derived"), ("later", "later_documents"))
        guard = "".join(row(self._t(f"guard_{name}"), str(record[key]), number=True) for name, key in shown)
        guard += row(self._t("guard_leaks"), str(record["leaks"]), number=True)
        return p.section(
            "figures",
            p.folded("measures", wide(p.estimate_head("measure") + measures))
            + self._slices()
            + p.folded("guard", p.soft(self._t("guard_note")) + f"<table>{guard}</table>"),
        )

    def _slices(self) -> str:
        rows, small = [], 0
        for name in _SLICES:
            groups: dict[str, list[tuple[float | None, str]]] = defaultdict(list)
            for each in self._given.run.rows:
                groups[each.slices.get(name, "unknown")].append((each.values.get("accuracy"), each.group))
            if len(groups) < 2:
                continue
            for value, items in sorted(groups.items(), key=lambda pair: -len(pair[1])):
                if name == "intent" and len(items) < _SLICE_CASES:
                    small += 1
                    continue
                estimate = bootstrap_mean([v for v, _ in items], groups=[g for _, g in items])
                shown = self._given.titles.get(value, self._p.named(value))
                rows.append(self._p.estimate_row(f"{self._t(name)}: {shown}", estimate))
        if not rows:
            return ""
        more = self._p.soft(self._t("slices_small", count=small, least=_SLICE_CASES)) if small else ""
        return self._p.folded("slices", wide(self._p.estimate_head("slices") + "".join(rows)) + more)

    def _failed(self) -> str:
        rows = []
        for diagnosis in self._given.diagnoses:
            case = self._cases[diagnosis.case_id]
            rows.append(
                f"<tr><td><code>{escape(case.case_id)}</code></td>"
                f"<td>{escape(' '.join(clean(telling(case), 90).split()))}</td>"
                f"<td>{escape(self._t(diagnosis.cause.value))}</td>"
                f'<td class="n">{self._accuracy[case.case_id]:.2f}</td></tr>'
            )
        head = self._p.head(("case_id", ""), ("customer", ""), ("cause", ""), ("score", "n"))
        return self._p.folded("all_failed", wide(head + "".join(rows)), count=len(rows), printed=False)

    def _provenance(self) -> str:
        run = self._given.run.provenance
        none = self._t("none")
        commit = (run.commit or none)[:12] + (f" {self._t('dirty')}" if run.dirty else "")
        arguments = {self._p.named(f"argument_{name}"): self._said(value) for name, value in run.arguments.items()}
        models = {self._p.named(f"model_{name}"): value for name, value in run.models.items()}
        rows = [
            (self._t("run"), self._given.run.run_id),
            (self._t("commit"), commit),
            (self._t("data"), run.data[:16]),
            (self._t("models"), pairs(models) or none),
            (self._t("prompts"), pairs({name: sha[:12] for name, sha in run.prompts.items()}) or self._t("no_prompts")),
            (self._t("arguments"), pairs(arguments) or none),
        ]
        made = "".join(row(name, value) for name, value in rows)
        packages = self._p.folded("packages", f"<p>{escape(pairs(run.packages) or none)}</p>")
        return self._p.section("provenance", f"<table>{made}</table>{packages}")

    def _said(self, value: object) -> str:
        return self._t("yes" if value else "no") if isinstance(value, bool) else str(value)


def calibration_bins(pairs: Sequence[tuple[float, float]], most: int = 8) -> list[Bin]:
    """(confidence, solved) pairs in order, as at most ``most`` bins of about equal size, at least 5 cases each.

    Equal size rather than equal width, which hides it where nearly all confidences are alike (Nixon et al. 2019).
    """
    count = max(1, min(most, len(pairs) // 5))
    bins = []
    for number in range(count):
        part = pairs[number * len(pairs) // count : (number + 1) * len(pairs) // count]
        solved = wilson(sum(s >= 1 for _, s in part), len(part))
        bins.append(Bin(sum(c for c, _ in part) / len(part), solved.mean or 0.0, len(part), solved.low, solved.high))
    return bins
