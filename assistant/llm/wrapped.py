"""What an embedder over another one has of it: vectors keep the name and length that the one below gives them."""

from __future__ import annotations

from assistant.ports import Embedder


class WrappedEmbedder:
    """Base of an Embedder over another, ``self._embedder``."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def fingerprint(self) -> str:
        """That of the embedder below."""
        return self._embedder.fingerprint

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._embedder.dimensions
