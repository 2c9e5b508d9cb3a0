"""ragas against a real server: right verdicts in Chinese and English, and every way to fail counted, never averaged."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from assistant.domain.conversation import Turn
from assistant.domain.knowledge import DocumentKind, Passage
from assistant.domain.reply import Reply
from assistant.llm.embedders import HashEmbedder
from assistant.llm.openai_client import make_client
from assistant.llm.openai_judge import PATIENCE, OpenAIJudge
from evals.cases import ReplyCase
from evals.judge import METRICS, Judged, judge_cases
from evals.judge.asking import Bench
from evals.judge.panel import UNSCORED, JudgeInput
from evals.judge.ragas_metrics import RagasPanel
from evals.report.judgement import _REASONS_ZH, judge_section
from evals.report.words import Locale
from evals.transfer_run import GuardReport, Replay
from tests.integration.judge_server import JudgeServer

HUMAN = "银行卡三天到账。节假日顺延。"


@pytest.fixture(scope="module")
def server() -> Iterator[JudgeServer]:
    with JudgeServer() as running:
        yield running


def judge_at(url: str, **options: Any) -> OpenAIJudge:
    return OpenAIJudge(make_client(url, None, 2, retries=1), "rule", **{"timeout_s": 2.0, "max_tokens": 500, **options})


def ask(url: str, metric: str, given: JudgeInput, **options: Any) -> Any:
    async def asked() -> Any:
        judge = judge_at(url, **options)
        try:
            return await RagasPanel(Bench(judge)).judge(metric, given)
        finally:
            await judge.aclose()

    return asyncio.run(asked())


@pytest.mark.parametrize(
    ("metric", "reply", "passages", "value"),
    [
        ("answer_accuracy", HUMAN, (), 1.0),
        ("answer_accuracy", "银行卡三天到账。", (), 0.5),
        ("answer_accuracy", "亲，抱歉，您稍等。", (), 0.0),
        ("factual_correctness", "银行卡三天到账。明天送达。", (), 0.5),
        ("factual_correctness", "亲，抱歉，您稍等。", (), 0.0),
        ("faithfulness", "银行卡三天到账。明天送达。", ("退款说明\n银行卡三天到账。",), 0.5),
        ("context_precision", "", ("不相干", "银行卡三天到账。"), 0.5),
        ("context_recall", "", ("不相干", "银行卡三天到账。"), 0.5),
    ],
)
def test_right_verdicts_in_chinese(
    server: JudgeServer, metric: str, reply: str, passages: tuple[str, ...], value: float
) -> None:
    verdict = ask(server.url, metric, JudgeInput("退款多久到账？", reply, HUMAN, passages))
    assert verdict.unscored is None
    assert verdict.value == pytest.approx(value, abs=0.01)
    prompt = server.bodies[-1]["messages"][0]["content"]
    assert "只输出" in prompt
    assert "Einstein" not in prompt


@pytest.mark.parametrize("metric", METRICS)
def test_an_english_case_is_asked_in_english(server: JudgeServer, metric: str) -> None:
    given = JudgeInput("How long?", "Three days", "Three days", ("Three days",), locale="en-GB")
    assert ask(server.url, metric, given).value == pytest.approx(1.0)
    assert "只输出" not in server.bodies[-1]["messages"][0]["content"]


FAULTS = {
    "nojson": "not_json",
    "truncated": "not_json",
    "empty": "empty",
    "types": "wrong_form",
    "list": "not_json",
    "nan": "wrong_form",
    "scale": "off_scale",
    "refuse": "refused",
    "cut": "cut_off",
    "500": "server_error",
    "429": "rate_limited",
    "401": "not_authorised",
    "404": "not_found",
    "422": "rejected",
    "hang": "timeout",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_way_to_fail_is_unscored_with_its_reason(server: JudgeServer, fault: str) -> None:
    options = {"timeout_s": 0.2} if fault == "hang" else {}
    verdict = ask(server.url, "answer_accuracy", JudgeInput("问", f"三天。[[{fault}]]", "三天。"), **options)
    assert (verdict.value, verdict.unscored) == (None, FAULTS[fault])
    assert FAULTS[fault] in UNSCORED
    assert set(_REASONS_ZH) == set(UNSCORED)


@pytest.mark.parametrize("fault", ["fenced", "recovers"])
def test_fences_thoughts_and_one_429_do_not_cost_a_verdict(server: JudgeServer, fault: str) -> None:
    assert ask(server.url, "answer_accuracy", JudgeInput("问", f"三天。[[{fault}]]", "三天。")).value == 1.0


def test_a_judge_that_leaves_statements_out_is_not_averaged(server: JudgeServer) -> None:
    given = JudgeInput("问", "三天到账。[[fewer]]", "三天到账。", ("三天到账。",))
    assert ask(server.url, "factual_correctness", given).unscored == "verdicts_missing"


@pytest.mark.parametrize(
    ("metric", "given", "reason"),
    [
        ("faithfulness", JudgeInput("问", "三天。", "三天。"), "no_contexts"),
        ("context_recall", JudgeInput("问", "三天。", "三天。"), "no_contexts"),
        ("faithfulness", JudgeInput("问", "亲，您稍等。", "三天。", ("三天。",)), "no_statements"),
        ("factual_correctness", JudgeInput("问", "三天。", "亲，您稍等。"), "no_claims"),
        ("answer_accuracy", JudgeInput("问", "三天。", " "), "no_reference"),
    ],
)
def test_what_cannot_be_measured_is_unscored(server: JudgeServer, metric: str, given: JudgeInput, reason: str) -> None:
    verdict = ask(server.url, metric, given)
    assert (verdict.value, verdict.unscored) == (None, reason)


def test_a_server_without_schemas_is_asked_without(server: JudgeServer) -> None:
    with JudgeServer(no_schema=True) as plain:
        assert ask(plain.url, "answer_accuracy", JudgeInput("问", "三天。", "三天。")).value == 1.0
        assert [b.get("response_format", {}).get("type") for b in plain.bodies] == [
            "json_schema",
            "json_object",
            None,
            None,
        ]


def test_a_dead_server_costs_a_few_tries_and_no_verdict() -> None:
    async def asked() -> tuple[list[str | None], int]:
        judge = judge_at("http://127.0.0.1:9/v1", concurrency=1)
        bench = Bench(judge)
        panel = RagasPanel(bench)
        found = [await panel.judge("context_recall", JudgeInput("问", "", "三", ("三",))) for _ in range(PATIENCE + 4)]
        return [verdict.unscored for verdict in found], bench.usage.requests

    reasons, requests = asyncio.run(asked())
    assert reasons == ["no_connection"] * PATIENCE + ["gave_up"] * 4
    assert requests == PATIENCE


def test_telemetry_is_off_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAGAS_DO_NOT_TRACK", "False")
    RagasPanel(Bench(judge_at("http://127.0.0.1:9/v1")))
    assert os.environ["RAGAS_DO_NOT_TRACK"] == "true"
    analytics = importlib.import_module("ragas._analytics")
    assert analytics.do_not_track()
    monkeypatch.setattr(analytics.requests, "post", lambda *_, **__: pytest.fail("ragas phoned home"))
    analytics.track(analytics.IsCompleteEvent(event_type="x"))
    analytics._analytics_batcher.flush()


CASES = [
    ("a", "退款多久到账？", ("银行卡三天到账。", "银行卡三天到账。节假日顺延。")),
    ("b", "发票抬头能改吗？", ("三十天内可以换开。", "可以换开。三十天内可以换开。")),
    ("c", "保修多久？", ("整机保修一年。", "整机保修一年。电池半年。")),
    ("d", "能开专票吗？", ("可以开专票。", "可以开专票。")),
    ("e", "有赠品吗？", ("没有赠品。", "没有赠品。")),
]


def made(faults: dict[str, str], leaks: tuple[str, ...] = ()) -> tuple[list[ReplyCase], Replay]:
    cases = [ReplyCase(key, key, (Turn("customer", asked),), replies, "zh") for key, asked, replies in CASES]
    passages = {
        case.case_id: (
            Passage(f"p-{case.case_id}", "d", DocumentKind.ARTICLE, "说明", "", case.references[0], 0.9, "zh"),
        )
        for case in cases
    }
    replies = {
        case.case_id: Reply(
            case.references[0] + (f"[[{faults[case.case_id]}]]" if case.case_id in faults else ""),
            "answer",
            0.9,
            "",
            "",
            passages=passages[case.case_id],
        )
        for case in cases
    }
    return cases, Replay(replies, GuardReport(leaks=leaks))


def judged(url: str, cases: list[ReplyCase], replay: Replay, cache: Path | None = None, baselines: int = 5) -> Judged:
    return asyncio.run(judge_cases(cases, replay, judge_at(url), HashEmbedder(), cache=cache, baseline_cases=baselines))


def test_the_unscored_count_is_exact(server: JudgeServer) -> None:
    """Of five replies one meets a 500, one is cut off and one leaked: two are scored, and only they are averaged."""
    cases, replay = made({"a": "500", "b": "cut"}, leaks=("c",))
    found = judged(server.url, cases, replay, baselines=0)
    accuracy = found.estimates["answer_accuracy"]
    assert (accuracy.mean, accuracy.scored, accuracy.unscored) == (1.0, 2, 3)
    assert found.unscored("answer_accuracy") == {"server_error": 1, "cut_off": 1, "leak": 1}
    # retrieval does not see the reply: only the leak is missing
    assert found.unscored("context_recall") == {"leak": 1}
    assert found.reasons("a")["factual_correctness"] == "server_error"
    assert found.values("a")["judge_answer_accuracy"] is None


def test_the_judge_itself_is_measured(server: JudgeServer) -> None:
    cases, replay = made({})
    found = judged(server.url, cases, replay)
    means = {name: row["answer_accuracy"].mean for name, row in found.baselines.items()}
    assert means["constant courtesy"] == means["random human"] == 0.0
    assert means["assistant"] == 1.0
    assert means["second human"] == pytest.approx(0.7)
    assert found.usable("answer_accuracy") is True
    assert found.usable("factual_correctness") is True
    # a courtesy holds no statement: whether the metric sees through it cannot be told
    assert found.usable("faithfulness") is None
    assert "| constant courtesy | 0.00 (5/5) |" in found.markdown()


def test_a_judge_that_likes_everything_is_not_usable(server: JudgeServer) -> None:
    class Flatterer:
        prompts = MappingProxyType[str, str]({})

        async def judge(self, metric: str, given: JudgeInput) -> Any:
            from evals.judge import Verdict

            return Verdict(1.0)

    from evals.judge.asking import Usage
    from evals.judge.run import estimates_of, judge_replay

    cases, replay = made({})
    verdicts, rows, count = asyncio.run(judge_replay(cases, replay, Flatterer(), HashEmbedder(), baseline_cases=5))
    found = Judged("f", "e", verdicts, estimates_of(cases, verdicts), rows, count, Usage(), {})
    assert [found.usable(name) for name in METRICS] == [False] * len(METRICS)
    assert "**no**" in found.markdown()


def test_a_second_run_costs_nothing_and_asks_again_only_what_failed(server: JudgeServer, tmp_path: Path) -> None:
    cases, replay = made({"a": "nojson"})
    first = judged(server.url, cases, replay, tmp_path / "cache.sqlite3")
    asked = len(server.bodies)
    second = judged(server.url, cases, replay, tmp_path / "cache.sqlite3")
    assert second.verdicts == first.verdicts
    assert second.estimates == first.estimates
    # what was malformed is tried again: both judges of accuracy, the first step of the two metrics with claims
    assert len(server.bodies) - asked == second.usage.requests == second.usage.malformed == 8
    assert first.usage.tokens_in == 100 * first.usage.requests


def test_requests_keep_to_the_concurrency_and_the_rate() -> None:
    with JudgeServer() as own:

        async def asked(**options: Any) -> float:
            judge = judge_at(own.url, **options)
            loop = asyncio.get_running_loop()
            start = loop.time()
            await asyncio.gather(*(judge.answer('\n输入：{"response": "三天。"}', {}) for _ in range(8)))
            await judge.aclose()
            return loop.time() - start

        asyncio.run(asked(concurrency=2))
        assert own.most_running <= 2
        assert asyncio.run(asked(concurrency=8, requests_per_minute=1200)) >= 7 * 0.05


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_report_shows_the_judge(server: JudgeServer, locale: Locale) -> None:
    cases, replay = made({"a": "500", "b": "refuse"})
    page = judge_section(replace(judged(server.url, cases, replay), judge="<b>judge</b>"), locale)
    assert "&lt;b&gt;judge" in page
    assert "<b>" not in page
    assert ("1 × 评审拒绝" if locale == "zh" else "1 × the judge refused") in page
    assert ("第二位客服" if locale == "zh" else "second human") in page
