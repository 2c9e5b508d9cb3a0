"""Scores a replay and its baselines together: a figure alone does not tell whether the instrument works."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.ports import Embedder
from assistant.text import fold
from evals.answer_metrics import MEASURES, AnswerScorer, CaseScore
from evals.answer_metrics.sentences import content_sentences
from evals.baselines import against_first, constant_courtesy, nearest_reply, random_human, second_human
from evals.caching_embedder import CachingEmbedder
from evals.cases import Prediction, ReplyCase, asked_by
from evals.runs import EvalRun, RunRow, data_version, gather_provenance
from evals.statistics import Estimate, bootstrap_mean
from evals.transfer_run import Replay


@dataclass(frozen=True, slots=True)
class Scored:
    """A replay's scores by case, and each baseline's accuracy on the same cases, all with intervals.

    ``usable`` is False where the constant or the random reply is not clearly below a human: then the measure says
    nothing on these cases. It is None where there are no second humans to tell by.
    """

    cases: Sequence[ReplyCase]
    replay: Replay
    scores: Sequence[CaseScore]
    estimates: Mapping[str, Estimate]
    baselines: Mapping[str, Estimate]
    usable: bool | None

    def record(self) -> dict[str, Any]:
        """The figures as JSON data."""
        return {
            "cases": len(self.cases),
            "transferred": sum(case.transferred for case in self.cases),
            "metrics": {name: estimate.mean for name, estimate in self.estimates.items()},
            "intervals": {name: [e.low, e.high] for name, e in self.estimates.items()},
            "scored": self.estimates["accuracy"].scored,
            "unscored": dict(Counter(score.unscored for score in self.scores if score.unscored)),
            "baselines": {
                name: {"accuracy": e.mean, "interval": [e.low, e.high], "cases": e.scored}
                for name, e in self.baselines.items()
            },
            "usable": self.usable,
            "decisions": dict(Counter(reply.decision for reply in self.replay.replies.values())),
            "guard": self.replay.guard.record(),
        }


def score_replay(
    cases: Sequence[ReplyCase], replay: Replay, embedder: Embedder, scorer: AnswerScorer | None = None
) -> Scored:
    """Score the replies and the baselines on the same cases. A case whose reply leaked is unscored.

    ``embedder`` is asked for the same sentences many times: pass a CachingEmbedder. ``scorer`` is one of these
    cases, where the caller has one. Raises EmbeddingFailed.
    """
    predictions = replay.predictions()
    scorer = scorer or AnswerScorer(cases, embedder)
    leaked = set(replay.guard.leaks)
    scores = [CaseScore(s.case_id, None, "leak") if s.case_id in leaked else s for s in scorer.score(predictions)]
    groups = [case.conversation_id for case in cases]
    columns = {
        measure: [None if s.scores is None else s.scores.values()[measure] for s in scores] for measure in MEASURES
    }
    estimates = {name: bootstrap_mean(values, groups=groups) for name, values in columns.items()}
    firsts = against_first(cases)
    baselines: dict[str, Estimate] = {}
    if firsts and any(case.references for case in firsts):
        first_scorer = scorer if firsts == list(cases) else AnswerScorer(firsts, embedder)
        rows: dict[str, list[Prediction]] = {
            "constant courtesy": constant_courtesy(cases),
            "random human": random_human(cases),
            "nearest reply": nearest_reply(cases, embedder),
            "assistant": predictions,
            "second human": second_human(cases),
        }
        for name, row in rows.items():
            if row:
                reached = first_scorer.accuracies(row)
                baselines[name] = bootstrap_mean([reached.get(case.case_id) for case in cases], groups=groups)
    return Scored(cases, replay, scores, estimates, baselines, _usable(baselines))


def expect_scoring(cases: Sequence[ReplyCase], embedder: CachingEmbedder) -> None:
    """Tell the embedder what scoring these cases will ask for, whatever the replies are."""
    embedder.expect_queries(s for case in cases for r in case.references for s in content_sentences(r))
    embedder.expect_queries(fold(asked_by(case)) for case in cases)


def summary_markdown(scored: Scored) -> str:
    """The figures as Markdown tables."""
    out = [
        f"### {len(scored.cases)} cases, {sum(case.transferred for case in scored.cases)} transferred",
        "",
        "| measure | mean | 95 % interval | scored | unscored |",
        "|---|---|---|---|---|",
    ]
    out += [f"| {name} | {_figures(e)} | {e.scored} | {e.unscored} |" for name, e in scored.estimates.items()]
    if scored.baselines:
        out += ["", "Accuracy against the first human's reply:", "", "| reply | accuracy | 95 % interval | cases |"]
        out += ["|---|---|---|---|"]
        out += [f"| {name} | {_figures(e)} | {e.scored} |" for name, e in scored.baselines.items()]
    if scored.usable is False:
        out += ["", "**Not usable here**: constant or random replies are not clearly below a second human."]
    guard = scored.record()["guard"]
    out += [
        "",
        f"Leak guard: hidden from their cases {guard['own']} pieces of their own conversations, {guard['copies']} of "
        f"copies, {guard['derived']} made from them, {guard['later_documents']} documents of later; "
        f"{guard['leaks']} leaks.",
    ]
    return "\n".join(out)


def _usable(baselines: Mapping[str, Estimate]) -> bool | None:
    human = baselines.get("second human")
    lazy = [baselines.get("constant courtesy"), baselines.get("random human")]
    if human is None or human.low is None:
        return None
    return all(e is not None and e.high is not None and e.high < human.low for e in lazy)


def _figures(estimate: Estimate) -> str:
    if estimate.mean is None:
        return "unscored | –"
    interval = "–" if estimate.low is None else f"{estimate.low:.3f}–{estimate.high:.3f}"
    return f"{estimate.mean:.3f} | {interval}"


def stored_run(
    scored: Scored,
    embedder: str,
    now: datetime,
    source: str,
    *,
    causes: Mapping[str, tuple[str, Mapping[str, Any]]] | None = None,
    intents: Mapping[str, str] | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> EvalRun:
    """The run as it is kept on disk, a row a case, with what was said and why.

    ``causes`` is (cause, evidence) by case id, ``intents`` what each case is about, ``arguments`` what the run was
    asked to do beside its cases.
    """
    causes, intents = causes or {}, intents or {}
    rows = []
    for case, score in zip(scored.cases, scored.scores, strict=True):
        reply = scored.replay.replies.get(case.case_id)
        state = case.user_state
        rows.append(
            RunRow(
                case.case_id,
                {} if score.scores is None else dict(score.scores.values()),
                group=case.conversation_id,
                unscored=score.unscored,
                slices={
                    "locale": case.locale,
                    "channel": case.channel or "unknown",
                    "tier": str(state.profile.get("tier", "unknown")) if state is not None else "unknown",
                    **({"intent": intents[case.case_id]} if case.case_id in intents else {}),
                    **({"cause": causes[case.case_id][0]} if case.case_id in causes else {}),
                },
                detail={}
                if reply is None
                else {
                    **({"evidence": dict(causes[case.case_id][1])} if case.case_id in causes else {}),
                    "reply": reply.text,
                    "decision": reply.decision,
                    "confidence": reply.confidence,
                    "passages": [p.id for p in reply.passages],
                },
            )
        )
    chat = next((r.model for r in scored.replay.replies.values() if r.model is not None), None)
    models = {"embedder": embedder} if chat is None else {"embedder": embedder, "chat": chat}
    prompts = {r.prompt.name: r.prompt.sha256 for r in scored.replay.replies.values() if r.prompt is not None}
    data = _data(scored.cases)
    provenance = gather_provenance(
        data, now=now, models=models, prompts=prompts, arguments={"cases": source, **(arguments or {})}
    )
    return EvalRun(run_id(scored.cases, now), "transfers", "accuracy", tuple(rows), provenance)


def run_id(cases: Sequence[ReplyCase], now: datetime) -> str:
    """The name of a run of these cases begun now."""
    return f"transfers-{now:%Y%m%dT%H%M%S}-{_data(cases)[:8]}"


def _data(cases: Sequence[ReplyCase]) -> str:
    return data_version(f"{case.case_id}\0{case.question}\0{case.references}" for case in cases)
