"""A real model server behind the real HTTP service: replies stream, and a server that dies costs nobody an answer.

The model has 135 million parameters: left alone, hardly anything that it writes passes the citation check. Where a
test needs a reply that passes, llama.cpp's own grammar lets it choose among the article's sentences, so that real
tokens of a real completion stream through every layer. Without the grammar only the protocol is asserted.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant.bootstrap import build
from assistant.settings import Settings
from ingest.pipeline import Ingestion
from tests.e2e.llama_server import LlamaServer, missing
from tests.e2e.service_process import Event, ServiceProcess, Talk, shown

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(180),
    pytest.mark.skipif(missing() is not None, reason=f"llama.cpp server: {missing()}"),
]
SENTENCES = (
    "Wash the down jacket by hand in cool water.",
    "Use a mild detergent and rinse the jacket twice.",
    "Press the water out of the down with a towel.",
    "Dry the jacket at low heat with two tennis balls.",
    "Shake the jacket until the down is fluffy again.",
)
QUESTION = "How do I wash a down jacket?"
ARTICLE = "---\nid: wash\ntitle: Washing a down jacket\nlocale: en\nquestions: ['How do I wash a down jacket?']\n---\n"


def quoting(times: str) -> str:
    """GBNF: sentences of the article, each with its citation, so many ``times``."""
    choices = " | ".join(f'"{sentence}"' for sentence in SENTENCES)
    return f'root ::= (s " [1]\\n"){times} s " [1]"\ns ::= {choices}'


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> tuple[Path, str]:
    """A data folder with one article, and an API key for it."""
    folder = tmp_path_factory.mktemp("llama")
    article = folder / "wash.md"
    article.write_text(ARTICLE + "\n".join(SENTENCES) + "\n", encoding="utf-8")
    service = build(Settings(data_dir=folder / "data", cache_dir=model_cache, embedder="bundled"))
    records = service.records("default")
    assert Ingestion(records, service.keeper("default"), service.clock.now).run([article]).added == ("wash",)
    key = service.keys.issue("default", "service", "e2e").text
    service.close()
    return folder / "data", key


@dataclass(frozen=True)
class Stack:
    """The service, and where it expects a model server."""

    url: str
    key: str
    model_port: int

    def talk(self) -> Talk:
        return Talk(self.url, self.key, "u1")

    def llama(self, grammar: str) -> LlamaServer:
        return LlamaServer(grammar=grammar, port=self.model_port)


@pytest.fixture(scope="module")
def stack(knowledge: tuple[Path, str], model_cache: Path) -> Iterator[Stack]:
    """One service for all tests; each test starts the model server it needs, and may kill it."""
    folder, key = knowledge
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    settings = {
        "TEACHBACK_DATA_DIR": str(folder),
        "TEACHBACK_CACHE_DIR": str(model_cache),
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "TEACHBACK_MODEL": "smollm2",
        "TEACHBACK_MODEL_FIRST_TOKEN_S": "100",
        "TEACHBACK_MODEL_TIMEOUT_S": "200",
        "TEACHBACK_MODEL_MAX_TOKENS": "2000",
        "TEACHBACK_ANSWER_CACHE": "0",  # the tests ask the same again and want the model to be asked
    }
    with ServiceProcess(["serve"], settings) as service:
        yield Stack(service.url, key, port)


def names(events: list[Event]) -> list[str]:
    return [event.name for event in events]


def assert_in_order(events: list[Event]) -> None:
    """``started`` first, ``reply`` last and once, and the pieces left standing are the reply's text."""
    assert names(events)[0] == "started"
    assert names(events)[-1] == "reply"
    assert set(names(events)[1:-1]) <= {"delta", "reset"}
    reply = events[-1].data
    assert events[0].data["conversation_id"] == reply["conversation_id"]
    assert events[0].data["trace_id"] == reply["trace_id"]
    assert shown(events).strip() == reply["text"].strip()


def assert_extract(reply: dict[str, object]) -> None:
    assert (reply["decision"], reply["model"], reply["prompt"]) == ("answer", None, None)
    assert reply["degraded"] == ["llm"]
    assert str(reply["text"]).strip()
    assert [c["article_id"] for c in reply["citations"]] == ["wash"]  # type: ignore[attr-defined]


