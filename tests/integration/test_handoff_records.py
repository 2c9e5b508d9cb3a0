"""Handing over and taking it back, as the records keep it: nothing twice, nothing lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.domain.conversation import Turn
from assistant.domain.reply import Handoff
from assistant.store.conversations import ConversationRecords
from assistant.store.database import open_database

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ASKED = Handoff(
    "customer_request",
    "摘要",
    "refund",
    rule="asked_for_person",
    issue="退款没到",
    tried=("3 天到账。",),
    passages=("p1",),
    state=("RF1",),
    question="转人工",
    mood="negative",
    back_at=NOW,
)


@pytest.fixture
def records(tmp_path: Path) -> ConversationRecords:
    return ConversationRecords(open_database(f"sqlite:///{tmp_path / 'a.db'}"), "shop")


def test_the_whole_record_is_kept(records: ConversationRecords) -> None:
    talk = records.open(user_id="u", channel="web", now=NOW)
    records.hand_off(talk.id, ASKED, at=NOW)
    kept = records.get(talk.id)
    assert (kept.status, kept.handoffs) == ("handed_off", (ASKED,))


def test_asking_again_while_waiting_is_one_handoff(records: ConversationRecords) -> None:
    talk = records.open(user_id="u", channel="web", now=NOW)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: records.hand_off(talk.id, ASKED, at=NOW), range(8)))
    assert len(records.get(talk.id).handoffs) == 1
    records.hand_off(talk.id, Handoff("low_confidence", "新摘要", "product"), at=NOW)
    again = records.get(talk.id).handoffs
    assert [(h.reason, h.skill, h.summary) for h in again] == [("customer_request", "refund", "新摘要")]
    records.hand_off(talk.id, Handoff("forbidden_topic", "起火", "complaint"), at=NOW)
    assert [h.reason for h in records.get(talk.id).handoffs] == ["forbidden_topic"]


def test_a_withdrawn_handoff_is_gone_and_another_may_follow(records: ConversationRecords) -> None:
    talk = records.open(user_id="u", channel="web", now=NOW)
    records.withdraw_handoff(talk.id, at=NOW)  # nothing to withdraw, nothing happens
    records.hand_off(talk.id, ASKED, at=NOW)
    records.withdraw_handoff(talk.id, at=NOW)
    assert (records.get(talk.id).status, records.get(talk.id).handoffs) == ("open", ())
    records.hand_off(talk.id, Handoff("upset", "s", "refund"), at=NOW)
    assert [h.reason for h in records.get(talk.id).handoffs] == ["upset"]


def test_misses_before_an_agent_spoke_are_settled(records: ConversationRecords) -> None:
    talk = records.open(user_id="u", channel="web", now=NOW)
    records.append(talk.id, Turn("assistant", "？", NOW), at=NOW, reply={"decision": "clarify"})
    assert records.get(talk.id).misses == 1
    records.append(talk.id, Turn("agent", "好了", NOW), at=NOW)
    assert records.get(talk.id).misses == 0
