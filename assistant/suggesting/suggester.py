"""Merges what rules, model and page bring into a few questions, none twice in meaning, none without an answer."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import nlargest

from assistant.domain.knowledge import Passage
from assistant.domain.state import Entity, UserState
from assistant.language import Locale
from assistant.suggesting.model import IntentModel, signals_of
from assistant.suggesting.pages import documents_on
from assistant.suggesting.rules import Rule, RuleBook, filled, product_name
from assistant.text import fold

LIMIT = 3
ANOTHER = 0.5  # of a rule's chance for a further thing in the same situation, or a further text for the same thing
PAGE_SHARE = 0.5  # how much of the chance goes to questions on the page; a choice, not measured
RELATED = 0.05  # of a retrieved article's score: the chance that its title is asked next
_MOST_CHECKED = 4
_MOST_MINED = 60
_CACHE = 5_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that could be offered. ``score`` is the estimated chance 0–1 that it is asked next.

    ``source`` is ``rule``, ``mined``, ``page`` or ``related``; ``left_out`` says why it is not offered.
    """

    text: str
    source: str
    score: float
    why: str
    intent: str | None = None
    entity_id: str | None = None
    left_out: str | None = None


class Suggester:
    """Suggestions of one workspace. Thread-safe; ``supports`` tells whether the knowledge answers a text."""

    def __init__(
        self,
        book: RuleBook,
        model: Callable[[], IntentModel | None] = lambda: None,
        supports: Callable[[str], bool] | None = None,
    ) -> None:
        self._book = book
        self._model = model
        self._supports = supports
        self._checked: dict[tuple[int, str], bool] = {}
        self._lock = threading.Lock()

    def questions(
        self,
        state: UserState | None,
        passages: Sequence[Passage] = (),
        *,
        asked: str = "",
        page: Sequence[str] = (),
        locale: Locale,
        now: datetime,
        limit: int = LIMIT,
    ) -> tuple[str, ...]:
        """At most ``limit`` questions, the likeliest first; see ``candidates``."""
        offered: list[str] = []
        ranked, previous, model = self._ranked(state, passages, asked, page, locale, now)
        for candidate in self._chosen(ranked, asked, previous, limit, model):
            if candidate.left_out is None:
                offered.append(candidate.text)
            if len(offered) >= limit:
                break
        return tuple(offered)

    def documents_on(self, page: str) -> tuple[str, ...]:
        """Documents of the page with this address, as far as they are known without a search."""
        model = self._model()
        return documents_on(page, model.pages) if model is not None and page else ()

    def candidates(
        self,
        state: UserState | None,
        passages: Sequence[Passage] = (),
        *,
        asked: str = "",
        page: Sequence[str] = (),
        locale: Locale,
        now: datetime,
        limit: int = LIMIT,
    ) -> list[Candidate]:
        """Every candidate, likeliest first, those left out with the reason.

        ``passages`` are what was found for ``asked``, the question just answered (empty before the first word);
        ``page`` are documents on the page the user is on.
        """
        ranked, previous, model = self._ranked(state, passages, asked, page, locale, now)
        return list(self._chosen(ranked, asked, previous, limit, model))

    def _ranked(
        self,
        state: UserState | None,
        passages: Sequence[Passage],
        asked: str,
        page: Sequence[str],
        locale: Locale,
        now: datetime,
    ) -> tuple[list[Candidate], str | None, IntentModel | None]:
        """Candidates by score, the matter just answered, and the model of the moment."""
        model = self._model()
        fired = self._book.fired(state, now) if state is not None else []
        found = self._from_rules(state, fired, model, locale, later=bool(asked))
        previous = _intent_of(passages, model) if asked else None
        if model is not None and model.intents:
            signals = signals_of(state, self._book, now, [rule.name for rule, _ in fired])
            chances = model.after(previous, signals) if asked else model.opening(signals)
            chances = _with_page(chances, page, model)
            found = [_seen_on_page(c, chances, page, model) for c in found]
            found += _mined(chances, model, page, locale, now)
        found += _related(passages[1:] if asked else passages, model, locale)
        found.sort(key=lambda c: -c.score)
        return found, previous, model

    def _from_rules(
        self,
        state: UserState | None,
        fired: Sequence[tuple[Rule, tuple[Entity, ...]]],
        model: IntentModel | None,
        locale: Locale,
        *,
        later: bool,
    ) -> list[Candidate]:
        if state is None:
            return []
        found: list[Candidate] = []
        for rule, things in fired:
            chance = model.chance(rule.name, rule.weight, later=later) if model is not None else rule.weight
            for rank, thing in enumerate(things or (None,)):
                name = product_name(thing, state) if thing is not None else ""
                for place, template in enumerate(rule.texts(locale)):
                    score = round(chance * ANOTHER**rank * ANOTHER**place, 4)
                    where = f"{thing.kind} {thing.id} {thing.status}" if thing is not None else "this user"
                    why = f"{rule.name}: {where}; chance {chance:.2f}{_record(rule, model, later)}"
                    intent = model.rule_intents.get(rule.name) if model is not None else None
                    text = filled(template, name)
                    left = None if rule.answered_by == "state" else "unchecked"
                    found.append(
                        Candidate(text, "rule", score, why, intent, thing.id if thing is not None else None, left)
                    )
        return found

    def _chosen(
        self,
        ranked: Sequence[Candidate],
        asked: str,
        previous: str | None,
        limit: int,
        model: IntentModel | None,
    ) -> Iterator[Candidate]:
        said, taken = _key(asked), set[str]()
        meant: dict[str, set[str | None]] = {}
        offered = checks = 0
        for candidate in ranked:
            left = None
            key, intent = _key(candidate.text), candidate.intent
            if key == said:
                left = "it was just asked"
            elif key in taken:
                left = "the same text is offered already"
            elif intent is not None and intent == previous:
                left = "this was just answered"
            elif intent in meant and intent is not None and not _other_thing(candidate, meant[intent]):
                left = "the same question is offered already"
            elif candidate.left_out == "unchecked" and offered < limit:
                checks += 1
                if checks > _MOST_CHECKED:
                    left = "not checked in time"
                elif not self._answers(candidate.text, model):
                    left = "the knowledge does not answer it"
            elif candidate.left_out == "unchecked":
                left = "not reached"
            if left is None:
                offered += 1
                taken.add(key)
                if intent is not None:
                    meant.setdefault(intent, set()).add(candidate.entity_id)
            yield candidate if candidate.left_out == left else replace(candidate, left_out=left)

    def _answers(self, text: str, model: IntentModel | None) -> bool:
        """Whether the knowledge answers this text; remembered for as long as the model is the same."""
        if self._supports is None:
            return True
        key = (id(model), text)
        with self._lock:
            known = self._checked.get(key)
        if known is None:
            known = self._supports(text)
            with self._lock:
                if len(self._checked) >= _CACHE:
                    self._checked.clear()
                self._checked[key] = known
        return known


