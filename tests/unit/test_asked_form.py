"""Two ways of putting one question have one form; two questions never do."""

from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.answer_cache import normal_form
from assistant.answering.asked_form import asked_form
from assistant.text import fold


def form(text: str) -> str:
    return asked_form(normal_form(text))


def written(kind: str) -> list[tuple[str, str]]:
    """Pairs by hand, which the evaluation of the forms uses too."""
    lines = [
        line.split("\t")
        for language in ("zh", "en")
        for line in files("evals").joinpath(f"bench/data/near_pairs_{language}.tsv").read_text("utf-8").splitlines()
    ]
    return [(one, other) for said, one, other in lines if said == kind]


ONE_QUESTION = [
    ("怎么改收货地址", "收货地址怎么改"),
    ("怎么改收货地址", "请问如何改收货地址呢"),
    ("怎么改收货地址", "我想改收货地址怎么操作"),
    ("退款多久到账", "退款一般需要几个工作日才能到账"),
    ("能开发票吗", "可不可以开发票"),
    ("能开发票吗", "是否可以开发票"),
    ("支持花呗吗", "是否支持花呗"),
    ("要寄回原包装吗", "需不需要寄回原包装"),
    ("运费多少钱", "运费是多少"),
    ("为什么还没发货", "为啥还没发货"),
    ("为什么我的订单被取消了", "我的订单为什么被取消了"),
    ("新疆包邮吗", "新疆包不包邮"),
    ("有优惠吗", "有没有优惠"),
    ("支持花呗吗", "可以花呗吗"),
    ("在哪里看物流", "物流哪里可以看"),
    ("退货运费谁出", "退货的运费由谁出"),
    ("快递丢了怎么办", "我的快递丢了该怎么办"),
    ("How do I change my PIN?", "What are the steps to change the PIN"),
    ("How do I change my PIN?", "Can you tell me how to change my PIN?"),
    ("Can I return an opened item?", "Is it possible to return opened items?"),
    ("How long does a refund take?", "how many working days will refunds take"),
    ("What currencies do you support?", "Which currencies do you support?"),
    ("Is there a fee for top-ups", "Are there any fees for top ups"),
    ("I can't find it", "I cannot find it"),
]
TWO_QUESTIONS = [  # written against the frames, after they were
    ("怎么退款", "怎么不能退款"),
    ("怎么扣手续费", "怎么扣手续费了"),
    ("谁给我打电话", "我给谁打电话"),
    ("给谁打电话", "谁打电话给"),
    ("谁能退", "能退谁"),
    ("从哪里发货", "在哪里发货"),
    ("几天内能退", "几天能退"),
    ("这几天发货吗", "几天发货"),
    ("退款几天了", "退款几天"),
    ("我能查物流吗", "你们能查物流吗"),
    ("我能送吗", "能送吗"),
    ("我要退货吗", "退货吗"),
    ("能不退吗", "能退吗"),
    ("只能退吗", "能退吗"),
    ("是不是正品", "不是正品吗"),
    ("什么时候退的", "什么时候退"),
    ("能用多久", "多久能用"),
    ("最快多久到账", "最慢多久到账"),
    ("不需要寄回吗", "需要寄回吗"),
    ("为什么能退", "为什么不能退"),
    ("满多少钱包邮", "多少钱包邮"),
    ("运费多少", "运费怎么算"),
    ("多少钱的能退", "能退多少钱"),
    ("是否有货", "是否没货"),
    ("微信怎么转支付宝", "支付宝怎么转微信"),
    ("我的退款多久到账", "退款多久到账"),
    ("How do I get my refund", "How do I get a refund"),
    ("What is an exchange rate", "What is the exchange rate"),
    ("Do you ship to us", "Do you ship to the US"),
    ("What is the best way to pay", "What is the way to pay"),
    ("Can we open an account", "Can I open an account"),
    ("How do I not pay", "How do I pay"),
    ("Is there no fee", "Is there a fee"),
    ("Where can't I pay", "Where can I pay"),
    ("Should I return it", "Can I return it"),
    ("Do I have to return it", "Do I have it to return"),
    ("Do I need to pay", "Do I need not pay"),
    ("Can you cancel it", "Can I cancel it"),
    ("Is it ok not to wash it", "Is it ok to wash it"),
    ("How do I change your address", "How do I change my address"),
    ("Can I wear glasses", "Can I wear a glass"),
    ("Resign the form", "Re-sign the form"),
]


@pytest.mark.parametrize(("one", "other"), ONE_QUESTION)
def test_ways_of_putting_one_question_have_one_form(one: str, other: str) -> None:
    assert form(one) == form(other)


@pytest.mark.parametrize(("one", "other"), [*TWO_QUESTIONS, *written("different")])
def test_two_questions_have_two_forms(one: str, other: str) -> None:
    assert form(one) != form(other)


QUESTIONS = sorted({text for pair in (*ONE_QUESTION, *written("same")) for text in pair})


@given(st.sampled_from(QUESTIONS), st.integers(0, 60), st.sampled_from("七红袋修龙坏9x"))
def test_a_word_more_is_another_question(question: str, place: int, word: str) -> None:
    said = normal_form(question)
    place %= len(said) + 1
    assert form(f"{said[:place]}{word}{said[place:]}") != form(question)


@given(st.sampled_from(QUESTIONS), st.sampled_from(QUESTIONS))
def test_what_is_no_frame_is_kept_to_the_letter(one: str, other: str) -> None:
    """Questions of one form are told apart by no letter but those of frames."""
    if form(one) == form(other) and not one.isascii():
        frames = set(
            "请问一下该应要想的呢吗我在可以能不否是由来才怎么样如何多久几天长时间个工作日通常般大概需支持去操作有没"
        )
        assert set(normal_form(one)) ^ set(normal_form(other)) <= frames


@given(st.text(max_size=60))
def test_any_text_has_a_form_and_none_can_be_typed_for_another(text: str) -> None:
    found = form(text)
    assert found or not normal_form(text)
    if "\x1f" in found:
        assert asked_form(normal_form(fold(found))) != found


@pytest.mark.parametrize("text", ["怎么" * 2000, "能不能" * 1500, "how do i " * 500, "谁" * 4000, "a " * 2000])
def test_a_long_text_stays_as_it_is(text: str) -> None:
    assert form(text) == normal_form(text)
