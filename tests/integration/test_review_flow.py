"""The loop as its users turn it: on the command line from gaps to a published article, and over the API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.cli.session import quiet
from api.routes.reviews import Knowledge
from assistant.bootstrap import Service, build
from assistant.settings import Settings
from tests.command_line import runner

Run = Callable[..., tuple[int, Any, str]]
ENGRAVE = "保温杯刻字要加 20 元，下单时备注刻字内容，最多 6 个字，刻字后不支持七天无理由退货。"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("TEACHBACK_EMBEDDER", "hash")
    monkeypatch.setenv("TEACHBACK_DATA_DIR", str(tmp_path / "data"))
    quiet()

    command = runner(monkeypatch, capfd)

    def run(*args: object) -> tuple[int, Any, str]:
        result = command(*args, "--json")
        return result.status, json.loads(result.out) if result.out else None, result.err

    return run


def talk(name: str, week: int, asked: str, told: str) -> dict[str, Any]:
    day = f"2026-03-{1 + 7 * week:02d}"
    return {
        "conversation_id": name,
        "outcome": "resolved",
        "opened_at": f"{day}T10:00:00+08:00",
        "closed_at": f"{day}T10:10:00+08:00",
        "handoff": {"reason": "low_confidence", "at": f"{day}T10:01:00+08:00"},
        "turns": [
            {"role": "customer", "text": asked, "at": f"{day}T10:00:00+08:00"},
            {"role": "agent", "text": told, "at": f"{day}T10:05:00+08:00"},
        ],
    }


@pytest.fixture
def shop(run: Run, tmp_path: Path) -> Path:
    lines = [
        {"id": "refund", "title": "退款多久到账", "body": "仓库验收后，银行卡 3–7 个工作日到账。",
         "updated_at": "2026-01-01T00:00:00Z"},
        talk("c-0", 0, "退款要多久", "退款银行卡 3–7 个工作日到账。"),
        talk("c-1", 1, "小雀保温杯可以刻字吗", ENGRAVE),
        talk("c-2", 2, "保温杯刻字多少钱，能刻几个字", "刻字要加 20 元，最多 6 个字，下单时备注刻字内容。"),
        talk("c-3", 2, "退款怎么还没到", "退款银行卡 3–7 个工作日到账，请再等等。"),
    ]  # fmt: skip
    path = tmp_path / "shop.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    assert run("ingest", path)[0] == 0
    cases = tmp_path / "cases.jsonl"
    assert run("eval", "cases", "--out", cases)[0] == 0
    return cases


def test_from_gaps_to_a_published_article(run: Run, shop: Path, tmp_path: Path) -> None:
    status, _, err = run("review", "draft")
    assert status == 2
    assert "eval gaps" in err
    assert run("eval", "gaps", shop)[0] == 0
    drafted = run("review", "draft")[1]["drafted"]
    assert drafted
    assert all(item["status"] == "proposed" and item["article"]["audience"] == "internal" for item in drafted)
    assert run("review", "draft")[1]["drafted"] == []
    name = drafted[0]["id"]
    sources = {source["case_id"] for source in drafted[0]["written_from"]}
    assert run("review", "publish", name)[0] == 2

    new = tmp_path / "new.md"
    new.write_text("---\ntitle: 保温杯刻字\nquestions: [能刻字吗]\n---\n" + ENGRAVE, "utf-8")
    edited = run("review", "edit", name, new, "--who", "林", "--note", "更短")[1]
    assert (edited["status"], edited["history"][-1]["who"]) == ("edited", "林")
    assert run("review", "accept", name, "--audience", "public")[1]["article"]["audience"] == "public"
    assert run("review", "publish", name)[0] == 2, "not replayed"
    prediction = run("review", "replay", name)[1]["prediction"]
    assert set(prediction["marked"]) >= sources
    assert not set(prediction["marked"]) & {*prediction["gains"], *prediction["regressions"]}
    published = run("review", "publish", name)[1]
    assert (published["status"], published["prediction"]) == ("published", prediction)
    found = run("search", "保温杯刻字")[1]["passages"]
    assert found[0]["article_id"] == published["article"]["id"]
    assert run("ingest", tmp_path / "shop.jsonl")[1]["removed"] == []
    assert run("review", "reject", name)[0] == 2
    assert name in {i["id"] for i in run("review", "list", "--all")[1]["items"]}
    assert name not in {i["id"] for i in run("review", "list")[1]["items"]}
    assert run("review", "list", "--status", "lost")[0] == 2
    assert run("review", "show", "rv_none")[0] == 2
    assert run("review", "expire")[1]["expired"] == []
    assert run("eval", "transfers", shop)[0] == 0


def test_flags_and_stocktake(run: Run, shop: Path) -> None:
    assert run("flag", "refund", "--reason", "outdated", "--note", "现在 1–3 天")[0] == 0
    assert run("flag", "refnud", "--reason", "outdated")[0] == 2
    assert run("flag", "refund", "--reason", "boring")[0] == 2
    stock = run("stocktake")[1]
    assert [flag["article_id"] for flag in stock["flagged"]] == ["refund"]
    assert (stock["articles"], stock["never_used"]) == (1, None)


def test_the_loop_is_turned_in_the_past(run: Run, shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "loop.json"
    status, record, _ = run("eval", "loop", shop, "--until", "2026-03-05", "--weeks", 1, "--out", out)
    assert status == 0
    assert record["window"]["cases"] == 1
    assert record["measured"]["cases"] == 2
    assert record["drafts"]["auto_accepted"] == 1
    assert {s for d in record["drafts"]["accepted"] for s in d["written_from"]} == {"c-1-0"}
    assert set(record["arms"]) >= {"before", "drafts", "mined", "mined and drafts"}
    (later,) = (case for case in record["cases"] if case["case_id"] == "c-2-0")
    assert later["before"] < 0.35 <= later["mined"], "c-1 is known only after the window"
    assert json.loads(out.read_text("utf-8")) == record
    assert run("eval", "loop", shop, "--until", "2030-01-01")[0] == 2
    assert run("eval", "loop", shop, "--until", "someday")[0] == 2


@pytest.fixture
def service(shop: Path, run: Run, tmp_path: Path) -> Iterator[Service]:
    run("eval", "gaps", shop)
    run("review", "draft")
    service = build(Settings(data_dir=tmp_path / "data", embedder="hash"))
    yield service
    service.close()


def test_the_api_of_the_knowledge_desk(service: Service) -> None:
    app = create_app(
        desks=service.desk, keys=service.keys, tokens=service.tokens, settings=service.settings,
        review=Knowledge(service),
    )  # fmt: skip
    manager, agent, foreign = (
        {"Authorization": f"Bearer {service.keys.issue(workspace, role).text}"}  # type: ignore[arg-type]
        for workspace, role in (("default", "manager"), ("default", "agent"), ("other", "manager"))
    )
    user = {"Authorization": f"Bearer {service.tokens.issue('default', 'u-1').text}"}
    with TestClient(app) as client:
        base = "/api/v1"
        gaps = client.get(f"{base}/gaps", headers=agent).json()
        assert gaps["gaps"]
        assert any(gap["review"] for gap in gaps["gaps"])
        items = client.get(f"{base}/reviews", headers=agent).json()["items"]
        name = items[0]["id"]
        for headers, expected in ((user, 403), ({}, 401)):
            for path in ("gaps", "reviews", f"reviews/{name}", "articles/refund/flags", "stocktake"):
                assert client.get(f"{base}/{path}", headers=headers).status_code == expected
        assert client.get(f"{base}/reviews", headers=foreign).json() == {"items": []}
        assert client.get(f"{base}/gaps", headers=foreign).json()["at"] is None
        assert client.get(f"{base}/reviews/{name}", headers=foreign).status_code == 404

        decide = f"{base}/reviews/{name}"
        assert client.post(f"{decide}/accept", json={}, headers=agent).status_code == 403
        bad = client.post(
            f"{decide}/edit", json={"article": {"title": "t", "body": "b", "colour": "red"}}, headers=manager
        )
        assert bad.status_code == 422
        assert "colour" in bad.json()["detail"]
        edited = client.post(f"{decide}/edit", json={"article": {"title": "刻字", "body": ENGRAVE}}, headers=manager)
        assert edited.json()["status"] == "edited"
        assert edited.json()["history"][-1]["who"].startswith("key:"), "which key, not only its role"
        refused = client.post(f"{decide}/publish", json={}, headers=manager)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:teachback:problem:conflict")
        done = client.post(f"{decide}/publish", json={"without_replay": True}, headers=manager)
        assert done.json()["status"] == "published"
        assert client.get(decide, headers=agent).json()["outcome"] is None
        found = client.get(f"{base}/search", params={"q": "刻字"}, headers=agent).json()["passages"]
        assert found[0]["article_id"] == done.json()["article"]["id"]

        flag = client.post(f"{base}/articles/refund/flags", json={"reason": "wrong", "note": "?"}, headers=agent)
        assert flag.status_code == 201
        assert client.get(f"{base}/articles/refund/flags", headers=agent).json()["flags"] == [flag.json()]
        assert client.post(f"{base}/flags/{flag.json()['id']}/settle", headers=agent).status_code == 403
        assert client.post(f"{base}/flags/{flag.json()['id']}/settle", headers=manager).status_code == 200
        assert client.get(f"{base}/stocktake", headers=agent).json()["flagged"] == []