def _other_thing(candidate: Candidate, seen: set[str | None]) -> bool:
    return candidate.entity_id is not None and None not in seen and candidate.entity_id not in seen


def _record(rule: Rule, model: IntentModel | None, later: bool) -> str:
    record = {} if model is None else model.fired_next if later else model.fired
    if rule.name not in record:
        return " (its weight; no record yet)"
    asked, fired = record[rule.name]
    return f" (weight {rule.weight:.2f}, asked {asked:.1f} of {fired:.1f} times)"


def _mined(
    chances: Mapping[str, float], model: IntentModel, page: Sequence[str], locale: Locale, now: datetime
) -> list[Candidate]:
    on_page = {model.documents.get(document) for document in page}
    found: list[Candidate] = []
    for name, chance in nlargest(_MOST_MINED, chances.items(), key=lambda pair: pair[1]):
        intent = model.intents[name]
        text = intent.texts.get(locale)
        if text is None or not intent.valid(now):
            continue
        asked = model.first.get(name, 0.0) + model.following.get(name, 0.0)
        why = f"asked {asked:.1f} times (faded); chance {chance:.3f}; support {intent.support.get(locale, 0.0):.2f}"
        found.append(Candidate(text, "page" if name in on_page else "mined", round(chance, 4), why, name))
    return found


def _with_page(chances: dict[str, float], page: Sequence[str], model: IntentModel) -> dict[str, float]:
    """The chances with ``PAGE_SHARE`` given to the intents of the page's documents, in their own proportions."""
    there = {model.documents[document] for document in page if document in model.documents} & set(chances)
    total = sum(chances[name] for name in there)
    if not there or total <= 0:
        return chances
    return {
        name: (1 - PAGE_SHARE) * chance + (PAGE_SHARE * chance / total if name in there else 0.0)
        for name, chance in chances.items()
    }


def _seen_on_page(
    candidate: Candidate, chances: Mapping[str, float], page: Sequence[str], model: IntentModel
) -> Candidate:
    """On a page the chance of what belongs elsewhere falls with the rest."""
    there = {model.documents.get(document) for document in page} & set(chances)
    if not there:
        return candidate
    score = candidate.score if candidate.intent in there else candidate.score * (1 - PAGE_SHARE)
    return replace(candidate, score=round(score, 4))


def _related(passages: Sequence[Passage], model: IntentModel | None, locale: Locale) -> list[Candidate]:
    """Titles of further articles that were found: the knowledge holds them, so it answers them."""
    found: list[Candidate] = []
    for passage in passages:
        if passage.article_id is None or not passage.locale.startswith(locale) or passage.score < 0.15:
            continue
        intent = model.documents.get(passage.document_id) if model is not None else None
        why = f"article {passage.document_id} was found, score {passage.score:.2f}"
        found.append(Candidate(passage.title, "related", round(RELATED * passage.score, 4), why, intent))
    return found


def _intent_of(passages: Sequence[Passage], model: IntentModel | None) -> str | None:
    """What was just asked, by the article found for it."""
    if model is None:
        return None
    return next((model.documents[p.document_id] for p in passages if p.document_id in model.documents), None)


def _key(text: str) -> str:
    return re.sub(r"\W+", "", fold(text).casefold())
