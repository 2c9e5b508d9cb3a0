"""One generation of the derived index beside Chroma: BM25 postings, vectors and filter columns, mapped from files."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.dictionary import Names, Source, learn_names
from assistant.domain.knowledge import Audience, Chunk, DocumentKind, EntryField, IndexEntry
from assistant.ports import TextSegmenter, Vectors
from assistant.spelling import Lexicon
from assistant.spelling.lexicon import latin_words
from assistant.store.codes import Codes, encode
from assistant.store.lexical import Postings, build_postings, load_postings, save_postings
from assistant.store.neighbours import Lists, Pull, Rows, arrange, nearest_of_all, pull_of, ranges
from assistant.subjects import learn_subjects
from assistant.text import language_of

FORMAT = 9
_MASKS = 8  # kept; a workspace has two audiences and rarely more than one moment at a time
_SAMPLE = 20_000
_COLUMNS = (
    "subject_of",
    "chunk",
    "document",
    "is_question",
    "is_negative",
    "is_article",
    "internal",
    "chinese",
    "valid_from",
    "valid_until",
)


@dataclass(frozen=True)
class EntryTable:
    """Columns over index entries, row by row; ``chunk`` and ``document`` number the ids below.

    ``is_question`` holds for all that is no body, ``is_negative`` for what a document must not answer, which is never
    shown.

    ``subject_of`` is by document: the number of its name in ``subjects``, or -1.
    """

    entry_ids: Sequence[str]
    chunk_ids: Sequence[str]
    document_ids: Sequence[str]
    conversation_ids: Sequence[str | None]
    subjects: Sequence[str]
    subject_of: NDArray[np.int32]
    chunk: NDArray[np.int32]
    document: NDArray[np.int32]
    is_question: NDArray[np.bool_]
    is_negative: NDArray[np.bool_]
    is_article: NDArray[np.bool_]
    internal: NDArray[np.bool_]
    chinese: NDArray[np.bool_]
    valid_from: NDArray[np.float64]
    valid_until: NDArray[np.float64]
    _masks: dict[tuple[Audience, DocumentKind | None, int], NDArray[np.bool_]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Entry id → row."""
        return {key: row for row, key in enumerate(self.entry_ids)}

    @cached_property
    def by_document(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(order, start): rows of document ``d`` are ``order[start[d]:start[d+1]]``."""
        order = np.argsort(self.document, kind="stable")
        start = np.searchsorted(self.document[order], np.arange(len(self.document_ids) + 1))
        return order, start

    @cached_property
    def body_row(self) -> NDArray[np.int64]:
        """(chunks,) the row of each chunk's body."""
        rows = np.zeros(len(self.chunk_ids), dtype=np.int64)
        bodies = np.flatnonzero(~self.is_question)
        rows[self.chunk[bodies]] = bodies
        return rows

    @cached_property
    def has_negatives(self) -> bool:
        """Whether any document names questions that it must not answer."""
        return bool(self.is_negative.any())

    @cached_property
    def changes(self) -> NDArray[np.float64]:
        """Ascending moments at which anything becomes valid or ceases to be."""
        moments = np.unique(np.concatenate([self.valid_from, self.valid_until]))
        return np.asarray(moments[np.isfinite(moments)], dtype=np.float64)

    @cached_property
    def documents_of(self) -> Mapping[str, NDArray[np.int64]]:
        """Conversation id → the numbers of the documents mined from it."""
        found: dict[str, list[int]] = {}
        for number, conversation in enumerate(self.conversation_ids):
            if conversation is not None:
                found.setdefault(conversation, []).append(number)
        return {key: np.array(numbers, dtype=np.int64) for key, numbers in found.items()}

    def allowed(self, audience: Audience, now: datetime, only: DocumentKind | None = None) -> NDArray[np.bool_]:
        """(entries,) which may be shown to this audience at this moment; read-only, shared between questions."""
        moment = now.timestamp()
        key = (audience, only, int(np.searchsorted(self.changes, moment, side="right")))
        mask = self._masks.get(key)
        if mask is None:
            mask = (self.valid_from <= moment) & (moment < self.valid_until) & ~self.is_negative
            if audience != "internal":
                mask &= ~self.internal
            if only is not None:
                mask &= self.is_article == (only is DocumentKind.ARTICLE)
            mask.flags.writeable = False
            if len(self._masks) >= _MASKS:
                self._masks.clear()
            self._masks[key] = mask
        return mask

    def without(self, allowed: NDArray[np.bool_], conversations: frozenset[str]) -> NDArray[np.bool_]:
        """A copy of ``allowed`` that hides what was mined from these conversations."""
        hidden = [self.documents_of[key] for key in conversations if key in self.documents_of]
        left = allowed.copy()
        for documents in hidden:
            left[self.entries_of(documents)] = False
        return left

    def entries_of(self, documents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of all entries of these documents, in order of the documents."""
        order, start = self.by_document
        return order[ranges(start[documents], start[documents + 1] - start[documents])]


@dataclass(frozen=True)
class Snapshot:
    """The derived index of one generation. ``vectors`` is (entries, dimensions), rows as in ``table``.

    ``codes`` are the same in a byte a component; ``lists`` is how the rows lie in a large workspace, None in others.
    ``words`` are the Latin words of its texts.
    """

    table: EntryTable
    postings: Postings
    vectors: Vectors
    codes: Codes
    lists: Lists | None = None
    words: Mapping[str, int] = field(default_factory=dict)
    _pulls: dict[str, Pull] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def names(self) -> Names:
        """The workspace's own dictionary: it stands marked among the index terms, and is of this workspace alone."""
        return Names.among(self.postings.vocabulary)

    def terms(self, text: str, segmenter: TextSegmenter) -> list[str]:
        """Index terms of a question: the segmenter's, and the names that it says."""
        return self.names.beside(segmenter).terms(text)

    @cached_property
    def lexicon(self) -> Lexicon:
        """What a misspelt question is read by."""
        return Lexicon(self.words, self.postings.vocabulary, np.diff(self.postings.indptr))

    def nearest(
        self,
        probe: NDArray[np.float32],
        allowed: NDArray[np.bool_],
        limit: int,
        pulls: Sequence[Pull | None] = (None,),
    ) -> Rows:
        """Rows that may be shown, the ``limit`` nearest to ``probe`` (dimensions,) by code, for each of ``pulls``."""
        if self.lists is None:
            return nearest_of_all(self.codes, probe, allowed, limit, pulls)
        return self.lists.nearest(self.codes, probe, allowed, limit, pulls)

    def pull(self, name: str, towards: NDArray[np.float32]) -> Pull:
        """What the direction of this name, ``towards``, has in common with every row; kept from the first time on."""
        if name not in self._pulls:
            self._pulls[name] = pull_of(self.codes, self.lists, towards)
        return self._pulls[name]

    @cached_property
    def centres(self) -> Mapping[bool, Vectors]:
        """By whether they are Chinese: (2, dimensions) mean vectors of bodies and of questions, 0 where there is none.

        Of at most ``_SAMPLE`` rows each, evenly spaced: a mean needs no more.
        """
        centres = {}
        for chinese in (False, True):
            rows = np.zeros((2, self.vectors.shape[1]), dtype=np.float32)
            for question in (False, True):
                of = np.flatnonzero((self.table.chinese == chinese) & (self.table.is_question == question))
                if len(of):
                    rows[int(question)] = np.asarray(self.vectors[of[:: 1 + len(of) // _SAMPLE]]).mean(axis=0)
            centres[chinese] = rows
        return centres


def build_snapshot(
    chunks: Sequence[Chunk],
    entries: Sequence[IndexEntry],
    vectors: Mapping[str, Vectors],
    dimensions: int,
    segmenter: TextSegmenter,
    postings: Postings | None = None,
) -> Snapshot:
    """Arrange records and their vectors as columns; ``vectors`` is by entry id and must hold every entry.

    ``postings`` are those of the same entries in this order, where they need not be built again.
    """
    by_id = {chunk.id: chunk for chunk in chunks}
    entries = [entry for entry in entries if entry.chunk_id in by_id]
    chunk_number = {chunk.id: number for number, chunk in enumerate(chunks)}
    document_number: dict[tuple[DocumentKind, str], int] = {}
    for chunk in chunks:
        document_number.setdefault((chunk.kind, chunk.document_id), len(document_number))
    conversations: dict[int, str | None] = {
        document_number[chunk.kind, chunk.document_id]: chunk.conversation_id for chunk in chunks
    }
    title_of = {document_number[chunk.kind, chunk.document_id]: chunk.title for chunk in chunks}
    subjects, subject_of = learn_subjects(
        [title_of[number] for number in range(len(document_number))],
        [kind is DocumentKind.ARTICLE for kind, _ in document_number],
    )
    rows = (
        np.stack([vectors[entry.id] for entry in entries]).astype(np.float32, copy=False)
        if entries
        else np.zeros((0, dimensions), dtype=np.float32)
    )
    order, lists = arrange(rows)
    if lists is not None:
        rows, entries = rows[order], [entries[place] for place in order]
    of = [by_id[entry.chunk_id] for entry in entries]
    table = EntryTable(
        entry_ids=[entry.id for entry in entries],
        chunk_ids=[chunk.id for chunk in chunks],
        document_ids=[document_id for _, document_id in document_number],
        conversation_ids=[conversations[number] for number in range(len(document_number))],
        subjects=subjects,
        subject_of=subject_of,
        chunk=np.array([chunk_number[entry.chunk_id] for entry in entries], dtype=np.int32),
        document=np.array([document_number[c.kind, c.document_id] for c in of], dtype=np.int32),
        is_question=np.array([entry.field is not EntryField.BODY for entry in entries], dtype=np.bool_),
        is_negative=np.array([entry.field is EntryField.NEGATIVE for entry in entries], dtype=np.bool_),
        is_article=np.array([c.kind is DocumentKind.ARTICLE for c in of], dtype=np.bool_),
        internal=np.array([c.audience == "internal" for c in of], dtype=np.bool_),
        chinese=np.array([language_of(c.text) == "zh" for c in of], dtype=np.bool_),
        valid_from=np.array([c.valid_from.timestamp() if c.valid_from else -np.inf for c in of]),
        valid_until=np.array([c.valid_until.timestamp() if c.valid_until else np.inf for c in of]),
    )
    groups = ["body" if entry.field is EntryField.BODY else "question" for entry in entries]
    if postings is None or postings.size != len(entries) or lists is not None:
        names = Names(learn_names(_sources(entries, table, title_of)))
        postings = build_postings([entry.text for entry in entries], groups, names.beside(segmenter))
    return Snapshot(table, postings, rows, encode(rows), lists, latin_words(entry.text for entry in entries))


def _sources(entries: Sequence[IndexEntry], table: EntryTable, title_of: Mapping[int, str]) -> list[Source]:
    """What names are learnt from: every entry, and the titles of articles; those of resolutions are questions."""
    articles = set(table.document[table.is_article].tolist())
    told = [Source(entry.text, int(of)) for entry, of in zip(entries, table.document, strict=True)]
    return told + [Source(title, number, True) for number, title in title_of.items() if number in articles]


def save_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """Write beside, then switch by one rename; an older folder of this name is replaced."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    table = snapshot.table
    save_postings(snapshot.postings, beside)
    np.save(beside / "vectors.npy", snapshot.vectors)
    np.save(beside / "codes.npy", snapshot.codes)
    for name in _COLUMNS:
        np.save(beside / f"{name}.npy", getattr(table, name))
    if snapshot.lists is not None:
        np.save(beside / "list_centres.npy", snapshot.lists.centres)
        np.save(beside / "list_start.npy", snapshot.lists.start)
    names = {
        "format": FORMAT,
        "listed": snapshot.lists is not None,
        "words": dict(snapshot.words),
        "entry_ids": list(table.entry_ids),
        "chunk_ids": list(table.chunk_ids),
        "document_ids": list(table.document_ids),
        "conversation_ids": list(table.conversation_ids),
        "subjects": list(table.subjects),
    }
    (beside / "ids.json").write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(beside, folder)


def load_snapshot(folder: Path) -> Snapshot | None:
    """The snapshot in this folder, or None where it is missing, incomplete or of another format."""
    try:
        names = json.loads((folder / "ids.json").read_text(encoding="utf-8"))
        if names.pop("format") != FORMAT:
            return None
        listed, words = names.pop("listed"), names.pop("words")
        columns = {name: np.load(folder / f"{name}.npy") for name in _COLUMNS}
        vectors = np.asarray(np.load(folder / "vectors.npy", mmap_mode="r"))  # a plain array over the mapping
        codes = np.asarray(np.load(folder / "codes.npy", mmap_mode="r"))
        lists = None
        if listed:
            lists = Lists.of(np.load(folder / "list_centres.npy"), np.load(folder / "list_start.npy"))
        return Snapshot(EntryTable(**names, **columns), load_postings(folder), vectors, codes, lists, words)
    except (OSError, ValueError, KeyError, TypeError):
        return None
