"""Takes out of a cosine what every question in a language shares, so that it can be compared across languages."""

from __future__ import annotations

import logging
import threading
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from assistant.errors import EmbeddingFailed
from assistant.ports import Embedder, Vectors
from assistant.store.neighbours import Pull, products
from assistant.store.snapshot import Snapshot
from assistant.text import fold

SHARE = 0.5

Vector = NDArray[np.float32]
_log = logging.getLogger(__name__)
_made: dict[tuple[str, str], Vector] = {}
_lock = threading.Lock()


def across_languages(
    snapshot: Snapshot,
    entries: NDArray[np.int64],
    dense: Vector,
    language: str,
    embedder: Embedder,
    vectors: Vectors | None = None,
) -> Vector:
    """(entries,) cosines, those of entries in another language than the question's freed of the language's pull.

    An embedder puts all questions of one language near the same few passages of another, whatever they ask. That pull
    is the cosine of the passage with the mean of a hundred unrelated questions (``background/``); ``SHARE`` of its
    excess over the average passage is taken off, so the level of the scores stays. It is the hubness correction of
    CSLS (Conneau et al., 2018) with the questions' mean in place of the nearest ones. ``SHARE`` was read off
    xquad's Chinese questions on English passages, where 0.35 to 0.75 do equally well; the other direction never
    chose it. Where the mean cannot be computed the cosines stay as they are, and a warning is logged.
    ``vectors`` (entries, dimensions) are those of the entries, where the caller holds them.
    """
    chinese = language == "zh"
    foreign = snapshot.table.chinese[entries] != chinese
    towards = _background_or_none(embedder, language) if foreign.any() else None
    if towards is None:
        return dense
    of_foreign = snapshot.vectors[entries[foreign]] if vectors is None else vectors[foreign]
    pull = products(of_foreign, towards[None])[0]
    centres = snapshot.centres[not chinese]
    level = (centres @ towards)[snapshot.table.is_question[entries[foreign]].astype(np.int64)]
    corrected = np.array(dense, dtype=np.float32)
    corrected[foreign] -= SHARE * (pull - level)
    return corrected


def pulls(snapshot: Snapshot, language: str, embedder: Embedder) -> list[Pull | None]:
    """What to take off the products of a question to find its neighbours: nothing, and what its language pulls.

    The latter only where there may be passages in another one.
    """
    if snapshot.centres[language != "zh"].any():
        towards = _background_or_none(embedder, language)
        if towards is not None:
            return [None, snapshot.pull(f"{embedder.fingerprint}/{language}", SHARE * towards)]
    return [None]


def background(embedder: Embedder, language: str) -> Vector:
    """(dimensions,) mean vector of unrelated questions in ``zh`` or ``en``; computed once where not packaged.

    Raises EmbeddingFailed.
    """
    key = (embedder.fingerprint, language)
    with _lock:
        if key not in _made:
            packaged = _packaged()
            made = packaged.get("/".join(key))
            _made[key] = made if made is not None else compute(embedder, language)
        return _made[key]


def compute(embedder: Embedder, language: str) -> Vector:
    """(dimensions,) the mean, from the questions themselves. Raises EmbeddingFailed."""
    text = files("assistant").joinpath(f"background/{language}.txt").read_text(encoding="utf-8")
    rows = embedder.embed_queries([fold(line) for line in text.splitlines() if line])
    return np.asarray(rows.mean(axis=0), dtype=np.float32)


def _background_or_none(embedder: Embedder, language: str) -> Vector | None:
    try:
        return background(embedder, language)
    except EmbeddingFailed:
        _log.warning("the mean question in %r could not be embedded; foreign passages rank by plain cosine", language)
        return None


@cache
def _packaged() -> dict[str, Vector]:
    with files("assistant").joinpath("background/means.npz").open("rb") as file, np.load(file) as held:
        return {name: held[name] for name in held.files}
