"""The lists of large workspaces and the sparse BM25: against a scan of everything."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from assistant.domain.knowledge import Chunk, DocumentKind, EntryField, IndexEntry
from assistant.errors import IndexUnavailable
from assistant.llm.embedders import HashEmbedder
from assistant.ports import Vectors
from assistant.query import Query
from assistant.retrieval import Retriever
from assistant.store import lexical, neighbours
from assistant.store.codes import Codes, encode, products_of, step_of
from assistant.store.lexical import Postings, build_postings
from assistant.store.memory import MemoryVectorIndex
from assistant.store.neighbours import Lists, arrange, nearest_of_all, pull_of
from assistant.store.snapshot import Snapshot, build_snapshot, load_snapshot, save_snapshot
from assistant.text import Segmenter

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WORDS = [f"word{number}" for number in range(60)]


def unit_rows(count: int, dimensions: int = 16, seed: int = 0) -> Vectors:
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(40, dimensions))
    rows = middles[rng.integers(40, size=count)] + 0.5 * rng.normal(size=(count, dimensions))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def arranged() -> tuple[Vectors, Codes, Lists]:
    rows = unit_rows(neighbours.LISTED_FROM)
    order, lists = arrange(rows)
    assert lists is not None
    assert np.array_equal(np.sort(order), np.arange(len(rows)))
    return rows[order], encode(rows[order]), lists


def exact(rows: Vectors, probe: Vectors, limit: int) -> set[int]:
    return set(np.argsort(-(rows @ probe))[:limit].tolist())


def test_a_small_workspace_has_no_lists_and_keeps_its_order() -> None:
    order, lists = arrange(unit_rows(50))
    assert lists is None
    assert np.array_equal(order, np.arange(50))
    assert arrange(unit_rows(0))[1] is None


def test_every_row_lies_in_exactly_one_list(arranged: tuple[Vectors, Codes, Lists]) -> None:
    rows, _, lists = arranged
    assert lists.start[0] == 0
    assert lists.start[-1] == len(rows)
    assert (np.diff(lists.start) >= 0).all()


def test_the_nearest_lists_hold_nearly_all_neighbours_and_all_lists_hold_all(
    arranged: tuple[Vectors, Codes, Lists],
) -> None:
    rows, codes, lists = arranged
    everything = np.ones(len(rows), dtype=np.bool_)
    probes = unit_rows(50, seed=1)
    hits = 0
    for probe in probes:
        wanted = exact(rows, probe, 10)
        hits += len(wanted & set(lists.nearest(codes, probe, everything, 80).tolist()))
        found = lists.nearest(codes, probe, everything, 20, scan=len(rows)).tolist()
        assert wanted <= set(found)
        assert len(found) == 20
    assert hits / 500 >= 0.97


def test_what_may_not_be_shown_is_never_found_and_the_search_goes_on_until_enough_is(
    arranged: tuple[Vectors, Codes, Lists],
) -> None:
    rows, codes, lists = arranged
    probe = unit_rows(1, seed=2)[0]
    allowed = np.zeros(len(rows), dtype=np.bool_)
    allowed[np.argsort(rows @ probe)[:30]] = True  # only the farthest
    found = lists.nearest(codes, probe, allowed, 30)
    assert set(found.tolist()) == set(np.flatnonzero(allowed).tolist())
    assert len(lists.nearest(codes, probe, np.zeros(len(rows), dtype=np.bool_), 30)) == 0


def test_few_that_may_be_shown_among_the_nearest_do_not_hide_those_behind(
    arranged: tuple[Vectors, Codes, Lists],
) -> None:
    rows, codes, lists = arranged
    for number, probe in enumerate(unit_rows(20, seed=6)):
        allowed = np.random.default_rng(number).random(len(rows)) < (0.95, 0.4, 0.1)[number % 3]
        allowed[list(exact(rows, probe, 90))] = False
        found = lists.nearest(codes, probe, allowed, 20, scan=len(rows))
        assert set(found.tolist()) == set(nearest_of_all(codes, probe, allowed, 20).tolist())
        assert len(found) == 20


def test_the_neighbours_without_a_pull_are_found_beside_the_others(arranged: tuple[Vectors, Codes, Lists]) -> None:
    rows, codes, lists = arranged
    probe, towards = unit_rows(2, seed=3)
    pulls = (None, pull_of(codes, lists, towards))
    found = set(lists.nearest(codes, probe, np.ones(len(rows), dtype=np.bool_), 20, pulls, scan=len(rows)).tolist())
    assert found >= exact(rows, probe, 10) | exact(rows, probe - towards, 10)
    assert len(found) <= 40


@pytest.mark.parametrize(("count", "dimensions"), [(0, 8), (1, 1), (50, 5), (3000, 384)])
def test_without_lists_all_that_may_be_shown_are_compared(count: int, dimensions: int) -> None:
    rows, (probe, towards) = unit_rows(count, dimensions), unit_rows(2, dimensions, seed=4)
    allowed = np.random.default_rng(8).random(count) < 0.7
    codes = encode(rows)
    pulls = (None, pull_of(codes, None, towards))
    found = nearest_of_all(codes, probe, allowed, 20, pulls)
    shown = np.flatnonzero(allowed)
    wanted = {int(shown[place]) for each in (probe, probe - towards) for place in exact(rows[shown], each, 10)}
    assert wanted <= set(found.tolist()) <= set(shown.tolist())
    assert len(found) <= 40
    assert len(nearest_of_all(codes, probe, ~allowed & allowed, 20, pulls)) == 0


def test_codes_rank_as_products_do() -> None:
    rows = np.concatenate([unit_rows(400, 384), np.zeros((1, 384), np.float32)])
    first, size = np.array([390, 10, 0]), np.array([11, 0, 30])
    for probe in unit_rows(2, 384, seed=5) * np.array([[1.0], [3.0]], np.float32):
        found = products_of(encode(rows), probe, first, size) * np.float32(step_of(rows))
        product = rows[[*range(390, 401), *range(30)]] @ probe
        assert np.abs(found - product).max() <= 0.005 * np.linalg.norm(probe)
    assert not encode(np.zeros((2, 3), np.float32)).any()


def postings_of(count: int, seed: int = 0) -> tuple[list[str], Postings]:
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, len(WORDS) + 1)
    texts = [" ".join(rng.choice(WORDS, size=6, p=share / share.sum())) for _ in range(count)]
    return texts, build_postings(texts, ["body"] * count, Segmenter())


def test_the_coverage_of_some_entries_is_that_among_all() -> None:
    _, postings = postings_of(300)
    terms = Segmenter().terms("word3 word3 word41 word0 nowhere")
    entries = np.random.default_rng(5).permutation(300)[:120]
    assert np.array_equal(postings.coverage_of(postings.ask(terms), entries), postings.coverage(terms)[entries])
    assert postings.coverage_of(postings.ask(terms), entries[:0]).shape == (0,)
    assert not postings.coverage_of(postings.ask(["#nowhere"]), entries).any()
    assert not postings.coverage_of(postings.ask([]), entries).any()


def test_sums_over_all_postings_are_what_the_large_index_looks_up(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, postings = postings_of(500)
    allowed = np.random.default_rng(6).random(500) < 0.5
    entries = np.random.default_rng(7).permutation(500)[:200]
    for text in (*texts[:20], "nowhere"):
        terms = Segmenter().terms(text)
        whole = postings.ask(terms)
        with monkeypatch.context() as patched:
            patched.setattr(lexical, "WHOLE_BELOW", 0)
            large = postings.ask(terms)
            scattered = postings.coverage_of(large, entries)
            assert np.array_equal(postings.coverage(terms), postings.coverage_of(whole, np.arange(500)))
        assert large.sums is None
        assert np.array_equal(postings.coverage_of(whole, entries), scattered)
        found = [postings.coverage_of(whole, postings.best(each, allowed, 30)) for each in (whole, large)]
        assert np.array_equal(np.sort(found[0]), np.sort(found[1]))


def test_a_large_index_finds_what_a_scan_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    _, postings = postings_of(2000)
    monkeypatch.setattr(lexical, "WHOLE_BELOW", 0)
    allowed = np.random.default_rng(6).random(2000) < 0.8
    for text in ("word50 word59", "word7 word30 word0", "word0", "nowhere"):
        terms = Segmenter().terms(text)
        scores = np.where(allowed, postings.coverage(terms), 0)
        found = postings.best(postings.ask(terms), allowed, 40)
        assert allowed[found].all()
        assert len(set(found.tolist())) == len(found) == min(40, int((scores > 0).sum()))
        assert np.sort(scores[found]) == pytest.approx(np.sort(scores)[len(scores) - len(found) :], abs=1e-6)


def test_questions_side_by_side_do_not_disturb_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, postings = postings_of(2000)
    monkeypatch.setattr(lexical, "WHOLE_BELOW", 0)
    allowed = np.ones(2000, dtype=np.bool_)

    def find(text: str) -> list[int]:
        return sorted(postings.best(postings.ask(Segmenter().terms(text)), allowed, 30).tolist())

    alone = [find(text) for text in texts[:100]]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(find, texts[:100])) == alone


def shop(count: int) -> tuple[list[Chunk], list[IndexEntry]]:
    texts, _ = postings_of(count, seed=9)
    chunks = [
        Chunk(
            f"c{n}",
            f"d{n // 2}",
            DocumentKind.RESOLUTION if n % 4 < 2 else DocumentKind.ARTICLE,
            n % 2,
            f"t{n}",
            "",
            f"{text} {n}",
            "en",
            "internal" if n % 10 == 1 else "public",
            valid_from=NOW if n % 7 == 1 else None,
            valid_until=NOW + timedelta(days=1) if n % 7 == 2 else None,
            conversation_id=f"v{n // 2}" if n % 4 < 2 else None,
        )
        for n, text in enumerate(texts)
    ]
    return chunks, [IndexEntry(f"e{c.id}", c.id, EntryField.BODY, c.text) for c in chunks]


def snapshot_of(count: int) -> tuple[list[Chunk], Snapshot]:
    chunks, entries = shop(count)
    rows = HashEmbedder().embed_passages([entry.text for entry in entries])
    vectors = {entry.id: row for entry, row in zip(entries, rows, strict=True)}
    return chunks, build_snapshot(chunks, entries, vectors, rows.shape[1], Segmenter())


def test_the_mask_is_exact_at_the_moments_of_change_and_shared_between_them() -> None:
    table = snapshot_of(60)[1].table
    for moment in (NOW - timedelta(seconds=1), NOW, NOW + timedelta(days=1), NOW + timedelta(days=2)):
        stamp = moment.timestamp()
        valid = (table.valid_from <= stamp) & (stamp < table.valid_until)
        assert np.array_equal(table.allowed("internal", moment), valid)
        assert np.array_equal(table.allowed("public", moment), valid & ~table.internal)
        assert np.array_equal(table.allowed("internal", moment, DocumentKind.ARTICLE), valid & table.is_article)
    assert table.allowed("public", NOW) is table.allowed("public", NOW + timedelta(hours=1))
    hidden = table.without(table.allowed("internal", NOW), frozenset({"v0", "unknown"}))
    lost = np.flatnonzero(table.allowed("internal", NOW) & ~hidden)
    assert {table.document_ids[table.document[row]] for row in lost} == {"d0"}


def test_a_listed_snapshot_answers_as_an_exact_index_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks, plain = snapshot_of(900)
    monkeypatch.setattr(neighbours, "LISTED_FROM", 500)
    monkeypatch.setattr(lexical, "WHOLE_BELOW", 500)
    listed = snapshot_of(900)[1]
    save_snapshot(listed, tmp_path / "one")
    read = load_snapshot(tmp_path / "one")
    assert read is not None
    assert read.lists is not None
    (tmp_path / "one" / "list_start.npy").unlink()
    assert load_snapshot(tmp_path / "one") is None

    def retriever(snapshot: Snapshot) -> Retriever:
        index = MemoryVectorIndex(snapshot.vectors.shape[1])
        index.upsert(snapshot.table.entry_ids, snapshot.vectors)
        by_id = {chunk.id: chunk for chunk in chunks}
        return Retriever(snapshot, index, HashEmbedder(), Segmenter(), lambda ids: {key: by_id[key] for key in ids})

    exact_one, listed_one = retriever(plain), retriever(read)
    for chunk in chunks[:60]:
        for query in (
            Query(chunk.text, audience="internal"),
            Query(chunk.text, exclude_conversations=frozenset({chunk.conversation_id or ""})),
            Query(chunk.text, only=DocumentKind.ARTICLE, k=1),
        ):
            wanted, found = exact_one.search(query, now=NOW), listed_one.search(query, now=NOW)
            assert [p.score for p in found.passages] == [p.score for p in wanted.passages]
            assert found.degraded == ()
        cases = [one.similar_cases(chunk.text, "", limit=3, now=NOW) for one in (exact_one, listed_one)]
        assert [p.score for p in cases[0].passages] == [p.score for p in cases[1].passages]


class CountedIndex(MemoryVectorIndex):
    """Counts the questions; as ``down`` it does not answer."""

    def __init__(self, snapshot: Snapshot, down: bool = False) -> None:
        super().__init__(snapshot.vectors.shape[1])
        self.upsert(snapshot.table.entry_ids, snapshot.vectors)
        self.asked, self._down = 0, down

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        self.asked += 1
        if self._down:
            raise IndexUnavailable("down")
        return super().search(vector, limit)


@pytest.mark.parametrize("only", [None, DocumentKind.ARTICLE])
@pytest.mark.parametrize("conversations", [40, 395])
def test_chroma_is_asked_once_and_nothing_is_lost_where_it_does_not_answer(
    only: DocumentKind | None, conversations: int
) -> None:
    chunks, snapshot = snapshot_of(800)
    by_id = {chunk.id: chunk for chunk in chunks}
    hidden = frozenset(f"v{number}" for number in range(conversations))  # at 395 few of Chroma's nearest may be shown
    up, down = CountedIndex(snapshot), CountedIndex(snapshot, down=True)
    found = []
    for index in (up, down):
        retriever = Retriever(
            snapshot, index, HashEmbedder(), Segmenter(), lambda ids: {key: by_id[key] for key in ids}
        )
        found.append([])
        for text in ("word1 word2 word59", "word7 word30", "去哪里 word3"):
            one = retriever.search(Query(text, only=only, exclude_conversations=hidden), now=NOW)
            assert one.degraded == (() if index is up else ("vector_index",))
            assert len(one.passages) == 5
            found[-1].append([(p.id, p.score) for p in one.passages])
    assert up.asked == down.asked == 3
    assert found[0] == found[1]


def test_a_chunk_that_is_gone_makes_room_for_the_next() -> None:
    chunks, snapshot = snapshot_of(80)
    index = MemoryVectorIndex(snapshot.vectors.shape[1])
    index.upsert(snapshot.table.entry_ids, snapshot.vectors)
    held = {chunk.id: chunk for chunk in chunks}
    retriever = Retriever(
        snapshot, index, HashEmbedder(), Segmenter(), lambda ids: {key: held[key] for key in ids if key in held}
    )
    query = Query("word1 word2 word3", k=3, audience="internal")
    before = retriever.search(replace(query, k=6), now=NOW).passages
    for passage in before[:3]:
        del held[passage.id]
    assert [p.id for p in retriever.search(query, now=NOW).passages] == [p.id for p in before[3:6]]
