"""A reply as plain JSON data: the reply format of the docs, and with passages the record that is kept."""

from __future__ import annotations

from typing import Any

from assistant.domain.reply import Citation, Reply


def citation_record(citation: Citation) -> dict[str, Any]:
    """A citation with whichever of ``article_id`` and ``conversation_id`` it has."""
    source = (
        {"article_id": citation.article_id}
        if citation.article_id is not None
        else {"conversation_id": citation.conversation_id}
    )
    return {"passage_id": citation.passage_id, **source, "title": citation.title, "quote": citation.quote}


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
        else {"reason": handoff.reason, "summary": handoff.summary, "skill": handoff.skill},
        "state_used": list(reply.state_used),
        "suggested_questions": list(reply.suggested_questions),
        "conversation_id": reply.conversation_id,
        "trace_id": reply.trace_id,
        "model": reply.model,
        "prompt": None if reply.prompt is None else {"name": reply.prompt.name, "sha256": reply.prompt.sha256},
        "timings_ms": dict(reply.timings_ms),
        "degraded": list(reply.degraded),
    }
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
    return record


def prediction_record(case_id: str, reply: Reply) -> dict[str, Any]:
    """The prediction format of the docs."""
    return {
        "case_id": case_id,
        "reply": reply.text,
        "decision": reply.decision,
        "confidence": reply.confidence,
        "citations": [citation_record(citation) for citation in reply.citations],
    }
