"""Reads a question as it was meant where it is misspelt: slips, pinyin, capitals."""

from assistant.spelling.lexicon import Lexicon
from assistant.spelling.reading import read_as

__all__ = ["Lexicon", "read_as"]
