"""What rules decide before any passage or model does: small talk, handoffs, and state replies nobody may reword."""

from __future__ import annotations

from collections.abc import Sequence

from assistant import phrases
from assistant.answering.making import Making, RecordMaker
from assistant.domain.knowledge import Passage
from assistant.domain.reply import Decision, Reply
from assistant.guardrails import classify, greeting, thanked
from assistant.handoff import (
    HandoffDecision,
    HandoffRules,
    TurnReader,
    beyond_decline,
    decide_handoff,
    declines_person,
    has_declined,
    live_part,
    make_record,
)
from assistant.short_replies import asks_which, is_bare_no, is_numbered, said_by
from assistant.state.answers import CANNOT_TELL, needs_sign_in
from assistant.text import fold

SIGN_IN = "sign_in"
MANY = 3


class RulesStage:
    """The rules of one workspace."""

    def __init__(
        self, rules: HandoffRules, reader: TurnReader, records: RecordMaker, *, clarify_threshold: float
    ) -> None:
        self._rules = rules
        self._reader = reader
        self._records = records
        self._clarify_threshold = clarify_threshold

    def early(self, making: Making) -> Reply | None:
        """The reply to what needs no retrieval, or None."""
        question = making.question
        if question.handed_off and declines_person(question.text) and not beyond_decline(question.text):
            return self._records.make(making, phrases.handoff_withdrawn(making.locale), "answer", 1.0)
        guard = classify(question.text, making.locale)
        if guard.reply is not None:
            decision: Decision = "clarify" if guard.kind in ("empty", "gibberish") else "answer"
            return self._records.make(making, guard.reply, decision, 1.0)
        return None

    def noted(self, making: Making) -> Reply | None:
        """The reply to a turn that only says that something was noted, or that nothing more is wanted; else None."""
        question, locale = making.question, making.locale
        said = said_by(question.text)
        last = question.history[-1].text if question.history else ""
        if question.handed_off and said in ("noted", "done"):
            return self._records.make(making, phrases.still_coming(locale), "answer", 1.0)
        asked_more = (phrases.noted("zh"), phrases.noted("en"), thanked("zh"), thanked("en"))
        if (said == "done" and last) or (is_bare_no(question.text) and last in asked_more):
            return self._records.make(making, phrases.closing(locale), "answer", 1.0)
        listed = bool(question.misses) and asks_which(question.history)
        if listed and (said == "noted" or (phrases.choices_in(last) and is_numbered(question.text))):
            return self._records.make(making, phrases.which_one(locale), "clarify", 1.0)
        if said is None or (said == "no" and last):
            return None
        text = phrases.noted(locale) if last else greeting(locale)
        return self._records.make(making, text, "answer", 1.0)

    def many_on(self, making: Making, topic: str, passages: Sequence[Passage]) -> Reply | None:
        """The question which article on the topic is meant, where ``MANY`` or more have it in their titles."""
        named = fold(topic).casefold()
        titles = [
            passage.title
            for passage in passages
            if passage.article_id is not None
            and passage.locale.startswith(making.locale)
            and named in fold(passage.title).casefold()
        ]
        titles = list(dict.fromkeys(titles))
        if len(titles) < MANY:
            return None
        text = phrases.many_on(topic, titles[:MANY], making.locale)
        return self._records.make(making, text, "clarify", passages[0].score)

    def refused(self, making: Making) -> Reply | None:
        """The reply to a bare no: something else was meant; the second time, a person. None for all other turns."""
        if said_by(making.question.text) != "no":
            return None
        if self._person_is_due(making):
            return self.hand_off(making, "low_confidence")
        return self._records.make(making, phrases.not_helpful(making.locale), "clarify", 1.0)

    def late(self, making: Making) -> Reply | None:
        """A handoff that the rules ask for, or a state reply that no model may reword (another's order, a choice).

        Blocking: it reads the turn, which takes an embedding.
        """
        question, locale = making.question, making.locale
        profile = making.state.profile if making.state is not None else {}
        wanted = decide_handoff(
            question.text,
            question.history,
            locale=locale,
            profile=profile,
            confidence=None,
            rules=self._rules,
            reader=self._reader,
            tool_failures=_tool_failures(making),
        )
        if wanted is not None:
            return self.hand_off(making, wanted.reason, wanted.rule)
        answer = making.state_answer()
        if answer is not None and answer.decision == "clarify" and answer.topic != SIGN_IN:
            return self._records.make(making, answer.text, "clarify", answer.confidence, state_used=answer.used)
        if answer is not None and answer.sufficient and answer.topic in ("not_yours", *CANNOT_TELL):
            return self._records.make(making, answer.text, "answer", answer.confidence, state_used=answer.used)
        return None

    def hand_off(self, making: Making, reason: str, rule: str = "") -> Reply:
        """The reply that passes the customer to a person, with the record for that person."""
        question, hours = making.question, self._rules.hours
        answer = making.state_answer()
        closed = hours is not None and not hours.is_open(making.moment)
        back_at = hours.back_at(making.moment) if hours is not None and closed else None
        record = make_record(
            live_part(question.history),
            question.text,
            making.locale,
            HandoffDecision(reason, rule or reason),
            state_used=answer.used if answer is not None else (),
            passages=making.retrieval.passages,
            mood=self._reader.read(question.text).mood,
            back_at=back_at,
        )
        text = phrases.handoff(reason, making.locale) if not closed else phrases.message_left(back_at, making.locale)
        return self._records.make(making, text, "handoff", 1.0, handoff=record)

    def unsupported(self, making: Making, confidence: float) -> Reply:
        """Nothing supports an answer: ask back with what comes near, or say so; the second time, a person."""
        if self._person_is_due(making):
            return self.hand_off(making, "low_confidence")
        near: list[str] = []
        if confidence >= self._clarify_threshold:
            for passage in making.retrieval.passages[:3]:
                if passage.article_id is not None and passage.title not in near:
                    near.append(passage.title)
        return self._records.make(making, phrases.unsupported(near, making.locale), "clarify", confidence)

    def disputed(self, making: Making, reply: Reply) -> Reply:
        """The reply that shows sources disagreeing, which offers a person; the second time, a person takes over."""
        return self.hand_off(making, "low_confidence", "sources_differ") if self._person_is_due(making) else reply

    def _person_is_due(self, making: Making) -> bool:
        rules = self._rules
        quiet = "low_confidence" in rules.off or declines_person(making.question.text)
        quiet = quiet or has_declined(live_part(making.question.history))
        return making.question.misses >= rules.clarify_first and not quiet


def _tool_failures(making: Making) -> int:
    """Replies in a row, this one with them, that lacked the records which the customer asked about."""
    if "state" not in making.degraded or needs_sign_in(making.question.text, making.locale) is None:
        return 0
    replies = [turn.text for turn in live_part(making.question.history) if turn.role == "assistant"]
    missing = (phrases.state_missing("zh"), phrases.state_missing("en"))
    count = 1
    while count <= len(replies) and any(phrase in replies[-count] for phrase in missing):
        count += 1
    return count
