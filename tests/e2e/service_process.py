"""``teachback serve`` or ``teachback demo`` as a real process on a free port, and its API as a client sees it."""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, NoReturn

import httpx
import pytest

from tests.e2e.processes import ended, killed

TEACHBACK = str(Path(sys.executable).with_name("teachback"))
START_S = 120.0


@dataclass(frozen=True)
class Event:
    """One server-sent event and when it arrived, in seconds."""

    name: str
    data: Any
    at: float


class ServiceProcess:
    """``with ServiceProcess(["serve"], {...}) as service: service.url``. No setting of the tester reaches it."""

    def __init__(self, command: list[str], settings: Mapping[str, str], *, port: int = 0) -> None:
        self._command = [TEACHBACK, *command, "--port", str(port)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEACHBACK_", "OPENAI_"))}
        self._env = {**kept, "PYTHONUNBUFFERED": "1", **settings}
        self._process: subprocess.Popen[str] | None = None
        self._said: list[str] = []
        self.url = ""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rsplit(":", 1)[1])

    def start(self) -> str:
        """Start it, wait until it says where it listens, and return that address."""
        self._process = subprocess.Popen(
            self._command,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        stdout = self._process.stdout
        assert stdout is not None
        addresses: queue.Queue[str] = queue.Queue()

        def read() -> None:
            for line in stdout:
                self._said.append(line)
                found = re.search(r"http://localhost:(\d+)", line)
                if found:
                    addresses.put(f"http://127.0.0.1:{found[1]}")
            addresses.put("")

        threading.Thread(target=read, daemon=True).start()
        try:
            self.url = addresses.get(timeout=START_S)
        except queue.Empty:
            self._give_up(f"did not listen within {START_S:g} s")
        if not self.url:
            self._give_up("ended before it listened")
        deadline = monotonic() + START_S
        while monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/api/v1/health").status_code == 200:
                    return self.url
            except httpx.TransportError:
                pass
        self._give_up("does not answer")

    def kill(self) -> None:
        """SIGKILL; returns when it is dead."""
        killed(self._process)
        self.stop()

    def stop(self) -> None:
        """End it politely, and by force where that takes over ten seconds."""
        process, self._process = self._process, None
        if process is None:
            return
        ended(process, 10)

    def __enter__(self) -> ServiceProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _give_up(self, what: str) -> NoReturn:
        self.kill()
        pytest.fail(f"{' '.join(self._command[1:])} {what}:\n{''.join(self._said)[-2000:]}")


class Talk:
    """One conversation of one end user, over HTTP. ``key`` is an API key of the role ``service``."""

    def __init__(self, url: str, key: str, user_id: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/api/v1", timeout=120)
        issued = self._http.post("/tokens", json={"user_id": user_id}, headers={"Authorization": f"Bearer {key}"})
        assert issued.status_code == 201, issued.text
        self._http.headers["Authorization"] = f"Bearer {issued.json()['token']}"
        opened = self._http.post("/conversations", json={"channel": "web"})
        assert opened.status_code == 201, opened.text
        self.id = str(opened.json()["id"])

    def stream(self, text: str) -> Iterator[Event]:
        """The events of one reply as they arrive."""
        with self._http.stream("POST", f"/conversations/{self.id}/messages", json={"text": text}) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            name = ""
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield Event(name, json.loads(line.removeprefix("data: ")), monotonic())

    def ask(self, text: str) -> dict[str, Any]:
        """The whole reply as one object."""
        url, headers = f"/conversations/{self.id}/messages", {"Accept": "application/json"}
        answer = self._http.post(url, json={"text": text}, headers=headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def turns(self) -> list[dict[str, Any]]:
        """What is on record."""
        return list(self._http.get(f"/conversations/{self.id}").json()["turns"])

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def shown(events: list[Event]) -> str:
    """What a client that follows the protocol shows in the end: the pieces after the last reset."""
    text = ""
    for event in events:
        if event.name == "reset":
            text = ""
        elif event.name == "delta":
            text += event.data["text"]
    return text
