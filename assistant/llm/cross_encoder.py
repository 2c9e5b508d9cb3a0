"""Any sentence-transformers cross-encoder as a Reranker."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ConfigurationError, RerankingFailed
from assistant.llm.model_edge import loading, storable


class CrossEncoderReranker:
    """A model by folder or by name; a name is downloaded only when the user allowed it.

    Long passages are cut at the model's own length. Raises ConfigurationError where the model cannot be loaded, or
    gives more than one figure for a pair.
    """

    def __init__(self, model: str, *, allow_download: bool = False) -> None:
        self._name = model
        self._lock = threading.Lock()
        with loading(f"The reranker {model!r}", allow_download=allow_download):
            from sentence_transformers import CrossEncoder

            self._model: Any = CrossEncoder(model, device="cpu", local_files_only=not allow_download)
        if self._model.num_labels != 1:
            raise ConfigurationError(
                f"The reranker {model!r} gives {self._model.num_labels} figures for a pair; "
                "one that gives a single figure of relevance is needed."
            )

    @property
    def name(self) -> str:
        """The model's folder or name."""
        return self._name

    def scores(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """(n,) figures, higher for a better answer. Raises RerankingFailed."""
        if not passages:
            return np.zeros(0, dtype=np.float32)
        pairs = [(storable(question), storable(passage)) for passage in passages]
        try:
            with self._lock:
                found = self._model.predict(pairs, show_progress_bar=False)
        except Exception as exc:
            raise RerankingFailed(f"{self._name} failed on {len(pairs)} passages: {exc}") from exc
        scores = np.asarray(found, dtype=np.float32).reshape(-1)
        if len(scores) != len(pairs) or not np.isfinite(scores).all():
            raise RerankingFailed(f"{self._name} gave no finite figure for each of {len(pairs)} passages.")
        return scores
