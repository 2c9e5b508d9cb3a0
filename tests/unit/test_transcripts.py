"""What is mined from a conversation, and what is not."""

from __future__ import annotations

import pytest

from assistant.domain.conversation import Outcome, Resolution, Transcript, Turn
from ingest.transcripts import carries_information, issues, mine

ROLES = {"c": "customer", "a": "agent", "b": "assistant", "s": "system"}


def conversation(*lines: str, outcome: Outcome = "resolved", locale: str = "zh") -> Transcript:
    turns = tuple(Turn(ROLES[line[0]], line[2:]) for line in lines)  # type: ignore[arg-type]
    return Transcript("c-1", turns, locale, outcome=outcome, resolution=Resolution("x", ("refund-time",)))


def test_question_answer_and_nothing_else() -> None:
    (record,) = mine(
        conversation(
            "c:在吗",
            "c:我退的被子 钱怎么还没到",
            "b:支持七天无理由退货。",
            "c:转人工",
            "s:会话已转接人工",
            "a:亲，很高兴为您服务～",
            "a:稍等哦我看一下您的退款单",
            "c:好的",
            "a:银行卡一般要 3-7 个工作日入账",
            "c:谢谢",
            "a:不客气亲，祝您生活愉快～麻烦给个五星好评",
        )
    )
    assert record.id == "c-1/1"
    assert record.question == "我退的被子 钱怎么还没到"
    assert record.answer == "银行卡一般要 3-7 个工作日入账"
    assert (record.context, record.locale, record.article_ids) == ("", "zh", ("refund-time",))


@pytest.mark.parametrize(
    "text", ["好的", "嗯嗯", "谢谢😊", "在吗在吗", "hello?", "thanks a lot!", "👍", "转人工", "ok"]
)
def test_customer_courtesies_carry_nothing(text: str) -> None:
    assert not carries_information(Turn("customer", text))


@pytest.mark.parametrize(
    "text",
    [
        "亲亲在的呢",
        "请稍等",
        "很高兴为您服务",
        "麻烦给个五星好评哦～",
        "One moment please.",
        "Is there anything else I can help you with?",
        "Hi Daniel, this is Emma.",
        "不客气亲，祝您生活愉快～",
        "给您添麻烦了",
    ],
)
def test_agent_courtesies_carry_nothing(text: str) -> None:
    assert not carries_information(Turn("agent", text))


@pytest.mark.parametrize("text", ["不收的", "退款三天到账", "Of course it is covered by the warranty.", "59 元"])
def test_answers_carry_information(text: str) -> None:
    assert carries_information(Turn("agent", text + "，已经处理" if text == "不收的" else text))


def test_two_issues_are_kept_apart() -> None:
    first, second = mine(
        conversation("c:退款多久到账", "a:三天到账的", "c:另外发票抬头能改吗", "a:没报销过可以换开一次")
    )
    assert (first.question, first.answer) == ("退款多久到账", "三天到账的")
    assert (second.question, second.answer) == ("另外发票抬头能改吗", "没报销过可以换开一次")
    assert second.context == "退款多久到账"


def test_a_followup_and_a_detail_stay_in_their_issue() -> None:
    (record,) = mine(
        conversation(
            "c:羽绒服买多大码",
            "a:您身高体重多少呢？",
            "c:165 52",
            "a:建议选 S 码，版型宽松",
            "c:里面穿厚毛衣呢",
            "a:也穿得下的",
        )
    )
    assert record.answer == "建议选 S 码，版型宽松\n也穿得下的"
    assert "165 52" in record.context


def test_nothing_is_mined_without_a_human_answer_or_a_resolution() -> None:
    assert mine(conversation("c:退款多久到账", "b:三天")) == []
    assert mine(conversation("c:退款多久到账", "a:三天到账的", outcome="unresolved")) == []
    assert mine(conversation("c:在吗", "a:在的亲")) == []
    assert issues(conversation("s:会话开始")) == []


def test_personal_data_and_other_peoples_ids_are_gone() -> None:
    (record,) = mine(
        conversation(
            "c:SQ20871534 改地址 杭州市余杭区文一西路1218号12幢2单元901 电话13800138000",
            "a:订单SQ20871534改好了，单号SF1234567890123，运费12元",
        )
    )
    assert record.question == "[订单] 改地址 [地址] 电话[电话]"
    assert record.answer == "订单[订单]改好了，单号[单号]，运费12元"


def test_english() -> None:
    first, second = mine(
        conversation(
            "c:Hi there",
            "c:Where is my parcel? order #W2890441",
            "a:Hello Daniel, this is Emma.",
            "a:It left the warehouse yesterday and takes 2-4 days.",
            "c:great. by the way can I use two coupons at once?",
            "a:Only one coupon per order, I'm afraid.",
            locale="en",
        )
    )
    assert first.question.endswith("order [order]")
    assert first.answer == "It left the warehouse yesterday and takes 2-4 days."
    assert second.answer == "Only one coupon per order, I'm afraid."
