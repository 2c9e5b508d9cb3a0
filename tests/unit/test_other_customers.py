"""Nothing of the customer whom an old reply was written for may stand in a draft for another."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.drafting import adapt
from assistant.other_customers import without_others

ORDERS = st.builds("{}{}".format, st.sampled_from(["SQ", "A", "TB-", "DD", ""]), st.integers(10**7, 10**12).map(str))
PARCELS = st.builds("{}{}".format, st.sampled_from(["SF", "YT", "JD", ""]), st.integers(10**11, 10**14).map(str))
PHONES = st.integers(0, 10**8 - 1).map(lambda n: f"139{n:08d}")
AMOUNTS = st.decimals(min_value=1, max_value=99999, places=2).map(str)
NAMES = st.builds("{}{}".format, st.sampled_from("王李张刘陈欧谢赵"), st.sampled_from(["", "晓", "晓明", "佳"]))
PLACES = st.builds(
    "{}市{}区{}路{}号{}室".format,
    st.sampled_from(["杭州", "上海", "呼和浩特"]),
    st.sampled_from(["西湖", "浦东新", "回民"]),
    st.sampled_from(["文三", "世纪", "中山东"]),
    st.integers(1, 999),
    st.integers(101, 2999),
)
RULES = st.sampled_from(["", "退款一般1-3天到账。"])
ZH = [
    "{name}先生您好，您的订单 {order} 已经帮您退了 {amount} 元，会退到支付宝。",
    "查到了，单号{parcel}，{name}女士，送到{place}的，昨天退您 ¥{amount}。",
    "给您改了联系人，电话{phone}，另外给您补了{amount}块。订单{order}今天发。",
    "我帮您登记了，{place}，{name}小姐，运单{parcel}，{amount}元明天到账",
]
ENGLISH_NAMES = st.sampled_from(["Anna Brown", "Daniel", "O'Neil", "Emma Stone"])
ENGLISH_PLACES = st.builds("{} {} Street".format, st.integers(1, 999), st.sampled_from(["Baker", "High Park", "King"]))
EN = [
    "Hi {name}, I've refunded {amount} yuan for your order {order}.",
    "Dear Ms {name}, your parcel {parcel} went to {place} today and I have added ¥{amount}.",
    "I've changed it to {place}, phone {phone}, and I will send {amount} CNY to you. Order {order}.",
]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(ZH), ORDERS, PARCELS, PHONES, AMOUNTS, NAMES, PLACES, st.sampled_from(["", "退款一般1-3天到账。"])
)
def test_a_chinese_reply_loses_what_was_the_other_customers(
    template: str, order: str, parcel: str, phone: str, amount: str, name: str, place: str, rule: str
) -> None:
    said = template.format(order=order, parcel=parcel, phone=phone, amount=amount, name=name, place=place)
    told = adapt(said + rule, "zh")
    assert not [held for held in (order, parcel, phone, amount, f"{name}先生", f"{name}女士", place) if held in told]
    assert len(name) < 2 or name not in told
    assert rule in told


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(EN), ORDERS, PARCELS, PHONES, AMOUNTS, ENGLISH_NAMES, ENGLISH_PLACES)
def test_an_english_reply_loses_what_was_the_other_customers(
    template: str, order: str, parcel: str, phone: str, amount: str, name: str, place: str
) -> None:
    said = template.format(order=order, parcel=parcel, phone=phone, amount=amount, name=name, place=place)
    told = adapt(said, "en")
    assert not [held for held in (order, parcel, phone, amount, name, place) if held in told], told


def test_this_customers_own_stays_and_so_does_a_rule() -> None:
    own = "我的订单 SQ20315507 什么时候退 129 元\n新疆、西藏、内蒙古收 20 元运费。"
    said = "您的订单 SQ20315507 退您 129 元，您这边要收 20 元运费，另外给您补 50 元。"
    assert without_others(said, "zh", own) == (
        "您的订单 SQ20315507 退您 129 元，您这边要收 20 元运费，另外给您补 （金额）。"
    )
    assert without_others("满 99 元包邮，退货运费 12 元。", "zh") == "满 99 元包邮，退货运费 12 元。"


@pytest.mark.parametrize(
    "said",
    [
        "请拨打 400-820-8820 或 95588。",
        "2026年双十一活动到 11 月 18 日。",
        "价保 15 天，10000 毫安时的可以带上飞机。",
        "感谢支持，小姐姐辛苦了",
        "您在 我的-优惠券 里看，满200减20。",
        "Hi there, returns are free within 15 days.",
        "电饭煲 3L 599、4L 699，功能一样。",
        "开发票请到 我的订单-申请开票。",
    ],
)
def test_what_is_nobodys_stays(said: str) -> None:
    assert without_others(said, "zh") == said


def test_thanks_are_no_surname() -> None:
    assert without_others("感谢赵先生支持", "zh") == "感谢您支持"
    assert without_others("谢谢赵先生", "zh") == "谢谢您"
    assert without_others("谢先生您好", "zh") == "您好"
