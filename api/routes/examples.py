"""Examples shown in the OpenAPI document; one story, so that they fit together."""

from __future__ import annotations

from typing import Any

CONVERSATION: dict[str, Any] = {
    "id": "c-5f1d",
    "user_id": "u-1001",
    "channel": "web",
    "status": "open",
    "opened_at": "2026-03-02T09:30:00Z",
    "turns": [
        {
            "seq": 0,
            "role": "customer",
            "text": "我的退款什么时候到账？",
            "at": "2026-03-02T09:30:05Z",
            "author_id": None,
        },
        {
            "seq": 1,
            "role": "assistant",
            "text": "订单 A1023 的退款已于 3 月 1 日发起，银行卡一般 1–3 个工作日到账。",
            "at": "2026-03-02T09:30:07Z",
            "author_id": None,
        },
    ],
    "handoffs": [],
    "token": None,
}
OPENED: dict[str, Any] = {**CONVERSATION, "turns": []}
TOKEN = {"token": "eyJhbGciOiJIUzI1NiJ9…", "expires_at": "2026-03-02T10:30:00Z", "user_id": "u-1001"}
REPLY: dict[str, Any] = {
    "text": CONVERSATION["turns"][1]["text"],
    "decision": "answer",
    "confidence": 0.86,
    "citations": [
        {
            "passage_id": "9b1e77c0",
            "title": "退款多久到账",
            "quote": "银行卡退款 1–3 个工作日到账。",
            "article_id": "refund-time",
        }
    ],
    "handoff": None,
    "state_used": ["A1023"],
    "suggested_questions": ["可以改退到微信零钱吗？"],
    "conversation_id": "c-5f1d",
    "trace_id": "0d6c1a",
    "model": "gpt-4o-mini",
    "prompt": {"name": "answer", "sha256": "4be0…"},
    "timings_ms": {"retrieve": 18.2, "generate": 640.0},
    "degraded": [],
}
STREAM = (
    'event: started\ndata: {"conversation_id":"c-5f1d","trace_id":"0d6c1a"}\n\n'
    'event: delta\ndata: {"text":"订单 A1023 的退款"}\n\n'
    'event: reply\ndata: {"text":"订单 A1023 的退款已于 3 月 1 日发起……","decision":"answer", …}\n\n'
)
PASSAGES = {
    "passages": [
        {
            "passage_id": "9b1e77c0",
            "article_id": "refund-time",
            "conversation_id": None,
            "title": "退款多久到账",
            "heading": "银行卡",
            "text": "银行卡退款 1–3 个工作日到账。",
            "score": 0.91,
            "locale": "zh",
            "audience": "public",
            "url": None,
            "updated_at": "2026-02-01T00:00:00Z",
        }
    ]
}
SUGGESTIONS = {"questions": ["我的退款什么时候到账？", "怎么修改收货地址？"]}
DEMO_USERS = {
    "users": [
        {
            "id": "u-1001",
            "name": "林晓",
            "tier": "gold",
            "locale": "zh",
            "situation": "退款两天还没到账",
            "situation_en": "A refund is two days old",
        }
    ]
}
DRAFT: dict[str, Any] = {
    "id": "dr_5f1d",
    "conversation_id": CONVERSATION["id"],
    "turn_seq": 0,
    **{name: REPLY[name] for name in ("text", "decision", "confidence", "citations", "state_used", "model")},
    "to_check": [],
    "degraded": [],
    "verdict": None,
    "sent": None,
    "edits": [],
}
SETTLED: dict[str, Any] = {
    **DRAFT,
    "verdict": "edited",
    "sent": "订单 A1023 的退款已于 3 月 1 日发起，银行卡一般 2–5 个工作日到账。",
    "edits": ["figure_changed"],
}


def shown(value: Any, description: str = "Done") -> dict[str, Any]:
    """An OpenAPI response entry with this JSON example."""
    return {"description": description, "content": {"application/json": {"example": value}}}
