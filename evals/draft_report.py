"""What agents did with their drafts: how many went out as they were, what was changed, what was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from assistant.domain.draft import AgentDraft
from evals.agreement import Agreement, agreements
from evals.answer_metrics.facts import weights_of
from evals.draft_edits import EDIT_KINDS, edit_kinds, facts_kept
from evals.statistics import Estimate, bootstrap_mean, wilson

LABELS = {"rejected": 0.0, "edited": 1.0, "accepted": 2.0}


@dataclass(frozen=True)
class DraftReport:
    """Shares of the decided drafts with Wilson intervals; ``edits`` are shares of the edited ones, several a draft.

    ``facts_kept`` is over the drafts for which something was sent. ``agreements`` are with the verdicts, by measure.
    """

    drafts: int
    undecided: int
    verdicts: Mapping[str, Estimate]
    edits: Mapping[str, Estimate]
    facts_kept: Estimate
    agreements: Mapping[str, Agreement]

    def record(self) -> dict[str, Any]:
        """The figures as JSON data."""
        return {
            "drafts": self.drafts,
            "undecided": self.undecided,
            "verdicts": {name: _share(e) for name, e in self.verdicts.items()},
            "edits": {name: _share(e) for name, e in self.edits.items()},
            "facts_kept": {
                "mean": self.facts_kept.mean,
                "interval": [self.facts_kept.low, self.facts_kept.high],
                "scored": self.facts_kept.scored,
                "unscored": self.facts_kept.unscored,
            },
            "agreement": {name: asdict(a) for name, a in self.agreements.items()},
        }

    def markdown(self) -> str:
        """The figures for a person."""
        out = [f"### {self.drafts} drafts, {self.undecided} of them undecided", ""]
        out += ["| verdict | share | 95 % interval | drafts |", "|---|---|---|---|"]
        out += [f"| {name} | {_figures(e)} | {_count(e)} |" for name, e in self.verdicts.items()]
        out += ["", "| edit | share of edited | 95 % interval | drafts |", "|---|---|---|---|"]
        out += [f"| {name} | {_figures(e)} | {_count(e)} |" for name, e in self.edits.items()]
        kept = self.facts_kept
        out += [
            "",
            f"Facts of the draft kept in what was sent: {_figures(kept)} ({kept.scored} scored, "
            f"{kept.unscored} unscored)",
        ]
        out += ["", "Agreement with the verdicts (rejected < edited < accepted), Spearman:", ""]
        out += ["| measure | correlation | 95 % interval | labels |", "|---|---|---|---|"]
        for name, a in self.agreements.items():
            if a.correlation is None:
                out.append(f"| {name} | – | {a.why} | {a.labels} |")
            else:
                interval = "–" if a.low is None else f"{a.low:+.2f} to {a.high:+.2f}"
                out.append(f"| {name} | {a.correlation:+.2f} | {interval} | {a.labels} |")
        return "\n".join(out)


def report_on_drafts(
    drafts: Sequence[AgentDraft], measures: Mapping[str, Mapping[str, float | None]] | None = None
) -> DraftReport:
    """The report. ``measures`` are further measures by draft id; the draft's own confidence is always among them."""
    decided = [draft for draft in drafts if draft.verdict is not None]
    edited = [draft for draft in decided if draft.verdict == "edited" and draft.sent is not None]
    verdicts = Counter(draft.verdict for draft in decided)
    kinds = Counter(kind for draft in edited for kind in edit_kinds(draft.text, draft.sent or ""))
    weights = weights_of(text for draft in decided for text in (draft.text, draft.sent) if text)
    went_out = [draft for draft in decided if draft.sent is not None]
    kept = [facts_kept(draft.text, draft.sent or "", weights) for draft in went_out]
    confidence = {draft.id: _confidence(draft) for draft in decided}
    return DraftReport(
        len(drafts),
        len(drafts) - len(decided),
        {name: wilson(verdicts[name], len(decided)) for name in ("accepted", "edited", "rejected")},
        {kind: wilson(kinds[kind], len(edited)) for kind in EDIT_KINDS},
        bootstrap_mean(kept, groups=[draft.conversation_id for draft in went_out]),
        agreements(
            {draft.id: LABELS[draft.verdict] for draft in decided if draft.verdict is not None},
            {"confidence": confidence, **(measures or {})},
            {draft.id: draft.conversation_id for draft in decided},
        ),
    )


def _confidence(draft: AgentDraft) -> float | None:
    value = draft.reply.get("confidence")
    return float(value) if isinstance(value, int | float) else None


def _share(e: Estimate) -> dict[str, Any]:
    return {"share": e.mean, "interval": [e.low, e.high], "of": e.scored}


def _figures(e: Estimate) -> str:
    if e.mean is None:
        return "– | –"
    return f"{e.mean:.2f} | {'–' if e.low is None else f'{e.low:.2f}–{e.high:.2f}'}"


def _count(e: Estimate) -> str:
    return "0" if e.mean is None else f"{round(e.mean * e.scored)} of {e.scored}"
