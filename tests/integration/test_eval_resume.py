"""A killed evaluation goes on where it stopped and ends with the figures of an undisturbed one; runs are listed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api.cli import main
from assistant.bootstrap import build
from assistant.domain.reply import Reply
from assistant.errors import ConfigurationError
from assistant.settings import Settings
from evals.run_journal import Begun, RunJournal
from ingest.pipeline import Ingestion

DRIVER = Path(__file__).with_name("eval_kill_driver.py")
ROOT = Path(__file__).resolve().parents[2]
TOPICS = [
    ("保温杯可以刻字吗？", "保温杯刻字要加 20 元，下单时备注就可以刻字。"),
    ("扫地机器人怕黑地毯怎么办？", "请擦一下悬崖传感器，再把固件升级到 2.1.7。"),
    ("礼品卡可以退款吗？", "礼品卡售出之后不能退款，有效期是三年。"),
    ("How long does a refund take?", "The refund reaches your card within 5 working days."),
    ("电饭煲内胆保修多久？", "内胆涂层保修两年，整机保修一年。"),
    ("Can I change the delivery address?", "You can change the address until the parcel is shipped."),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with knowledge about half of the cases, and ``cases.jsonl`` beside it."""
    monkeypatch.setenv("TEACHBACK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TEACHBACK_EMBEDDER", "hash")
    articles = [
        {"id": f"a{n}", "title": asked, "body": answer, "locale": "en" if asked.isascii() else "zh"}
        for n, (asked, answer) in enumerate(TOPICS[::2])
    ]
    (tmp_path / "in").mkdir()
    lines = [json.dumps(article, ensure_ascii=False) for article in articles]
    (tmp_path / "in" / "articles.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    service = build(Settings(data_dir=tmp_path / "data", embedder="hash"))
    Ingestion(service.records("default"), service.keeper("default"), service.clock.now).run([tmp_path / "in"])
    service.close()
    cases = [
        {
            "case_id": f"c{n}",
            "conversation_id": f"conversation-{n}",
            "locale": "en" if asked.isascii() else "zh",
            "turns": [{"role": "customer", "text": f"{asked} {n}"}],
            "references": [answer],
        }
        for n, (asked, answer) in enumerate(TOPICS * 6)
    ]
    lines = [json.dumps(case, ensure_ascii=False) for case in cases]
    (tmp_path / "cases.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return tmp_path


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any], str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["teachback", "--json", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
    shown = capsys.readouterr()
    return int(stopped.value.code or 0), json.loads(shown.out) if shown.out else {}, shown.err


def _killed(folder: Path, method: str, after: int) -> None:
    command = [sys.executable, str(DRIVER), method, str(after), "--json", "eval", "transfers", "cases.jsonl"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def _figures(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in ("run", "rejected", "predictions", "report")}


@pytest.mark.parametrize(("method", "after"), [("keep_reply", 1), ("keep_reply", 17), ("keep_diagnoses", 1)])
def test_a_killed_run_goes_on_and_ends_with_the_same_figures(
    folder: Path, capsys: pytest.CaptureFixture[str], method: str, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed(folder, method, after)
    status, listed, _ = _run(capsys, "eval", "runs")
    assert status == 0
    (killed,) = listed["runs"]
    assert (killed["status"], killed["cases"]) == ("killed", 36)
    assert killed["done"] == (after if method == "keep_reply" else 36)

    made: list[str] = []
    keep = RunJournal.keep_reply

    def counted(self: RunJournal, key: str, reply: Reply) -> None:
        made.append(key)
        keep(self, key, reply)

    monkeypatch.setattr(RunJournal, "keep_reply", counted)
    cases = str(folder / "cases.jsonl")
    status, resumed, told = _run(capsys, "eval", "transfers", cases, "--resume", killed["id"])
    assert status == 0
    assert f"{killed['done']} of 36" in told
    assert len(made) == 36 - killed["done"]

    status, undisturbed, _ = _run(capsys, "eval", "transfers", cases)
    assert status == 0
    assert _figures(resumed) == _figures(undisturbed)
    one, other = (json.loads(Path(record["run"]).read_text("utf-8")) for record in (resumed, undisturbed))
    assert one["rows"] == other["rows"]
    status, listed, _ = _run(capsys, "eval", "runs")
    assert {run["status"] for run in listed["runs"]} == {"finished"}
    assert len(listed["runs"]) == 2
    assert listed["runs"][1]["accuracy"] == pytest.approx(resumed["metrics"]["accuracy"], abs=0)
    assert not list((folder / "data" / "runs" / "default").glob("*progress*"))


def test_a_run_goes_on_only_with_its_own_inputs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _killed(folder, "keep_reply", 2)
    _, listed, _ = _run(capsys, "eval", "runs")
    name = listed["runs"][0]["id"]
    other = folder / "other.jsonl"
    other.write_text((folder / "cases.jsonl").read_text("utf-8").replace("保温杯", "玻璃杯"), "utf-8")
    status, _, told = _run(capsys, "eval", "transfers", str(other), "--resume", name)
    assert (status, "changed since it began: cases" in told) == (2, True)
    status, _, told = _run(capsys, "eval", "transfers", str(folder / "cases.jsonl"), "--no-causes", "--resume", name)
    assert (status, "changed since it began: causes" in told) == (2, True)
    status, _, told = _run(capsys, "eval", "transfers", str(folder / "cases.jsonl"), "--resume", "../../etc/passwd")
    assert status != 0
    assert "no unfinished run" in told
    status, _, told = _run(capsys, "eval", "transfers", str(folder / "cases.jsonl"), "--no-causes")
    assert (status, "--resume" in told) == (0, False)
    status, _, told = _run(capsys, "eval", "transfers", str(folder / "cases.jsonl"))
    assert f"--resume {name}" in told


def test_a_workspace_without_runs_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, record, _ = _run(capsys, "eval", "runs")
    assert (status, record) == (0, {"runs": [], "rejected": []})


def test_a_run_in_work_is_listed_as_running_and_cannot_be_resumed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = build(Settings(data_dir=folder / "data", embedder="hash"))
    runs = folder / "data" / "runs" / "default"
    begun = Begun(run_id="r1", kind="transfers", started_at=service.clock.now(), cases=1, inputs={})
    with RunJournal.begin(runs, begun):
        _, listed, _ = _run(capsys, "eval", "runs")
        assert listed["runs"][0]["status"] == "running"
        with pytest.raises(ConfigurationError, match="another process"):
            RunJournal.resume(runs, "r1", {})
    with RunJournal.resume(runs, "r1", {}) as journal:
        journal.finish()
    assert not list(runs.iterdir())


def test_a_broken_journal_is_named_and_the_others_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = folder / "data" / "runs" / "default"
    runs.mkdir(parents=True)
    (runs / "x.progress.jsonl").write_text('{"no": 1}\n', "utf-8")
    status, record, told = _run(capsys, "eval", "runs")
    assert (status, record["runs"]) == (1, [])
    assert "x.progress.jsonl:1" in told
