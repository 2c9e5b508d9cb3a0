"""Judges a replay, and judges the judge: the same metrics on replies that a fair instrument must tell apart."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from assistant.domain.reply import Reply
from assistant.domain.state import UserState
from assistant.ports import Embedder, Progress
from evals.baselines import constant_courtesy, nearest_reply, random_human, second_human
from evals.cases import ReplyCase, asked_by
from evals.judge.asking import Usage
from evals.judge.panel import METRICS, OF_THE_REPLY, UNSCORED, JudgeInput, Panel, Verdict
from evals.statistics import Estimate, bootstrap_mean
from evals.transfer_run import Replay

MOST_PASSAGES = 5  # as many as an agent would read; each costs a request
HUMAN, LAZY = "second human", ("constant courtesy", "random human")
OURS = "assistant"


@dataclass(frozen=True, slots=True)
class Price:
    """Of a million tokens, in whatever currency the endpoint bills in."""

    tokens_in: float
    tokens_out: float

    def of(self, usage: Usage) -> float:
        """What these tokens cost."""
        return (usage.tokens_in * self.tokens_in + usage.tokens_out * self.tokens_out) / 1_000_000


@dataclass(frozen=True)
class Judged:
    """Verdicts by case and metric, and each metric's figures on the stand-ins.

    ``baselines`` is stand-in → metric → estimate, all on the same ``baseline_cases`` cases. Where the metric is one of
    retrieval, the stand-in takes the place of the human's reply that retrieval is held against.
    """

    judge: str
    endpoint: str
    verdicts: Mapping[str, Mapping[str, Verdict]]
    estimates: Mapping[str, Estimate]
    baselines: Mapping[str, Mapping[str, Estimate]]
    baseline_cases: int
    usage: Usage
    prompts: Mapping[str, str]
    price: Price | None = None
    failure: str | None = None

    def unscored(self, metric: str) -> dict[str, int]:
        """How many cases this metric could not score, by reason; commonest first."""
        reasons = Counter(row[metric].unscored for row in self.verdicts.values())
        return {reason: count for reason, count in reasons.most_common() if reason is not None}

    def usable(self, metric: str) -> bool | None:
        """False where a courtesy or another case's reply is not clearly below a second human; None where untold.

        Clearly: its whole 95 % interval lies below the human's. It is untold without second humans, and where a
        stand-in could not be scored although nothing speaks against the metric.
        """
        human = self.baselines.get(HUMAN, {}).get(metric)
        if human is None or human.low is None:
            return None
        lazy = [self.baselines.get(name, {}).get(metric) for name in LAZY]
        if any(each is not None and each.high is not None and each.high >= human.low for each in lazy):
            return False
        return True if all(each is not None and each.high is not None for each in lazy) else None

    def record(self) -> dict[str, Any]:
        """The figures as JSON data."""
        return {
            "judge": self.judge,
            "endpoint": self.endpoint,
            "metrics": {
                name: {
                    "mean": e.mean,
                    "interval": [e.low, e.high],
                    "scored": e.scored,
                    "unscored": e.unscored,
                    "unscored_by_reason": self.unscored(name),
                    "usable": self.usable(name),
                    "baselines": {
                        stand_in: {
                            "mean": row[name].mean,
                            "interval": [row[name].low, row[name].high],
                            "scored": row[name].scored,
                            "unscored": row[name].unscored,
                        }
                        for stand_in, row in self.baselines.items()
                        if name in row
                    },
                }
                for name, e in self.estimates.items()
            },
            "baseline_cases": self.baseline_cases,
            "usage": {**asdict(self.usage), "cost": None if self.price is None else self.price.of(self.usage)},
            "last_failure": self.failure,
        }

    def values(self, case_id: str) -> dict[str, float | None]:
        """One case's values as measures of a stored run, named ``judge_<metric>``."""
        return {f"judge_{name}": verdict.value for name, verdict in self.verdicts.get(case_id, {}).items()}

    def reasons(self, case_id: str) -> dict[str, str]:
        """Why this case has no value, by metric."""
        return {name: v.unscored for name, v in self.verdicts.get(case_id, {}).items() if v.unscored is not None}

    def markdown(self) -> str:
        """The figures for a person."""
        out = ["", "", f"Judged by {self.judge}:", ""]
        out += ["| judge's metric | mean | 95 % interval | scored | unscored | usable |", "|---|---|---|---|---|---|"]
        words = {True: "yes", False: "**no**", None: "untold"}
        out += [
            f"| {name} | {_figures(e)} | {e.scored} | {e.unscored} | {words[self.usable(name)]} |"
            for name, e in self.estimates.items()
        ]
        for name in self.estimates:
            out += [f"\n{name} unscored: {_counted(self.unscored(name))}"] if self.unscored(name) else []
        if self.baselines:
            out += ["", f"The judge itself, on {self.baseline_cases} cases (mean, scored of all):", ""]
            out += [
                f"| instead of the reply | {' | '.join(self.estimates)} |",
                "|---" * (len(self.estimates) + 1) + "|",
            ]
            for stand_in, row in self.baselines.items():
                cells = (_cell(row[name]) if name in row else "–" for name in self.estimates)
                out.append(f"| {stand_in} | {' | '.join(cells)} |")
            out.append("\nFor context metrics the human's reply, not ours, is what the stand-in replaces.")
        usage = self.usage
        spent = (
            f"{usage.requests} requests, {usage.cached} verdicts from the cache, {usage.malformed} malformed answers, "
        )
        spent += f"{usage.tokens_in} tokens in, {usage.tokens_out} out"
        spent += f" ({usage.untold} requests untold)" if usage.untold else ""
        spent += f", cost {self.price.of(usage):.4f}" if self.price is not None else ""
        out += ["", spent + "."]
        if self.failure:
            out += ["", f"Last failure: {self.failure}"]
        return "\n".join(out)


