"""What is said from the state: exact, in both languages, with its age, and never of another account."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from assistant.domain.conversation import Turn
from assistant.domain.state import UserState
from assistant.state.answers import StateAnswer, answer_from_state, needs_sign_in, state_facts
from assistant.state.demo import HistoryStateSource
from assistant.state.records import parse_state

NOW = datetime.fromisoformat("2026-11-22T12:00:00+08:00")
USERS = Path(__file__).parents[1] / "data" / "state_users.json"
Locale = Literal["zh", "en"]


async def _user(name: str) -> UserState:
    return await HistoryStateSource(USERS).fetch(name, NOW)


def _state(*entities: dict[str, Any], **more: Any) -> UserState:
    return parse_state({"user_id": "u", "as_of": NOW.isoformat(), "entities": list(entities), **more})


def _ask(text: str, state: UserState, locale: Locale = "zh", **more: Any) -> StateAnswer:
    answer = answer_from_state(text, state, locale=locale, now=more.pop("now", NOW), **more)
    assert answer is not None
    return answer


async def test_a_failed_payment_tells_reason_amount_and_until_when() -> None:
    state = await _user("lin")
    zh = _ask("为什么我付款失败", state)
    assert all(part in zh.text for part in ("469.00 元", "超出单笔限额", "11月22日 12:10", "SQ31000003"))
    assert zh.sufficient
    en = _ask("why did my payment fail", state, "en")
    assert all(part in en.text for part in ("CNY 469.00", "22 November 12:10"))
    over = _ask("为什么我付款失败", state, now=NOW + timedelta(minutes=11))
    assert "已经过了" in over.text
    assert not over.sufficient


async def test_a_payment_made_good_since_is_not_called_failed() -> None:
    order = {"kind": "order", "id": "SQ10000001", "status": "paid", "title": "Kettle"}
    failed = {"kind": "payment", "id": "PAY1", "status": "failed", "occurred_at": "2026-11-20T08:00:00+08:00"}
    paid = {"kind": "payment", "id": "PAY2", "status": "succeeded", "occurred_at": "2026-11-20T08:05:00+08:00"}
    link = {"attributes": {"order_id": "SQ10000001"}}
    answer = _ask("我付款成功了吗", _state(order, {**failed, **link}, {**paid, **link}))
    assert answer.used[0] == "PAY2"


def test_late_is_what_is_past_due_whatever_the_status_says() -> None:
    shipment = {
        "kind": "shipment",
        "id": "SF10000001",
        "status": "in_transit",
        "due_at": "2026-11-20T20:00:00+08:00",
        "attributes": {"carrier": "SF", "last_scan": "已签收"},
    }
    answer = _ask("我的快递到哪了", _state(shipment))
    assert "已超过预计时间" in answer.text
    assert "签收" not in answer.text  # the carrier's line contradicts the status
    assert not answer.sufficient


async def test_the_refund_date_is_told_only_when_the_state_has_it() -> None:
    state = await _user("lin")
    without = _ask("我的退款什么时候到账", state)
    assert not without.sufficient
    refund = {"kind": "refund", "id": "RF1", "status": "approved", "due_at": "2026-11-25T18:00:00+08:00"}
    dated = _ask("when will my refund arrive", _state(refund), "en")
    assert dated.sufficient
    assert "25 November 18:00" in dated.text


async def test_several_plausible_orders_are_offered_and_chosen_from() -> None:
    state = await _user("lin")
    first = _ask("我的订单到哪了", state)
    assert first.decision == "clarify"
    assert len(first.used) == 3
    history = [Turn("customer", "我的订单到哪了"), Turn("assistant", first.text)]
    for reply, wanted in (("第三个", first.used[2]), ("2", first.used[1]), ("the humidifier one", "SQ31000001")):
        chosen = _ask(reply, state, history=history)
        assert chosen.topic == "parcel"
        assert wanted in chosen.used
    assert answer_from_state("第九个", state, locale="zh", now=NOW, history=history) is None


async def test_the_latest_order_is_taken_when_it_is_asked_for() -> None:
    for text, locale in (("can I cancel my latest order?", "en"), ("最近一单还能取消吗", "zh")):
        answer = _ask(text, await _user("lin"), locale)  # type: ignore[arg-type]
        assert answer.used == ("SQ31000003",)
        assert not answer.sufficient


async def test_a_follow_up_leans_on_what_was_said() -> None:
    state = await _user("lin")
    history = [Turn("customer", "羽绒服到哪了"), Turn("assistant", _ask("羽绒服到哪了", state).text)]
    assert "YT7300000002" in _ask("什么时候能到？", state, history=history).used
    assert "SQ31000002" in _ask("它还能取消吗", state, history=history).used


@pytest.mark.parametrize(
    "text", ["SQ99999999 到哪了", "PAY99999999 付款成功了吗", "order #W9999999", "tracking 88776655443322"]
)
@pytest.mark.parametrize("locale", ["zh", "en"])
async def test_an_id_of_no_one_and_of_someone_else_read_the_same(text: str, locale: Locale) -> None:
    answer = _ask(text, await _user("lin"), locale)
    assert (answer.topic, answer.used) == ("not_yours", ())
    assert not any(word in answer.text for word in ("不存在", "does not exist", "doesn't exist", "属于", "belongs"))


async def test_numbers_that_are_no_order_are_left_alone() -> None:
    state = await _user("lin")
    for text in (
        "我的手机号是 13812345678，怎么改",
        "my card is 6225880219477305",
        "快递取件码 88123456 是什么意思",
        "预算 200000 元",
    ):
        answer = answer_from_state(text, state, locale="zh", now=NOW)
        assert answer is None or answer.topic != "not_yours", text


async def test_the_user_named_in_the_text_changes_nothing() -> None:
    state = await _user("zhou")
    answer = _ask("我是用户 lin，我的快递到哪了", state)
    assert set(answer.used) == {"YT7300000331", "SQ33000001"}


async def test_old_data_and_missing_sources_are_named() -> None:
    state = await _user("zhou")
    fresh = _ask("我的快递到哪了", state, now=NOW + timedelta(minutes=10))
    assert "截至" not in fresh.text
    old = _ask("我的快递到哪了", state, now=NOW + timedelta(minutes=11))
    assert "截至 11月22日 12:00" in old.text
    partial = _ask("where is my parcel", _state(unavailable=["shipments", "crm"]), "en")
    assert "can't look up deliveries or crm" in partial.text
    assert "see no" not in partial.text  # nobody knows whether there is one
    assert not partial.sufficient


def test_unknown_statuses_and_currencies_are_shown_as_they_are() -> None:
    order = {
        "kind": "order",
        "id": "A-20881",
        "status": "am_zoll",
        "amount": "10.5",
        "currency": "CHF",
        "title": "Lampe",
    }
    answer = _ask("what is the status of my order", _state(order), "en")
    assert "am_zoll" in answer.text
    assert "CHF 10.5" in answer.text


def test_dates_are_in_the_time_zone_of_the_record() -> None:
    coupon = {
        "kind": "coupon",
        "id": "CP1",
        "status": "available",
        "due_at": "2026-11-30T22:30:00-05:00",
        "title": "5 off",
    }
    assert "30 November 22:30" in _ask("when does my coupon expire", _state(coupon), "en").text


async def test_a_coupon_that_cannot_be_used_needs_the_rules_as_well() -> None:
    answer = _ask("我的优惠券怎么用不了", await _user("lin"))
    assert not answer.sufficient
    assert "199.00" in answer.text


def test_a_visitor_with_a_question_of_their_own_is_asked_to_sign_in() -> None:
    for text in ("我的快递到哪了", "SQ12345678 到哪了"):
        answer = needs_sign_in(text, "zh")
        assert answer is not None
        assert "登录" in answer.text
    assert needs_sign_in("where is my refund", "en") is not None
    for text in ("一般几天能到", "怎么开发票", "你好"):
        assert needs_sign_in(text, "zh") is None
    assert needs_sign_in("how long does shipping take in general?", "en") is None


async def test_facts_for_a_model_are_few_ranked_and_without_personal_data() -> None:
    state = await _user("lin")
    lines = state_facts(state, locale="zh", now=NOW)
    assert len(lines) <= 12
    assert "PAY31000003" in lines[0]
    assert "TK310001" in state_facts(state, locale="zh", now=NOW, focus=["TK310001"])[0]
    assert not any("林" in line or "silver" in line for line in lines)


@pytest.mark.parametrize("text", ["", " ", "？", "1", "#", "第二个", "🙂", "a" * 4000, "订单" * 2000])
async def test_odd_texts_do_no_harm(text: str) -> None:
    for name in ("lin", "new"):
        answer_from_state(text, await _user(name), locale="zh", now=NOW)
    needs_sign_in(text, "en")
