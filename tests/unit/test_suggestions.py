"""What a user is offered to ask: rules over state, what was learnt, the page, and what is never offered."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from assistant.domain.knowledge import DocumentKind, Passage
from assistant.domain.state import UserState
from assistant.errors import ConfigurationError
from assistant.language import Locale
from assistant.state.answers import answer_from_state
from assistant.state.demo import HistoryStateSource
from assistant.suggesting import IntentModel, RuleBook, SuggestedIntent, Suggester, load_model, load_rules, save_model
from assistant.suggesting.pages import documents_on, words_of

NOW = datetime.fromisoformat("2026-11-22T12:00:00+08:00")
USERS = Path(__file__).parents[1] / "data" / "state_users.json"
BOOK = load_rules()


async def _user(name: str, now: datetime = NOW) -> UserState:
    return await HistoryStateSource(USERS).fetch(name, now)


def _passage(document: str, title: str = "t", score: float = 0.9) -> Passage:
    return Passage(document, document, DocumentKind.ARTICLE, title, "", "", score, "zh")


def _model(**changes: object) -> IntentModel:
    intents = {
        "a:refund": SuggestedIntent("a:refund", {"zh": "退款多久到账？", "en": "How long is a refund?"}, ("refund",)),
        "a:size": SuggestedIntent("a:size", {"zh": "尺码怎么选？"}, ("size",)),
        "a:invoice": SuggestedIntent("a:invoice", {"zh": "怎么开发票？"}, ("invoice",)),
        "a:silent": SuggestedIntent("a:silent"),
    }
    model = IntentModel(
        intents=intents,
        first={"a:size": 20.0, "a:refund": 4.0, "a:silent": 40.0},
        following={"a:refund": 3.0},
        signals={"tier:gold": 10.0},
        first_by={"tier:gold": {"a:invoice": 9.0}},
        previous={"a:size": 10.0},
        following_by={"a:size": {"a:invoice": 9.0}},
        fired={"parcel_late": (8.0, 10.0)},
        fired_next={},
        documents={"refund": "a:refund", "size": "a:size", "invoice": "a:invoice"},
        rule_intents={"refund_under_way": "a:refund"},
        pages={"refund": "refund", "help/invoices": "invoice"},
    )
    return replace(model, **changes)  # type: ignore[arg-type]


def test_what_presses_most_comes_first_and_names_the_product() -> None:
    import asyncio

    found = Suggester(BOOK).questions(asyncio.run(_user("lin")), locale="zh", now=NOW, limit=5)
    assert found[0] == "岩羚越野跑鞋付款失败了，怎么重新付款？"
    assert any("听雨 2 加湿器" in text for text in found)
    assert len(found) == len(set(found)) == 5


async def test_what_is_over_is_no_longer_suggested() -> None:
    later = NOW + timedelta(days=30)
    fired = {rule.name for rule, _ in BOOK.fired(await _user("mia", later), later)}
    assert not fired & {"delivered_recently", "coupon_expiring"}
    assert "delivered_recently" in {rule.name for rule, _ in BOOK.fired(await _user("mia"), NOW)}


async def test_a_newcomer_is_offered_the_gift_and_others_are_not() -> None:
    assert Suggester(BOOK).questions(await _user("new"), locale="zh", now=NOW)[0] == "新人有什么优惠？"
    later = NOW + timedelta(days=60)
    assert Suggester(BOOK).questions(await _user("new", later), locale="zh", now=later) == ()


@pytest.mark.parametrize("locale", ["zh", "en"])
async def test_questions_on_state_are_answered_from_it_when_they_are_clicked(locale: Locale) -> None:
    state = await _user("lin")
    on_state = {"payment_failed", "parcel_late", "refund_under_way", "ticket_open", "parcel_moving", "not_sent"}
    found = Suggester(BOOK).candidates(state, locale=locale, now=NOW, limit=30)
    for name in on_state:
        first = next(c for c in found if c.why.startswith(name))
        answer = answer_from_state(first.text, state, locale=locale, now=NOW)
        assert answer is not None, first
        assert answer.decision == "answer", first
        assert first.entity_id in answer.used, (first, answer)


async def test_what_the_knowledge_does_not_answer_is_never_offered() -> None:
    asked: list[str] = []

    def supports(text: str) -> bool:
        asked.append(text)
        return False

    suggester = Suggester(BOOK, _model, supports)
    found = suggester.candidates(await _user("new"), locale="zh", now=NOW)
    refused = [c for c in found if c.left_out == "the knowledge does not answer it"]
    assert [c.text for c in refused] == ["新人有什么优惠？", "第一次下单包邮吗？"]
    assert all(c.intent != "a:silent" for c in found)  # asked most, but with no text that the knowledge answers
    assert sorted(asked) == sorted(c.text for c in refused)


async def test_support_is_asked_once_for_each_text() -> None:
    calls: list[str] = []
    model = _model()
    suggester = Suggester(BOOK, lambda: model, lambda text: bool(calls.append(text)) or True)
    for _ in range(3):
        suggester.questions(await _user("new"), locale="zh", now=NOW)
    assert len(calls) == len(set(calls)) > 0


def test_what_users_of_a_segment_asked_moves_up() -> None:
    model = _model()
    plain, gold = model.opening([]), model.opening(["tier:gold"])
    assert gold["a:invoice"] > 3 * plain["a:invoice"]
    assert sum(gold.values()) == pytest.approx(1)
    assert model.opening(["never:seen"]) == pytest.approx(plain)


def test_after_a_reply_its_own_matter_is_left_out_and_what_followed_it_comes_first() -> None:
    model = _model()
    chances = model.after("a:size", [])
    assert "a:size" not in chances
    assert max(chances, key=lambda name: chances[name]) == "a:invoice"
    suggester = Suggester(BOOK, lambda: model)
    found = suggester.questions(None, [_passage("size")], asked="M 还是 S？", locale="zh", now=NOW)
    assert found[0] == "怎么开发票？"
    assert "尺码怎么选？" not in found


def test_a_rules_weight_is_corrected_by_its_record() -> None:
    model = _model()
    assert model.chance("never_fired", 0.4) == pytest.approx(0.4)
    assert 0.1 < model.chance("parcel_late", 0.1) < 0.8


def test_the_page_brings_its_own_questions_first() -> None:
    model = _model()
    suggester = Suggester(BOOK, lambda: model)
    there = suggester.documents_on("https://shop.example/Help/Invoices?utm=1#top")
    assert there == ("invoice",)
    found = suggester.candidates(None, page=there, locale="zh", now=NOW)
    assert (found[0].text, found[0].source) == ("怎么开发票？", "page")


@pytest.mark.parametrize(
    ("page", "documents"),
    [("/a/refund/", ("refund",)), ("REFUND", ()), ("http://[bad", ()), ("", ()), ("javascript:alert(1)", ())],
)
def test_a_page_is_only_looked_up(page: str, documents: tuple[str, ...]) -> None:
    assert documents_on(page, _model().pages) == documents


def test_the_words_of_a_page_leave_out_what_is_no_word() -> None:
    assert words_of("https://x.example/products/tingyu-2/cleaning_tips.html?id=9") == "products tingyu cleaning tips"
    assert words_of("听雨 2 加湿器怎么清洗") == "听雨 加湿器怎么清洗"
    assert len(words_of("a b " * 5000)) <= 120


def test_knowledge_out_of_its_dates_is_not_suggested() -> None:
    model = _model()
    old = replace(model.intents["a:size"], valid_until=(NOW - timedelta(days=1)).timestamp())
    model = replace(model, intents={**model.intents, "a:size": old})
    assert "尺码怎么选？" not in Suggester(BOOK, lambda: model).questions(None, locale="zh", now=NOW)


def test_a_language_without_a_text_gets_none() -> None:
    model = _model()
    assert Suggester(BOOK, lambda: model).questions(None, locale="en", now=NOW) == ("How long is a refund?",)


def test_a_model_survives_its_file_and_a_damaged_file_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "suggestions" / "demo.json"
    assert load_model(path) is None
    save_model(_model(), path)
    assert load_model(path) == _model()
    for damaged in ("{", "[]", '{"format": 99}', '{"format": 1, "intents": 3}'):
        path.write_text(damaged)
        assert load_model(path) is None


async def test_suggestions_take_no_time() -> None:
    state = await _user("lin")
    intents = {
        f"a:{n}": SuggestedIntent(f"a:{n}", {"zh": f"问题{n}怎么办？"}, (f"d{n}",), {"zh": 0.9}) for n in range(300)
    }
    model = _model(intents=intents, first=dict.fromkeys(intents, 1.0))
    suggester = Suggester(BOOK, lambda: model, lambda text: True)
    suggester.questions(state, locale="zh", now=NOW)
    spent = []
    for _ in range(20):
        started = time.perf_counter()
        suggester.questions(state, locale="zh", now=NOW)
        spent.append(time.perf_counter() - started)
    assert min(spent) < 0.02  # 5 ms on an idle machine; the least of twenty, since others share this one


# -- rule files -------------------------------------------------------------------------------------------------------

RULES = """version: 1
rules:
  - name: vip
    weight: 0.5
    answered_by: knowledge
    when: {profile: {tier: [black]}}
    ask: {zh: ["怎么联系专属顾问？"]}
