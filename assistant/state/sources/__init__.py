"""Live user state from a business's own systems: SQL databases and HTTP services, declared in one YAML file."""

from assistant.state.sources.composite import CompositeSource
from assistant.state.sources.config import StateConfig, load_config

__all__ = ["CompositeSource", "StateConfig", "load_config"]
