"""A reply as plain JSON data: the reply format of the docs, and with passages the record that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from assistant.domain.reply import Citation, Handoff, Reply
from assistant.domain.task import HandedTask, TaskRecord


def citation_record(citation: Citation) -> dict[str, Any]:
    """A citation with whichever of ``article_id`` and ``conversation_id`` it has."""
    source = (
        {"article_id": citation.article_id}
        if citation.article_id is not None
        else {"conversation_id": citation.conversation_id}
    )
    return {"passage_id": citation.passage_id, **source, "title": citation.title, "quote": citation.quote}


def handoff_details(handoff: Handoff) -> dict[str, Any]:
    """The parts of a handoff record beside reason, summary and skill; ``back_at`` in RFC 3339."""
    return {
        "rule": handoff.rule,
        "issue": handoff.issue,
        "tried": list(handoff.tried),
        "passages": list(handoff.passages),
        "state": list(handoff.state),
        "question": handoff.question,
        "mood": handoff.mood,
        "back_at": None if handoff.back_at is None else handoff.back_at.isoformat(),
        **({"task": handed_record(handoff.task)} if handoff.task is not None else {}),
    }


def handoff_from(reason: str, summary: str, skill: str, details: Mapping[str, Any] | None) -> Handoff:
    """A handoff record as it was kept; records from before the details have none."""
    kept = details or {}
    return Handoff(
        reason,
        summary,
        skill,
        rule=kept.get("rule", ""),
        issue=kept.get("issue", ""),
        tried=tuple(kept.get("tried", ())),
        passages=tuple(kept.get("passages", ())),
        state=tuple(kept.get("state", ())),
        question=kept.get("question", ""),
        mood=kept.get("mood", ""),
        back_at=datetime.fromisoformat(kept["back_at"]) if kept.get("back_at") else None,
        task=HandedTask(**kept["task"]) if kept.get("task") else None,
    )


def reply_record(reply: Reply, *, passages: bool = False) -> dict[str, Any]:
    """All keys of the reply format; ``passages`` adds ids and scores of what was retrieved."""
    handoff = reply.handoff
    record: dict[str, Any] = {
        "text": reply.text,
        "decision": reply.decision,
        "confidence": reply.confidence,
        "citations": [citation_record(citation) for citation in reply.citations],
        "handoff": None
        if handoff is None
        else {"reason": handoff.reason, "summary": handoff.summary, "skill": handoff.skill, **handoff_details(handoff)},
        "state_used": list(reply.state_used),
        "suggested_questions": list(reply.suggested_questions),
        "conversation_id": reply.conversation_id,
        "trace_id": reply.trace_id,
        "model": reply.model,
        "prompt": None if reply.prompt is None else {"name": reply.prompt.name, "sha256": reply.prompt.sha256},
        "timings_ms": dict(reply.timings_ms),
        "degraded": list(reply.degraded),
        "task": None if reply.task is None else task_record(reply.task),
        "cached": reply.cached,
        "usage": None if reply.usage is None else asdict(reply.usage),
    }
    if reply.to_check:  # of drafts alone: it is the agent's affair
        record["to_check"] = list(reply.to_check)
    if passages:
        record["passages"] = [
            {
                "id": p.id,
                "document_id": p.document_id,
                "kind": p.kind,
                "score": p.score,
                "dense": p.dense,
                "lexical": p.lexical,
            }
            for p in reply.passages
        ]
        record |= {"withheld": list(reply.withheld), "read_as": reply.read_as}
    return record


def task_record(task: TaskRecord) -> dict[str, Any]:
    """How the task in hand stands, with what is shown on its card."""
    return {
        "name": task.name,
        "title": task.title,
        "status": task.status,
        "parameters": dict(task.parameters),
        "summary": [{"label": label, "value": value} for label, value in task.summary],
        "missing": list(task.missing),
        "confirmation": task.confirmation,
        "expires_at": None if task.expires_at is None else task.expires_at.isoformat(),
        "run_id": task.run_id,
        "undo": task.undo,
    }


def handed_record(task: HandedTask) -> dict[str, Any]:
    """A task that a person is to do."""
    return {
        "name": task.name,
        "title": task.title,
        "parameters": dict(task.parameters),
        "permission": task.permission,
    }


def prediction_record(case_id: str, reply: Reply) -> dict[str, Any]:
    """The prediction format of the docs."""
    return {
        "case_id": case_id,
        "reply": reply.text,
        "decision": reply.decision,
        "confidence": reply.confidence,
        "citations": [citation_record(citation) for citation in reply.citations],
    }
