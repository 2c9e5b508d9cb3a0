"""Rules as data, opening hours, declining, starting anew, and promises: each in both languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.domain.conversation import Turn
from assistant.domain.reply import HANDOFF_REASONS, Handoff
from assistant.errors import ConfigurationError
from assistant.handoff import (
    HandoffDecision,
    beyond_decline,
    decide_handoff,
    declines_person,
    fix_promises,
    load_rules,
    make_record,
    packaged_rules,
)
from assistant.phrases import declined, handoff, message_left
from assistant.reply_record import handoff_details, handoff_from

HOURS = """
hours:
  timezone: Asia/Shanghai
  weekly: {mon: ["09:00-12:00", "13:00-18:00"], fri: ["09:00-24:00"]}
  holidays: [2026-11-30]
"""


def reason(text: str, *history: Turn, rules: Path | None = None, failures: int = 0) -> str | None:
    decision = decide_handoff(
        text,
        history,
        locale="zh",
        profile={"tier": "black"},
        confidence=None,
        rules=load_rules(rules),
        tool_failures=failures,
    )
    return decision.reason if decision else None


def customer(text: str, at: datetime | None = None) -> Turn:
    return Turn("customer", text, at)


def bot(text: str, at: datetime | None = None) -> Turn:
    return Turn("assistant", text, at)


def written(folder: Path, text: str) -> Path:
    path = folder / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("vip:\n  tires: [gold]\n", ":2: vip.tires: unknown key"),
        ("vip: {}\nvipp: {}\n", ":2: vipp: unknown key"),
        ("loop:\n  enabled: true\n  likeness: 7\n", ":3: loop.likeness"),
        ("topics:\n  - name: a\n    patterns: ['x']\n  - name: b\n    patterns: ['(']\n", ":5: topics.1.patterns"),
        ("topics:\n  - name: a\n    patterns: ['x*']\n", "matches the empty text"),
        ("hours:\n  timezone: Mars/Base\n  weekly: {mon: ['09:00-18:00']}\n", ":2: hours.timezone"),
        ("hours:\n  timezone: UTC\n  weekly: {mon: ['18:00-09:00']}\n", "ends before it begins"),
        ("vip: {}\nloop: {}\nvip: {}\n", ":3: the key 'vip' is there twice"),
        ("- a\n", "a mapping"),
        ("a: [\n", "is not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_key_and_line(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_rules(written(tmp_path, text))
    assert place in str(caught.value)


def test_a_missing_file_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="TEACHBACK_HANDOFF_RULES"):
        load_rules(tmp_path / "none.yaml")
    assert load_rules(written(tmp_path, "")) == packaged_rules()


@pytest.mark.parametrize(
    ("rule", "zh", "en", "why"),
    [
        ("asked_for_person", "转人工", "agent please", "customer_request"),
        ("vip", "帮我取消订单", "cancel my order please", "vip"),
        ("upset", "这破公司是骗子，等了三天还没到", "you liars, still waiting for my refund", "upset"),
    ],
)
def test_each_rule_speaks_both_languages_and_can_be_switched_off(
    tmp_path: Path, rule: str, zh: str, en: str, why: str
) -> None:
    off = written(tmp_path, f"{rule}: {{enabled: false}}\n")
    for text in (zh, en):
        assert reason(text) == why
        assert reason(text, rules=off) != why


def test_own_topics_replace_the_packaged_ones(tmp_path: Path) -> None:
    rules = written(tmp_path, "topics:\n  - name: tax\n    patterns: ['税务|tax advice']\n    unless: ['税号']\n")
    assert reason("税务怎么申报", rules=rules) == "forbidden_topic"
    assert reason("any tax advice?", rules=rules) == "forbidden_topic"
    assert reason("税务的税号填哪", rules=rules) is None


def test_records_that_fail_twice_bring_a_person() -> None:
    assert reason("订单到哪了", failures=1) is None
    assert reason("订单到哪了", failures=2) == "tool_failure"
    assert reason("where is my order", failures=2) == "tool_failure"


def test_opening_hours_in_their_own_zone(tmp_path: Path) -> None:
    hours = load_rules(written(tmp_path, HOURS)).hours
    assert hours is not None
    monday = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)  # 09:30 in Shanghai
    assert hours.is_open(monday)
    lunch = monday + timedelta(hours=3)
    assert not hours.is_open(lunch)
    assert hours.back_at(lunch) == datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
    assert hours.is_open(datetime(2026, 11, 27, 15, 59, tzinfo=UTC))  # Friday, a minute to midnight
    after_friday = hours.back_at(datetime(2026, 11, 27, 16, 1, tzinfo=UTC))
    assert after_friday == datetime(2026, 12, 4, 1, 0, tzinfo=UTC)  # the Monday between is a holiday
    assert "12月04日 09:00（Asia/Shanghai）" in message_left(after_friday, "zh")
    assert "04 December, 09:00 (Asia/Shanghai)" in message_left(after_friday, "en")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("不用人工了", ""),
        ("不找真人了，你继续说", ""),
        ("no, you answer it", ""),
        ("no need for an agent", ""),
        ("不要转人工，你直接告诉我退款多久", "你直接告诉我退款多久"),
        ("skip the human, what's the return window", "what's the return window"),
        (declined("zh"), ""),
        (declined("en"), ""),
    ],
)
def test_a_transfer_may_be_turned_down(text: str, rest: str) -> None:
    assert declines_person(text)
    assert beyond_decline(text) == rest


@pytest.mark.parametrize(
    "text", ["不要机器人", "转人工", "can you answer this", "why don't I get an agent", "退款多久"]
)
def test_other_words_turn_nothing_down(text: str) -> None:
    assert not declines_person(text)


@pytest.mark.parametrize("said", ["不用人工了", "no, you answer it"])
def test_after_declining_only_requests_and_safety_bring_a_person(said: str) -> None:
    history = [customer("气死我了，太离谱了！！"), bot(handoff("upset", "zh")), customer(said), bot("好的")]
    assert reason("你们真过分，垃圾公司，钱还没退", *history) is None
    assert reason("帮我取消订单", *history) is None
    assert reason("水壶起火了", *history) == "forbidden_topic"
    assert reason("还是转人工吧", *history) == "customer_request"
    again = [*history, customer("转人工"), bot(handoff("customer_request", "zh"))]
    assert reason("帮我取消订单", *again) == "vip"


SETTLED = st.sampled_from(
    [
        [Turn("agent", "已经帮您处理好了")],
        [Turn("agent", "All done."), customer("thanks!")],
        [bot("3 天内到账。"), customer("好的谢谢")],
        [bot("Within 3 days."), customer("bye")],
    ]
)
BEFORE = st.lists(
    st.sampled_from(
        [
            customer("气死我了！！太离谱了"),
            customer("this is ridiculous!!"),
            customer("羽绒被退款还没到账"),
            customer("转人工"),
            bot("抱歉，我没有理解您的问题。"),
            bot("Sorry, I could not find anything."),
            bot(handoff("loop", "zh")),
        ]
    ),
    max_size=10,
)
NEUTRAL = st.sampled_from(
    ["羽绒被退款还没到账呢", "发票怎么开", "where is my parcel", "退款多久到账", "太离谱了，你们真过分"]
)


@given(BEFORE, SETTLED, NEUTRAL)
@settings(max_examples=60, deadline=None)
def test_a_resolved_conversation_that_opens_again_starts_anew(
    before: list[Turn], settled: list[Turn], text: str
) -> None:
    decision = decide_handoff(text, [*before, *settled], locale="zh", profile={}, confidence=None)
    assert decision is None


def test_yesterday_is_another_matter() -> None:
    then = datetime(2026, 11, 1, 9, tzinfo=UTC)
    angry = [customer("气死我了！！", then), bot("抱歉", then)]
    assert reason("太离谱了，你们真过分", *angry, bot("在", then)) == "upset"
    assert reason("太离谱了，你们真过分", *angry, bot("在", then + timedelta(days=1))) is None


FACTS = ["退款 3 天到账。", "请在【我的→售后】申请。", "Refunds take 3 days.", "Open the app first."]
PROMISES = [
    "我为您转接人工客服，请稍候。",
    "专员稍后为您跟进。",
    "正在为您接通人工。",
    "已为您转接人工客服。",
    "I'll transfer you to an agent now.",
    "Let me connect you with a colleague.",
    "A specialist will contact you soon.",
    "You will be transferred shortly.",
]


@given(st.lists(st.sampled_from(FACTS + PROMISES), min_size=1, max_size=6), st.sampled_from(["zh", "en"]))
@settings(max_examples=80, deadline=None)
def test_a_promise_has_a_handoff_or_is_taken_out(parts: list[str], locale: str) -> None:
    text = " ".join(parts)
    record = Handoff("customer_request", "…", "general")
    language = "zh" if locale == "zh" else "en"
    assert fix_promises(text, record, language) == text  # type: ignore[arg-type]
    fixed = fix_promises(text, None, language)  # type: ignore[arg-type]
    assert not any(promise in fixed for promise in PROMISES)
    assert all(fact in fixed for fact in parts if fact in FACTS)


@pytest.mark.parametrize("why", HANDOFF_REASONS)
@pytest.mark.parametrize("locale", ["zh", "en"])
def test_what_a_handoff_says_is_itself_a_promise(why: str, locale: str) -> None:
    text = handoff(why, locale)
    assert fix_promises(text, Handoff(why, "…", "general"), "zh") == text


def test_the_record_says_issue_tries_state_and_what_is_open() -> None:
    history = [customer("羽绒被退款还没到账"), bot("银行卡 3–7 个工作日到账。"), customer("都两周了，卡已经注销")]
    back = datetime(2026, 12, 4, 1, tzinfo=UTC)
    record = make_record(
        history,
        "转人工",
        "zh",
        HandoffDecision("customer_request", "asked_for_person"),
        state_used=["RF1"],
        passages=[],
        mood="negative",
        back_at=back,
    )
    assert record.issue == "羽绒被退款还没到账"
    assert record.tried == ("银行卡 3–7 个工作日到账。",)
    assert record.question == "都两周了，卡已经注销"
    assert (record.state, record.mood, record.skill, record.back_at) == (("RF1",), "negative", "refund", back)
    assert handoff_from(record.reason, record.summary, record.skill, handoff_details(record)) == record
    assert handoff_from("vip", "s", "general", None) == Handoff("vip", "s", "general")
