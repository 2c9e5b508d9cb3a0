"""What `teachback fit` gains on questions that it never saw, and where it does not win."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from assistant.indexing import embed_entries
from assistant.store.snapshot import build_snapshot
from assistant.text import Segmenter, fold
from assistant.throwaway import throwaway_retriever
from evals.bench.page import Place, Section
from evals.bench.risk import SETS, TARGET, Verdicts, by_product
from evals.bench.risk_sets import RiskPart
from evals.fit import Comparison, compare_and_fit, lessons_of_articles
from evals.fit.classroom import Classroom
from evals.pieces import pieces_of
from evals.statistics import Difference, paired_difference

TITLE = "What fitting to a workspace gains"
LESSONS = 800
NAMES = ("banking77, 20 questions an article", "banking77, all 10,003 questions", "demo shop, Chinese")
_HEAD = (
    "| set | | right, in scope | difference (95 %) | AURC | 70 % | coverage at 0.95 | ECE |\n"
    "|---|---|---|---|---|---|---|---|"
)
_BEFORE = f"""`teachback fit` on the articles' own questions (at most {LESSONS}, drawn evenly), then the questions
of the section above, which it never saw, out-of-scope ones among them. *Kept* is what it decided by itself on held-back
lessons, before it met these questions.
"""


def run(place: Place) -> Section:
    """The section. Raises InputRejected where the data are absent."""
    rows: list[dict[str, Any]] = []
    for name in NAMES:
        default: Verdicts | None = None
        fitted: Verdicts | None = None
        kept = []
        for part in SETS[name](place.data):
            place.embedder.prepare_queries([fold(one.text) for one in part.asked], place)
            before, after, made = _of_part(part, place)
            kept.append(made.kept or "nothing")
            default = before if default is None else default.joined(before)
            fitted = after if fitted is None else fitted.joined(after)
        assert default is not None
        assert fitted is not None
        inside = default.in_scope
        difference = paired_difference(
            default.right[inside].astype(float).tolist(), fitted.right[inside].astype(float).tolist()
        )
        rows.append(_row(name, default, fitted, difference, kept))
        place.say(str(rows[-1]))
    return Section("\n".join([_BEFORE, *table(rows)]), {"rows": rows})


def _of_part(part: RiskPart, place: Place) -> tuple[Verdicts, Verdicts, Comparison]:
    chunks, entries = pieces_of(part.articles)
    embedder = place.embedder
    vectors = {e.id: row for e, row in zip(entries, embed_entries(embedder, entries), strict=True)}
    snapshot = build_snapshot(chunks, entries, vectors, embedder.dimensions, Segmenter())
    twins = {article.id: article.id.removesuffix("-en") for article in part.articles}
    lessons = lessons_of_articles(chunks, entries, twins)
    lessons = lessons[:: 1 + (len(lessons) - 1) // LESSONS]
    texts = {entry.id: entry.text for entry in entries}
    room = Classroom(snapshot, texts, embedder, Segmenter(), lessons, datetime.now(UTC), place)
    made = compare_and_fit(room, embedder.fingerprint, progress=place)
    retriever = throwaway_retriever(chunks, entries, embedder, kept=vectors)
    before = by_product(retriever, part.asked)
    if made.fitted is None:
        return before, before, made
    tuned = throwaway_retriever(chunks, entries, embedder, kept=vectors, fitted=made.fitted)
    return before, by_product(tuned, part.asked), made


def _row(name: str, default: Verdicts, fitted: Verdicts, d: Difference, kept: Sequence[str]) -> dict[str, Any]:
    return {
        "set": name,
        "kept": list(kept),
        "default": default.figures(),
        "fitted": fitted.figures(),
        "difference": [d.mean, d.low, d.high],
    }


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Markdown, two lines a set."""
    out = [_HEAD]
    for row in rows:
        mean, low, high = row["difference"]
        told = f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"
        stages = f"fitted (kept: {', '.join(dict.fromkeys(row['kept']))})"
        for label, f, gain in (("default", row["default"], ""), (stages, row["fitted"], told)):
            out.append(
                f"| {row['set']} | {label} | {f['accuracy_in_scope']:.3f} | {gain} | {f['aurc']:.3f} | "
                f"{f['accuracy_at']['0.7']:.3f} | {f['coverage_at_target']:.1%} | {f['ece']:.3f} |"
            )
    return [*out, "", f"Coverage is of all questions; the target is {TARGET:g} right."]
