"""Learns on the first weeks of the transcripts and asks of the others: was it suggested before it was asked?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from assistant.bootstrap import Service
from assistant.domain.knowledge import Passage
from assistant.errors import ConfigurationError
from assistant.language import spoken
from assistant.ports import Progress
from assistant.query import Query
from assistant.suggesting import Suggester
from assistant.suggesting.model import IntentModel, Smoothing
from evals.statistics import Difference, Estimate, bootstrap_mean, paired_difference
from evals.suggesting.matching import Offer, labelled_articles, same_by_label, same_matter
from ingest.asked import Asked, asked_in, group_questions, learn_model
from ingest.asked.intents import Grouping, article_groups
from ingest.asked.learning import Workbench, workbench
from ingest.sources.schemas import parse_transcript

OURS = "suggestions"
FREQUENT, RANDOM, LAST, SHUFFLED = "most_frequent", "random", "last_asked", "shuffled"
BASELINES = (FREQUENT, RANDOM, LAST)
DEPTH = 3


@dataclass(frozen=True, slots=True)
class Event:
    """One question that a user asked, with what each system had offered; ``labelled`` None without a label."""

    asked: Asked
    intent: str
    labelled: frozenset[str] | None
    offers: Mapping[str, Sequence[Offer]]
    random_chance: float = 0.0

    @property
    def user(self) -> str:
        """Whom the event belongs to, for intervals over users."""
        return self.asked.user_id or self.asked.conversation_id

    def hit(self, system: str, k: int, *, by_label: bool) -> float | None:
        """1 where one of the first ``k`` offers is what was asked; None where it cannot be judged."""
        if by_label and self.labelled is None:
            return None
        if system == RANDOM:
            return min(1.0, k * self.random_chance)
        return float(any(self._is(offer, by_label) for offer in self.offers.get(system, ())[:k]))

    def _is(self, offer: Offer, by_label: bool) -> bool:
        if by_label:
            return bool(same_by_label(offer, self.labelled, self.asked.text, self.asked.state))
        return same_matter(offer, self.intent, self.asked.text, self.asked.state)


@dataclass(frozen=True, slots=True)
class Result:
    """One moment (``first`` or ``next``): hit rates by judge, system and k, and ours against the best baseline."""

    moment: str
    events: tuple[Event, ...]
    rates: Mapping[str, Mapping[str, Mapping[int, Estimate]]]
    best: Mapping[str, str]
    over_twice: Mapping[str, Difference]


@dataclass(frozen=True, slots=True)
class SuggestionEvaluation:
    """The whole measurement. ``matcher`` counts hits of any system: (confirmed by label, all that have a label)."""

    until_week: int
    weeks: int
    learned_from: int
    results: tuple[Result, ...]
    matcher: tuple[int, int]
    repeats: int = 0
    unlabelled: int = 0
    notes: tuple[str, ...] = field(default=())

    def record(self) -> dict[str, Any]:
        """The figures as JSON data; the report's table is made of them."""
        confirmed, judged = self.matcher
        return {
            "until_week": self.until_week,
            "weeks": self.weeks,
            "learned_from_questions": self.learned_from,
            "matcher": {"hits_with_label": judged, "confirmed": confirmed},
            "repeats_left_out": self.repeats,
            "unlabelled": self.unlabelled,
            "moments": {
                result.moment: {
                    "questions": len(result.events),
                    "users": len({event.user for event in result.events}),
                    "hits": {
                        judge: {
                            system: {f"hit@{k}": _estimate(e) for k, e in rates.items()}
                            for system, rates in systems.items()
                        }
                        for judge, systems in result.rates.items()
                    },
                    "best_baseline": dict(result.best),
                    "over_twice_the_best": {
                        judge: {"mean": d.mean, "low": d.low, "high": d.high} for judge, d in result.over_twice.items()
                    },
                }
                for result in self.results
            },
        }


