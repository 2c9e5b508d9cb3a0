"""Reply cases: files, and sets built from transcripts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from assistant.domain.conversation import HandoffEvent, Role, Transcript, Turn
from assistant.domain.reply import Citation
from assistant.domain.state import Entity, UserState
from assistant.errors import InputRejected
from evals.case_sets import cases_from_transcripts, split_by_time, without_near_copies
from evals.cases import (
    Prediction,
    ReplyCase,
    asked_by,
    read_cases,
    read_predictions,
    write_cases,
    write_predictions,
)

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
CASE = {"case_id": "c-1", "conversation_id": "c", "turns": [{"role": "customer", "text": "在吗"}]}


def transcript(*turns: tuple[Role, str], name: str = "t", transferred: bool = True) -> Transcript:
    said = tuple(Turn(role, text, START + timedelta(minutes=i)) for i, (role, text) in enumerate(turns))
    return Transcript(name, said, channel="web", handoff=HandoffEvent("loop") if transferred else None)


def case(name: str, asked: str, reply: str, at: datetime | None = START, conversation: str = "") -> ReplyCase:
    return ReplyCase(name, conversation or name, (Turn("customer", asked, at),), (reply,), at=at)


def test_cases_survive_their_file(tmp_path: Path) -> None:
    entity = Entity("order", "SQ1", "paid", "水壶", Decimal("12.30"), "CNY", START, None, {"items": [1]})
    state = UserState("u", START, {"tier": "gold"}, (entity,), ("refunds",))
    cases = [
        ReplyCase("a", "c", (Turn("agent", "嗨", START, "lin"), Turn("customer", "退款呢")), ("好", "行"), at=START),
        ReplyCase("b", "c", (Turn("customer", "hi"),), (), "en", False, START, state, ("refund-time",), "app"),
    ]
    write_cases(tmp_path / "cases.jsonl", cases)
    assert list(read_cases(tmp_path / "cases.jsonl")) == cases


def test_predictions_survive_their_file(tmp_path: Path) -> None:
    predictions = [
        Prediction("a", "好的", "answer", 0.7, (Citation("p1", "标题", "原文", article_id="refund-time"),)),
        Prediction("b", ""),
    ]
    write_predictions(tmp_path / "p.jsonl", predictions)
    assert list(read_predictions(tmp_path / "p.jsonl")) == predictions


def test_what_a_line_leaves_out_is_read_off_the_rest(tmp_path: Path) -> None:
    turn = {"role": "customer", "text": "where is my parcel", "at": "2026-03-01T09:00:00Z"}
    path = _file(tmp_path, {**CASE, "turns": [turn]})
    (only,) = read_cases(path)
    assert isinstance(only, ReplyCase)
    assert (only.locale, only.transferred, only.at, only.references) == ("en", True, START, ())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({**CASE, "reference": ["x"]}, r'unknown key "reference" \(did you mean "references"\?\)'),
        ({**CASE, "turns": [{"role": "customer", "text": "x", "txt": "y"}]}, 'unknown key "txt" .* in "turns\\[0\\]"'),
        ({**CASE, "turns": [{"role": "bot", "text": "x"}]}, r'"turns\[0\]\.role" is .bot.; allowed are customer'),
        ({**CASE, "turns": []}, '"turns" is empty'),
        ({**CASE, "turns": [{"role": "agent", "text": "x"}]}, "ends with a turn of the agent, not the customer"),
        ({**CASE, "references": "x"}, '"references" must be a list'),
        ({**CASE, "at": "yesterday"}, '"at" is not an RFC 3339 time'),
        ({"case_id": "c", "conversation_id": "c"}, 'key "turns" is missing'),
        ({**CASE, "case_id": "ok"}, '"case_id" "ok" is already taken by line 1'),
        ({**CASE, "user_state": {"user_id": "u", "as_of": None}}, '"as_of" must be a time'),
        ("{broken", "is not JSON"),
    ],
)
def test_a_wrong_line_is_named_and_the_rest_goes_on(tmp_path: Path, line: object, reason: str) -> None:
    path = _file(tmp_path, {**CASE, "case_id": "ok"}, line, {**CASE, "case_id": "last"})
    first, wrong, last = read_cases(path)
    assert isinstance(first, ReplyCase)
    assert isinstance(last, ReplyCase)
    with pytest.raises(InputRejected, match=rf"cases\.jsonl:2: .*{reason}"):
        raise wrong  # type: ignore[misc]  # the match fails loudly where it is a case


def test_a_wrong_prediction_is_named(tmp_path: Path) -> None:
    path = _file(tmp_path, {"case_id": "a", "reply": "x", "confidence": 2}, {"case_id": "a", "text": "x"})
    reasons = [str(item) for item in read_predictions(path)]
    assert reasons[0].endswith(':1: "confidence" is above 1')
    assert 'unknown key "text"' in reasons[1]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="no such file"):
        list(read_cases(tmp_path / "none.jsonl"))


def test_a_case_ends_before_the_first_reply_that_says_something() -> None:
    record = transcript(
        ("customer", "在吗"),
        ("customer", "我的退款怎么还没到账"),
        ("assistant", "退货需在 7 天内申请"),
        ("system", "会话已转接人工"),
        ("agent", "您好，很高兴为您服务"),
        ("customer", "嗯嗯"),
        ("agent", "查到了，9 月 26 日已经退到您的银行卡"),
        ("agent", "银行入账一般要 3-7 个工作日"),
        ("customer", "好的谢谢"),
        ("agent", "不客气，祝您生活愉快"),
    )
    (only,) = cases_from_transcripts([record])
    assert only.case_id == "t-5"
    assert only.turns == record.turns[:6]
    assert only.at == record.turns[5].at
    assert only.references == ("查到了，9 月 26 日已经退到您的银行卡\n银行入账一般要 3-7 个工作日",)
    assert asked_by(only) == "我的退款怎么还没到账"
    assert (only.transferred, only.channel) == (True, "web")


def test_the_human_reply_stops_where_the_customer_goes_on() -> None:
    record = transcript(
        ("customer", "内蒙古包邮吗"),
        ("agent", "现在满 199 包邮"),
        ("customer", "那上次收的 20 块能退吗"),
        ("agent", "上次那单在改规则之前，退不了"),
        transferred=False,
    )
    first = cases_from_transcripts([record])[0]
    assert (first.case_id, first.references, first.transferred) == ("t-0", ("现在满 199 包邮",), False)


def test_two_issues_are_two_cases() -> None:
    record = transcript(
        ("customer", "滤芯多久换一次"),
        ("agent", "新批次的滤芯半年换一次"),
        ("customer", "另外发票抬头开错了可以改吗"),
        ("agent", "30 天内没有报销可以重开一次"),
    )
    assert [c.case_id for c in cases_from_transcripts([record])] == ["t-0", "t-2"]


def test_a_bare_question_or_a_promise_to_look_is_no_reply_where_one_follows() -> None:
    record = transcript(
        ("customer", "净化器连不上网"),
        ("agent", "您好，帮您查一下"),
        ("agent", "路由器是不是双频合一的？"),
        ("customer", "是的一个名字"),
        ("agent", "请关掉双频合一，只用 2.4G，长按 Wi-Fi 键 5 秒"),
    )
    (only,) = cases_from_transcripts([record])
    assert only.case_id == "t-3"
    assert only.references == ("请关掉双频合一，只用 2.4G，长按 Wi-Fi 键 5 秒",)


def test_nothing_comes_of_a_conversation_without_an_agent_or_a_question() -> None:
    assert cases_from_transcripts([transcript(("customer", "退款呢"), ("assistant", "请稍等"))]) == []
    assert cases_from_transcripts([transcript(("agent", "活动满 300 减 40"), ("customer", "哦"))]) == []


def test_a_second_reply_joins_the_case_it_answers() -> None:
    record = transcript(
        ("customer", "滤芯多久换一次"),
        ("agent", "新批次的滤芯半年换一次"),
        ("customer", "另外发票抬头开错了可以改吗"),
        ("agent", "30 天内没有报销可以重开一次"),
    )
    first, second = cases_from_transcripts([record], {"t": ["发票没报销的话 30 天内能重开"]})
    assert len(first.references) == 1
    assert second.references == ("30 天内没有报销可以重开一次", "发票没报销的话 30 天内能重开")


def test_near_copies_are_dropped_and_named() -> None:
    asked = "我的订单 SQ{} 物流停在嘉兴三天没有更新了，什么时候能到啊"
    reply = "已经给快递发了催件，24 小时内回复，满 5 天按丢件处理"
    cases = [
        case("a", asked.format("20871534"), reply),
        case("b", asked.format("20990001") + "！", reply),
        case("c", "发票抬头能改吗", "30 天内没报销可以重开一次"),
        case("d", asked.format("20871534"), "这个不清楚，我去问一下仓库的同事再告诉您结果"),
    ]
    result = without_near_copies(cases)
    assert [c.case_id for c in result.cases] == ["a", "c", "d"]
    assert result.repeats == {"b": "a"}


def test_a_split_by_time_keeps_conversations_whole() -> None:
    later = START + timedelta(days=9)
    cases = [
        case("a-0", "x", "y", START, "a"),
        case("a-5", "x", "y", later, "a"),
        case("b-0", "x", "y", later, "b"),
        case("n-0", "x", "y", None, "n"),
    ]
    split = split_by_time(cases, START + timedelta(days=5))
    assert [c.case_id for c in split.earlier] == ["a-0", "a-5"]
    assert [c.case_id for c in split.later] == ["b-0"]
    assert [c.case_id for c in split.undated] == ["n-0"]


def _file(folder: Path, *lines: object) -> Path:
    path = folder / "cases.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    path.write_text("\n".join(texts) + "\n", "utf-8")
    return path
