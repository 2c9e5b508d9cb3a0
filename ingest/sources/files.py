"""Finds the files to read, in an order that does not change, and says how large each kind may be."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import InputRejected

MEGABYTE = 1024 * 1024

KINDS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".md": "markdown",
    ".markdown": "markdown",
    ".csv": "csv",
    ".xlsx": "xlsx",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes that may be read: of a file taken whole, of a streamed one, of a line, of an unpacked archive."""

    whole_file: int = 50 * MEGABYTE
    streamed_file: int = 1024 * MEGABYTE
    line: int = 10 * MEGABYTE
    unpacked: int = 500 * MEGABYTE


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read. ``name`` is its path relative to the ingested folder, with ``/``; messages and ids use it."""

    path: Path
    name: str
    kind: str

    @property
    def stem(self) -> str:
        """The file's name without folder and suffix."""
        return self.path.stem


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files to read in order, and what was named or found but cannot be read."""

    files: tuple[SourceFile, ...]
    rejected: tuple[InputRejected, ...]


def discover(paths: Iterable[Path]) -> Discovery:
    """These files and those in these folders, each once, sorted; hidden files and linked folders are left out."""
    files: list[SourceFile] = []
    rejected: list[InputRejected] = []
    seen: set[Path] = set()
    for given in paths:
        if given.is_dir():
            found = [(path, path.relative_to(given).as_posix()) for path in _walk(given)]
        elif given.is_file():
            found = [(given, given.name)]
        else:
            reason = "is neither a file nor a folder" if given.exists() else "no such file or folder"
            rejected.append(InputRejected(str(given), reason))
            continue
        for path, name in found:
            real = path.resolve()
            if real in seen:
                continue
            seen.add(real)
            entry = _classify(path, unicodedata.normalize("NFC", name))
            if isinstance(entry, SourceFile):
                files.append(entry)
            else:
                rejected.append(entry)
    return Discovery(tuple(files), tuple(rejected))


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            # `~$` is what an open Office document leaves beside itself
            if not name.startswith((".", "~$")) and (path.is_file() or path.is_symlink()):
                yield path


def _classify(path: Path, name: str) -> SourceFile | InputRejected:
    try:
        name.encode()
    except UnicodeEncodeError:
        return InputRejected(ascii(name), "the file name is not UTF-8; rename it")
    if not path.is_file():
        return InputRejected(name, "is a link to nothing that can be read")
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        suffix = path.suffix or "no suffix"
        return InputRejected(name, f"cannot read this kind of file ({suffix}); known are {', '.join(KINDS)}")
    return SourceFile(path, name, kind)