"""


def _rules(tmp_path: Path, text: str) -> RuleBook:
    path = tmp_path / "rules.yaml"
    path.write_text(text, "utf-8")
    return load_rules(path)


def test_ones_own_rules_replace_the_packaged_ones(tmp_path: Path) -> None:
    book = _rules(tmp_path, RULES)
    vip = UserState("u", NOW, {"tier": "black"})
    assert [rule.name for rule, _ in book.fired(vip, NOW)] == ["vip"]
    assert book.fired(UserState("u", NOW, {"tier": "gold"}), NOW) == []
    assert book.digest != BOOK.digest


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("weigth: 0.5", "weight: 0.5", r'rules\.yaml:4: unknown key "rules\.0\.weigth"'),
        ("weight: 5", "weight: 0.5", r"rules\.yaml:4: .*less than or equal to 1"),
        (
            "{profil: {tier: [black]}}",
            "{profile: {tier: [black]}}",
            r'rules\.yaml:6: unknown key "rules\.0\.when\.profil',
        ),
        ("{is: [late]}", "{profile: {tier: [black]}}", r"rules\.yaml:6: .*needs `entity`"),
        ("怎么联系{who}？", "怎么联系专属顾问？", r"rules\.yaml:7: .*only field is \{name\}"),
        ("version: 2", "version: 1", r"rules\.yaml:1: "),
        ("  - name: [", "  - name: vip", r"is not YAML"),
    ],
)
def test_a_wrong_rule_is_named_with_its_line(tmp_path: Path, wrong: str, right: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        _rules(tmp_path, RULES.replace(right, wrong))


@pytest.mark.parametrize("text", ["", "- a", "version: 1", "version: 1\nrules: 3"])
def test_a_file_that_is_no_rule_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError):
        _rules(tmp_path, text)
    with pytest.raises(ConfigurationError, match="TEACHBACK_SUGGESTION_RULES"):
        load_rules(tmp_path / "absent.yaml")


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="two rules are named 'vip'"):
        _rules(tmp_path, RULES + RULES.partition("rules:\n")[2])