async def judge_replay(
    cases: Sequence[ReplyCase],
    replay: Replay,
    panel: Panel,
    embedder: Embedder,
    *,
    baseline_cases: int,
    metrics: Sequence[str] = METRICS,
    progress: Progress | None = None,
) -> tuple[dict[str, dict[str, Verdict]], dict[str, dict[str, Estimate]], int]:
    """(verdicts by case and metric, estimates by stand-in and metric, cases of the latter). Raises EmbeddingFailed.

    The reply is held against the first human's. A case whose reply leaked is unscored without asking. Stand-ins are
    judged on ``baseline_cases`` cases, chosen by a hash of their ids among those that a second human answered, else
    among all; for the reply itself the verdicts on the same cases are repeated there.
    """
    leaked = set(replay.guard.leaks)
    inputs = {case.case_id: input_of(case, replay.replies.get(case.case_id)) for case in cases}
    asked: dict[tuple[str, str, str], JudgeInput] = {
        (OURS, case.case_id, name): inputs[case.case_id] for case in cases for name in metrics
    }
    chosen = _chosen(cases, baseline_cases)
    groups = {case.case_id: case.conversation_id for case in cases}
    stand_ins: dict[str, dict[str, str]] = {}
    if chosen:
        picked = {case.case_id for case in chosen}
        for stand_in, made in (
            (LAZY[0], constant_courtesy(chosen)),
            (LAZY[1], random_human(cases)),
            ("nearest reply", nearest_reply(cases, embedder)),
            (HUMAN, second_human(chosen)),
        ):
            stand_ins[stand_in] = {p.case_id: p.reply for p in made if p.case_id in picked}
        for stand_in, replies in stand_ins.items():
            for case_id, text in replies.items():
                for name in metrics:
                    asked[stand_in, case_id, name] = _standing_in(inputs[case_id], text, name)
    found = await _ask_all(panel, asked, leaked, progress)
    verdicts = {case.case_id: {name: found[OURS, case.case_id, name] for name in metrics} for case in cases}
    rows: dict[str, dict[str, Estimate]] = {}
    for stand_in in (*stand_ins, OURS) if chosen else ():
        rows[stand_in] = {}
        for name in metrics:
            ids = [c.case_id for c in chosen if (stand_in, c.case_id, name) in found]
            if ids:
                values = [found[stand_in, case_id, name].value for case_id in ids]
                rows[stand_in][name] = bootstrap_mean(values, groups=[groups[case_id] for case_id in ids])
    return verdicts, {stand_in: row for stand_in, row in rows.items() if row}, len(chosen)


