"""Commands run in the test's own process, with the real file descriptors watched: far quicker than a process each."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from api.cli import main


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def record(self) -> dict[str, Any]:
        """Standard output, which must be one JSON object on one line."""
        assert self.out.endswith("\n")
        assert self.out.count("\n") == 1, f"not one object: {self.out[:400]}"
        record = json.loads(self.out)
        assert isinstance(record, dict)
        return record


Run = Callable[..., Result]


def runner(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs ``teachback`` with these arguments; a traceback in its output fails the test."""

    def run(*args: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["teachback", *map(str, args)])
        capfd.readouterr()
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return Result(status, out, err)

    return run
