"""ragas in Chinese on a real model server: every verdict is scored or has its reason, and none is invented.

The model has 135 million parameters, so its verdicts mean nothing, and its output is malformed by nature.
"""

from __future__ import annotations

import asyncio

import pytest

from assistant.llm.openai_client import make_client
from assistant.llm.openai_judge import OpenAIJudge
from evals.judge.asking import Bench
from evals.judge.panel import UNSCORED, JudgeInput, Verdict
from evals.judge.ragas_metrics import RagasPanel
from tests.e2e.llama_server import LlamaServer, missing

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(missing() is not None, reason=str(missing()))]
GIVEN = JudgeInput("退款多久到账？", "一般 1–3 个工作日。", "银行卡 1–3 个工作日到账。", ("银行卡 1–3 个工作日到账。",))


def test_a_real_model_is_asked_in_chinese_and_its_answer_checked() -> None:
    async def asked(url: str) -> tuple[Verdict, Bench]:
        judge = OpenAIJudge(
            make_client(url, None, 90, retries=0), "smollm2", timeout_s=90, max_tokens=60, concurrency=1
        )
        bench = Bench(judge)
        try:
            return await RagasPanel(bench).judge("context_precision", GIVEN), bench
        finally:
            await judge.aclose()

    with LlamaServer() as server:
        verdict, bench = asyncio.run(asked(server.url))
    assert bench.usage.requests >= 1
    if verdict.value is None:
        assert verdict.unscored in UNSCORED
    else:
        # constrained by the schema that we sent, and on the scale: 0 or 1 passage of 1
        assert round(verdict.value, 6) in (0.0, 1.0)
        assert bench.usage.tokens_in > 0