def estimates_of(
    cases: Sequence[ReplyCase], verdicts: Mapping[str, Mapping[str, Verdict]], metrics: Sequence[str] = METRICS
) -> dict[str, Estimate]:
    """Each metric's mean over the cases, with its interval and what is unscored."""
    groups = [case.conversation_id for case in cases]
    return {
        name: bootstrap_mean([verdicts[case.case_id][name].value for case in cases], groups=groups) for name in metrics
    }


def input_of(case: ReplyCase, reply: Reply | None) -> JudgeInput:
    """What the judge sees of a case: the customer's words, our reply and what it was made from, the human's reply."""
    return JudgeInput(
        question=asked_by(case),
        reply="" if reply is None else reply.text,
        reference=case.references[0] if case.references else "",
        passages=() if reply is None else tuple(f"{p.title}\n{p.text}" for p in reply.passages[:MOST_PASSAGES]),
        state="" if reply is None else _state(case.user_state, reply.state_used),
        locale=case.locale,
    )


async def _ask_all(
    panel: Panel, asked: Mapping[tuple[str, str, str], JudgeInput], leaked: set[str], progress: Progress | None
) -> dict[tuple[str, str, str], Verdict]:
    done = 0

    async def one(key: tuple[str, str, str], given: JudgeInput) -> Verdict:
        nonlocal done
        _, case_id, metric = key
        verdict = Verdict(None, "leak") if case_id in leaked else await panel.judge(metric, given)
        done += 1
        if progress is not None:
            progress.advance("judging", done, len(asked))
        return verdict

    tasks = {key: asyncio.create_task(one(key, given)) for key, given in asked.items()}
    try:
        await asyncio.gather(*tasks.values())
    except BaseException:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        raise
    return {key: task.result() for key, task in tasks.items()}


def _standing_in(given: JudgeInput, text: str, metric: str) -> JudgeInput:
    reply, reference = (text, given.reference) if metric in OF_THE_REPLY else (given.reply, text)
    return JudgeInput(given.question, reply, reference, given.passages, given.state, given.locale)


def _chosen(cases: Sequence[ReplyCase], most: int) -> list[ReplyCase]:
    answered = [case for case in cases if case.references]
    twice = [case for case in answered if len(case.references) > 1]
    by_hash = sorted(twice or answered, key=lambda case: hashlib.sha256(case.case_id.encode()).hexdigest())
    return by_hash[:most]


def _state(state: UserState | None, used: Sequence[str]) -> str:
    if state is None:
        return ""
    lines = []
    for entity in (state.find(entity_id) for entity_id in used):
        if entity is not None:
            told = {
                "kind": entity.kind,
                "id": entity.id,
                "status": entity.status,
                "title": entity.title,
                "amount": None if entity.amount is None else f"{entity.amount} {entity.currency or ''}".strip(),
                "occurred_at": entity.occurred_at and entity.occurred_at.isoformat(),
                "due_at": entity.due_at and entity.due_at.isoformat(),
                **entity.attributes,
            }
            lines.append(json.dumps({k: v for k, v in told.items() if v}, ensure_ascii=False, default=str))
    return "\n".join(lines)


def _figures(e: Estimate) -> str:
    if e.mean is None:
        return "unscored | –"
    return f"{e.mean:.3f} | {'–' if e.low is None else f'{e.low:.3f}–{e.high:.3f}'}"


def _cell(e: Estimate) -> str:
    return f"{'–' if e.mean is None else f'{e.mean:.2f}'} ({e.scored}/{e.scored + e.unscored})"


def _counted(reasons: Mapping[str, int]) -> str:
    return "; ".join(f"{count} × {UNSCORED.get(reason, reason)}" for reason, count in reasons.items())
