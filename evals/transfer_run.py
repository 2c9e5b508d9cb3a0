"""Replays reply cases through the assistant, with a guard that no case sees its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from assistant.answering import Answerer
from assistant.bootstrap import Service
from assistant.domain.reply import Reply
from assistant.drafting import split_turns
from assistant.followup import asked_after, earlier_texts
from assistant.ports import ChatModel, Progress
from assistant.query import Query, meant_by
from assistant.retrieval import CONTEXT_CHARS
from assistant.settings import Settings
from assistant.store.snapshot import Snapshot
from assistant.text import fold
from evals.caching_embedder import CachingEmbedder
from evals.cases import Prediction, ReplyCase
from evals.knowledge_view import Knowledge, KnowledgeView, ReplayClock, knowledge_of
from evals.leak_guard import LeakFound, LeakGuard
from evals.provenance import provenance

__all__ = ["Bench", "GuardReport", "LeakFound", "Replay", "prefill", "prepare", "replay", "together"]

T = TypeVar("T")
WITH_MODEL = 4
"""Cases at a time where a model answers."""
_BESIDE = 3  # cases at a time where another process embeds: while some wait for it others go on


@dataclass(frozen=True, slots=True)
class GuardReport:
    """What the guard did: pieces hidden by case and reason, and cases whose reply recites what it cannot know."""

    own: Mapping[str, int] = field(default_factory=dict)
    copies: Mapping[str, int] = field(default_factory=dict)
    derived: Mapping[str, int] = field(default_factory=dict)
    later: Mapping[str, int] = field(default_factory=dict)
    leaks: tuple[str, ...] = ()

    def record(self) -> dict[str, object]:
        """The counts as JSON data."""
        return {
            "cases_with_own_pieces": sum(count > 0 for count in self.own.values()),
            "pieces_hidden": sum(map(sum, (self.own.values(), self.copies.values(), self.derived.values()))),
            "own": sum(self.own.values()),
            "copies": sum(self.copies.values()),
            "derived": sum(self.derived.values()),
            "later_documents": sum(self.later.values()),
            "leaks": len(self.leaks),
        }


@dataclass(frozen=True, slots=True)
class Replay:
    """Replies by case id, and what the guard kept out of each case's sight."""

    replies: Mapping[str, Reply]
    guard: GuardReport = field(default_factory=GuardReport)

    def predictions(self) -> list[Prediction]:
        """The replies as predictions, in order."""
        return [
            Prediction(key, reply.text, reply.decision, reply.confidence, reply.citations)
            for key, reply in self.replies.items()
        ]


async def replay(
    cases: Sequence[ReplyCase],
    answerer: Answerer,
    view: KnowledgeView,
    guard: LeakGuard,
    clock: ReplayClock,
    progress: Progress | None = None,
    *,
    concurrency: int = 1,
    known: Mapping[str, Reply] | None = None,
    keep: Callable[[str, Reply], None] | None = None,
) -> Replay:
    """Draft a reply to each case. Raises LeakFound when a reply was given or cites what its case may not see.

    ``answerer`` answers from ``view`` by ``clock``; a view as of the case has the clock stand at the case's moment, and
    a case without one is then answered as of now. A reply that recites its own human reply otherwise is counted as a
    leak, to be left unscored. More than one case at a time pays only where others work meanwhile. Replies ``known`` by
    case id are not made again (they are checked again); each new one is handed to ``keep`` as it comes.
    """
    known = known or {}
    room = asyncio.Semaphore(concurrency)
    done = 0

    async def one(case: ReplyCase) -> Reply:
        nonlocal done
        if case.case_id in known:
            guard.check(case, known[case.case_id])
            done += 1
            return known[case.case_id]
        async with room:
            if view.as_of and case.at is not None:
                clock.stand_at(case.at)
            keys = guard.hidden(case).keys
            reply = await answerer.draft(case.turns, state=case.user_state, locale=case.locale, exclude=keys)
        guard.check(case, reply)
        if keep is not None:
            keep(case.case_id, reply)
        done += 1
        if progress is not None:
            progress.advance("replaying", done, len(cases))
        return reply

    made = await together(one(case) for case in cases)
    replies = {case.case_id: reply for case, reply in zip(cases, made, strict=True)}
    return Replay(replies, _report(cases, replies, view, guard))


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What all of them return, in order; the first that fails ends the others and is raised."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        raise


