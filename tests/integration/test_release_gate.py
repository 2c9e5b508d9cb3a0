"""The release gate as the documentation gives it, run as written: it fails on a planted regression and only then."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from evals.runs import EvalRun, Provenance, RunRow, write_run

PAGE = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text("utf-8")
SECTION = PAGE.split("## A gate for releases")[1].split("\n## ")[0]
SHELL = re.findall(r"```sh\n(.*?)```", SECTION, re.S)
WORKFLOW = re.findall(r"```yaml\n(.*?)```", SECTION, re.S)
Gate = Callable[..., "subprocess.CompletedProcess[str]"]


def stored(folder: Path, name: str, shift: float, *, worse: str = "", count: int = 40) -> Path:
    """A small run: 40 cases of two intents, the accuracy of each moved by ``shift``, or only those of one intent."""
    rows = []
    for number in range(count):
        intent = ("refund-time", "parcel-late")[number % 2]
        moved = shift if worse in ("", intent) else 0.0
        noise = 0.02 * (number % 5 - 2) if shift else 0.0
        rows.append(
            RunRow(
                f"c{number}",
                {"accuracy": 0.3 + 0.01 * number + moved + noise},
                f"g{number}",
                slices={"locale": "zh", "intent": intent},
            )
        )
    made = Provenance(datetime(2026, 3, 1, tzinfo=UTC), "d", models={"embedder": "e"})
    return write_run(EvalRun(name, "transfers", "accuracy", tuple(rows), made), folder)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    (script,) = SHELL
    (tmp_path / "gate.sh").write_text(script, encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(before: Path, after: Path, **more: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": path, "HOME": str(tmp_path), "BEFORE": str(before), "AFTER": str(after), **more}
        if "PYTHONPATH" in os.environ:
            env["PYTHONPATH"] = os.environ["PYTHONPATH"]
        return subprocess.run(["sh", "gate.sh"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)

    return run


def test_it_stops_a_regression_and_nothing_else(gate: Gate, tmp_path: Path) -> None:
    live = stored(tmp_path, "live", 0.0)
    worse = gate(live, stored(tmp_path, "worse", -0.08))
    assert worse.returncode == 1, worse.stderr
    assert "accuracy: REGRESSION" in worse.stdout
    assert "smallest detectable" in worse.stdout
    for name, shift in (("same", 0.0), ("better", 0.08)):
        done = gate(live, stored(tmp_path, name, shift))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "REGRESSION" not in done.stdout
    assert (tmp_path / "comparison.md").read_text("utf-8") == done.stdout


def test_it_shows_which_questions_became_worse(gate: Gate, tmp_path: Path) -> None:
    done = gate(stored(tmp_path, "live", 0.0), stored(tmp_path, "worse", -0.12, worse="parcel-late"))
    assert done.returncode == 1
    assert re.search(r"intent = parcel-late \| -0\.1\d\d \| -0\.\d+ to -0\.\d+ \| 20", done.stdout)
    assert "intent = refund-time | +" in done.stdout or "intent = refund-time | -0.00" in done.stdout


def test_too_few_cases_are_no_pass(gate: Gate, tmp_path: Path) -> None:
    few = [stored(tmp_path, name, shift, count=2) for name, shift in (("live", 0.0), ("after", 0.08))]
    done = gate(*few, MUST_SEE="0.001")
    assert done.returncode == 1
    assert "--must-see asks for 0.001" in done.stderr


def test_a_run_that_is_missing_is_said(gate: Gate, tmp_path: Path) -> None:
    done = gate(stored(tmp_path, "live", 0.0), tmp_path / "none.json")
    assert done.returncode == 2
    assert "none.json" in done.stderr


def test_the_workflow_runs_the_same_gate() -> None:
    (workflow,) = WORKFLOW
    steps = yaml.safe_load(workflow)["jobs"]["gate"]["steps"]
    commands = "\n".join(step.get("run", "") for step in steps)
    assert "sh evaluation/gate.sh" in commands
    for name in ("BEFORE", "AFTER", "MUST_SEE"):
        assert f"{name}=" in commands
        assert f"${{{name}" in SHELL[0]
