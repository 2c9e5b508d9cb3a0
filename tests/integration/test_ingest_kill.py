"""An ingestion killed at any point and run again ends where an undisturbed one ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("ingest_kill_driver.py")


@pytest.mark.timeout(240)
def test_killed_at_25_random_points_and_run_again(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, str(DRIVER), str(tmp_path)], capture_output=True, text=True, timeout=230)
    assert run.returncode == 0, run.stderr[-4000:]
    assert json.loads(run.stdout)["equal"] == 25
