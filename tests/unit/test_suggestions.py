"""What a user is offered to ask, from state and after an answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from assistant.domain.state import UserState
from assistant.state.answers import answer_from_state
from assistant.state.demo import HistoryStateSource
from assistant.suggestions import FOLLOW_UPS, RULES, Suggestion, follow_ups, merge, suggest_from_state

NOW = datetime.fromisoformat("2026-11-22T12:00:00+08:00")
USERS = Path(__file__).parents[1] / "data" / "state_users.json"


async def _user(name: str, now: datetime = NOW) -> UserState:
    return await HistoryStateSource(USERS).fetch(name, now)


async def test_the_most_pressing_thing_comes_first_and_names_the_product() -> None:
    found = suggest_from_state(await _user("lin"), locale="zh", now=NOW, limit=5)
    assert found[0] == Suggestion("岩羚越野跑鞋付款失败了，怎么重新付款？", "payment_failed", 1.0, "PAY31000003")
    assert found[1].reason == "parcel_late"
    assert "听雨 2 加湿器" in found[1].text
    assert len(found) == 5
    assert [s.weight for s in found] == sorted((s.weight for s in found), reverse=True)


async def test_what_is_over_is_no_longer_suggested() -> None:
    later = NOW + timedelta(days=30)
    reasons = {s.reason for s in suggest_from_state(await _user("mia", later), locale="en", now=later, limit=20)}
    assert "delivered_recently" not in reasons
    assert "coupon_expiring" not in reasons


async def test_recent_deliveries_lead_to_use_and_return() -> None:
    texts = [s.text for s in suggest_from_state(await _user("mia"), locale="en", now=NOW, limit=9)]
    assert "How do I use and care for the Qinglan A3 air purifier?" in texts
    assert "Can I return or exchange the Qinglan A3 air purifier?" in texts


async def test_a_newcomer_is_offered_the_gift_and_others_are_not() -> None:
    assert suggest_from_state(await _user("new"), locale="zh", now=NOW, limit=1)[0].reason == "newcomer"
    later = NOW + timedelta(days=60)
    assert suggest_from_state(await _user("new", later), locale="zh", now=later, limit=1) == []


@pytest.mark.parametrize("topic", sorted(FOLLOW_UPS))
async def test_after_an_answer_its_follow_ups_come_first(topic: str) -> None:
    found = suggest_from_state(await _user("lin"), locale="en", now=NOW, limit=4, answered=topic)
    assert found[0].reason == f"after_{topic}"
    assert not {s.reason for s in found} & {r.reason for r in RULES if r.topic == topic}
    assert follow_ups("no such topic", locale="en") == []


async def test_questions_on_state_are_understood_when_they_are_clicked() -> None:
    state = await _user("lin")
    on_state = {"payment_failed", "parcel_late", "refund_under_way", "ticket_open", "parcel_moving", "not_sent"}
    for locale in ("zh", "en"):
        found = suggest_from_state(state, locale=locale, now=NOW, limit=30)  # type: ignore[arg-type]
        for reason in on_state:
            first = next(s for s in found if s.reason == reason)
            answer = answer_from_state(first.text, state, locale=locale, now=NOW)  # type: ignore[arg-type]
            assert answer is not None, first
            assert answer.decision == "answer", first
            assert first.entity_id in answer.used, (first, answer)


def test_lists_are_merged_by_weight_without_repeats() -> None:
    a = [Suggestion("Where is it?", "a", 0.5), Suggestion("How much?", "a", 0.4)]
    b = [Suggestion("where is it", "b", 0.5), Suggestion("How much?", "b", 0.9)]
    assert [(s.text, s.reason) for s in merge(a, b, limit=5)] == [("How much?", "b"), ("Where is it?", "a")]
    assert merge(a, b, limit=1) == [b[1]]
    assert merge(a, limit=0) == []
