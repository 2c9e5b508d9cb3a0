"""The measurement as Markdown."""

from __future__ import annotations

from evals.statistics import Estimate
from evals.suggesting.live import LiveHits
from evals.suggesting.run import DEPTH, SuggestionEvaluation

_WORDS = {
    "suggestions": "**suggestions**",
    "most_frequent": "most frequent",
    "random": "random",
    "last_asked": "last asked",
    "shuffled": "another user's suggestions (control)",
}
_MOMENTS = {"first": "First question, before the first word", "next": "Next matter, after a reply"}


def suggestions_markdown(done: SuggestionEvaluation) -> str:
    """Tables by moment; intervals are 95 %, users drawn whole."""
    out = [
        f"Learnt from {done.learned_from} questions of weeks 1–{done.until_week}; asked in weeks "
        f"{done.until_week + 1}–{done.weeks}."
    ]
    for result in done.results:
        users = len({event.user for event in result.events})
        out += ["", f"### {_MOMENTS[result.moment]}: {len(result.events)} questions of {users} users", ""]
        out += ["| offered | hit@1 | hit@3 | hit@1 by label | hit@3 by label |", "|---|---|---|---|---|"]
        for system, name in _WORDS.items():
            cells = [_cell(result.rates[judge][system][k]) for judge in ("matter", "label") for k in (1, DEPTH)]
            out.append(f"| {name} | {' | '.join(cells)} |")
        for judge, words in (("matter", "the matching rule"), ("label", "the labels")):
            d = result.over_twice[judge]
            if d.mean is not None and d.low is not None and d.high is not None:
                out.append(
                    f"\nhit@3 less twice the best baseline ({_WORDS[result.best[judge]]}), by {words}: "
                    f"{d.mean:+.3f} ({d.low:+.3f} to {d.high:+.3f})"
                )
    confirmed, judged = done.matcher
    if judged:
        out.append(f"\nOf {judged} pairs that the matching rule takes for the same, the labels confirm {confirmed}.")
    out.append(f"{done.repeats} further questions on the same matter are left out; {done.unlabelled} have no label.")
    return "\n".join(out)


def live_markdown(live: LiveHits) -> str:
    """What was shown in live conversations, and then asked."""
    if not live.moments:
        return "Live store: nothing was shown yet before a question."
    return (
        f"Live store: {live.moments} questions followed suggestions; hit@1 {_cell(live.hit1)}, "
        f"hit@3 {_cell(live.hit3)}, of them clicked "
        f"{live.clicked}; another conversation's suggestions hit {_cell(live.shuffled3)}."
    )


def _cell(e: Estimate) -> str:
    if e.mean is None:
        return "–"
    interval = "" if e.low is None or e.high is None else f" ({e.low:.2f}–{e.high:.2f})"
    return f"{e.mean:.3f}{interval}"
