"""`teachback fit` from the outside: nothing to learn from, a fit that is kept or not, doctor, undo."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.cli.session import quiet
from assistant.fitted import Fitted, save_fitted
from assistant.fusion import Fusion
from assistant.llm.embedders import HashEmbedder
from tests.command_line import Run, runner

THINGS = ("羽绒服", "加湿器", "发票", "优惠券", "电饭煲", "跑鞋", "parcel", "invoice", "jacket", "kettle")
ZH = ("{}怎么退货", "{}坏了怎么办", "{}什么时候发货", "{}能换一个吗", "想问一下{}的价格")
EN = ("where is my {}", "i want to return the {}", "the {} is broken", "is the {} new", "how much is the {}")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("TEACHBACK_EMBEDDER", "hash")
    monkeypatch.setenv("TEACHBACK_DATA_DIR", str(tmp_path / "data"))
    quiet()
    return runner(monkeypatch, capfd)


@pytest.fixture
def shop(tmp_path: Path, run: Run) -> Path:
    """A workspace of ten articles with five questions each, and a resolved case that names one of them."""
    path = tmp_path / "shop.jsonl"
    records: list[object] = []
    for thing in THINGS:
        chinese = not thing.isascii()
        asked = [q.format(thing) for q in (ZH if chinese else EN)]
        records.append({"id": thing, "title": thing, "body": f"{thing}: 说明。", "questions": asked})
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), "utf-8")
    assert run("ingest", path).status == 0
    return path


def fit_line(run: Run) -> str:
    findings = {f["part"]: f["detail"] for f in json.loads(run("--json", "doctor").out)["findings"]}
    return str(findings["confidence"])


def test_an_empty_workspace_has_nothing_to_fit(run: Run) -> None:
    done = run("--json", "fit")
    assert done.status == 0
    record = json.loads(done.out)
    assert (record["saved"], record["kept"], record["lessons"]) == (False, None, {})
    assert "too few" in run("fit").out
    assert json.loads(run("--json", "fit", "--undo").out) == {"undone": False}


def test_the_comparison_is_printed_and_only_a_winner_is_kept(run: Run, shop: Path, tmp_path: Path) -> None:
    record = json.loads(run("--json", "fit").out)
    path = tmp_path / "data" / "fits" / "default.npz"
    assert record["lessons"] == {"article question": len(THINGS) * 5}
    assert set(record["held_back"]) == {"default", "adapter", "weights", "calibration"}
    assert record["saved"] == (record["kept"] is not None) == path.exists()
    dry = run("fit", "--dry-run")
    assert "| default |" in dry.out
    assert path.exists() == record["saved"]


def test_doctor_names_a_fit_and_undo_drops_it(run: Run, shop: Path, tmp_path: Path) -> None:
    assert "retrieval by defaults" in fit_line(run)
    path = tmp_path / "data" / "fits" / "default.npz"
    told = {"kept": "weights", "fitted_at": "2026-11-22T09:00:00+00:00"}
    save_fitted(Fitted(HashEmbedder().fingerprint, Fusion(), record=told), path)
    assert "weights" in fit_line(run)
    assert "2026-11-22" in fit_line(run)
    assert json.loads(run("--json", "fit", "--undo").out) == {"undone": True}
    assert "retrieval by defaults" in fit_line(run)


def test_what_is_wrong_is_named(run: Run, shop: Path, tmp_path: Path) -> None:
    assert run("fit", "--cases", tmp_path / "none.jsonl").status == 2
    assert run("fit", "--later-from", "last week").status == 2
    assert run("fit", "--unanswerable", "1.5").status == 2
    cases = tmp_path / "cases.jsonl"
    cases.write_text('{"case_id": "a", "conversation_id": "a", "turns": []}\n', "utf-8")
    done = run("fit", "--cases", cases)
    assert done.status == 1
    assert "cases.jsonl" in done.err
