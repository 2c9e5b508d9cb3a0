"""Review items and flags as JSON data and in words: the same for the command line and for the API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, cast, get_args

from assistant.domain.review import ArticleFlag, FlagReason, ReviewItem, ReviewStatus
from assistant.errors import ConfigurationError
from assistant.store.reviews import article_record, prediction_record


def item_record(item: ReviewItem, *, history: bool = True) -> dict[str, Any]:
    """All that is known of an item."""
    events = [
        {
            "action": event.action,
            "who": event.who,
            "at": event.at.isoformat(),
            "note": event.note,
            "article": None if event.article is None else article_record(event.article),
        }
        for event in item.history
    ]
    return {
        "id": item.id,
        "status": item.status,
        "gap": {"id": item.gap_id, "name": item.gap_name},
        "article": article_record(item.article),
        "written_from": [asdict(source) for source in item.written_from],
        "drafted_by": item.drafted_by,
        "created_at": item.created_at.isoformat(),
        "touched_at": item.touched_at.isoformat(),
        "prediction": None if item.prediction is None else prediction_record(item.prediction),
        **({"history": events} if history else {}),
    }


def item_text(item: ReviewItem) -> str:
    """The item for a person."""
    article = item.article
    out = [
        f"{item.id}  {item.status}  {article.audience}  drafted by {item.drafted_by}",
        f"from {', '.join(item.conversation_ids)} for the gap {item.gap_name!r}",
        "",
        article.title,
        "",
        article.body,
    ]
    if article.questions:
        out += ["", *(f"? {question}" for question in article.questions)]
    if item.prediction is not None:
        p = item.prediction
        before, after = ("unscored" if value is None else f"{value:.3f}" for value in (p.before, p.after))
        interval = "" if p.low is None or p.high is None else f", 95 % of the difference {p.low:+.3f} to {p.high:+.3f}"
        out += ["", f"Replay of {p.cases} cases: accuracy {before} → {after}{interval}"]
        out += [
            f"  {name}: {', '.join(ids)}"
            for name, ids in (
                ("newly solved", p.gains),
                ("got worse", p.regressions),
                ("written from, not counted", p.marked),
                ("repeats", p.duplicates),
            )
            if ids
        ]
        out += [f"  contradicts {other}: {ours} against {theirs}" for other, ours, theirs in p.contradictions]
    out += [
        "",
        *(f"{e.at:%Y-%m-%d %H:%M}  {e.action} by {e.who}{f': {e.note}' if e.note else ''}" for e in item.history),
    ]
    return "\n".join(out)


def flag_record(flag: ArticleFlag) -> dict[str, Any]:
    """A flag as JSON data."""
    settled = None if flag.settled_at is None else flag.settled_at.isoformat()
    return {**asdict(flag), "at": flag.at.isoformat(), "settled_at": settled}


def known_statuses(given: Iterable[str]) -> tuple[ReviewStatus, ...]:
    """The states named. Raises ConfigurationError for an unknown one."""
    known = get_args(ReviewStatus)
    for name in given:
        if name not in known:
            raise ConfigurationError(f"no state {name!r}; there are {', '.join(known)}")
    return tuple(cast(ReviewStatus, name) for name in given)


def known_reason(given: str) -> FlagReason:
    """The reason named. Raises ConfigurationError for an unknown one."""
    if given not in get_args(FlagReason):
        raise ConfigurationError(f"no reason {given!r}; there are {', '.join(get_args(FlagReason))}")
    return cast(FlagReason, given)
