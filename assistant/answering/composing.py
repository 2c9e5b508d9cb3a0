"""Composes the reply from passages and state: by the model, or quoted where there is none or it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from assistant import phrases
from assistant.answering.answer_cache import AnswerCache, for_anybody, normal_form, traditional
from assistant.answering.asked_form import asked_form
from assistant.answering.making import Making, RecordMaker, at_once, since
from assistant.answering.rules import SIGN_IN, RulesStage
from assistant.domain.knowledge import Passage
from assistant.domain.live import ReplyDelta, ReplyDone, ReplyEvent, ReplyReset
from assistant.domain.reply import Citation, Reply
from assistant.errors import ModelUnavailable
from assistant.extractive import ExtractiveAnswerer
from assistant.generation import Generated, GeneratedAnswerer, NoAnswer, NotGrounded, Piece, Restarted
from assistant.ports import Embedder
from assistant.settings import Settings
from assistant.state.answers import StateAnswer, state_facts

ARTICLE_SHARE = 0.5
WORTH_SHOWING = 0.5  # to a model, which may weigh them
WORTH_QUOTING = 0.7  # without one: a lesser passage quoted well is still the wrong passage


class Composer:
    """Writes replies for one workspace."""

    def __init__(
        self,
        *,
        generator: GeneratedAnswerer | None,
        embedder: Embedder,
        settings: Settings,
        rules: RulesStage,
        records: RecordMaker,
        cache: AnswerCache | None = None,
    ) -> None:
        self._generator = generator
        self._embedder = embedder
        self._settings = settings
        self._rules = rules
        self._records = records
        self._cache = cache
        self._extractive = ExtractiveAnswerer()

    async def compose(self, making: Making) -> AsyncIterator[ReplyEvent]:
        """The reply's events from what was gathered, ReplyDone last."""
        state_answer = making.state_answer()
        best = making.retrieval.best
        confidence = best.score if best is not None else 0.0
        supported = confidence >= self._settings.answer_threshold
        early: Reply | None = None
        if state_answer is not None and state_answer.topic == SIGN_IN:
            if not supported:
                early = self._records.make(making, state_answer.text, "clarify", state_answer.confidence)
            state_answer = None
            making.ask_sign_in = True
        elif state_answer is None and not supported:
            early = self._rules.unsupported(making, confidence)
        if early is not None:
            async for event in at_once(early):
                yield event
            return
        if self._generator is not None:
            shown = False
            started = time.perf_counter()
            try:
                async for event in self._generated(self._generator, making, state_answer, confidence):
                    shown = shown or isinstance(event, ReplyDelta)
                    yield event
                return
            except ModelUnavailable as exc:
                making.degraded.append("llm")
                making.timings["generate"] = since(started)
                if shown:
                    yield ReplyReset("not_grounded" if isinstance(exc, NotGrounded) else "model_unavailable")
        reply = await asyncio.to_thread(self.extract, making, state_answer, confidence)
        if making.disputed:
            reply = await asyncio.to_thread(self._rules.disputed, making, reply)
        yield ReplyDelta(reply.text)
        yield ReplyDone(reply)

    async def _generated(
        self, generator: GeneratedAnswerer, making: Making, state_answer: StateAnswer | None, confidence: float
    ) -> AsyncIterator[ReplyEvent]:
        facts: tuple[str, ...] = ()
        if making.state is not None:
            focus = state_answer.used if state_answer is not None else ()
            facts = state_facts(making.state, locale=making.locale, now=making.moment, focus=focus)
        passages = supporting(making.retrieval.passages, WORTH_SHOWING)
        started = time.perf_counter()
        keys = self._keys(generator, making, passages)
        known = self._cache.first(keys) if self._cache is not None else None
        if known is not None:
            making.timings["cache"] = since(started)
            async for said in at_once(replace(self._written(making, known, confidence, None), cached=True)):
                yield said
            return
        async for event in generator.stream(
            making.question, passages, facts, making.locale, state_age=making.state_age, meter=making.meter
        ):
            match event:
                case Piece(text=text):
                    yield ReplyDelta(text)
                case Restarted(reason=reason):
                    yield ReplyReset(reason)
                case NoAnswer():
                    making.timings["generate"] = since(started)
                    low = min(confidence, self._settings.clarify_threshold)
                    async for said in at_once(self._rules.unsupported(making, low)):
                        yield said
                    return
                case Generated() as generated:
                    making.timings["generate"] = since(started)
                    if self._cache is not None and keys:
                        self._cache.put(keys[0], generated)
                    yield ReplyDone(self._written(making, generated, confidence, state_answer))

    def _keys(self, generator: GeneratedAnswerer, making: Making, passages: Sequence[Passage]) -> list[str]:
        """Under which an answer is looked for, none where it is this customer's alone; it is kept under the first.

        That is the question's own words; after them how it was read. So a slip finds what was written to the question
        that was meant, and nobody is given what was written to another's slip.
        """
        if self._cache is None or not for_anybody(making):
            return []
        script = traditional(making.question.text)
        forms = dict.fromkeys(asked_form(normal_form(text)) for text in (making.question.text, making.read_as))
        asked = [replace(making.question, text=form, history=()) for form in forms]
        return [f"{script} {generator.key(question, passages, making.locale)}" for question in asked]

    def _written(
        self, making: Making, generated: Generated, confidence: float, state_answer: StateAnswer | None
    ) -> Reply:
        return self._records.make(
            making,
            generated.text,
            "answer",
            max(confidence, state_answer.confidence if state_answer else 0.0),
            citations=generated.citations,
            state_used=state_answer.used if state_answer else (),
            model=generated.model,
            prompt=generated.prompt,
        )

    def extract(
        self,
        making: Making,
        state_answer: StateAnswer | None,
        confidence: float,
        passages: Sequence[Passage] | None = None,
    ) -> Reply:
        """The reply without a model, from ``passages`` or those that were found. Blocking."""
        started = time.perf_counter()
        parts: list[str] = []
        citations: tuple[Citation, ...] = ()
        if state_answer is not None:
            parts.append(state_answer.text)
        if state_answer is None or (not state_answer.sufficient and confidence >= self._settings.answer_threshold):
            extract = self._extractive.answer(
                making.read_as,
                supporting(making.retrieval.passages if passages is None else passages, WORTH_QUOTING),
                locale=making.locale,
                embedder=self._embedder,
                now=making.now,
            )
            parts.append(extract.text)
            citations = extract.citations
            making.disputed = extract.conflict
        if making.ask_sign_in:
            parts.append(phrases.sign_in(making.locale))
        making.timings["extract"] = since(started)
        if state_answer is not None:
            confidence = max(confidence, state_answer.confidence)
        return self._records.make(
            making,
            "\n\n".join(part for part in parts if part),
            "clarify" if making.disputed else "answer",
            confidence,
            citations=citations,
            state_used=state_answer.used if state_answer is not None else (),
        )


def supporting(passages: Sequence[Passage], share: float) -> Sequence[Passage]:
    """The best passage, the rest of its document, and those with at least this share of its score.

    Where an old reply ranks first, articles with half its score are in: reviewed words go before remembered ones.
    """
    if not passages:
        return ()
    best = passages[0]

    def near(p: Passage) -> bool:
        enough = ARTICLE_SHARE if best.article_id is None and p.article_id is not None else share
        return p.document_id == best.document_id or p.score >= enough * best.score

    return [p for p in passages if near(p)]
