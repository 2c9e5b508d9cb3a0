"""The draft of a reply that an agent may send: state first, then the article, then what similar cases agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant import phrases
from assistant.answering.composing import Composer
from assistant.answering.making import Making, RecordMaker
from assistant.answering.to_check import to_check
from assistant.domain.knowledge import Passage
from assistant.domain.reply import Citation, Reply
from assistant.drafting import NEIGHBOURS, adapt, beyond, choose_case, sources
from assistant.errors import EmbeddingFailed
from assistant.retrieval import Retriever


class DraftStage:
    """Writes drafts for one workspace."""

    def __init__(self, retriever: Retriever, composer: Composer, records: RecordMaker) -> None:
        self._retriever = retriever
        self._composer = composer
        self._records = records

    def draft(self, making: Making, text: str, before: str, exclude: frozenset[str]) -> Reply:
        """The draft for a customer who needs ``text`` and said ``before`` earlier. Blocking."""
        if not text.strip():
            return self._records.make(making, phrases.unsupported((), making.locale), "clarify", 0.0)
        state_answer = making.state_answer()
        if state_answer is not None and state_answer.sufficient and state_answer.decision == "answer":
            return self._records.make(
                making, state_answer.text, "answer", state_answer.confidence, state_used=state_answer.used
            )
        try:
            cases = self._retriever.similar_cases(text, before, limit=NEIGHBOURS, now=making.now, exclude=exclude)
            chosen = choose_case(cases)
        except EmbeddingFailed:
            making.degraded.append("embedder")
            chosen = None
        articles = [passage for passage in making.retrieval.passages if passage.article_id is not None]
        article_score = articles[0].score if articles else 0.0
        say_article, say_case = sources(article_score if articles else None, chosen.passage.score if chosen else None)
        if not say_article and (chosen is None or not say_case):
            return self._records.make(making, phrases.unsupported((), making.locale), "handoff", 0.0)
        reply = self._composer.extract(making, state_answer, article_score, articles) if say_article else None
        if chosen is None or not say_case:
            assert reply is not None
            return reply
        passage = chosen.passage
        told = adapt(passage.text, making.locale, _own(making, articles))
        citation = Citation(passage.id, passage.title, passage.text, conversation_id=passage.conversation_id)
        if reply is None:
            alone = self._records.make(making, told, "answer", passage.score, citations=(citation,))
            return replace(alone, to_check=to_check(told))
        added = beyond(told, reply.text)
        if not added:
            return reply
        text, citations = f"{reply.text}\n\n{added}".strip(), (*reply.citations, citation)
        confidence = max(reply.confidence, passage.score)
        return replace(reply, text=text, citations=citations, confidence=confidence, to_check=to_check(added))


def _own(making: Making, articles: Sequence[Passage]) -> str:
    """This customer's records and words, and the articles that were found, as one text."""
    parts = [making.question.text, *(turn.text for turn in making.question.history), *(p.text for p in articles)]
    for entity in making.state.entities if making.state is not None else ():
        parts += [entity.id, entity.title, *map(str, entity.attributes.values())]
        if entity.amount is not None:
            parts.append(f"{entity.amount} {entity.currency or ''}")
    return "\n".join(parts)
