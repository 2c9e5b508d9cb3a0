"""What docs/formats.md promises of a reply, for every test that looks at one."""

from __future__ import annotations

REPLY_KEYS = frozenset(
    {
        "text",
        "decision",
        "confidence",
        "citations",
        "handoff",
        "state_used",
        "suggested_questions",
        "conversation_id",
        "trace_id",
        "model",
        "prompt",
        "timings_ms",
    }
)
