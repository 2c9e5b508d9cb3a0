"""The vector index in Chroma, embedded or on a server. The only module that imports chromadb."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ConfigurationError, IndexUnavailable, WorkspaceLocked
from assistant.ports import Vectors

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

HNSW: Any = {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 32}
LOCK_WAIT_S = 5.0

T = TypeVar("T")


class ChromaStore:
    """One Chroma with a collection for each workspace and embedder: a re-index builds beside the live one."""

    def __init__(self, *, folder: Path | None = None, url: str | None = None) -> None:
        if (folder is None) == (url is None):
            raise ConfigurationError("Chroma needs either a folder (embedded) or a server's url")
        self._lock: Any = None
        if folder is not None:
            self._lock = _own(folder)
        try:
            self._client = _client(folder, url)
        except Exception as exc:  # Chroma raises bare ValueError, OSError and its own types here
            self.close()
            where = url or str(folder)
            raise IndexUnavailable(f"Chroma at {where} cannot be opened: {exc}") from exc

    def index(self, workspace: str, fingerprint: str) -> ChromaVectorIndex:
        """The collection of this workspace for this embedder; made when it is missing."""
        name = _collection_name(workspace, fingerprint)
        return _translated(
            lambda: ChromaVectorIndex(
                self._client.get_or_create_collection(
                    name,
                    metadata={"workspace": workspace, "fingerprint": fingerprint},
                    configuration={"hnsw": HNSW},
                    embedding_function=None,
                ),
                self._client.get_max_batch_size(),
            )
        )

    def drop_others(self, workspace: str, fingerprint: str) -> list[str]:
        """Delete this workspace's collections of other embedders; returns their names."""
        keep = _collection_name(workspace, fingerprint)
        prefix = keep.rsplit(".", 1)[0] + "."

        def drop() -> list[str]:
            names = [c.name for c in self._client.list_collections()]
            gone = [name for name in names if name.startswith(prefix) and name != keep]
            for name in gone:
                self._client.delete_collection(name)
            return gone

        return _translated(drop)

    def heartbeat(self) -> None:
        """Raises IndexUnavailable when Chroma does not answer."""
        _translated(self._client.heartbeat)

    def close(self) -> None:
        """Give the folder back to other processes."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


class ChromaVectorIndex:
    """A VectorIndex over one Chroma collection."""

    def __init__(self, collection: Any, max_batch: int) -> None:
        self._collection = collection
        self._max_batch = max(1, max_batch)

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add or replace, in batches that Chroma takes."""
        for start in range(0, len(ids), self._max_batch):
            part = slice(start, start + self._max_batch)
            _translated(partial(self._collection.upsert, ids=list(ids[part]), embeddings=vectors[part]))

    def delete(self, ids: Sequence[str]) -> None:
        """Remove these; unknown ids are ignored."""
        for start in range(0, len(ids), self._max_batch):
            part = list(ids[start : start + self._max_batch])
            _translated(partial(self._collection.delete, ids=part))

    def ids(self) -> set[str]:
        """All ids held."""
        return set(_translated(lambda: self._collection.get(include=[])["ids"]))

    def count(self) -> int:
        """How many are held."""
        return int(_translated(self._collection.count))

    def search(self, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """(id, cosine), nearest first. Chroma's cosine distance is 1 - cosine; this is the one place that turns it."""
        if limit < 1:
            return []

        def query() -> list[tuple[str, float]]:
            found = self._collection.query(query_embeddings=[vector], n_results=limit, include=["distances"])
            distances = found["distances"] or [[]]
            return [(key, 1.0 - float(d)) for key, d in zip(found["ids"][0], distances[0], strict=True)]

        return _translated(query)


def _collection_name(workspace: str, fingerprint: str) -> str:
    return f"teachback.{workspace}.{hashlib.sha256(fingerprint.encode()).hexdigest()[:10]}"


def _client(folder: Path | None, url: str | None) -> ClientAPI:
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    quiet = ChromaSettings(anonymized_telemetry=False)
    if folder is not None:
        return chromadb.PersistentClient(path=str(folder), settings=quiet)
    parts = urlsplit(url or "")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"TEACHBACK_CHROMA_URL must look like http://host:port, not {url!r}")
    return chromadb.HttpClient(
        host=parts.hostname,
        port=parts.port or (443 if parts.scheme == "https" else 80),
        ssl=parts.scheme == "https",
        settings=quiet,
    )


def _own(folder: Path) -> Any:
    """Take the folder for this process; embedded Chroma must have exactly one."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    holder = folder / "owner"
    lock = FileLock(str(folder / "owner.lock"))
    try:
        lock.acquire(timeout=LOCK_WAIT_S)
    except Timeout as exc:
        who = holder.read_text(encoding="utf-8").strip() if holder.exists() else "unknown"
        raise WorkspaceLocked(
            f"the data folder {folder.parent} is in use by process {who}; stop it first, use another --data-dir, "
            "or set TEACHBACK_CHROMA_URL to a Chroma server, which many processes can share"
        ) from exc
    holder.write_text(str(os.getpid()), encoding="utf-8")
    return lock


def _translated(call: Callable[[], T]) -> T:
    try:
        return call()
    except Exception as exc:  # Chroma's errors have no common base; all mean the same to the core
        raise IndexUnavailable(f"Chroma did not answer: {type(exc).__name__}: {exc}") from exc
