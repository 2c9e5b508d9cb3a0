"""The embedders beside the bundled one: a local sentence-transformers model, an OpenAI-compatible server, and hashing.

``HashEmbedder`` is the test double of the port; it ships so that tests elsewhere need no model either.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from assistant.errors import EmbeddingFailed
from assistant.llm.model_edge import loading, storable
from assistant.ports import Vectors

_REQUEST_TEXTS = 64  # texts a request: servers cap the list, and a failed request repeats little


class SentenceTransformersEmbedder:
    """Any sentence-transformers model, by folder or by name; a name is downloaded only when the user allowed it."""

    def __init__(
        self, model: str, *, query_prefix: str = "", passage_prefix: str = "", allow_download: bool = False
    ) -> None:
        self._name = model
        self._prefixes = (query_prefix, passage_prefix)
        self._lock = threading.Lock()
        with loading(f"The embedding model {model!r}", allow_download=allow_download):
            from sentence_transformers import SentenceTransformer

            self._model: Any = SentenceTransformer(model, device="cpu", local_files_only=not allow_download)
        self._dimensions = len(self._model.encode("", prompt="", show_progress_bar=False))

    @property
    def fingerprint(self) -> str:
        return _fingerprint("sentence-transformers", self._name, self._prefixes)

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) unit rows, with the query prefix."""
        return self._embed(self._prefixes[0], texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) unit rows, with the passage prefix."""
        return self._embed(self._prefixes[1], texts)

    def _embed(self, prefix: str, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self._dimensions), dtype=np.float32)
        prefixed = [prefix + storable(text) for text in texts]
        try:
            with self._lock:
                # prompt="": a default prompt in the model's folder would come on top of the prefix
                vectors = self._model.encode(prefixed, prompt="", convert_to_numpy=True, show_progress_bar=False)
        except Exception as exc:
            raise EmbeddingFailed(f"{self._name} failed on {len(texts)} texts: {exc}") from exc
        return _unit(np.asarray(vectors), len(texts), self._dimensions)


class _Embedding(Protocol):
    @property
    def index(self) -> int: ...
    @property
    def embedding(self) -> Sequence[float]: ...


class _Answer(Protocol):
    @property
    def data(self) -> Sequence[_Embedding]: ...


class _Endpoint(Protocol):
    def create(self, *, model: str, input: list[str], encoding_format: str) -> _Answer: ...


class EmbeddingsClient(Protocol):
    """What is used of an ``openai.OpenAI`` (base URL, key and timeout are its own); it must be thread-safe."""

    @property
    def embeddings(self) -> Any: ...


class OpenAIEmbedder:
    """A server with OpenAI's ``/embeddings``; ``dimensions=None`` asks it once, when first needed."""

    def __init__(
        self,
        client: EmbeddingsClient,
        model: str,
        *,
        query_prefix: str = "",
        passage_prefix: str = "",
        dimensions: int | None = None,
    ) -> None:
        self._endpoint: _Endpoint = client.embeddings
        self._model = model
        self._prefixes = (query_prefix, passage_prefix)
        self._dimensions = dimensions

    @property
    def fingerprint(self) -> str:
        return _fingerprint("openai", self._model, self._prefixes)

    @property
    def dimensions(self) -> int:
        if self._dimensions is None:
            self._dimensions = len(self._request(["dimensions"])[0])
        return self._dimensions

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) unit rows, with the query prefix."""
        return self._embed(self._prefixes[0], texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) unit rows, with the passage prefix; sent 64 at a time."""
        return self._embed(self._prefixes[1], texts)

    def _embed(self, prefix: str, texts: Sequence[str]) -> Vectors:
        # servers reject an empty string; a space has the same (lack of) meaning
        prefixed = [prefix + storable(text) or " " for text in texts]
        rows: list[Sequence[float]] = []
        for start in range(0, len(prefixed), _REQUEST_TEXTS):
            rows += self._request(prefixed[start : start + _REQUEST_TEXTS])
        if not rows:
            return np.empty((0, self.dimensions), dtype=np.float32)
        if self._dimensions is None:
            self._dimensions = len(rows[0])
        return _unit(rows, len(texts), self._dimensions)

    def _request(self, texts: list[str]) -> list[Sequence[float]]:
        try:
            answer = self._endpoint.create(model=self._model, input=texts, encoding_format="float")
            rows = [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
        except Exception as exc:
            raise EmbeddingFailed(f"The embedding server failed on {len(texts)} texts: {exc}") from exc
        if len(rows) != len(texts):
            raise EmbeddingFailed(f"The embedding server gave {len(rows)} vectors for {len(texts)} texts.")
        return rows


class HashEmbedder:
    """Character n-grams (1 to 3) hashed into a signed histogram: deterministic, model-free, for tests.

    Texts that share characters are near each other, in any language; meaning plays no part.
    """

    def __init__(self, dimensions: int = 64) -> None:
        self._dimensions = dimensions

    @property
    def fingerprint(self) -> str:
        return f"hash:ngram13:{self._dimensions}:1"

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) unit rows; queries and passages are embedded alike."""
        return self.embed_passages(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) unit rows; queries and passages are embedded alike."""
        counts = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            folded = f" {storable(text).casefold()} "
            for size in (1, 2, 3):
                for start in range(len(folded) - size + 1):
                    code = zlib.crc32(folded[start : start + size].encode())
                    counts[row, (code >> 1) % self._dimensions] += 1.0 if code & 1 else -1.0
        return _unit(counts, len(texts), self._dimensions)


def _fingerprint(kind: str, model: str, prefixes: tuple[str, str]) -> str:
    return f"{kind}:{model}:{zlib.crc32(repr(prefixes).encode()):08x}"


def _unit(rows: Any, texts: int, dimensions: int) -> Vectors:
    """Checked, L2-normalised rows; a zero row becomes the first axis, for every row has length 1."""
    try:
        vectors: Vectors = np.array(rows, dtype=np.float32).reshape(texts, dimensions)
    except (TypeError, ValueError) as exc:
        raise EmbeddingFailed(f"The embedder's vectors are not {texts} rows of {dimensions} numbers: {exc}") from exc
    if not np.isfinite(vectors).all():
        raise EmbeddingFailed("The embedder gave a vector with a number that is not finite.")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[lengths[:, 0] == 0, 0] = 1.0
    vectors /= np.where(lengths == 0, 1.0, lengths)
    return vectors