def evaluate_suggestions(
    service: Service,
    workspace: str,
    *,
    until_week: int = 6,
    labels: Mapping[str, Sequence[Mapping[str, object]]] | None = None,
    smoothing: Smoothing | None = None,
    progress: Progress | None = None,
) -> SuggestionEvaluation:
    """Weeks count from the first transcript. Raises ConfigurationError where one side of the split is empty."""
    records, keeper, retriever = service.records(workspace), service.keeper(workspace), service.retriever(workspace)
    transcripts = [parse_transcript(raw, "records") for raw in records.transcripts()]
    asked = sorted((a for t in transcripts for a in asked_in(t)), key=lambda a: (a.at, a.conversation_id, a.place))
    if not asked:
        raise ConfigurationError("the workspace has no transcripts with a time and a question; ingest some first")
    start = asked[0].at
    split = start + timedelta(weeks=until_week)
    known = [n for n, a in enumerate(asked) if a.at < split]
    held = [n for n, a in enumerate(asked) if a.at >= split]
    if not known or not held:
        raise ConfigurationError(
            f"--until-week {until_week} leaves nothing on one side: the transcripts span "
            f"{(asked[-1].at - start).days // 7 + 1} weeks"
        )
    hidden = frozenset(asked[n].conversation_id for n in held)
    bench = workbench(records, keeper.snapshot(), retriever, service.embedder, service.settings)
    bench = replace(bench, exclude=hidden)
    twins = article_groups(bench.snapshot)

    def advance(done: int) -> None:
        if progress is not None:
            progress.advance("questions", done, len(asked))

    texts, answers, noted = [a.text for a in asked], [a.answer for a in asked], [a.recorded for a in asked]
    grouping = group_questions(texts, answers, noted, retriever, service.embedder, twins, split, advance)
    learnt = Grouping(tuple(grouping.intent[n] for n in known), grouping.articles, twins, grouping.vectors[known])
    book = service.suggestion_rules
    model = learn_model(
        [asked[n] for n in known], bench, book, now=split, smoothing=smoothing, grouping=learnt, progress=progress
    )
    suggester = Suggester(book, lambda: model, lambda text: bench.supported(text, split)[0] >= bench.threshold)
    offered = _Offering(asked, grouping, known, model, suggester, bench, labels or {}, split)
    first = [offered.event(n) for n in held if asked[n].place == 0]
    following, repeats = [], 0
    for n in held:
        before = offered.before(n)
        if before is None:
            continue
        if grouping.intent[before] == grouping.intent[n]:
            repeats += 1
            continue
        following.append(offered.event(n, before))
    results = tuple(
        _result(name, _shuffled(events)) for name, events in (("first", first), ("next", following)) if events
    )
    weeks = (asked[-1].at - start).days // 7 + 1
    events = [event for result in results for event in result.events]
    return SuggestionEvaluation(
        until_week, weeks, len(known), results, _confirmed(events), repeats, sum(e.labelled is None for e in events)
    )


