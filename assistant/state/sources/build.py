"""From the checked file to one source that can be asked; called by ``bootstrap`` and by ``doctor``."""

from __future__ import annotations

from pathlib import Path

from assistant.state.sources.composite import CompositeSource
from assistant.state.sources.config import HttpConfig, SqlConfig, load_config
from assistant.state.sources.guarded import GuardedSource, Limits
from assistant.state.sources.http import HttpSource
from assistant.state.sources.sql import SqlSource

# A source gives up before the whole does, so that its earlier state can still stand in.
_SHARE = 0.7


def build_sources(path: Path, budget_s: float) -> CompositeSource:
    """The file's sources behind one. Raises ConfigurationError; nothing is connected yet."""
    return CompositeSource([_guarded(source, budget_s) for source in load_config(path).sources], budget_s)


def _guarded(config: SqlConfig | HttpConfig, budget_s: float) -> GuardedSource:
    budget = min(config.budget_ms / 1000, budget_s * _SHARE)
    limits = Limits(budget, config.cache_s, config.stale_s, config.cache_users, config.tries)
    config = config.model_copy(update={"budget_ms": budget * 1000})
    inner = SqlSource(config) if isinstance(config, SqlConfig) else HttpSource(config)
    return GuardedSource(inner, config.name, limits, labels=config.words, kinds=config.kinds)
