"""Cases from what the desk recorded, and people's corrections of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from assistant.domain.conversation import Transcript, Turn
from assistant.domain.feedback import Rating
from assistant.domain.reply import Handoff
from assistant.domain.state import Entity, UserState
from assistant.errors import InputRejected
from assistant.store.conversations import ConversationRecords
from assistant.store.database import open_database
from assistant.store.live_history import LiveHistory
from evals.cases import ReplyCase, read_cases, write_cases
from evals.corrections import Correction, add_correction, apply_corrections, read_corrections
from evals.live_cases import live_cases
from ingest.sources.identity import canonical
from ingest.sources.schemas import parse_transcript

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PASSAGES = [{"id": "p1", "document_id": "refund-time", "kind": "article", "score": 0.4}]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_database(f"sqlite:///{tmp_path / 'teachback.db'}")
    yield made
    made.dispose()


def talk(records: ConversationRecords, user: str | None, at: datetime, *, human: bool = True) -> str:
    conversation = records.open(user_id=user, channel="web", now=at)
    records.append(conversation.id, Turn("customer", "我的退款什么时候能到银行卡？"), at=at)
    reply = {"text": "请您稍后再看。", "decision": "handoff", "confidence": 0.2, "passages": PASSAGES}
    records.append(conversation.id, Turn("assistant", "请您稍后再看。"), at=at, reply=reply)
    records.hand_off(conversation.id, Handoff("low_confidence", "退款", "refund"), at=at)
    if human:
        later = at + timedelta(minutes=5)
        text = "银行卡退款 1–3 个工作日到账，您这笔明天会到。"
        records.append(conversation.id, Turn("agent", text, author_id="key:1"), at=later)
        records.rate(Rating(conversation.id, "csat", 2, later, reason="太慢"))
    return conversation.id


def test_a_recorded_transfer_is_a_case_with_what_was_observed(engine: Engine) -> None:
    records = ConversationRecords(engine, "w")
    first = talk(records, "u1", NOW)
    talk(records, "u2", NOW, human=False)
    [case] = live_cases(LiveHistory(engine, "w").conversations(), NOW + timedelta(days=8))
    assert (case.conversation_id, case.transferred, case.locale, case.channel) == (first, True, "zh", "web")
    assert case.turns[-1].role == "customer"
    assert case.references == ("银行卡退款 1–3 个工作日到账，您这笔明天会到。",)
    assert case.observed is not None
    assert case.observed["assistant"]["passages"] == PASSAGES
    assert case.observed["handoff"] == "low_confidence"
    assert case.observed["ratings"][0]["value"] == 2
    assert case.observed["held"] is True
    assert live_cases(LiveHistory(engine, "another").conversations(), NOW) == []


@pytest.mark.parametrize(("again_after", "now_after", "held"), [(3, 30, False), (9, 30, True), (None, 3, None)])
def test_held_is_no_return_within_the_days(
    engine: Engine, again_after: int | None, now_after: int, held: bool | None
) -> None:
    records = ConversationRecords(engine, "w")
    first = talk(records, "u1", NOW)
    if again_after is not None:
        talk(records, "u1", NOW + timedelta(days=again_after), human=False)
    cases = live_cases(LiveHistory(engine, "w").conversations(), NOW + timedelta(days=now_after))
    assert [(c.conversation_id, c.observed and c.observed["held"]) for c in cases] == [(first, held)]


def test_of_a_visitor_nobody_knows_whether_it_held(engine: Engine) -> None:
    talk(ConversationRecords(engine, "w"), None, NOW)
    [case] = live_cases(LiveHistory(engine, "w").conversations(), NOW + timedelta(days=30))
    assert case.observed is not None
    assert case.observed["held"] is None


def test_live_cases_and_corrections_survive_the_file(engine: Engine, tmp_path: Path) -> None:
    talk(ConversationRecords(engine, "w"), "u1", NOW)
    [case] = live_cases(LiveHistory(engine, "w").conversations(), NOW)
    corrected = apply_corrections([case], [Correction(case.case_id, "Lin", NOW, references=("改过的回复",))])
    write_cases(tmp_path / "cases.jsonl", corrected.cases)
    [again] = read_cases(tmp_path / "cases.jsonl")
    assert isinstance(again, ReplyCase)
    assert again == corrected.cases[0]
    assert again.corrected == {"author": "Lin", "at": NOW.isoformat(), "note": None}


def test_corrections_are_appended_and_the_later_one_holds(tmp_path: Path) -> None:
    path = tmp_path / "corrections" / "w.jsonl"
    cases = [ReplyCase(key, key, (Turn("customer", "问"),), ("旧",)) for key in "abc"]
    for correction in (
        Correction("a", "Lin", NOW, references=("新",), note="记错了"),
        Correction("a", "Wu", NOW + timedelta(days=1), article_ids=("x",)),
        Correction("b", "Wu", NOW, drop=True),
        Correction("gone", "Wu", NOW, drop=True),
    ):
        add_correction(path, correction)
    found = apply_corrections(cases, read_corrections(path))
    kept = [(c.case_id, c.references, c.article_ids) for c in found.cases]
    assert kept == [("a", ("新",), ("x",)), ("c", ("旧",), ())]
    assert found.cases[0].corrected is not None
    assert found.cases[0].corrected["author"] == "Wu"
    assert (found.changed, found.dropped, found.unknown) == (1, 1, ("gone",))
    assert read_corrections(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize(
    "line",
    [
        '{"case_id": "a", "author": "Lin"}',
        '{"case_id": "a", "author": "", "at": "2026-03-01T00:00:00Z"}',
        '{"case_id": "a", "author": "Lin", "at": "2026-03-01T00:00:00"}',
        '{"case_id": "a", "author": "Lin", "at": "2026-03-01T00:00:00Z", "refs": []}',
        "[]",
    ],
)
def test_a_wrong_correction_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(f"\n{line}\n", "utf-8")
    with pytest.raises(InputRejected, match=r"c\.jsonl:2"):
        read_corrections(path)


def test_a_transcript_with_a_state_is_read_again_as_it_was_kept() -> None:
    """The stored form is the format's own, whatever a live state has learnt to say of its sources."""
    state = UserState("u1", NOW, {"tier": "gold"}, (Entity("order", "A1", "paid", amount=Decimal("12.30")),))
    transcript = Transcript("t", (Turn("customer", "问", NOW),), user_state=state)
    again = parse_transcript(json.loads(canonical(transcript)), "records")
    assert again.user_state == state
