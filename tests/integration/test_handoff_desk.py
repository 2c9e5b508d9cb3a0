"""The desk and a customer who asks for a person, sends twice, declines, or comes after hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.bootstrap import Service, build
from assistant.desk import Desk
from assistant.domain.conversation import Turn
from assistant.domain.live import Question
from assistant.errors import ConfigurationError
from assistant.settings import Settings
from assistant.store.conversations import ConversationRecords


def settings(folder: Path, rules: Path | None = None) -> Settings:
    return Settings(
        data_dir=folder,
        cache_dir=folder,
        embedder="hash",
        openai_base_url=None,
        openai_api_key=None,
        handoff_rules=rules,
    )


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = build(settings(tmp_path))
    yield made
    made.close()


@pytest.fixture
def desk(service: Service) -> Desk:
    return service.desk("shop")


async def say(desk: Desk, conversation_id: str, text: str) -> str:
    return (await desk.ask(Question(text, conversation_id=conversation_id))).decision


@pytest.mark.parametrize("text", ["转人工", "let me speak to an agent"])
async def test_a_message_sent_again_is_one_turn_and_one_handoff(service: Service, desk: Desk, text: str) -> None:
    talk = await desk.open_conversation(user_id=None, channel="web")
    # the connection broke before the reply: the turn is there, the reply is not
    records = ConversationRecords(service.engine, "shop")
    now = datetime.now(UTC)
    records.append(talk.id, Turn("customer", text, now), at=now)
    assert await say(desk, talk.id, text) == "handoff"
    assert await say(desk, talk.id, text) == "handoff"  # the reply was there, the customer asks again
    kept = await desk.conversation(talk.id)
    assert [turn.role for turn in kept.turns] == ["customer", "assistant", "customer", "assistant"]
    assert len(kept.handoffs) == 1


@pytest.mark.parametrize(("ask", "no"), [("转人工", "不用人工了"), ("agent please", "no, you answer it")])
async def test_declining_in_plain_words_takes_it_back(desk: Desk, ask: str, no: str) -> None:
    talk = await desk.open_conversation(user_id=None, channel="web")
    assert await say(desk, talk.id, ask) == "handoff"
    assert (await desk.conversation(talk.id)).status == "handed_off"
    assert await say(desk, talk.id, no) == "answer"
    kept = await desk.conversation(talk.id)
    assert (kept.status, kept.handoffs) == ("open", ())
    for _ in range(3):  # nothing is known here, and still no person is pressed on the customer
        assert await say(desk, talk.id, "量子缠绕的蓝鲸怎么退货呢") == "clarify"
    assert await say(desk, talk.id, ask) == "handoff"


@pytest.mark.parametrize(
    ("asked", "ask", "no", "says"),
    [
        ("羽绒被退款多久到账", "转人工", "不用人工了，你来回答", "好的，不转人工了，我来回答。"),
        ("how long does a duvet refund take", "agent please", "No, you answer it", "All right, no transfer"),
    ],
)
async def test_you_answer_it_takes_up_the_open_question(desk: Desk, asked: str, ask: str, no: str, says: str) -> None:
    talk = await desk.open_conversation(user_id=None, channel="web")
    await say(desk, talk.id, asked)
    await say(desk, talk.id, ask)
    reply = await desk.ask(Question(no, conversation_id=talk.id))
    assert reply.text.startswith(says)
    assert reply.decision == "clarify"  # nothing is known here: the question itself was tried
    assert len(reply.text) > len(says) + 8
    assert (await desk.conversation(talk.id)).handoffs == ()


async def test_what_only_people_may_answer_is_not_answered_after_declining(desk: Desk) -> None:
    talk = await desk.open_conversation(user_id=None, channel="web")
    assert await say(desk, talk.id, "孩子被水壶烫伤了") == "handoff"
    reply = await desk.ask(Question("不用人工了，你来回答", conversation_id=talk.id))
    assert (reply.decision, reply.handoff, reply.citations) == ("answer", None, ())


async def test_declining_by_the_button(desk: Desk) -> None:
    talk = await desk.open_conversation(user_id=None, channel="web")
    assert (await desk.decline_handoff(talk.id)).turns == ()  # nothing to decline
    await say(desk, talk.id, "转人工")
    kept = await desk.decline_handoff(talk.id)
    assert (kept.status, kept.handoffs) == ("open", ())
    assert (await desk.decline_handoff(talk.id)).turns == kept.turns


async def test_after_hours_says_when_people_are_back(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    today = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][(datetime.now(UTC).weekday() + 3) % 7]
    rules.write_text(f"hours:\n  timezone: UTC\n  weekly: {{{today}: ['09:00-18:00']}}\n")
    service = build(settings(tmp_path / "data", rules))
    reply = await service.desk("shop").ask(Question("转人工"))
    service.close()
    assert reply.handoff is not None
    assert reply.handoff.reason == "customer_request"
    assert reply.handoff.back_at is not None
    assert reply.handoff.back_at.hour == 9
    assert "09:00（UTC）" in reply.text


def test_a_wrong_rule_file_stops_the_start(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("vip:\n  tires: [gold]\n")
    service = build(settings(tmp_path, rules))
    with pytest.raises(ConfigurationError, match=r"rules\.yaml:2: vip\.tires: unknown key"):
        service.desk("shop")
    service.close()
