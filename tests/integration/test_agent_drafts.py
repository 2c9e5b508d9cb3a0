"""Drafts over HTTP on a real desk: asked for, decided, recorded; and the way from there to cases and the report."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from api.app import create_app
from api.cli import app as cli
from assistant.bootstrap import build
from assistant.errors import ConfigurationError
from assistant.settings import Settings
from tests.integration.judge_server import JudgeServer

ARTICLE = {
    "id": "refund-time",
    "title": "退款多久到账",
    "body": "# 到账时间\n银行卡退款 1–3 个工作日到账，余额即时到账。节假日顺延。",
}


@pytest.fixture
def teachback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TEACHBACK_EMBEDDER", "hash")

    def run(*args: str) -> dict[str, Any]:
        result = CliRunner().invoke(cli, [*args, "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        record: dict[str, Any] = json.loads(result.stdout)
        return record

    articles = tmp_path / "articles.jsonl"
    articles.write_text(json.dumps(ARTICLE, ensure_ascii=False), "utf-8")
    run("ingest", str(articles))
    return run


async def talk() -> dict[str, Any]:
    service = build(Settings())
    app = create_app(desks=service.desk, keys=service.keys, tokens=service.tokens, settings=service.settings)
    agent = service.keys.issue("default", "agent", "Lin").text
    outsider = service.keys.issue("default", "service", "shop").text
    user = service.tokens.issue("default", "u1").text
    seen: dict[str, Any] = {}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:

        def post(who: str, path: str, body: Any = None) -> Any:
            headers = {"Authorization": f"Bearer {who}", "Accept": "application/json"}
            return client.post("/api/v1/conversations" + path, json=body, headers=headers)

        conversation = (await post(user, "")).json()["id"]
        await post(user, f"/{conversation}/messages", {"text": "我要转人工，我的退款多久能到银行卡？"})
        for who in (user, outsider):
            seen[f"refused {len(seen)}"] = (await post(who, f"/{conversation}/drafts")).status_code
        made = await post(agent, f"/{conversation}/drafts")
        seen["made"], draft = made.status_code, made.json()
        path = f"/{conversation}/drafts/{draft['id']}/decision"
        seen["empty"] = (await post(agent, path, {"sent": "  "})).status_code
        sent = {"sent": "银行卡退款 2–5 个工作日到账，余额即时到账。"}
        # of two that decide at once one wins, and asking again for the same decision is no second turn
        both = await asyncio.gather(post(agent, path, sent), post(agent, path, sent))
        seen["both"] = [answer.status_code for answer in both]
        seen["edited"] = both[0].json()
        seen["other"] = (await post(agent, path, {"rejected": True})).json()
        seen["elsewhere"] = (await post(agent, "/cv_none/drafts")).status_code
        seen["said"] = (await post(agent, f"/{conversation}/agent-messages", {"text": "还有别的可以帮您吗？"})).json()
        headers = {"Authorization": f"Bearer {agent}"}
        seen["turns"] = (await client.get(f"/api/v1/conversations/{conversation}", headers=headers)).json()["turns"]
        again = (await post(agent, f"/{conversation}/drafts")).json()
        path = f"/{conversation}/drafts/{again['id']}/decision"
        seen["accepted"] = (await post(agent, path, {"sent": again["text"]})).json()["verdict"]
    service.close()
    return {**seen, "conversation": conversation, "draft": draft}


def test_from_a_draft_to_the_report_and_to_cases(teachback: Any, tmp_path: Path) -> None:
    seen = asyncio.run(talk())
    assert [seen["refused 0"], seen["refused 1"], seen["made"], seen["empty"]] == [403, 403, 201, 422]
    assert "1–3 个工作日" in seen["draft"]["text"]
    assert seen["draft"]["citations"][0]["article_id"] == "refund-time"
    assert seen["both"] == [200, 200]
    assert seen["edited"]["verdict"] == "edited"
    assert "figure_changed" in seen["edited"]["edits"]
    assert seen["other"]["type"] == "urn:teachback:problem:draft-settled"
    assert seen["elsewhere"] == 404
    agents = [turn for turn in seen["turns"] if turn["role"] == "agent"]
    assert [turn["text"] for turn in agents] == ["银行卡退款 2–5 个工作日到账，余额即时到账。", "还有别的可以帮您吗？"]
    assert agents[0]["author_id"].startswith("key:")
    assert seen["said"]["seq"] == agents[1]["seq"]
    assert seen["accepted"] == "accepted"

    report = teachback("eval", "drafts")
    assert report["verdicts"]["accepted"]["share"] == report["verdicts"]["edited"]["share"] == 0.5
    assert report["edits"]["figure_changed"]["share"] == 1.0
    assert report["facts_kept"]["scored"] == 2
    assert report["agreement"]["confidence"]["why"] == "too few: 2 of 20 labels"

    out = tmp_path / "cases.jsonl"
    drawn = teachback("eval", "cases", "--source", "live", "--out", str(out))
    assert (drawn["cases"], drawn["transferred"], drawn["live"]) == (1, 1, 1)
    case = json.loads(out.read_text("utf-8"))
    assert case["conversation_id"] == seen["conversation"]
    assert case["observed"]["handoff"] == "customer_request"
    assert case["observed"]["assistant"]["decision"] == "handoff"
    teachback(
        "eval", "correct", case["case_id"], "--author", "Wu", "--reference", "改过的回复", "--note", "到账时间记错"
    )
    again = teachback("eval", "cases", "--source", "all", "--out", str(out))
    assert again["corrected"] == 1
    assert again["version"] != drawn["version"]
    case = json.loads(out.read_text("utf-8"))
    assert case["references"] == ["改过的回复"]
    assert case["corrected"]["author"] == "Wu"
    scored = teachback("eval", "transfers", str(out), "--no-causes")
    assert scored["cases"] == 1


def test_transfers_are_judged_from_the_command_line(
    teachback: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Chinese, with a judge that fails on one case: wrong set-ups refused, exact counts, a stored run."""
    cases = tmp_path / "cases.jsonl"
    with cases.open("w", encoding="utf-8") as stream:
        for key, asked, said in (
            ("a", "退款多久到账？", "银行卡三天到账。"),
            ("b", "保修多久？[[500]]", "整机保修一年。"),
        ):
            turn = {"role": "customer", "text": asked}
            case = {"case_id": key, "conversation_id": key, "locale": "zh", "turns": [turn], "references": [said]}
            stream.write(json.dumps(case, ensure_ascii=False) + "\n")
    command = ["eval", "transfers", str(cases), "--no-causes", "--judge", "--judge-baselines", "0"]
    with pytest.raises(ConfigurationError, match="TEACHBACK_JUDGE_MODEL"):
        teachback(*command)
    with JudgeServer() as server:
        monkeypatch.setenv("TEACHBACK_JUDGE_MODEL", "rule")
        monkeypatch.setenv("TEACHBACK_JUDGE_BASE_URL", server.url)
        with monkeypatch.context() as tested:
            tested.setenv("TEACHBACK_MODEL", "rule")
            tested.setenv("OPENAI_BASE_URL", f"{server.url}/")
            with pytest.raises(ConfigurationError, match="--same-judge"):
                teachback(*command)
        done = teachback(*command)
    accuracy = done["judge"]["metrics"]["answer_accuracy"]
    assert (accuracy["scored"], accuracy["unscored"]) == (1, 1)
    assert accuracy["unscored_by_reason"] == {"server_error": 1}
    run = json.loads(Path(done["run"]).read_text("utf-8"))
    assert run["provenance"]["models"]["judge"] == f"rule at {server.url}"
    assert "judge/accuracy_1/zh" in run["provenance"]["prompts"]
    [failed] = [row for row in run["rows"] if row["case_id"] == "b"]
    assert failed["values"]["judge_answer_accuracy"] is None
    assert failed["detail"]["judge_unscored"]["answer_accuracy"] == "server_error"
    assert "只输出" in server.bodies[0]["messages"][0]["content"]