class _Offering:
    """What each system offers before a question."""

    def __init__(
        self,
        asked: Sequence[Asked],
        grouping: Grouping,
        known: Sequence[int],
        model: IntentModel,
        suggester: Suggester,
        bench: Workbench,
        labels: Mapping[str, Sequence[Mapping[str, object]]],
        split: datetime,
    ) -> None:
        self._asked, self._grouping, self._model, self._bench = asked, grouping, model, bench
        self._suggester, self._labels, self._split = suggester, labels, split
        self._place = {(a.conversation_id, a.place): n for n, a in enumerate(asked)}
        self._counts: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
        for n in known:
            self._counts[asked[n].place > 0][grouping.intent[n]] += 1

    def before(self, n: int) -> int | None:
        """The question before this one in its conversation."""
        asked = self._asked[n]
        return self._place.get((asked.conversation_id, asked.place - 1))

    def event(self, n: int, before: int | None = None) -> Event:
        asked = self._asked[n]
        previous = self._grouping.intent[before] if before is not None else None
        locale = spoken(asked.locale, "")
        passages: Sequence[Passage] = ()
        if before is not None:
            query = Query(self._asked[before].text, locale=locale, exclude_conversations=self._bench.exclude)
            passages = self._bench.retriever.search(query, now=asked.at).passages
        found = self._suggester.candidates(
            asked.state,
            passages,
            asked=self._asked[before].text if before is not None else "",
            locale=locale,
            now=asked.at,
            limit=DEPTH,
        )
        ours = [Offer(c.intent, self._articles(c.intent), c.text) for c in found if c.left_out is None][:DEPTH]
        pool = [i for i in self._model.intents if i != previous]
        frequent = [i for i, _ in self._counts[before is not None].most_common() if i != previous][:DEPTH]
        offers = {OURS: ours, FREQUENT: self._plain(frequent), LAST: self._plain(self._last(n, previous))}
        intent = self._grouping.intent[n]
        labelled = labelled_articles(self._labels, asked.conversation_id, asked.turns, self._grouping.twins)
        chance = 1 / len(pool) if intent in pool else 0.0
        return Event(asked, intent, labelled, offers, chance)

    def _last(self, n: int, previous: str | None) -> list[str]:
        """What this user asked last, in earlier conversations; then what anyone did. It may see the held-back weeks."""
        asked = self._asked[n]
        earlier = [m for m in range(n - 1, -1, -1) if self._asked[m].conversation_id != asked.conversation_id]
        own = [m for m in earlier if asked.user_id is not None and self._asked[m].user_id == asked.user_id]
        names = [self._grouping.intent[m] for m in (*own, *earlier)]
        return [name for name in dict.fromkeys(names) if name != previous][:DEPTH]

    def _plain(self, names: Sequence[str]) -> list[Offer]:
        return [Offer(name, self._articles(name)) for name in names]

    def _articles(self, intent: str | None) -> frozenset[str]:
        return frozenset({intent[2:]}) if intent is not None and intent.startswith("a:") else frozenset()


def _shuffled(events: Sequence[Event]) -> list[Event]:
    """Each with the offers made to another user at another moment, as a control: what mere popularity would hit."""
    out = []
    for n, event in enumerate(events):
        others = [events[(n + step) % len(events)] for step in range(len(events) // 3 + 1, len(events))]
        other = next((o for o in others if o.user != event.user), None)
        offers = {**event.offers, SHUFFLED: other.offers[OURS] if other is not None else ()}
        out.append(replace(event, offers=offers))
    return out


def _result(moment: str, events: Sequence[Event]) -> Result:
    rates: dict[str, dict[str, dict[int, Estimate]]] = defaultdict(dict)
    best: dict[str, str] = {}
    over: dict[str, Difference] = {}
    users = [event.user for event in events]
    for judge, by_label in (("matter", False), ("label", True)):

        def values(system: str, k: int, by_label: bool = by_label) -> list[float | None]:
            return [event.hit(system, k, by_label=by_label) for event in events]

        for system in (OURS, *BASELINES, SHUFFLED):
            rates[judge][system] = {k: bootstrap_mean(values(system, k), groups=users) for k in (1, DEPTH)}
        best[judge] = max(BASELINES, key=lambda s: rates[judge][s][DEPTH].mean or 0.0)
        twice = [None if v is None else 2 * v for v in values(best[judge], DEPTH)]
        over[judge] = paired_difference(twice, values(OURS, DEPTH), groups=users)
    return Result(moment, tuple(events), rates, best, over)


def _confirmed(events: Sequence[Event]) -> tuple[int, int]:
    """(confirmed by the label, all) of the pairs that the matching rule takes for the same matter."""
    confirmed = judged = 0
    for event in events:
        if event.labelled is None:
            continue
        for system in (OURS, FREQUENT, LAST):
            for offer in event.offers.get(system, ()):
                if same_matter(offer, event.intent, event.asked.text, event.asked.state):
                    judged += 1
                    confirmed += bool(same_by_label(offer, event.labelled, event.asked.text, event.asked.state))
    return confirmed, judged


def _estimate(estimate: Estimate) -> dict[str, float | int | None]:
    return {
        "mean": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
        "scored": estimate.scored,
        "unscored": estimate.unscored,
    }
