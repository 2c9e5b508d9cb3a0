"""Reads articles and transcripts from files; what is wrong comes out as a value beside what is right."""

from ingest.sources.files import Discovery, Limits, SourceFile, discover
from ingest.sources.identity import DuplicateGuard, canonical
from ingest.sources.items import SourceItem
from ingest.sources.language import detect_locale
from ingest.sources.reading import read

__all__ = [
    "Discovery",
    "DuplicateGuard",
    "Limits",
    "SourceFile",
    "SourceItem",
    "canonical",
    "detect_locale",
    "discover",
    "read",
]
