"""The loop turned once with the real embedder: what a person told one customer answers the next one who asks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.cli.session import quiet
from tests.command_line import runner

FIX = "这是安卓 3.8.0 版的问题，关掉 App 就会掉登录。升级到 3.8.1 就好了，购物车和优惠券都不会丢。"
AGAIN = "安卓 3.8.0 版关掉以后会掉登录，升级到 3.8.1 即可，购物车和优惠券不会丢。"


def turn(day: int, minute: int, role: str, text: str) -> dict[str, str]:
    return {"role": role, "text": text, "at": f"2026-03-{day:02d}T10:{minute:02d}:00+08:00"}


def talk(name: str, day: int, asked: str, told: str, *more: dict[str, str]) -> dict[str, Any]:
    turns = [turn(day, 0, "customer", asked), turn(day, 5, "agent", told), *more]
    return {
        "conversation_id": name,
        "outcome": "resolved",
        "opened_at": turns[0]["at"],
        "closed_at": turns[-1]["at"],
        "handoff": {"reason": "low_confidence", "at": turns[0]["at"]},
        "turns": turns,
    }


def article(name: str, title: str, body: str) -> dict[str, str]:
    return {"id": name, "title": title, "body": body, "updated_at": "2026-01-01T00:00:00Z"}


SHOP = [
    article("refund", "退款多久到账", "仓库验收后，余额和微信马上到账，银行卡 3–7 个工作日到账。"),
    article("invoice", "怎么开发票", "签收后 24 小时内自动开电子发票，在订单详情里下载。"),
    article("descale", "水壶怎么除垢", "每月除垢一次，加 10 克柠檬酸，烧开后静置 20 分钟。"),
    talk("c-0", 2, "礼盒包装要多少钱", "礼盒包装 12 元一个，附一张手写卡片，最多 40 个字。"),
    talk("c-1", 10, "App 更新以后一关掉就要我重新登录", FIX,
         turn(17, 0, "customer", "还有个事，上个月买的羽绒服怎么开发票"),
         turn(17, 5, "agent", "签收后 24 小时内自动开电子发票，在订单详情里下载。")),
    talk("c-2", 11, "羽绒服拉链头掉了能修吗", "拉链头一年内免费更换，洗干净寄到嘉兴工坊，大约 12 天修好。"),
    talk("c-3", 18, "为什么每次打开 App 都要重新登录", AGAIN),
    talk("c-4", 19, "退款几天到银行卡", "验收以后银行卡 3–7 个工作日到账。"),
]  # fmt: skip


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Any]:
    """Runs a command in a data folder of its own; gives its JSON."""
    monkeypatch.setenv("TEACHBACK_DATA_DIR", str(tmp_path / "data"))
    quiet()

    command = runner(monkeypatch, capfd)

    def run(*args: object) -> Any:
        result = command(*args, "--json")
        assert not result.status
        return result.record

    return run


@pytest.fixture
def cases(run: Callable[..., Any], tmp_path: Path) -> Path:
    """The shop's cases; the shop is ingested."""
    shop, made = tmp_path / "shop.jsonl", tmp_path / "cases.jsonl"
    shop.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in SHOP), "utf-8")
    run("ingest", shop)
    run("eval", "cases", "--out", made)
    return made


def test_a_draft_from_one_customers_failure_answers_the_next_and_never_its_own(
    run: Callable[..., Any], cases: Path
) -> None:
    loop = run("eval", "loop", cases, "--until", "2026-03-08", "--weeks", 1)

    written = {case for draft in loop["drafts"]["accepted"] for case in draft["written_from"]}
    assert "c-1-0" in written
    compared = {(each["after"], each["before"]): each for each in loop["comparisons"]}
    assert compared["drafts", "before"]["gains"] == ["c-3-0"]
    assert compared["drafts", "before"]["regressions"] == []
    assert compared["unrelated drafts", "before"]["gains"] == []
    counted = {case["case_id"] for case in loop["cases"]}
    assert counted == {"c-3-0", "c-4-0"}, "c-1-2 is later too, but an article was written from its conversation"
    assert not counted & written


def test_in_folds_a_case_of_the_window_is_answered_with_drafts_from_the_other_conversations(
    run: Callable[..., Any], cases: Path
) -> None:
    loop = run("eval", "loop", cases, "--until", "2026-03-08", "--weeks", 2, "--folds", 2)

    compared = {(each["after"], each["before"]): each for each in loop["comparisons"]}
    assert {"c-1-0", "c-3-0"} & set(compared["drafts", "before"]["gains"]), "they ask the same; each fold has one"
    assert compared["unrelated drafts", "before"]["gains"] == []
    counted = {case["case_id"] for case in loop["cases"]}
    assert counted | set(loop["measured"]["marked_apart"]) == {"c-1-0", "c-1-2", "c-2-0", "c-3-0", "c-4-0"}
    cited = {
        draft["id"]: {each.rsplit("-", 1)[0] for each in draft["written_from"]} for draft in loop["drafts"]["accepted"]
    }
    for case in loop["arms"]["drafts"]["replies_citing_drafts"]:
        assert any(case.rsplit("-", 1)[0] not in sources for sources in cited.values())


def test_one_fold_is_refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert runner(monkeypatch, capfd)("eval", "loop", "cases.jsonl", "--folds", 1).status == 2
