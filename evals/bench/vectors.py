"""Keeps a bench run's vectors in a file, so that the next run pays only for texts it has not met."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from evals.caching_embedder import CachingEmbedder


def load_vectors(embedder: CachingEmbedder, path: Path) -> int:
    """How many vectors were taken from the file; 0 where it is not there or is of another embedder."""
    if not path.is_file():
        return 0
    with np.load(path) as held:
        if str(held["fingerprint"]) != embedder.fingerprint:
            return 0
        for kind, known in embedder.tables().items():
            known.update(zip(json.loads(held[f"{kind}_texts"].tobytes()), held[f"{kind}_rows"], strict=True))
    return embedder.held


def save_vectors(embedder: CachingEmbedder, path: Path) -> None:
    """Write all that the embedder remembers; a kill leaves the file as it was."""
    columns: dict[str, Any] = {"fingerprint": np.array(embedder.fingerprint)}
    for kind, known in embedder.tables().items():
        columns[f"{kind}_texts"] = np.frombuffer(json.dumps(list(known)).encode(), dtype=np.uint8)
        columns[f"{kind}_rows"] = np.array(list(known.values()), dtype=np.float32).reshape(-1, embedder.dimensions)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        np.savez(file, **columns)
    os.replace(beside, path)
