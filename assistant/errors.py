"""The exception tree; each message says what happened and, where one exists, the remedy.

TeachbackError
├── ConfigurationError        a setting is missing or wrong; nothing was done
│   ├── EmbedderMismatch      the index was built by another embedder; `teachback reindex` rebuilds it
│   └── WorkspaceLocked       another process has this data folder open
├── EmbeddingFailed           the embedder could not embed; try again
├── RerankingFailed           the reranker could not read the passages; they stay in the order of retrieval
├── IndexUnavailable          the vector index could not answer; the snapshot's own vectors are searched
├── ModelUnavailable          the chat model failed, timed out or broke off; the extractive reply is given
│   └── RateLimited           its server asks to slow down; batch work waits and tries again
├── StateUnavailable          a state source did not answer in its budget
│   └── SourceFailed          one source failed for a named reason; the reply says what is missing
├── InputRejected             one item of input is wrong: file, line and reason are in it; the rest goes on
├── NotFound                  no such conversation, article or run in this workspace
├── Conflict                  what is asked for does not fit the state the thing is in now; look again, then decide
└── NotPermitted              the caller has not proved who they are, or may not do this
"""

from __future__ import annotations


class TeachbackError(Exception):
    """Anything Teachback itself raises."""


class ConfigurationError(TeachbackError):
    """A setting is missing or wrong; nothing was done."""


class EmbedderMismatch(ConfigurationError):
    """The index was built by another embedder."""


class WorkspaceLocked(ConfigurationError):
    """Another process has this data folder open."""


class EmbeddingFailed(TeachbackError):
    """The embedder could not embed the texts."""


class RerankingFailed(TeachbackError):
    """The reranker could not score the passages."""


class IndexUnavailable(TeachbackError):
    """The vector index could not answer."""


class ModelUnavailable(TeachbackError):
    """The chat model failed, timed out or broke off in the middle; ``reason`` is the kind of failure, to count by."""

    reason: str = "failed"


class RateLimited(ModelUnavailable):
    """The model's server asks to slow down; ``retry_after_s`` is how long it asks to wait, where it tells."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StateUnavailable(TeachbackError):
    """A state source did not answer within its budget."""


class SourceFailed(StateUnavailable):
    """One state source failed. ``again``: a second try may help; ``counts``: it speaks against the source's health."""

    def __init__(self, reason: str, *, again: bool = False, counts: bool = True) -> None:
        self.again = again
        self.counts = counts
        super().__init__(reason)


class ToolFailed(TeachbackError):
    """The system behind a task did not answer as declared; nothing was done."""


class NotFound(TeachbackError):
    """No such thing in this workspace."""


class Conflict(TeachbackError):
    """What is asked for does not fit the state that the thing is in now."""


class NotPermitted(TeachbackError):
    """The caller has not proved who they are, or may not do this."""


class InputRejected(TeachbackError):
    """One item of input is wrong; ``str()`` gives ``file:line: reason``."""

    def __init__(self, source: str, reason: str, line: int | None = None) -> None:
        self.source = source
        self.line = line
        self.reason = reason
        place = source if line is None else f"{source}:{line}"
        super().__init__(f"{place}: {reason}")