def test_a_real_models_reply_streams_through_the_api(stack: Stack) -> None:
    with stack.llama(quoting("{3,4}")):
        talk = stack.talk()
        events = list(talk.stream(QUESTION))
        whole = talk.ask("And how do I dry a down jacket?")
    assert_in_order(events)
    reply = events[-1].data
    assert (reply["model"], reply["decision"], reply["degraded"]) == ("smollm2", "answer", [])
    assert reply["prompt"]["name"] == "reply"
    assert len(reply["prompt"]["sha256"]) == 64
    assert reply["timings_ms"]["generate"] > 0
    assert [c["article_id"] for c in reply["citations"]] == ["wash"]
    lines = [line.removesuffix(" [1]") for line in reply["text"].splitlines()]
    assert 4 <= len(lines) <= 5
    assert set(lines) <= set(SENTENCES)
    pieces = [event for event in events if event.name == "delta"]
    assert len(pieces) >= 3
    assert "reset" not in names(events)
    # the first sentence was out while the model still wrote the last
    assert events[-1].at - pieces[0].at > 0.05
    assert whole["model"] == "smollm2"
    assert [turn["text"] for turn in talk.turns()][1::2] == [reply["text"], whole["text"]]
    talk.close()


def test_killed_in_the_middle_of_a_reply(stack: Stack) -> None:
    """Pieces were on the customer's screen: they are taken back, and the extract takes their place."""
    talk = stack.talk()
    events: list[Event] = []
    with stack.llama(quoting("{80}")) as llama:
        for event in talk.stream(QUESTION):
            events.append(event)
            if names(events).count("delta") == 2 and "reset" not in names(events):
                assert 0 < llama.written() < 700, "the completion was over before it was killed"
                llama.kill()
    assert_in_order(events)
    assert names(events).count("reset") == 1
    reset = names(events).index("reset")
    assert events[reset].data == {"reason": "model_unavailable"}
    assert names(events[:reset]).count("delta") >= 2
    assert names(events[reset:]) == ["reset", "delta", "reply"]
    reply = events[-1].data
    assert_extract(reply)
    assert events[-1].at - events[reset].at < 30
    assert [turn["text"] for turn in talk.turns()] == [QUESTION, reply["text"]]

    # while it is down, extracts; when it is back, the model again, without a restart of the service
    assert_extract(talk.ask("How do I wash my down jacket at home?"))
    with stack.llama(quoting("{1}")):
        assert talk.ask("How do I dry a down jacket?")["model"] == "smollm2"
    talk.close()


def test_killed_before_a_sentence_was_shown(stack: Stack) -> None:
    """Tokens came, but no sentence that could be checked yet: nothing to take back, and the extract comes."""
    written: list[int] = []

    def kill_when_it_writes(llama: LlamaServer) -> None:
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline and not written:
            count = llama.written()
            if count >= 5:
                llama.kill()
                written.append(count)
            time.sleep(0.01)

    talk = stack.talk()
    with stack.llama("root ::= [a-z ]{1500}") as llama:
        killer = threading.Thread(target=kill_when_it_writes, args=(llama,))
        killer.start()
        events = list(talk.stream(QUESTION))
        killer.join()
    assert written
    assert names(events) == ["started", "delta", "reply"]
    assert_in_order(events)
    assert_extract(events[-1].data)
    talk.close()


def test_whatever_a_small_model_writes_the_customer_gets_a_sourced_reply(stack: Stack) -> None:
    """Free to say anything, in 300 letters, the model mostly invents: the check turns it away."""
    talk = stack.talk()
    with stack.llama("root ::= [ -~]{40,300}"):
        events = list(talk.stream(QUESTION))
    assert_in_order(events)
    reply = events[-1].data
    assert reply["timings_ms"]["generate"] > 0, "the model was not asked"
    if reply["degraded"] == ["llm"]:
        assert_extract(reply)
    elif reply["decision"] == "answer":
        assert reply["model"] == "smollm2"
        assert [c["article_id"] for c in reply["citations"]] == ["wash"]
    else:
        assert reply["decision"] == "clarify", "the model said that the passages hold no answer"
    talk.close()