@dataclass(frozen=True)
class Bench:
    """A workspace made ready to replay these cases: its knowledge in a view of its own, the guard, the answerer."""

    cases: Sequence[ReplyCase]
    view: KnowledgeView
    embedder: CachingEmbedder
    guard: LeakGuard
    clock: ReplayClock
    settings: Settings
    chat_model: ChatModel | None = None
    concurrency: int = WITH_MODEL

    def answerer(self) -> Answerer:
        """The product's answerer over the view."""
        return self.view.answerer(self.settings, self.clock, chat_model=self.chat_model)

    def on(self, knowledge: Knowledge, written_from: Mapping[str, Collection[str]] | None = None) -> Bench:
        """The same cases on other knowledge; ``written_from`` is article → conversations for what is new in it."""
        view = KnowledgeView(
            knowledge, self.embedder, as_of=self.view.as_of, fitted=self.view.fitted, reranker=self.view.reranker
        )
        return replace(self, view=view, guard=self.guard.on(self.cases, knowledge, written_from))

    def _at_a_time(self) -> int:
        """Without a model, and without an embedder beside this process, more than one is only slower."""
        if self.chat_model is not None:
            return self.concurrency
        return _BESIDE if self.embedder.ahead else 1

    def prefill(self, known: Collection[str] = (), progress: Progress | None = None) -> None:
        """As ``prefill`` does, for the cases that are not ``known``. Raises EmbeddingFailed."""
        rest = [case for case in self.cases if case.case_id not in known]
        prefill(rest, self.view.snapshot, self.embedder, progress)

    async def replay(
        self,
        progress: Progress | None = None,
        *,
        known: Mapping[str, Reply] | None = None,
        keep: Callable[[str, Reply], None] | None = None,
    ) -> Replay:
        """A reply to each case, as ``replay`` makes them. Raises LeakFound and EmbeddingFailed."""
        self.prefill(known or {}, progress)
        return await replay(
            self.cases,
            self.answerer(),
            self.view,
            self.guard,
            self.clock,
            progress,
            concurrency=self._at_a_time(),
            known=known,
            keep=keep,
        )


def prepare(
    service: Service,
    workspace: str,
    cases: Sequence[ReplyCase],
    *,
    as_of: bool = False,
    now: datetime | None = None,
    concurrency: int = WITH_MODEL,
    requests_per_minute: float | None = None,
) -> Bench:
    """The bench for these cases on the workspace's live knowledge. Raises EmbedderMismatch.

    ``now`` is when the assistant answers, by default at once. ``concurrency`` (cases at a time) and the rate hold
    where a model answers.
    """
    embedder = CachingEmbedder(service.batch_embedder, ahead=service.embeds_aside)
    records = service.records(workspace)
    knowledge = knowledge_of(records, service.keeper(workspace))
    customers = {t["conversation_id"]: t["customer_id"] for t in records.transcripts() if t.get("customer_id")}
    return Bench(
        cases,
        KnowledgeView(knowledge, embedder, as_of=as_of, fitted=service.fitted(workspace)(), reranker=service.reranker),
        embedder,
        LeakGuard(cases, knowledge, customers, provenance(records.articles())),
        ReplayClock(now or service.clock.now()),
        service.settings_for(workspace),
        service.paced_chat_model(requests_per_minute),
        concurrency,
    )


def prefill(
    cases: Sequence[ReplyCase], snapshot: Snapshot, embedder: CachingEmbedder, progress: Progress | None = None
) -> None:
    """Embed in large batches what drafting from ``snapshot`` will ask for case by case, ahead of it where possible.

    Those are the readings of each question that the retriever searches, and what similar cases are compared with; where
    the knowledge holds no resolutions no case looks for similar ones. Raises EmbeddingFailed.
    """
    resolutions = not snapshot.table.is_article.all()
    texts: list[str] = []
    for case in cases:
        text, before, history = split_turns(case.turns)
        question, context = asked_after(text, history)
        query = Query(question, earlier=earlier_texts(history), context=context)
        texts += [*meant_by(query, snapshot).readings, fold(text)]
        if resolutions and before.strip():
            texts.append(fold(f"{before[-CONTEXT_CHARS:]} {text}"))
    if embedder.ahead:
        embedder.expect_queries(texts)
    else:
        embedder.prepare_queries(texts, progress)


def _report(
    cases: Sequence[ReplyCase], replies: Mapping[str, Reply], view: KnowledgeView, guard: LeakGuard
) -> GuardReport:
    hidden = {case.case_id: guard.hidden(case) for case in cases}
    return GuardReport(
        own={key: guard.pieces(found.own) for key, found in hidden.items()},
        copies={key: guard.pieces(found.copies) for key, found in hidden.items()},
        derived={key: guard.pieces(found.derived) for key, found in hidden.items()},
        later={case.case_id: view.later_than(case.at) for case in cases if case.at is not None} if view.as_of else {},
        leaks=tuple(case.case_id for case in cases if guard.recites(case, replies[case.case_id])),
    )
