"""A draft written by the chat model from human resolutions, kept only if it says no figure that they do not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.domain.knowledge import Article
from assistant.domain.review import WrittenFrom
from assistant.errors import ModelUnavailable
from assistant.figures import figures, same_figure
from assistant.ports import ChatMessage, ChatModel
from assistant.text import language_of
from evals.cases import ReplyCase
from evals.loop.drafts import Draft, impersonal, told_by
from evals.loop.gaps import Gap, one_line
from evals.provenance import SOURCE_TAG
from prompts import load

_MOST_SOURCES = 6
_MOST_CHARS = 40_000  # of a completion: past this it is no short article
_FENCE = re.compile(r"\A\s*```(?:json)?\s*(.*?)\s*```\s*\Z", re.DOTALL)
_NO_ARTICLE = "NO_ARTICLE"
_NAMES = {"zh": "Chinese", "en": "English"}


class DraftRefused(ModelUnavailable):
    """The model's draft cannot be used; the assembled one is taken."""


class _Written(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, str_strip_whitespace=True)

    title: str = Field(min_length=2, max_length=200)
    body: str = Field(min_length=12, max_length=8_000)
    questions: tuple[str, ...] = Field(default=(), max_length=20)


async def written_draft(model: ChatModel, gap: Gap, cases: Mapping[str, ReplyCase], now: datetime) -> Draft | None:
    """The model's draft, redacted, with the cases it was shown; None where no human's reply holds a rule.

    Raises DraftRefused where the model writes none, writes something else than the JSON asked for, another language,
    or a figure that no source holds; ModelUnavailable where it fails.
    """
    told = sorted(
        told_by(gap, cases), key=lambda pair: (pair[0].at or datetime.min.replace(tzinfo=UTC), pair[0].case_id)
    )
    told = told[-_MOST_SOURCES:]
    if not told:
        return None
    language = language_of(gap.name)
    answers = [impersonal("\n".join(rules), language) for _, rules in told]
    questions = [impersonal(one_line(case.question, 200), language) for case, _ in told]
    messages = load("article").messages(
        language=_NAMES[language],
        issue=_as_data(gap.name),
        questions="\n".join(f"- {_as_data(question)}" for question in questions),
        resolutions="\n\n".join(f"{n}. {_as_data(answer)}" for n, answer in enumerate(answers, 1)),
    )
    text = ""
    async for delta in model.stream([ChatMessage(m.role, m.content) for m in messages]):
        text += delta.text
        if len(text) > _MOST_CHARS:
            raise DraftRefused("the model did not stop writing")
    written = _read(text)
    _check(written, [*answers, *questions], language)
    sources = tuple(WrittenFrom(case.conversation_id, case.case_id) for case, _ in told)
    conversations = dict.fromkeys(source.conversation_id for source in sources)
    article = Article(
        id=f"gap-{gap.id}",
        title=written.title,
        body=written.body,
        locale=language,
        audience="internal",
        questions=tuple(dict.fromkeys((*questions, *(one_line(q, 200) for q in written.questions if q.strip()))))[:12],
        tags=tuple(f"{SOURCE_TAG}{conversation}" for conversation in conversations),
        updated_at=now,
    )
    asked = tuple(impersonal(question, language) for question in article.questions)
    clean = replace(
        article, title=impersonal(article.title, language), body=impersonal(article.body, language), questions=asked
    )
    return Draft(clean, gap.id, sources, model.name)


def _read(text: str) -> _Written:
    fenced = _FENCE.match(text)
    plain = (fenced[1] if fenced else text).strip()
    if _NO_ARTICLE in plain[: len(_NO_ARTICLE) + 20]:
        raise DraftRefused("the model found no rule to write down")
    try:
        return _Written.model_validate_json(plain)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise DraftRefused(f"the model's draft is not the JSON asked for: {place}: {first['msg']}") from exc


def _check(written: _Written, sources: Sequence[str], language: str) -> None:
    if language_of(written.body) != language:
        raise DraftRefused(f"the model did not write in {_NAMES[language]}")
    said = [figure for source in sources for figure in figures(source)]
    claimed = (*figures(written.title), *figures(written.body), *(f for q in written.questions for f in figures(q)))
    made_up = [figure.text for figure in claimed if not any(same_figure(figure, source) for source in said)]
    if made_up:
        raise DraftRefused(f"the model's draft says {made_up[0]!r}, which no source says")


def _as_data(text: str) -> str:
    """The text, unable to close our fences."""
    return text.replace("<", "‹").replace(">", "›")
