"""Answer metrics: what a figure is, what courtesy is worth, and that better replies score higher."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import date
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.domain.conversation import Turn
from assistant.llm.bundled_e5 import BundledE5
from assistant.llm.embedders import HashEmbedder
from assistant.ports import Vectors
from evals.answer_metrics import AnswerScorer, AnswerScores, chrf, combined, corpus_bleu
from evals.answer_metrics.actions import action_agreement, actions
from evals.answer_metrics.background import SENTENCES
from evals.answer_metrics.contradiction import contradiction
from evals.answer_metrics.facts import _share, facts_recall, names, weights_of
from evals.answer_metrics.figures import Figure, agree, figures
from evals.answer_metrics.semantic import Background, SentenceVectors
from evals.answer_metrics.sentences import content_sentences
from evals.baselines import COURTESY, against_first, constant_courtesy, nearest_reply, random_human, second_human
from evals.case_sets import cases_from_transcripts
from evals.cases import Prediction, ReplyCase
from evals.statistics import bootstrap_mean, paired_difference


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("48 小时", "2 days"),
        ("两天", "48小时"),
        ("半年换一次", "every 6 months"),
        ("3-7 个工作日", "three to seven working days"),
        ("半小时", "30 minutes"),
        ("两个星期", "14 天"),
        ("一年半", "18 months"),
        ("9月26日", "26 September"),
        ("9月26日", "on Sept 26th"),
        ("2026-09-26", "9 月 26 号"),
        ("晚上 8 点半", "20:30"),
        ("下午5点", "5 pm"),
        ("85折", "15% off"),
        ("1,299.00 元", "¥1299"),
        ("12 块", "12 yuan"),
        ("45平米", "45 m²"),
        ("2.4 GHz", "2.4ghz"),
        ("固件 2.1.7", "firmware 2.1.7"),
        ("单号 SF1509937742016", "sf is wrong but SF1509937742016"),
    ],
)
def test_the_same_figure_in_other_words(one: str, other: str) -> None:
    assert figures(one)
    assert figures(one) <= figures(other) | {f for f in figures(one) if any(agree(f, o) for o in figures(other))}
    assert any(agree(a, b) for a in figures(one) for b in figures(other))


def test_kinds_of_figures_stay_apart() -> None:
    assert figures("满 5 天") != figures("满 5 元")
    assert not agree(Figure("duration", "120h"), Figure("amount", "5"))
    assert agree(Figure("number", "349"), Figure("amount", "349"))
    assert not agree(Figure("number", "8"), Figure("date", "8"))
    assert figures("好的，请把[订单x]和[数字x]发我") == frozenset()


@given(st.text(max_size=60))
def test_any_text_has_figures_or_none(text: str) -> None:
    assert all(figure.value for figure in figures(text))
    content_sentences(text)
    actions(text)


@pytest.mark.parametrize(
    "text",
    [
        *COURTESY.values(),
        "亲，您好，很高兴为您服务～",
        "非常抱歉给您带来不便，请您耐心等待。",
        "请稍等，我这边帮您查一下哦",
        "好的，感谢您的理解与支持，祝您生活愉快！",
        "黃小姐您好，我係小周，幫您查一下付款記錄",
        "Sorry about that! Let me check this for you. One moment please.",
        "Thank you for your patience. Have a nice day!",
        "",
        "👍",
    ],
)
def test_courtesy_says_nothing(text: str) -> None:
    assert content_sentences(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "不支持。",
        "可以的",
        "48 小时内发货",
        "已经帮您取消了订单",
        "It's 3 days.",
        "抱歉，开封后不能退货。",
        "请把订单号发我",
    ],
)
def test_what_matters_is_content(text: str) -> None:
    assert content_sentences(text)


def test_facts_are_figures_names_and_words() -> None:
    reference = "银行卡 3-7 个工作日到账，进度在【我的→售后】里看"
    weights = weights_of([reference, "滤芯半年换一次", "发票可以重开一次"])
    assert facts_recall(reference, reference, "", weights) == 1.0
    right = facts_recall("到银行卡要三到七个工作日，可以在我的→售后查进度", reference, "", weights)
    wrong = facts_recall("到银行卡要十个工作日，可以问客服", reference, "", weights)
    assert right > 0.7 > 0.4 > wrong
    assert names(reference) == {"我的", "售后"}


def test_the_order_in_which_facts_are_added_up_changes_no_digit() -> None:
    wanted = [(0.3, True), (1.0, True), (0.2, False), (0.06, True), (0.3, False), (1.0, False)]
    assert len({_share(order) for order in permutations(wanted)}) == 1


def test_facts_cross_languages_by_their_figures() -> None:
    reference = "Bank cards take 3 to 7 working days."
    weights = weights_of([reference])
    assert facts_recall("银行卡需要 3-7 个工作日到账", reference, "", weights) == 1.0
    assert facts_recall("银行卡需要 10 个工作日到账", reference, "", weights) == 0.0


def test_what_the_customer_said_is_little_merit_to_repeat() -> None:
    reference = "您 10月29日 那单可以补 60 元差价"
    weights = weights_of([reference])
    echo = facts_recall("您 10月29日 那单", reference, "10月29日那单能补差价吗", weights)
    answer = facts_recall("可以补 60 元", reference, "10月29日那单能补差价吗", weights)
    assert answer > echo + 0.2


@pytest.mark.parametrize(
    ("reply", "reference", "clashes"),
    [
        ("银行卡要 10 个工作日到账。", "银行卡要 7 个工作日到账。", True),
        ("银行卡要 7 个工作日到账。", "银行卡要 7 个工作日到账。", False),
        ("洗过的四件套可以退货。", "洗过的四件套不可以退货。", True),
        ("这款净化器支持米家联网。", "这款净化器不支持米家联网。", True),
        ("The coupon cannot be combined with member prices.", "The coupon can be combined with member prices.", True),
        ("超过 48 小时了，已经催件。", "超过 48 小时没更新，已经催件。", False),
        ("您有没有撕掉滤网外面的膜？", "您把滤网外面的膜撕掉了没有呀", False),
    ],
)
def test_contradiction(reply: str, reference: str, clashes: bool) -> None:
    said, wanted = content_sentences(reply), content_sentences(reference)
    everything = 0.9 * _ones(len(wanted), len(said))
    assert (contradiction(said, wanted, everything, "").share > 0) is clashes


def test_a_figure_of_the_question_or_elsewhere_in_the_reference_is_no_contradiction() -> None:
    said, wanted = content_sentences("您第 9 天还在期内。"), content_sentences("价保现在是 15 天。您今天第 9 天。")
    assert contradiction(said, wanted, _ones(2, 1), "").share == 0
    said, wanted = content_sentences("您 25 天前下的单超了。"), content_sentences("价保是 15 天。")
    assert contradiction(said, wanted, _ones(1, 1), "我25天前买的").share == 0


def test_actions_agree_by_class_and_decision() -> None:
    assert actions("已经给圆通发了催件") == actions("I've asked YTO to trace the parcel")
    assert actions("这个不能退款") == {"no refund"}
    assert actions("请您稍等", "handoff") == {"escalate"}
    assert action_agreement({"refund"}, set()) is None
    assert action_agreement({"refund", "ask"}, {"refund"}) == pytest.approx(2 / 3)


def test_bleu_and_chrf_at_their_ends() -> None:
    assert corpus_bleu([], []) is None
    assert corpus_bleu(["今天就给您发货了"], [["今天就给您发货了"]]) == pytest.approx(1.0)
    assert corpus_bleu(["abc"], [["xyz"]]) == 0.0
    assert corpus_bleu([""], [["x"]]) == 0.0
    assert chrf("今天发货", ["今天发货", "x"]) == pytest.approx(1.0)
    assert chrf("", ["今天"]) == chrf("abc", []) == 0.0


def test_bleu_against_a_value_worked_by_hand() -> None:
    # unigrams 5/6, bigrams 3/5, trigrams 1/4, four-grams 0 of 3: the second pair lends one match of 1
    value = corpus_bleu(["the cat sat on a mat", "a b c d"], [["the cat sat on the mat"], ["a b c d"]])
    precisions = (5 + 4) / 10 * (3 + 3) / 8 * (2 + 2) / 6 * (1 + 1) / 4
    assert value == pytest.approx(precisions**0.25)


def case(name: str, asked: str, *references: str, locale: str = "zh") -> ReplyCase:
    return ReplyCase(name, name, (Turn("customer", asked),), references, locale)


CASES = [
    case("refund", "退款多久到账", "银行卡要 3-7 个工作日到账，微信是马上到。"),
    case("filter", "滤芯多久换", "蓝色的新滤芯半年换一次，59 元一个。", "新批次 6 个月一换。"),
    case("silent", "在吗", "亲，很高兴为您服务"),
    case("none", "在吗"),
]


def test_unscored_has_a_reason_and_an_empty_reply_is_zero() -> None:
    scorer = AnswerScorer(CASES, HashEmbedder())
    refund, filters, silent, none = scorer.score([Prediction("refund", "")])
    assert refund.scores == AnswerScores(0.0, 0.0, 0.0, None, 0.0, 0.0)
    assert (filters.scores, filters.unscored) == (None, "no_prediction")
    assert (silent.unscored, none.unscored) == ("no_reference", "no_reference")


def test_the_best_reference_counts_and_the_same_words_are_right() -> None:
    scorer = AnswerScorer(CASES, HashEmbedder())
    for reply in ("新批次 6 个月一换。", "蓝色的新滤芯半年换一次，59 元一个。"):
        scores = scorer.score([Prediction("filter", reply)])[1].scores
        assert scores is not None
        assert scores.accuracy == pytest.approx(1.0)


def test_courtesy_changes_nothing_and_alone_is_nothing() -> None:
    scorer = AnswerScorer(CASES, HashEmbedder())
    plain, padded, alone = (
        scorer.score([Prediction("refund", reply)])[0].scores
        for reply in ("银行卡 3-7 天。", f"亲，您好。{'银行卡 3-7 天。'}{COURTESY['zh']}", COURTESY["zh"])
    )
    assert plain is not None
    assert padded is not None
    assert alone is not None
    assert padded.accuracy == pytest.approx(plain.accuracy)
    assert plain.accuracy > 0.3
    assert alone.accuracy == 0


def test_a_wrong_figure_costs_much() -> None:
    scorer = AnswerScorer(CASES, HashEmbedder())
    right, wrong = (
        scorer.score([Prediction("refund", reply)])[0].scores
        for reply in ("银行卡要 3-7 个工作日到账，微信是马上到。", "银行卡要 20 个工作日到账，微信是马上到。")
    )
    assert right is not None
    assert wrong is not None
    assert wrong.contradiction > 0
    assert wrong.accuracy < 0.6 * right.accuracy


@given(st.text(max_size=80))
def test_every_score_is_between_0_and_1(reply: str) -> None:
    scores = AnswerScorer(CASES[:2], HashEmbedder()).score([Prediction("refund", reply)])[0].scores
    assert scores is not None
    assert all(value is None or 0 <= value <= 1 for value in scores.values().values())


def test_the_formula() -> None:
    assert combined(1.0, 1.0, None, 0.0) == pytest.approx(1.0)
    assert combined(1.0, 0.0, 0.0, 0.0) == pytest.approx(0.5)
    assert combined(1.0, 1.0, 1.0, 1.0) == pytest.approx(0.3)


@pytest.mark.model
@pytest.mark.parametrize("groups", ["ab", "cd"])
def test_it_spreads_courtesy_chance_retrieval_and_people(groups: str, tmp_path: Path, model_cache: Path) -> None:
    """The order that the metric must show, with intervals apart; its constants were chosen on a and b."""
    cases = demo_cases(groups, tmp_path)
    judged = against_first([c for c in cases if len(c.references) > 1])
    pool = against_first(cases)
    embedder = BundledE5(model_cache)
    scorer = AnswerScorer(pool, embedder)
    chosen = {c.case_id for c in judged}
    accuracy: dict[str, list[float | None]] = {}
    for name, predictions in {
        "constant": constant_courtesy(pool),
        "random": random_human(pool),
        "nearest": nearest_reply(pool, embedder),
        "second": second_human(cases),
    }.items():
        scored = [score for score in scorer.score(predictions) if score.case_id in chosen]
        accuracy[name] = [score.scores.accuracy if score.scores else None for score in scored]
    steps = [("constant", "random"), ("random", "nearest"), ("nearest", "second")]
    for worse, better in steps:
        low, high = bootstrap_mean(accuracy[worse]), bootstrap_mean(accuracy[better])
        assert high.low is not None
        assert low.high is not None
        assert high.low > low.high, (worse, better)
        difference = paired_difference(accuracy[worse], accuracy[better])
        assert difference.low is not None
        assert difference.low > 0
    assert bootstrap_mean(accuracy["constant"]).mean == pytest.approx(0.0, abs=0.01)
    assert (bootstrap_mean(accuracy["random"]).mean or 0) < 0.05
    assert (bootstrap_mean(accuracy["second"]).mean or 0) > 0.5


def demo_cases(groups: str, folder: Path) -> list[ReplyCase]:
    from ingest.demo import render_demo, second_replies
    from ingest.sources.schemas import parse_transcript

    today = date(2026, 3, 2)
    shop = render_demo(folder / "shop", today)
    transcripts = [
        parse_transcript(json.loads(line), path.name)
        for path in sorted((shop / "transcripts").glob("*.jsonl"))
        if path.stem[-1] in groups
        for line in path.read_text("utf-8").splitlines()
    ]
    seconds = second_replies(shop)
    shutil.rmtree(shop)
    return cases_from_transcripts(transcripts, seconds)


def _ones(rows: int, columns: int):  # type: ignore[no-untyped-def]
    import numpy as np

    return np.ones((rows, columns), dtype=np.float32)


def test_the_floor_is_the_quantile_over_other_conversations_whoever_asks() -> None:
    rng = np.random.default_rng(0)
    rows = {f"保温杯第{n}句": row / np.linalg.norm(row) for n, row in enumerate(rng.normal(size=(160, 8)))}

    class Fixed(HashEmbedder):
        def embed_queries(self, texts: Sequence[str]) -> Vectors:
            return np.array([rows.setdefault(t, np.eye(8)[len(t) % 8]) for t in texts], dtype=np.float32)

    vectors = SentenceVectors(Fixed(8))
    owned = [(text, f"c{n % 7 if n < 120 else 9}") for n, text in enumerate(list(rows)[:150])]
    background = Background(owned, vectors)
    pairs = [*sorted(owned), *((text, "") for text in SENTENCES["zh"])]
    asked = list(rows)[140:160]
    for owner in ("c0", "c6", "c9", "stranger", "c0"):
        others = vectors.of([text for text, of in pairs if of != owner])
        place = int(0.97 * (len(others) - 1))
        plain = np.sort(vectors.of(asked) @ others.T, axis=1)[:, place]
        np.testing.assert_allclose(background.floor(asked, "zh", owner), plain, atol=1e-6)
    assert background.floor([], "zh", "c0").shape == (0,)
