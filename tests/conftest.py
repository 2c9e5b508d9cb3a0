"""Rules of the whole suite: no model endpoint, no network off this machine, no one's own data folder."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from api.cli.session import quiet

quiet()
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the person who runs the suite reaches it."""
    for name in list(os.environ):
        if name.startswith(("TEACHBACK_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TEACHBACK_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to any other machine fails the test that tries it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpacked weights, once for all runs on this machine where a cache folder can be written."""
    from assistant.settings import default_cache_dir

    folder = default_cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return tmp_path_factory.mktemp("models")
    return folder


@pytest.fixture
def shared_data() -> Path:
    """The public data sets beside the checkout; the test is skipped where they are absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the public data sets (../shared/data) are not at hand")
    return SHARED_DATA
