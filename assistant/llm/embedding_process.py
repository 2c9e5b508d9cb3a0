"""The bundled embedder in a process of its own, so that an evaluation thinks on one core while texts are embedded.

In threads of one process the two would wait for each other: a forward pass asks for the interpreter's lock a thousand
times. The child ends with its standard input, so also when this process is killed.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np

from assistant.errors import ConfigurationError, EmbeddingFailed
from assistant.llm.bundled_e5 import BundledE5
from assistant.llm.wrapped import WrappedEmbedder
from assistant.ports import Vectors

_log = logging.getLogger(__name__)


class EmbeddingProcess(WrappedEmbedder):
    """An Embedder with the vectors of ``BundledE5(cache, batches_only=True)``, which another process computes.

    Where that process cannot be started, or dies, texts are embedded here and a warning is logged. ``close`` ends it.
    """

    def __init__(self, cache: Path) -> None:
        super().__init__(BundledE5(cache, batches_only=True))
        self._cache = cache
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._failed = False

    def start(self) -> None:
        """Begin to load the model there; texts may be asked for at once."""
        with self._lock:
            self._started()

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, 384) unit rows with the "query: " prefix."""
        return self._embed(texts, query=True)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """(n, 384) unit rows with the "passage: " prefix."""
        return self._embed(texts, query=False)

    def close(self) -> None:
        """End the process; whoever asks later gets EmbeddingFailed."""
        self._closed = True
        child = self._child
        if child is None:
            return
        child.kill()  # whoever waits for an answer finds the end of the stream, and does not wait for the batch
        child.wait()
        with self._lock:
            self._let_go()

    def _embed(self, texts: Sequence[str], *, query: bool) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        with self._lock:
            if self._closed:
                raise EmbeddingFailed("the embedder was closed")
            child = self._started()
            if child is not None and child.stdin is not None and child.stdout is not None:
                try:
                    return _ask(child.stdin, child.stdout, texts, query=query, dimensions=self.dimensions)
                except (OSError, ValueError) as exc:
                    if self._closed:
                        raise EmbeddingFailed("the embedder was closed") from exc
                    _log.warning("the embedding process ended (%s); this process embeds from here on", exc or "killed")
                    child.kill()
                    self._failed = True
                    self._let_go()
        return self._embedder.embed_queries(texts) if query else self._embedder.embed_passages(texts)

    def _started(self) -> subprocess.Popen[bytes] | None:
        if self._child is None and not self._failed and not self._closed:
            paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
            try:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", __name__, str(self._cache)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env={**os.environ, "PYTHONPATH": paths},
                )
            except OSError as exc:
                _log.warning("no second process can be started (%s); this one embeds", exc)
                self._failed = True
        return self._child

    def _let_go(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with suppress(OSError):  # what was still to be written has no reader any more
                    stream.close()
        child.wait()


def _ask(to: IO[bytes], back: IO[bytes], texts: Sequence[str], *, query: bool, dimensions: int) -> Vectors:
    """One request and its answer. Raises OSError where the other side is gone, else what the embedder raised there."""
    to.write(json.dumps({"query": query, "texts": list(texts)}).encode() + b"\n")
    to.flush()
    head = back.readline()
    if not head:
        raise OSError("it is gone")
    told = json.loads(head)
    if "configuration" in told:
        raise ConfigurationError(told["configuration"])
    if "failed" in told:
        raise EmbeddingFailed(told["failed"])
    size = len(texts) * dimensions * 4
    raw = back.read(size)
    if len(raw) != size:
        raise OSError("its answer was cut")
    return np.frombuffer(raw, dtype=np.float32).reshape(len(texts), dimensions)


def _serve(cache: Path) -> None:
    """Answer requests from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells both; the parent decides
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not stand between the answers
    embedder = BundledE5(cache, batches_only=True)
    with suppress(ConfigurationError, EmbeddingFailed):  # the first request will say it
        embedder.embed_queries(["loads the model while the other process prepares"])
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        rows: Vectors | None = None
        told = {}
        try:
            rows = embedder.embed_queries(asked["texts"]) if asked["query"] else embedder.embed_passages(asked["texts"])
        except ConfigurationError as exc:
            told = {"configuration": str(exc)}
        except EmbeddingFailed as exc:  # told to the other side, which decides
            told = {"failed": str(exc)}
        answers.write(json.dumps(told).encode() + b"\n")
        if rows is not None:
            answers.write(np.ascontiguousarray(rows, dtype=np.float32).tobytes())
        answers.flush()


if __name__ == "__main__":
    try:
        _serve(Path(sys.argv[1]))
    except BrokenPipeError:
        os._exit(0)
