"""One way to read any known file; whatever is wrong comes out as a value, so that the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from assistant.errors import InputRejected
from ingest.sources.documents import read_docx, read_html, read_pdf
from ingest.sources.files import Limits, SourceFile
from ingest.sources.items import SourceItem
from ingest.sources.jsonl import read_jsonl
from ingest.sources.markdown import read_markdown
from ingest.sources.tables import read_csv, read_xlsx

Reader = Callable[[SourceFile, Limits], Iterator[SourceItem | InputRejected]]

_READERS: dict[str, Reader] = {
    "jsonl": read_jsonl,
    "markdown": read_markdown,
    "csv": read_csv,
    "xlsx": read_xlsx,
    "html": read_html,
    "pdf": read_pdf,
    "docx": read_docx,
}


def read(file: SourceFile, limits: Limits | None = None) -> Iterator[SourceItem | InputRejected]:
    """The file's records in order, with a rejection in place of each that is wrong. Never raises InputRejected."""
    bounds = limits or Limits()
    try:
        size = file.path.stat().st_size
        allowed = bounds.streamed_file if file.kind == "jsonl" else bounds.whole_file
        if size == 0:
            yield InputRejected(file.name, "is empty")
        elif size > allowed:
            yield InputRejected(file.name, f"is {size:,} bytes; at most {allowed:,} are read; split it")
        else:
            yield from _READERS[file.kind](file, bounds)
    except InputRejected as exc:
        yield exc
    except OSError as exc:
        yield InputRejected(file.name, f"cannot be read: {exc.strerror or type(exc).__name__}")
