"""Examples of the staff routes in the OpenAPI document: one gap, from the queue to the published article."""

from __future__ import annotations

from typing import Any

ME = {"workspace": "default", "role": "manager"}
QUEUE: dict[str, Any] = {
    "at": "2026-03-02T09:32:00Z",
    "entries": [
        {
            "conversation_id": "c-5f1d",
            "user_id": "u-1001",
            "name": "陈雨桐",
            "tier": "gold",
            "locale": "zh",
            "channel": "web",
            "handed_off_at": "2026-03-02T09:31:10Z",
            "waiting_since": "2026-03-02T09:31:10Z",
            "last": "还是没到账，转人工吧",
            "handoff": {
                "reason": "customer_request",
                "summary": "用户要求人工处理订单 A1023 的退款。",
                "skill": "refund",
                "rule": "asked_for_person",
                "issue": "退款还没到账",
                "tried": ["银行卡一般 1–3 个工作日到账。"],
                "passages": ["9b1e77c0"],
                "state": ["A1023"],
                "question": "退款为什么还没到账？",
                "mood": "neutral",
                "back_at": None,
                "task": None,
            },
        }
    ],
}
STATE: dict[str, Any] = {
    "state": {
        "user_id": "u-1001",
        "as_of": "2026-03-02T09:32:00Z",
        "profile": {"name": "陈雨桐", "tier": "gold"},
        "entities": [
            {
                "kind": "refund",
                "id": "R77",
                "status": "processing",
                "title": "晨光电热水壶",
                "amount": "199.00",
                "currency": "CNY",
                "occurred_at": "2026-03-01T12:00:00Z",
                "due_at": "2026-03-04T12:00:00Z",
                "attributes": {"order_id": "A1023"},
            }
        ],
        "unavailable": [],
    },
    "words": [{"kind": {"zh": "退款", "en": "refund"}, "status": {"zh": "处理中", "en": "being processed"}}],
    "why": None,
}
RESOLUTION: dict[str, Any] = {"summary": "银行退回失败，已改退到余额。", "article_ids": ["refund-time"]}
GAPS: dict[str, Any] = {
    "at": "2026-03-02T08:00:00+00:00",
    "cases": 152,
    "failed": 77,
    "gaps": [
        {
            "id": "gap-6c1f",
            "name": "退款显示成功但没到账",
            "locale": "zh",
            "cases": ["c-31-1", "c-52-0"],
            "conversations": ["c-31", "c-52"],
            "causes": {"knowledge_missing": 2},
            "cost": 41.5,
            "minutes": 32.0,
            "low_ratings": 1,
            "review": {"id": "rv_3f9a0c11d2", "status": "proposed"},
        }
    ],
}
ITEM: dict[str, Any] = {
    "id": "rv_3f9a0c11d2",
    "status": "proposed",
    "gap": {"id": "gap-6c1f", "name": "退款显示成功但没到账"},
    "article": {
        "id": "rv_3f9a0c11d2",
        "title": "退款显示成功但没到账",
        "body": "银行退回失败时，款项会改退到账户余额，1 个工作日内到账。",
        "locale": "zh",
        "audience": "internal",
        "questions": ["退款显示成功了，钱没到"],
        "negative_questions": [],
        "url": None,
        "tags": ["from:c-31", "from:c-52"],
        "updated_at": None,
        "valid_from": None,
        "valid_until": None,
    },
    "written_from": [{"conversation_id": "c-31", "case_id": "c-31-1"}],
    "drafted_by": "rules",
    "created_at": "2026-03-02T08:10:00+00:00",
    "touched_at": "2026-03-02T08:10:00+00:00",
    "prediction": None,
}
_EVENT = {"action": "drafted", "who": "rules", "at": "2026-03-02T08:10:00+00:00", "note": "", "article": None}
WHOLE_ITEM: dict[str, Any] = {**ITEM, "history": [_EVENT]}
REVIEWED: dict[str, Any] = {**WHOLE_ITEM, "outcome": None}
REVIEWS: dict[str, Any] = {"items": [ITEM]}
FLAG: dict[str, Any] = {
    "id": "fl_81c2",
    "article_id": "refund-time",
    "reason": "outdated",
    "note": "现在是 2–5 个工作日",
    "who": "Lin (key:k_2a)",
    "at": "2026-03-02T09:40:00+00:00",
    "settled_at": None,
    "settled_by": None,
}
FLAGS: dict[str, Any] = {"flags": [FLAG]}
SETTLED = {"settled": True}
STOCK: dict[str, Any] = {
    "at": "2026-03-02T09:45:00+00:00",
    "articles": 102,
    "flagged": [FLAG],
    "expired": [{"article_id": "spring-sale", "valid_until": "2026-02-20T00:00:00+00:00"}],
    "old": [],
    "contradicted_by_agents": [],
    "contradictory": [],
    "duplicates": [["refund-time", "refund-time-old"]],
    "never_used": None,
    "usage": {"replies": 120, "since": "2026-02-01T00:00:00+00:00"},
}
RUNS: dict[str, Any] = {
    "runs": [
        {
            "id": "transfers-20260302T080000-dd5f5dab",
            "kind": "transfers",
            "at": "2026-03-02T08:00:00Z",
            "measure": "accuracy",
            "cases": 152,
            "scored": 152,
            "accuracy": 0.353,
            "low": 0.307,
            "high": 0.402,
            "model": None,
            "report": True,
        }
    ],
    "rejected": [],
}
TRANSCRIPT: dict[str, Any] = {
    "conversation_id": "c-31",
    "locale": "zh",
    "turns": [
        {"role": "customer", "text": "退款显示成功了，钱没到"},
        {"role": "agent", "text": "银行退回失败，已经改退到您的余额，1 个工作日内到账。"},
    ],
    "outcome": "resolved",
}
