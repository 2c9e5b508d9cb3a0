"""Speed, cost and what live use says of drafts and suggestions. What is not measured says so."""

from __future__ import annotations

from collections import Counter
from statistics import median

from assistant.metering import Spent, spent
from evals.draft_report import DraftReport
from evals.report.in_use import InUse
from evals.report.model import ReportInput
from evals.report.pieces import Pieces, percent, row
from evals.statistics import Estimate
from evals.suggesting.live import LiveHits


def service_section(p: Pieces, given: ReportInput) -> str:
    """Latency, decisions, what models cost, and the minutes of people that the unsolved cases took."""
    replies = given.scored.replay.replies.values()
    if not replies:
        return p.nothing("service", "service_none")
    times = sorted(reply.timings_ms.get("total", 0.0) for reply in replies)
    slow = times[min(len(times) - 1, int(0.95 * len(times)))]
    decisions = Counter(reply.decision for reply in replies).most_common()
    rows = row(p.t("latency"), p.t("latency_note", median=f"{median(times):.0f}", p95=f"{slow:.0f}"))
    rows += row(p.t("decisions"), p.joined([f"{p.t(name)} {count}" for name, count in decisions]))
    rows += row(p.t("cost_model"), _model_cost(p, given))
    rows += row(p.t("cost_judge"), _judge_cost(p, given))
    if given.gaps and given.minutes is not None:
        conversations = len({key for gap in given.gaps for key in gap.conversation_ids})
        told = p.t("cost_people_note", hours=f"{given.minutes / 60:.1f}", conversations=conversations)
        rows += row(p.t("cost_people"), told)
    degraded = Counter(step for reply in replies for step in reply.degraded).most_common()
    if degraded:
        rows += row(p.t("degraded"), p.joined([f"{p.named('degraded_' + name)} {count}" for name, count in degraded]))
    return p.section("service", f"<table>{rows}</table>")


def live_section(p: Pieces, found: InUse | None) -> str:
    """Acceptance of drafts, hits of suggestions, what waits for review, and what the chat model took."""
    if found is None:
        return p.nothing("live", "live_none")
    rows = _drafts(p, found.drafts) + _suggestions(p, found.suggestions) + _reviews(p, found)
    rows += row(
        p.t("cost_model"),
        _spent(p, found.spent) if found.spent.replies or found.spent.cached else p.t("cost_live_none"),
    )
    return p.section("live", f"<table>{rows}</table>")


def _reviews(p: Pieces, found: InUse) -> str:
    counted = [f"{p.named('review_' + status)} {count}" for status, count in found.reviews.items() if count]
    queue = row(p.t("reviews"), p.joined(counted) if counted else p.t("reviews_none"))
    return queue + row(p.t("flags"), p.t("flags_note", count=found.flags) if found.flags else p.t("flags_none"))


def _drafts(p: Pieces, drafts: DraftReport) -> str:
    decided = drafts.drafts - drafts.undecided
    if not decided:
        return row(p.t("drafts"), p.t("drafts_none"))
    shares = [f"{p.t(name)} {_share(e)}" for name, e in drafts.verdicts.items()]
    told = p.t("drafts_note", decided=decided, undecided=drafts.undecided)
    return row(p.t("drafts"), f"{p.joined(shares)}. {told}")


def _suggestions(p: Pieces, live: LiveHits) -> str:
    if not live.moments:
        return row(p.t("suggestions"), p.t("suggestions_none"))
    told = p.t(
        "suggestions_note",
        hit1=_share(live.hit1),
        hit3=_share(live.hit3),
        shuffled=_share(live.shuffled3),
        moments=live.moments,
    )
    return row(p.t("suggestions"), told)


def _share(e: Estimate) -> str:
    interval = "" if e.low is None else f" ({percent(e.low)}–{percent(e.high)})"
    return f"{percent(e.mean)}{interval}"


def _model_cost(p: Pieces, given: ReportInput) -> str:
    replies = given.scored.replay.replies.values()
    usages = [reply.usage for reply in replies if reply.usage is not None]
    return _spent(p, spent(usages)) if usages else p.t("cost_no_model")


def _spent(p: Pieces, found: Spent) -> str:
    told = p.t("cost_tokens", requests=found.calls, tokens_in=found.prompt_tokens, tokens_out=found.completion_tokens)
    if found.estimated:
        told += " " + p.t("cost_estimated", count=found.estimated, replies=found.replies)
    if found.cached:
        told += " " + p.t("cost_cached", count=found.cached)
    if found.cost is None:
        return f"{told} {p.t('cost_unpriced')}"
    told += " " + p.t("cost_money", amount=f"{found.cost:.4f}")
    return told if found.priced == found.replies else f"{told} {p.t('cost_part', count=found.replies - found.priced)}"


def _judge_cost(p: Pieces, given: ReportInput) -> str:
    judged = given.judged
    if judged is None:
        return p.t("cost_no_judge")
    usage = judged.usage
    told = p.t("cost_tokens", requests=usage.requests, tokens_in=usage.tokens_in, tokens_out=usage.tokens_out)
    money = p.t("cost_unpriced") if judged.price is None else p.t("cost_money", amount=f"{judged.price.of(usage):.4f}")
    return f"{told} {money}"
