"""Reads a retrieval data set in the BEIR layout; whatever is wrong is named by file and line before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import InputRejected
from evals.jsonl import read_objects
from ingest.sources.schemas import unknown_key


@dataclass(frozen=True, slots=True)
class BeirDocument:
    """One document of the corpus; ``title`` may be empty."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class BeirData:
    """A corpus, its queries, and graded judgements by query and document."""

    corpus: Mapping[str, BeirDocument]
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]

    @property
    def judged_queries(self) -> dict[str, str]:
        """The queries of the split: those with a judgement; the others are not worth running."""
        return {query: text for query, text in self.queries.items() if query in self.qrels}


def load(folder: Path, split: str = "test") -> BeirData:
    """``corpus.jsonl``, ``queries.jsonl`` and ``qrels/<split>.tsv`` of this folder.

    ``metadata``, which BEIR allows on documents and queries, is read over. Raises InputRejected for a missing file, a
    broken line, an id twice, and a judgement of a query or document that is not there.
    """
    if not folder.is_dir():
        raise InputRejected(str(folder), "no such folder")
    judgements = folder / "qrels" / f"{split}.tsv"
    needed = (folder / "corpus.jsonl", folder / "queries.jsonl", judgements)
    missing = [str(path.relative_to(folder)) for path in needed if not path.is_file()]
    if missing:
        splits = sorted(path.stem for path in (folder / "qrels").glob("*.tsv"))
        hint = f" (splits there: {', '.join(splits)})" if splits and not judgements.is_file() else ""
        raise InputRejected(str(folder), f"is not in the BEIR layout: {', '.join(missing)} missing{hint}")
    corpus = {
        key: BeirDocument(_text(value, "title", path, line), _text(value, "text", path, line))
        for path, line, key, value in _records(needed[0], ("_id", "title", "text", "metadata"))
    }
    queries = {
        key: _text(value, "text", path, line)
        for path, line, key, value in _records(needed[1], ("_id", "text", "metadata"))
    }
    if not corpus:
        raise InputRejected(str(needed[0]), "holds no documents")
    return BeirData(corpus, queries, _judgements(judgements, corpus, queries))


def _records(path: Path, known: tuple[str, ...]) -> list[tuple[Path, int, str, dict[str, Any]]]:
    found: list[tuple[Path, int, str, dict[str, Any]]] = []
    lines: dict[str, int] = {}
    for number, value in read_objects(path):
        for name in value:
            if name not in known:
                raise InputRejected(str(path), unknown_key(name, known), number)
        key = value.get("_id")
        if isinstance(key, int) and not isinstance(key, bool):
            key = str(key)  # exports write numbers; the judgements have no types anyway
        if not isinstance(key, str) or not key.strip():
            raise InputRejected(str(path), '"_id" is missing or is not text', number)
        if key in lines:
            raise InputRejected(str(path), f'"_id" "{key}" is already taken by line {lines[key]}', number)
        lines[key] = number
        found.append((path, number, key, value))
    return found


def _text(value: Mapping[str, object], name: str, path: Path, line: int) -> str:
    text = value.get(name) if name != "title" else value.get(name) or ""
    if not isinstance(text, str):
        raise InputRejected(str(path), f'"{name}" {"is missing" if text is None else "must be text"}', line)
    return text


def _judgements(path: Path, corpus: Mapping[str, object], queries: Mapping[str, object]) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as exc:
        raise InputRejected(str(path), f"is not UTF-8 (byte {exc.start})") from exc
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        columns = line.rstrip("\r").split("\t")
        if number == 1 and columns[0].strip() in ("query-id", "query_id"):
            continue
        if len(columns) != 3:
            raise InputRejected(
                str(path), f"has {len(columns)} columns; query-id, corpus-id and score are needed", number
            )
        query, document, score = (column.strip() for column in columns)
        if not score.lstrip("-").isdecimal():
            raise InputRejected(str(path), f'the score "{score[:40]}" is not a whole number', number)
        if query not in queries:
            raise InputRejected(str(path), f'query "{query}" is not in queries.jsonl', number)
        if document not in corpus:
            raise InputRejected(str(path), f'document "{document}" is not in corpus.jsonl', number)
        qrels.setdefault(query, {})[document] = int(score)
    if not qrels:
        raise InputRejected(str(path), "holds no judgements")
    return qrels
