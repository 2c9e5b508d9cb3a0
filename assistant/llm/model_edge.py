"""The edge to any model, the same for embedders and rerankers: text that it can take, and how a failed load is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from assistant.errors import ConfigurationError


def storable(text: str) -> str:
    """The text with ``?`` for lone surrogates, which have no UTF-8 form: no tokenizer and no JSON would take them."""
    return text.encode("utf-8", "replace").decode("utf-8")


@contextmanager
def loading(model: str, *, allow_download: bool) -> Iterator[None]:
    """Within it a model by folder or name is loaded. Raises ConfigurationError for whatever goes wrong.

    ``model`` says which, as in "The reranker 'NAME'". Any exception may come from below: a missing package, no such
    folder, broken weights.
    """
    try:
        yield
    except Exception as exc:
        remedy = "" if allow_download else " Give the path of a local folder, or allow the download."
        raise ConfigurationError(f"{model} could not be loaded: {exc}.{remedy}") from exc
