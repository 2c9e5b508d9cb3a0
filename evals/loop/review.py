"""The use cases of the review queue: nothing enters the knowledge that a person has not looked at.

proposed ──► accepted | edited ──► published        proposed, accepted, edited ──► rejected | expired
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from assistant.bootstrap import Service
from assistant.domain.knowledge import Article, Audience, DocumentKind
from assistant.domain.review import (
    OPEN,
    REVIEWED,
    ArticleFlag,
    FlagReason,
    ReplayPrediction,
    ReviewAction,
    ReviewEvent,
    ReviewItem,
    ReviewStatus,
)
from assistant.errors import Conflict, NotFound
from assistant.ports import Progress, ReviewStore
from assistant.store.records import KnowledgeRecords
from assistant.store.reviews import new_id
from evals.loop.drafts import Draft
from evals.provenance import SOURCE_TAG
from ingest.pipeline import Ingestion
from ingest.sources import canonical

UNTOUCHED = timedelta(weeks=4)
"""After this long without anybody's touch an open item expires: what nobody wanted for a month is not knowledge."""
SYSTEM = "teachback"


class ReviewDesk:
    """One workspace's review queue and flags. Every method is blocking; decisions name who took them."""

    def __init__(
        self, store: ReviewStore, records: KnowledgeRecords, ingestion: Ingestion, now: Callable[[], datetime]
    ) -> None:
        self.store = store
        self._records = records
        self._ingestion = ingestion
        self._now = now

    def propose(self, drafts: Iterable[Draft], names: dict[str, str] | None = None) -> list[ReviewItem]:
        """New items for those drafts whose sources no other item was written from; ``names`` are gaps' names by id.

        A rejected draft stays rejected: its sources are not proposed again. An expired one may come back.
        """
        made = []
        existing = self.store.items()
        used = {s.conversation_id for item in existing if item.status != "expired" for s in item.written_from}
        for draft in drafts:
            if used & {source.conversation_id for source in draft.written_from}:
                continue
            again = sum(item.gap_id == draft.gap_id for item in existing)
            now = self._now()
            event = ReviewEvent("drafted", draft.drafted_by, now, article=draft.article)
            item = ReviewItem(
                id=f"rv_{draft.gap_id}" + (f"-{again + 1}" if again else ""),
                gap_id=draft.gap_id,
                gap_name=(names or {}).get(draft.gap_id, draft.article.title),
                article=draft.article,
                written_from=draft.written_from,
                drafted_by=draft.drafted_by,
                status="proposed",
                created_at=now,
                touched_at=now,
                history=(event,),
            )
            try:
                self.store.add(item)
            except Conflict:  # another process has just drafted for this gap
                continue
            used.update(item.conversation_ids)
            made.append(item)
        return made

    def accept(self, item_id: str, *, who: str, audience: Audience, note: str = "") -> ReviewItem:
        """The text may be published for this audience. Raises NotFound, Conflict."""
        item = self._open(item_id)
        article = replace(item.article, audience=audience)
        status: ReviewStatus = "edited" if item.status == "edited" else "accepted"
        return self._step(item, "accepted", who, note, status=status, article=article)

    def edit(self, item_id: str, article: Article, *, who: str, note: str = "") -> ReviewItem:
        """Another text, hereby accepted. The id and where it was written from stay. Raises NotFound, Conflict."""
        item = self._open(item_id)
        kept = [tag for tag in article.tags if not tag.startswith(SOURCE_TAG)]
        kept += [f"{SOURCE_TAG}{conversation}" for conversation in item.conversation_ids]
        own = replace(article, id=item.article.id, tags=tuple(dict.fromkeys(kept)), updated_at=self._now())
        return self._step(item, "edited", who, note, status="edited", article=own)

    def reject(self, item_id: str, *, who: str, note: str = "") -> ReviewItem:
        """It is not wanted. Raises NotFound, Conflict."""
        return self._step(self._open(item_id), "rejected", who, note, status="rejected")

    def expire(self) -> list[ReviewItem]:
        """Expire the open items that nobody has touched for four weeks."""
        gone = []
        for seen in self.store.items(sorted(OPEN)):
            if self._now() - seen.touched_at < UNTOUCHED:
                continue
            try:
                note = f"untouched since {seen.touched_at:%Y-%m-%d}"
                gone.append(self._step(seen, "expired", SYSTEM, note, status="expired"))
            except Conflict:  # somebody has just touched it
                continue
        return gone

    def predict(self, item_id: str, prediction: ReplayPrediction, *, who: str) -> ReviewItem:
        """Keep what a replay said of it. Raises NotFound, Conflict where its text has changed since."""
        item = self._open(item_id)
        if prediction.sha256 != text_hash(item.article):
            raise Conflict(f"review item {item_id} was edited while it was replayed; replay it again")
        note = f"{len(prediction.gains)} gains, {len(prediction.regressions)} regressions"
        return self._step(item, "replayed", who, note, prediction=prediction)

    def publish(
        self, item_id: str, *, who: str, without_replay: bool = False, note: str = "", progress: Progress | None = None
    ) -> ReviewItem:
        """Make it knowledge, through the ordinary ingestion. Publishing again finishes what a kill broke off.

        Raises NotFound; Conflict where nobody has accepted it, where a file holds its id, or where the text that was
        replayed is not this one and ``without_replay`` does not allow that.
        """
        item = self.store.get(item_id)
        if item.status == "published":
            self._ingestion.publish(item.article, item.id, progress=progress)
            return item
        if item.status not in REVIEWED:
            raise Conflict(f"review item {item_id} is {item.status}; only an accepted or edited one can be published")
        replayed = item.prediction is not None and item.prediction.sha256 == text_hash(item.article)
        if not replayed and not without_replay:
            raise Conflict(
                f"nobody has replayed the old cases on this text of {item_id}: `teachback review replay {item_id}`, "
                "or say that it shall go without"
            )
        article = replace(item.article, updated_at=self._now())
        self._ingestion.check_publishable(article, item.id)
        told = note or ("" if replayed else "published without a replay")
        # Decided first, written second: a kill in between leaves a published item to publish again, and never an
        # article in the knowledge whose item somebody can still reject.
        done = self._step(item, "published", who, told, status="published", article=article)
        self._ingestion.publish(article, item.id, progress=progress)
        return done

    def flag(self, article_id: str, reason: FlagReason, *, who: str, note: str = "") -> ArticleFlag:
        """Say that an article no longer fits. Raises NotFound for an unknown one."""
        if self._records.document(DocumentKind.ARTICLE, article_id) is None:
            raise NotFound(f"no article {article_id!r} in workspace {self._records.workspace!r}; `teachback search`")
        flag = ArticleFlag(new_id("fl"), article_id, reason, note, who, self._now())
        self.store.flag(flag)
        return flag

    def settle(self, flag_id: str, *, who: str) -> None:
        """A flag has been dealt with. Raises NotFound."""
        self.store.settle_flag(flag_id, who=who, at=self._now())

    def _open(self, item_id: str) -> ReviewItem:
        item = self.store.get(item_id)
        if item.status not in OPEN:
            raise Conflict(f"review item {item_id} is {item.status}; that is final")
        return item

    def _step(
        self,
        item: ReviewItem,
        action: ReviewAction,
        who: str,
        note: str,
        *,
        status: ReviewStatus | None = None,
        article: Article | None = None,
        prediction: ReplayPrediction | None = None,
    ) -> ReviewItem:
        now = self._now()
        changed = article is not None and article != item.article
        after = replace(
            item,
            status=status or item.status,
            article=article or item.article,
            prediction=prediction or item.prediction,
            touched_at=now,
        )
        return self.store.change(item, after, ReviewEvent(action, who, now, note, article if changed else None))


def text_hash(article: Article) -> str:
    """SHA-256 of what a replay depends on: not of the moment it was changed, nor of the audience it is meant for."""
    return hashlib.sha256(canonical(replace(article, updated_at=None, audience="public")).encode()).hexdigest()


def review_desk(service: Service, workspace: str) -> ReviewDesk:
    """The review queue of a workspace."""
    records, now = service.records(workspace), service.clock.now
    return ReviewDesk(service.reviews(workspace), records, Ingestion(records, service.keeper(workspace), now), now)
