"""Time, recall and memory of retrieval at each size, ours beside the peers."""

from __future__ import annotations

import gc
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.ports import Embedder, Vectors
from assistant.query import Query
from evals.beir import BeirDocument
from evals.bench.peers import Search, bm25_jieba, exact_dense
from evals.bench.scale_world import World

OURS = "Teachback"
K = 10


class KnownVectors:
    """An embedder that only looks up: every system gets the same vectors, and no time goes into making them.

    Questions that it does not know, since they are read otherwise than typed, ``live`` embeds once.
    """

    def __init__(
        self,
        texts: Sequence[str],
        rows: Vectors,
        questions: Sequence[str],
        asked: Vectors,
        name: str,
        live: Embedder | None = None,
    ):
        self.fingerprint = name
        self.dimensions = int(rows.shape[1])
        self._rows = rows
        self._place = {text: place for place, text in enumerate(texts)}
        self._asked = dict(zip(questions, asked, strict=True))
        self._live = live

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Rows by text. Raises KeyError."""
        return np.asarray(self._rows[[self._place[text] for text in texts]])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Rows by text. Raises KeyError where nothing embeds what is not known."""
        for text in texts:
            if text not in self._asked and self._live is not None:
                self._asked[text] = self._live.embed_queries([text])[0]
        return np.stack([self._asked[text] for text in texts])


def timed(call: Callable[[str], object], questions: Iterable[str]) -> dict[str, float]:
    """p50 and p95 in ms by the clock, mean ms of processor time, and how many questions."""
    wall = []
    cpu = time.process_time()
    for question in questions:
        begun = time.perf_counter()
        call(question)
        wall.append((time.perf_counter() - begun) * 1000)
    spent = (time.process_time() - cpu) * 1000 / len(wall)
    p50, p95 = (round(float(np.percentile(wall, p)), 2) for p in (50, 95))
    return {"ms_p50": p50, "ms_p95": p95, "cpu_ms": round(spent, 2), "questions": len(wall)}


def ours(world: World, questions: Sequence[str]) -> dict[str, Any]:
    """The product's ``Retriever.search`` with its audience and validity filter, five passages read from SQLite."""
    now = datetime.now(UTC)

    def ask(question: str) -> object:
        return world.retriever.search(Query(question), now=now)

    for question in questions[:5]:
        ask(question)
    return {
        "system": OURS,
        "passages": world.size,
        **timed(ask, questions),
        "build_cpu_s": round(world.snapshot_cpu_s + world.index_cpu_s, 1),
    }


def recall_of(found: Iterable[AbstractSet[object]], exact: Iterable[AbstractSet[object]]) -> float:
    """Mean share of the exact ones that were found."""
    return float(np.mean([len(a & b) / len(b) for a, b in zip(found, exact, strict=True)]))


def exact_rows(rows: Vectors, asked: Vectors, k: int = K) -> list[set[int]]:
    """The ``k`` rows of highest product for each question."""
    return [set(np.argpartition(-(rows @ vector), k)[:k].tolist()) for vector in asked]


def our_recall(world: World, asked: Vectors) -> float:
    """Recall@10 of the product's candidates against exact search over all passages, without the filter."""
    rows, lists = world.snapshot.vectors, world.snapshot.lists
    exact = exact_rows(np.asarray(rows), asked)
    if lists is None:
        row_of = world.snapshot.table.row_of
        return recall_of(({row_of[key] for key, _ in world.index.search(v, K)} for v in asked), exact)
    everything = np.ones(len(rows), dtype=np.bool_)
    return recall_of((set(_best(world.snapshot.nearest(v, everything, 80), rows, v)) for v in asked), exact)


def _best(found: NDArray[np.int64], rows: Vectors, vector: NDArray[np.float32]) -> list[int]:
    order = np.argsort(-(rows[found] @ vector))[:K]
    return [int(row) for row in found[order]]


def peers(
    texts: Sequence[str], rows: Vectors, questions: Sequence[str], embedder: Embedder, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """A row a peer: time, and recall@10 against exact search where it searches vectors alone."""
    from evals.bench.peers_haystack import haystack_hybrid
    from evals.bench.peers_langchain import langchain_chroma, langchain_ensemble

    corpus = {str(place): BeirDocument("", text) for place, text in enumerate(texts)}
    slow = 100 if len(texts) <= 1_000 else 20 if len(texts) <= 10_000 else 10
    systems: list[tuple[str, Callable[[], Search], int]] = [
        ("exact numpy", partial(exact_dense, corpus, embedder), 100),
        ("bm25s + jieba", partial(bm25_jieba, corpus), 100),
        ("LangChain + Chroma", partial(langchain_chroma, corpus, embedder), 100),
        ("LangChain ensemble, BM25 by spaces", partial(langchain_ensemble, corpus, embedder, words=False), slow),
        ("Haystack hybrid", partial(haystack_hybrid, corpus, embedder), slow),
    ]
    made = []
    for name, make, count in systems:
        say(f"{name}, {len(texts)} passages")
        gc.collect()
        began, before = time.process_time(), memory()["private"]
        search = make()
        built, grown = time.process_time() - began, memory()["private"] - before
        search(questions[0], K)
        row: dict[str, Any] = {"system": name, "passages": len(texts), **timed(_asking(search), questions[:count])}
        row |= {"build_cpu_s": round(built, 1), "private_bytes": round(grown / len(texts))}
        if name == "LangChain + Chroma":
            asked = embedder.embed_queries(list(questions))
            found = ({int(key) for key, _ in search(question, K)} for question in questions)
            row["recall@10"] = round(recall_of(found, exact_rows(rows, asked)), 4)
        made.append(row)
        del search
    return made


def _asking(search: Search) -> Callable[[str], object]:
    return lambda question: search(question, K)


def memory() -> dict[str, int]:
    """Bytes this process holds: private, and of mapped files (which the system may drop and read again)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = {name: int(kb) * 1024 for name, kb in re.findall(r"^(RssAnon|RssFile):\s+(\d+) kB", status, re.MULTILINE)}
    return {"private": found["RssAnon"], "mapped": found["RssFile"]}


_LOADED = """
import json, sys, time
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from assistant.query import Query
from assistant.text import Segmenter
from evals.bench.scale_speed import KnownVectors, memory
from evals.bench.scale_world import read, without_records
asked = np.load(sys.argv[2])
names = json.loads(sys.argv[3])
class Any(KnownVectors):  # what is held does not depend on the vector of a question that is read otherwise than typed
    def embed_queries(self, texts):
        return asked[[names.index(text) if text in names else 0 for text in texts]]
embedder = Any([], asked, names, asked, sys.argv[4])
Segmenter().terms("退款")
before = memory()
began = time.perf_counter()
snapshot = read(Path(sys.argv[1]))
loaded_s = time.perf_counter() - began
retriever = without_records(snapshot, embedder)
for name in names:
    retriever.search(Query(name), now=datetime.now(UTC))
after = memory()
print(json.dumps({"load_s": loaded_s, **{key: after[key] - before[key] for key in after}}))
"""


def loaded(snapshot: Path, asked: Path, questions: Sequence[str], fingerprint: str) -> dict[str, float]:
    """Seconds to load a snapshot in a new process, and what it then holds after all these questions."""
    command = [sys.executable, "-c", _LOADED, str(snapshot), str(asked), json.dumps(list(questions)), fingerprint]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    if done.returncode:
        raise RuntimeError(f"a new process could not load {snapshot}: {done.stderr.strip().splitlines()[-1:]}")
    made: dict[str, float] = json.loads(done.stdout)
    return made


def on_disk(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
