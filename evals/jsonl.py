"""JSON Lines for what the evaluation reads and writes: a wrong line is named by file and number."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from assistant.errors import InputRejected


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) of each line that is not blank. Raises InputRejected at the first that is no object."""
    for item in read_lines(path):
        if isinstance(item, InputRejected):
            raise item
        yield item


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]] | InputRejected]:
    """As ``read_objects``, a wrong line as a value so that the rest goes on. Raises only for a missing file."""
    if not path.is_file():
        raise InputRejected(str(path), "no such file")
    with path.open("rb") as stream:
        for number, raw in enumerate(stream, 1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                if line.strip():
                    yield number, _object(line)
            except UnicodeDecodeError as exc:
                yield InputRejected(str(path), f"is not UTF-8 (byte {exc.start} of the line)", number)
            except json.JSONDecodeError as exc:
                yield InputRejected(str(path), f"is not JSON: {exc.msg.lower()} at column {exc.colno}", number)
            except RecursionError:
                yield InputRejected(str(path), "is nested too deeply", number)
            except ValueError as exc:
                yield InputRejected(str(path), str(exc), number)


def _object(line: str) -> dict[str, Any]:
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")
    return value


def write_objects(path: Path, objects: Iterable[Mapping[str, object]]) -> None:
    """One JSON object a line; the file appears whole or not at all."""
    write_whole(path, "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in objects))


def write_whole(path: Path, text: str) -> None:
    """Write beside the target, flush to disk, then rename: no reader sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
