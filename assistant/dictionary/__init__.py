"""The workspace's own dictionary: names and terms of the trade, learnt from its texts and found in them fast."""

from assistant.dictionary.discovery import Source, learn_names
from assistant.dictionary.names import Names

__all__ = ["Names", "Source", "learn_names"]
