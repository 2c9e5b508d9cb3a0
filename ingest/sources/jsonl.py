"""JSON Lines, read as a stream: a broken line costs that line only."""

from __future__ import annotations

import json
from collections.abc import Iterator

from assistant.errors import InputRejected
from ingest.sources.decoding import foreign
from ingest.sources.files import Limits, SourceFile
from ingest.sources.items import SourceItem
from ingest.sources.schemas import ARTICLE_KEYS, TRANSCRIPT_KEYS, parse_article, parse_transcript

_MARK = b"\xef\xbb\xbf"


def read_jsonl(file: SourceFile, limits: Limits) -> Iterator[SourceItem | InputRejected]:
    """One item a line that is not blank."""
    with file.path.open("rb") as stream:
        offset = number = 0
        while line := stream.readline(limits.line + 1):
            number += 1
            start, offset = offset, offset + len(line)
            if number == 1:
                problem = foreign(line[:8])
                if problem:
                    yield InputRejected(file.name, problem)
                    return
                if line.startswith(_MARK):
                    line, start = line[len(_MARK) :], start + len(_MARK)
            if len(line) > limits.line:
                while line and not line.endswith(b"\n"):
                    line = stream.readline(limits.line)
                    offset += len(line)
                yield InputRejected(file.name, f"the line is longer than {limits.line:,} bytes", number)
                continue
            if line.strip():
                try:
                    yield _item(line, file.name, number, start)
                except InputRejected as exc:
                    yield exc


def _item(line: bytes, source: str, number: int, start: int) -> SourceItem:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise InputRejected(
            source, f"is not UTF-8 (byte {start + exc.start} is 0x{line[exc.start]:02x}); save it as UTF-8", number
        ) from exc
    try:
        value = json.loads(text, parse_constant=_no_number, object_pairs_hook=_object)
    except json.JSONDecodeError as exc:
        raise InputRejected(source, f"is not JSON: {exc.msg.lower()} at column {exc.colno}", number) from exc
    except ValueError as exc:
        raise InputRejected(source, f"is not JSON: {exc}", number) from exc
    except RecursionError as exc:
        raise InputRejected(source, "is nested too deeply", number) from exc
    if not isinstance(value, dict):
        raise InputRejected(source, "is not a JSON object", number)
    if "conversation_id" in value or "turns" in value:
        return SourceItem(parse_transcript(value, source, number), source, number)
    if value.keys() & {"id", "title", "body"}:
        return SourceItem(parse_article(value, source, number), source, number)
    raise InputRejected(
        source,
        f"is neither an article (keys {', '.join(ARTICLE_KEYS[:3])}) "
        f"nor a transcript (keys {', '.join(TRANSCRIPT_KEYS[:2])})",
        number,
    )


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'key "{twice[:60]}" appears twice')
    return made
