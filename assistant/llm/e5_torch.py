"""The bundled model in torch, for processors that ``e5_quantised`` cannot run on: importing torch takes seconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.llm.e5_batches import batches
from assistant.llm.e5_weights import MAX_TOKENS
from assistant.ports import Vectors

if TYPE_CHECKING:
    from torch import Tensor

_DIMENSIONS, _HEADS, _LAYERS = 384, 12, 12
_LEAST_TOKENS = 32  # worth a pass of its own on another core
_BATCH_TOKENS = 1024  # in one pass; more is not faster, and leaves less to share between cores


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
        self._lock = threading.Lock()
        self._layers = [self._layer(f"encoder.layer.{number}.") for number in range(_LAYERS)]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(n, 384) unit rows; texts carry their prefix already."""
        import torch

        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        vectors = np.empty((len(texts), _DIMENSIONS), dtype=np.float32)

        def work(rows: list[int]) -> None:
            with torch.inference_mode():
                vectors[rows] = self._forward([tokens[row] for row in rows]).numpy()

        with self._lock:  # two batches at once would only fight for the same cores
            list(
                self._workers.map(
                    work, batches([len(ids) for ids in tokens], self._cores, _LEAST_TOKENS, _BATCH_TOKENS)
                )
            )
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


def _spans(lengths: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(first token, texts, tokens a text) for each run of equally long texts."""
    start = 0
    for length, run in groupby(lengths):
        count = len(list(run))
        yield start, count, length
        start += count * length
