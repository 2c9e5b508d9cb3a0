"""The closed loop's experiment in words: Markdown for a person, with its rule and its limits beside the figures."""

from __future__ import annotations

from evals.loop.loop_result import LoopResult
from evals.statistics import Difference, Estimate

_ARMS = {
    "before": "knowledge as of then",
    "drafts": "and the accepted drafts",
    "unrelated drafts": "and as many drafts of unrelated cases (mean of draws)",
    "mined": "and what transcript mining alone took from the window",
    "mined and drafts": "and both",
}


def loop_markdown(result: LoopResult) -> str:
    """The tables and what they leave out."""
    made, accepted = len(result.drafts), len(result.accepted)
    out = [
        f"### Knowledge as of {result.until:%Y-%m-%d}, drafts from the failures before {result.drafts_until:%Y-%m-%d}",
        "",
        f"Window: {len(result.window)} cases, {result.failed} failed, {len(result.gaps)} gaps that an article can "
        f"close, {made} drafts, {accepted} accepted by rule ({made - accepted} refused). No person looked at them.",
        _measured(result),
        "",
        "| knowledge | accuracy | 95 % interval | scored | unscored | replies citing drafts |",
        "|---|---|---|---|---|---|",
    ]
    for name in result.arms:
        estimate = result.estimate(name)
        out.append(
            f"| {_ARMS[name]} | {_mean(estimate)} | {estimate.scored} | {estimate.unscored} "
            f"| {len(result.citing(name))} |"
        )
    out += [
        "",
        "| compared | difference | 95 % interval | detectable | gains | regressions |",
        "|---|---|---|---|---|---|",
    ]
    for name, to in result.compared():
        gains, losses = result.crossed(name, to)
        out.append(f"| {name} − {to} | {_difference(result.difference(name, to))} | {len(gains)} | {len(losses)} |")
    out += ["", "Accepted drafts:", *(f"- {d.article.title} [{d.article.id}]" for d in result.accepted)]
    out += [f"- refused: {article} {reason}" for article, reason in result.refused.items()]
    return "\n".join(out)


def _measured(result: LoopResult) -> str:
    which = "cases after the window"
    if result.folds:
        which = f"cases of the window in {result.folds} folds, each answered with drafts from the other conversations"
    return f"Measured: {len(result.measured)} {which}; {len(result.marked)} marked ones are left out."


def _mean(estimate: Estimate) -> str:
    if estimate.mean is None:
        return "unscored | –"
    interval = "–" if estimate.low is None else f"{estimate.low:.3f}–{estimate.high:.3f}"
    return f"{estimate.mean:.3f} | {interval}"


def _difference(d: Difference) -> str:
    if d.mean is None:
        return "– | – | –"
    interval = "–" if d.low is None else f"{d.low:+.3f} to {d.high:+.3f}"
    return f"{d.mean:+.3f} | {interval} | {'–' if d.detectable is None else f'{d.detectable:.3f}'}"
