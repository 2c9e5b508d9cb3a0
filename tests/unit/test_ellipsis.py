"""A question that names only its thing is the question before it, asked of that thing."""

from __future__ import annotations

import pytest

from assistant.domain.conversation import Turn
from assistant.domain.knowledge import DocumentKind, Passage
from assistant.ellipsis import completed, speaks_of


def after(*said: str) -> tuple[Turn, ...]:
    """Each said by a customer and answered."""
    return tuple(turn for text in said for turn in (Turn("customer", text), Turn("assistant", "……")))


@pytest.mark.parametrize(
    ("before", "text", "thing", "way"),
    [
        ("电热毯怎么洗", "那枕头呢", "枕头", "枕头怎么洗"),
        ("水杯保修多久", "那台灯呢？", "台灯", "台灯保修多久"),
        ("能寄新加坡吗", "日本呢", "日本", "能寄日本吗"),
        ("怎么洗", "枕头呢", "枕头", "枕头 怎么洗"),
        ("退货要什么条件", "如果拆了包装呢", "拆了包装", "退货要什么条件 拆了包装"),
        ("how long is the lamp warranty", "and the kettle?", "kettle", "how long is the kettle warranty"),
        ("Can I wash the pillow?", "What about my blanket", "blanket", "Can I wash the blanket"),
    ],
)
def test_the_thing_takes_the_place_of_the_one_before(before: str, text: str, thing: str, way: str) -> None:
    named, ways = completed(text, after(before))
    assert named == thing
    assert way in ways


@pytest.mark.parametrize(
    "text",
    [
        "枕头怎么洗",
        "好的",
        "我的包裹在哪里呢，都一周了",
        "what about it being broken, and who pays the postage back",
        "",
        "呢",
    ],
)
def test_a_question_of_its_own_is_left_alone(text: str) -> None:
    assert completed(text, after("电热毯怎么洗")) == ("", ())


def test_the_complete_question_is_looked_for_behind_courtesies_and_other_half_questions() -> None:
    history = after("电热毯怎么洗", "那枕头呢", "谢谢", "好的")
    assert completed("那床单呢", history) == ("床单", ("床单怎么洗",))
    assert completed("那床单呢", ()) == ("", ())
    assert completed("那床单呢", (*history, Turn("agent", "我来看看"))) == ("", ())


def test_what_is_found_must_speak_of_the_thing() -> None:
    passage = Passage("p", "d", DocumentKind.ARTICLE, "暖云羽绒被的保养", "", "不可机洗。", 0.5, "zh", "public")
    assert speaks_of("羽绒被", passage)
    assert speaks_of("被子", passage)
    assert not speaks_of("枕头", passage)
    assert not speaks_of("the kettle", passage)
