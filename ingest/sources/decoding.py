"""Bytes to text: UTF-8 always, what Excel writes in China for tables, and a byte offset where neither fits."""

from __future__ import annotations

import codecs

from assistant.errors import InputRejected

_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_MAGIC = ((b"PK\x03\x04", "a ZIP archive"), (b"%PDF", "a PDF"), (b"\x1f\x8b", "a gzip archive"), (b"\x89PNG", "a PNG"))


def foreign(head: bytes) -> str | None:
    """What is wrong with a text file that begins with these bytes, None where nothing is."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return f"is encoded in {encoding} (byte 0); save it as UTF-8"
    for magic, what in _MAGIC:
        if head.startswith(magic):
            return f"is {what}, not text"
    return None


def decode(raw: bytes, source: str, fallback: str | None = None) -> tuple[str, str]:
    """The text without byte-order mark, and the encoding used: ``utf-8`` or the fallback. Raises InputRejected."""
    problem = foreign(raw[:8])
    if problem:
        raise InputRejected(source, problem)
    try:
        return raw.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as exc:
        offset = exc.start + (3 if raw.startswith(codecs.BOM_UTF8) else 0)
        cause = exc
    if fallback is not None:
        try:
            return raw.decode(fallback), fallback
        except (UnicodeDecodeError, LookupError):
            pass
    tried = "UTF-8" if fallback is None else f"UTF-8 nor {fallback.upper()}"
    lead = "is not" if fallback is None else "is neither"
    raise InputRejected(source, f"{lead} {tried} (byte {offset} is 0x{raw[offset]:02x}); save it as UTF-8") from cause
