"""The costliest gaps side by side: what the customer, the assistant then, the human and the assistant now said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from evals.cases import ReplyCase
from evals.report.facts import differ, held, marked
from evals.report.first import lack_line
from evals.report.lacks import Lack, telling
from evals.report.model import ReportInput
from evals.report.pieces import Pieces, clean, figure

_EXAMPLES = 2


def gap_section(
    p: Pieces, given: ReportInput, lacks: Sequence[Sequence[Lack]], accuracy: Mapping[str, float], shown: int
) -> str:
    """The first ``shown`` gaps with their examples, one line about the others."""
    cases = {case.case_id: case for case in given.scored.cases}
    parts = []
    for gap, own in zip(given.gaps[:shown], lacks, strict=False):
        line = p.t("gap_line", cases=len(gap.case_ids), minutes=f"{gap.minutes:.0f}", low=gap.low_ratings)
        todo = "".join(f"<li>{lack_line(p, lack)}</li>" for lack in own)
        examples = "".join(
            _example(p, given, cases[key], accuracy.get(key)) for key in gap.case_ids[:_EXAMPLES] if key in cases
        )
        names = ", ".join(gap.conversation_ids)
        parts.append(
            f'<div class="gap" id="gap-{escape(gap.id)}"><h3>{escape(gap.name)}</h3>{p.soft(line)}<ul>{todo}</ul>'
            f'{examples}<p class="soft">{escape(p.t("conversations"))}: <code>{escape(names)}</code></p></div>'
        )
    rest = given.gaps[shown:]
    if rest:
        parts.append(p.soft(p.t("gaps_rest", gaps=len(rest), cases=sum(len(gap.case_ids) for gap in rest))))
    return p.section("gaps", "".join(parts), p.t("gaps_note"))


def _example(p: Pieces, given: ReportInput, case: ReplyCase, score: float | None) -> str:
    reply = given.scored.replay.replies.get(case.case_id)
    said = dict.fromkeys((telling(case), case.question))
    then = next((turn.text for turn in reversed(case.turns) if turn.role == "assistant"), "")
    human = case.references[0] if case.references else ""
    now = reply.text.replace("**", "") if reply is not None else ""  # the chat shows bold, here it would be stars
    then_shown, now_shown = clean(then), clean(now)
    compared = bool(then and now)
    columns = (
        ("customer", "", escape(clean("\n".join(said))), ""),
        (
            "then",
            "",
            marked(then_shown, now) if compared else escape(then_shown or p.t("nothing_then")),
            _kept(p, then, human),
        ),
        ("agent", " agent", escape(clean(human)), ""),
        (
            "now",
            "",
            marked(now_shown, then) if compared else escape(now_shown or p.t("nothing_now")),
            _kept(p, now, human) + ("" if score is None else f" {p.t('score')} {figure(score)}"),
        ),
    )
    cells = "".join(
        f'<div class="said{kind}"><strong>{escape(p.t(name))}</strong><p>{body}</p>'
        + (f'<span class="soft">{escape(foot.strip())}</span>' if foot.strip() else "")
        + "</div>"
        for name, kind, body, foot in columns
    )
    verdict = "" if not compared else p.soft(p.t("facts_differ" if differ(then, now) else "facts_alike"))
    return f'<div class="pair">{cells}</div>{verdict}'


def _kept(p: Pieces, text: str, human: str) -> str:
    """How many of the human's figures the text holds; nothing where the human gave none or there is no text."""
    if not text:
        return ""
    found = held(text, human)
    return p.t("held", held=found.held, wanted=found.wanted) if found.wanted else ""
