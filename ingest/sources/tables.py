"""CSV and XLSX: a row is an article, the first row names the keys."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from assistant.errors import InputRejected
from ingest.sources.decoding import decode
from ingest.sources.files import Limits, SourceFile
from ingest.sources.items import SourceItem
from ingest.sources.schemas import ARTICLE_KEYS, parse_article, unknown_key

_LISTS = frozenset({"questions", "negative_questions", "tags"})
_REQUIRED = ("id", "title", "body")

Row = tuple[int, Sequence[object]]


def read_csv(file: SourceFile, limits: Limits) -> Iterator[SourceItem | InputRejected]:
    """Rows of a CSV file in UTF-8, or in GB18030 as Excel writes it in China; separated by comma, semicolon or tab."""
    text, encoding = decode(file.path.read_bytes(), file.name, fallback="gb18030")
    csv.field_size_limit(max(limits.line, csv.field_size_limit()))
    yield from _articles(_csv_rows(text, file.name), file.name, encoding)


def read_xlsx(file: SourceFile, limits: Limits) -> Iterator[SourceItem | InputRejected]:
    """Rows of every sheet that is not empty; a place is ``file[sheet]:row``."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    check_archive(file, limits)
    try:
        book = openpyxl.load_workbook(file.path, read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, TypeError, OSError, SyntaxError) as exc:
        raise InputRejected(file.name, f"is not a workbook that can be read ({type(exc).__name__})") from exc
    try:
        single = len(book.sheetnames) == 1
        for sheet in book.worksheets:
            source = file.name if single else f"{file.name}[{sheet.title}]"
            rows = enumerate(sheet.iter_rows(values_only=True), start=1)
            yield from _articles(rows, source, "utf-8")
    finally:
        book.close()


def check_archive(file: SourceFile, limits: Limits) -> None:
    """Raises InputRejected where the file is no ZIP archive or would unpack to more than may be held."""
    try:
        with zipfile.ZipFile(file.path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError) as exc:
        raise InputRejected(file.name, f"is not a {file.kind.upper()} file, or is protected by a password") from exc
    if unpacked > limits.unpacked:
        raise InputRejected(file.name, f"unpacks to {unpacked:,} bytes; at most {limits.unpacked:,} are read")


def _csv_rows(text: str, source: str) -> Iterator[Row | InputRejected]:
    head = text.lstrip("\r\n").partition("\n")[0]
    separator = max(",;\t", key=lambda mark: len(set(_names(head.replace('"', "").split(mark))) & set(ARTICLE_KEYS)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            yield InputRejected(source, f"is not CSV: {exc}", line)


def _articles(rows: Iterable[Row | InputRejected], source: str, encoding: str) -> Iterator[SourceItem | InputRejected]:
    columns: list[str] | None = None
    for row in rows:
        if isinstance(row, InputRejected):
            yield row
            continue
        line, cells = row
        if all(_blank(cell) for cell in cells):
            continue
        try:
            if columns is None:
                columns = _columns(cells, source, line)
            else:
                yield SourceItem(
                    parse_article(_values(columns, cells, source, line), source, line), source, line, encoding
                )
        except InputRejected as exc:
            yield exc
            if columns is None:
                return


def _names(cells: Sequence[object]) -> list[str]:
    return ["" if cell is None else str(cell).strip().lower() for cell in cells]


def _columns(cells: Sequence[object], source: str, line: int) -> list[str]:
    names = _names(cells)
    while names and not names[-1]:
        names.pop()
    for name in names:
        if name not in ARTICLE_KEYS:
            problem = unknown_key(name, ARTICLE_KEYS, "column") if name else "a column has no name"
            raise InputRejected(source, problem, line)
        if names.count(name) > 1:
            raise InputRejected(source, f'column "{name}" appears twice', line)
    for name in _REQUIRED:
        if name not in names:
            raise InputRejected(source, f'column "{name}" is missing', line)
    return names


def _values(columns: list[str], cells: Sequence[object], source: str, line: int) -> dict[str, object]:
    if any(not _blank(cell) for cell in cells[len(columns) :]):
        raise InputRejected(source, f"has {len(cells)} cells; the first row names {len(columns)} columns", line)
    values: dict[str, object] = {}
    for name, cell in zip(columns, cells, strict=False):
        if not _blank(cell):
            values[name] = listed(_text(cell), name, source, line) if name in _LISTS else _text(cell)
        elif name in _REQUIRED:
            values[name] = ""
    return values


def _blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _text(cell: object) -> str:
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def listed(text: str, name: str, source: str, line: int | None) -> list[str]:
    """Entries of a list in one cell: a JSON array, or split at line breaks and ``|``. Raises InputRejected."""
    if not text.lstrip().startswith("["):
        return text.replace("|", "\n").splitlines()
    try:
        values = json.loads(text)
    except ValueError as exc:
        raise InputRejected(source, f'"{name}" begins like a JSON array but is not one', line) from exc
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InputRejected(source, f'"{name}" must be a JSON array of texts', line)
    return values
