"""Explicit yes and nothing else; what a sentence does; what it says of a task's parameters. Both languages."""

from __future__ import annotations

import pytest

from assistant.domain.task import Parameter, Words
from assistant.tasks.slots import pointed_option, said_by_customer, text_value
from assistant.tasks.speech import act_of, is_ambiguous_no, says_no, says_yes

W = Words("x", "x")
CANCEL = ("取消吧", "确认取消", "cancel it", "confirm cancellation")


@pytest.mark.parametrize(
    "text",
    [
        "确认",
        "确定",
        "好的",
        "好的，改吧",
        "是的，没问题",
        "嗯，确认",
        "对",
        "確認",
        "可以，谢谢",
        "yes",
        "Yes, do it",
        "confirm",
        "OK!",
        "go ahead please",
        "Sure, go ahead",
        "yes please",
        "好👌",
    ],
)
def test_an_explicit_yes_is_one(text: str) -> None:
    assert says_yes(text)
    assert not says_no(text)


@pytest.mark.parametrize(
    "text",
    [
        "嗯",
        "嗯?",
        "嗯？",
        "哦",
        "等等",
        "等一下，好的",
        "好像不对",
        "可以吗",
        "确认一下地址对吗",
        "yes?",
        "yes, but to another address",
        "wait",
        "ok wait",
        "hmm",
        "好的，改成上海市",
        "确认什么",
        "不确认",
        "not ok",
        "maybe",
        "",
        "👌",
        "yesterday",
        "okra",
        "我确认过了吗",
    ],
)
def test_a_murmur_a_question_a_wait_and_a_but_are_no_yes(text: str) -> None:
    assert not says_yes(text, CANCEL)


@pytest.mark.parametrize(
    "text",
    ["算了", "不用了", "不改了，谢谢", "先不办了", "no", "No thanks", "never mind", "don't do it", "取消", "不对"],
)
def test_a_no_gives_up(text: str) -> None:
    assert says_no(text)
    assert not says_yes(text)


def test_the_word_cancel_alone_is_no_answer_to_whether_to_cancel() -> None:
    assert says_yes("取消吧", CANCEL)
    assert says_yes("好的，确认取消", CANCEL)
    assert not says_yes("取消", CANCEL)
    assert is_ambiguous_no("取消", CANCEL)
    assert is_ambiguous_no("cancel", CANCEL)
    assert not is_ambiguous_no("算了", CANCEL)
    assert not is_ambiguous_no("不取消了", CANCEL)


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("帮我把地址改成杭州", "request"),
        ("可以帮我改地址吗", "request"),
        ("地址填错了", "request"),
        ("can you change my address", "request"),
        ("I don't want it anymore, please cancel", "request"),
        ("怎么改地址", "question"),
        ("地址还能改吗", "question"),
        ("how do I change my address", "question"),
        ("can i still cancel", "question"),
        ("别取消我的订单", "other"),
        ("don't cancel my order", "other"),
        ("已经取消了吗", "other"),
        ("券领不了", "other"),
        ("my order was cancelled", "other"),
    ],
)
def test_asking_for_it_asking_about_it_and_telling_are_told_apart(text: str, act: str) -> None:
    assert act_of(text) == act


def value(source: str, text: str, *, asked: bool = False) -> str | None:
    return text_value(Parameter("p", W, W, source), text, asked=asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("帮我把地址改成杭州市西湖区文三路 12 号 3 幢 502 室，谢谢", "杭州市西湖区文三路 12 号 3 幢 502 室"),
        ("订单SQ21080551的收货地址改为上海市浦东新区张江路８８号", "上海市浦东新区张江路88号"),
        ("我搬家了，改成成都市锦江区春熙路 8 号吧", "成都市锦江区春熙路 8 号"),
        (
            "Please change the address of order SQ21080551 to 88 Zhangjiang Road, Pudong, Shanghai",
            "88 Zhangjiang Road, Pudong, Shanghai",
        ),
        ("ship it to 12 Yuyuan Road, Shanghai instead", "12 Yuyuan Road, Shanghai"),
        ("寄到公司吧", None),
        ("帮我改一下地址", None),
        ("change the address please", None),
    ],
)
def test_addresses_are_found_as_they_were_written(text: str, address: str | None) -> None:
    assert value("address", text) == address


def test_an_address_that_was_asked_for_may_stand_alone() -> None:
    assert value("address", "新北市板橋區文化路一段 188 號 5 樓", asked=True) == "新北市板橋區文化路一段 188 號 5 樓"
    assert value("address", "Flat 5, 20 King Street, London", asked=True) == "Flat 5, 20 King Street, London"
    assert value("address", "不知道", asked=True) is None


@pytest.mark.parametrize(
    ("text", "title", "tax"),
    [
        ("抬头：杭州山雀科技有限公司，税号 91330100MA2B0XKQ7P", "杭州山雀科技有限公司", "91330100MA2B0XKQ7P"),
        ("帮我开一张上海蓝天贸易有限公司的发票", "上海蓝天贸易有限公司", None),
        ("我要开发票，抬头是个人", "个人", None),
        (
            "made out to Blue Sky Trading Ltd, tax number 91310000ma1fl4qx2k",
            "Blue Sky Trading Ltd",
            "91310000MA1FL4QX2K",
        ),
        ("personal please", "Personal", None),
        ("开公司抬头", None, None),
        ("给我们公司开票", None, None),
        ("快递 SF1514700219643 到哪了", None, None),
    ],
)
def test_invoice_titles_and_tax_numbers(text: str, title: str | None, tax: str | None) -> None:
    assert value("invoice_title", text) == title
    assert value("tax_number", text) == tax


def test_a_tax_number_in_groups_counts_once_it_was_asked_for() -> None:
    assert value("tax_number", "9133 0100 MA2B 0XKQ 7P", asked=True) == "91330100MA2B0XKQ7P"


def test_options_are_meant_by_id_place_figures_or_words() -> None:
    options = [("OF1", "满 199 减 15 居家券"), ("OF2", "满 500 减 40 大件券"), ("OF3", "8 元免邮券")]
    assert pointed_option("领 of2", options, ()) == "OF2"
    assert pointed_option("满500减40那张", options, ()) == "OF2"
    assert pointed_option("免邮的", options, ()) == "OF3"
    assert pointed_option("帮我领券", options, ()) is None
    assert pointed_option("帮我领券", options[:1], ()) == "OF1"


def test_a_models_value_counts_only_where_the_customer_wrote_it() -> None:
    assert said_by_customer("上海市张江路88号", ["寄到 上海市 张江路 88 号"])
    assert not said_by_customer("北京市中关村1号", ["寄到上海市张江路88号"])
    assert not said_by_customer("", ["x"])
