"""`python -m evals.bench.names`: what the workspace's own dictionary is worth, index with and without it in one run."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from assistant.bootstrap import build
from assistant.dictionary.names import squeezed
from assistant.domain.knowledge import Article, Chunk
from assistant.query import Query
from assistant.retrieval import Retriever
from assistant.settings import Settings
from assistant.store.lexical import build_postings
from assistant.store.memory import MemoryVectorIndex
from assistant.store.snapshot import Snapshot, build_snapshot
from assistant.text import Segmenter, fold, language_of, plain_cut
from evals.beir import BeirData, BeirDocument, load
from evals.bench.disturb import dropped, homophone, swapped
from evals.bench.page import Place
from evals.bench.robustness import demo_questions
from evals.caching_embedder import CachingEmbedder
from evals.pieces import pieces_of
from evals.ranking import RankingScores, score_run
from evals.statistics import paired_difference

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MEASURES = ("recall@1", "mrr@10")
MOST_TITLES = 5  # that share what a question names


def part(name: str) -> str:
    """A name without its first word, as jieba cuts it."""
    return "".join(plain_cut(name)[1:])


SLIPS: Mapping[str, Callable[[str], str]] = {"part": part, "sound": homophone, "swapped": swapped, "dropped": dropped}
_ASKED = ("{}有什么要注意的", "我想问下{}", "{}是怎么回事", "请问{}可以吗")
_SEGMENT = re.compile(r"[^\s【】（）()《》「」“”：:，,、。；;！!？?|/+%]+")
_HAN = re.compile("[\u4e00-\u9fff]")
_QUESTION = re.compile("怎么|如何|多少|多久|多长|什么|哪|吗|能不能|可以|没有")


@dataclass(frozen=True, slots=True)
class Built:
    """One index: its retriever, and its snapshot for BM25 alone."""

    snapshot: Snapshot
    retriever: Retriever


def indexes(articles: Sequence[Article], embedder: CachingEmbedder) -> dict[str, Built]:
    """``without`` and ``with`` the dictionary, of the same entries and vectors."""
    chunks, entries = pieces_of(articles)
    bodies = [e for e in entries if e.field == "body"]
    asked = [e for e in entries if e.field != "body"]
    vectors = dict(zip([e.id for e in bodies], embedder.embed_passages([fold(e.text) for e in bodies]), strict=True))
    vectors |= dict(zip([e.id for e in asked], embedder.embed_queries([fold(e.text) for e in asked]), strict=True))
    segmenter = Segmenter()
    groups = ["body" if entry.field == "body" else "question" for entry in entries]
    plain = build_postings([entry.text for entry in entries], groups, segmenter)
    return {
        name: _built(
            build_snapshot(chunks, entries, vectors, embedder.dimensions, segmenter, postings), chunks, embedder
        )
        for name, postings in (("without", plain), ("with", None))
    }


def _built(snapshot: Snapshot, chunks: Sequence[Chunk], embedder: CachingEmbedder) -> Built:
    index = MemoryVectorIndex(embedder.dimensions)
    index.upsert(snapshot.table.entry_ids, np.asarray(snapshot.vectors))
    held = partial(_of, {chunk.id: chunk for chunk in chunks})
    return Built(snapshot, Retriever(snapshot, index, embedder, Segmenter(), held))


def _of(by_id: Mapping[str, Chunk], ids: Sequence[str]) -> dict[str, Chunk]:
    return {key: by_id[key] for key in ids if key in by_id}


def naming(articles: Sequence[Article], slip: Callable[[str], str] | None = None) -> BeirData:
    """Questions that name a thing, by rule: what stands between spaces, brackets and marks in a title.

    Three to twelve characters, Chinese among them, in at most five titles and no question itself. Every article with it
    in its title is right. ``slip`` is made in the name; the key is the question without it. What the dictionary learnt
    plays no part.
    """
    titles = {article.id: squeezed(article.title) for article in articles}
    names = dict.fromkeys(
        name
        for title in titles.values()
        for name in _SEGMENT.findall(title)
        if 3 <= len(name) <= 12 and _HAN.search(name) and not _QUESTION.search(name)
    )
    rights = {name: {key: 1 for key, title in titles.items() if name in title} for name in names}
    queries: dict[str, str] = {}
    qrels: dict[str, dict[str, int]] = {}
    for number, name in enumerate(name for name, right in rights.items() if len(right) <= MOST_TITLES):
        said = name if slip is None else slip(name)
        if slip is None or said != name:
            question = _ASKED[number % len(_ASKED)]
            queries[question.format(name)], qrels[question.format(name)] = question.format(said), rights[name]
    corpus = {article.id: BeirDocument(article.title, article.body) for article in articles}
    return BeirData(corpus, queries, qrels)


def sets(data: Path, tuning: bool) -> Iterator[tuple[str, BeirData, Sequence[Article]]]:
    """Name, questions and articles: every third question of the public sets, or with ``tuning`` cmrc2018's others."""
    for name in ("cmrc2018-dev-zh",) if tuning else ("cmrc2018-dev-zh", "xquad-zh"):
        if (data / name).is_dir():
            source = load(data / name)
            keys = list(source.judged_queries)
            kept = [key for at, key in enumerate(keys) if (at % 3 == 0) != tuning]
            articles = [Article(key, d.title, d.text, language_of(d.text)) for key, d in source.corpus.items()]
            asked = BeirData(source.corpus, {k: source.queries[k] for k in kept}, {k: source.qrels[k] for k in kept})
            yield name, asked, articles
    if tuning:
        return
    demo, shop = demo_questions("zh")
    yield "demo-zh", demo, shop
    for title, articles in (("demo-zh", shop), ("ecom-bench", products(data))):
        if articles:
            yield f"{title}, named", naming(articles), articles
            for slip, made in SLIPS.items():
                yield f"{title}, named, {slip}", naming(articles, made), articles


def products(data: Path) -> list[Article]:
    """The products of ecom-bench, a name and a description each; empty where the set is absent."""
    path = data / "ecom-bench" / "data" / "products.json"
    if not path.is_file():
        return []
    of_shops = [shop for shops in json.loads(path.read_text(encoding="utf-8")).values() for shop in shops.values()]
    found = {key: product for shop in of_shops for key, product in shop.items()}
    return [Article(key, p["商品名称"], p["商品描述"], "zh") for key, p in found.items()]


def words_alone(built: Built, text: str) -> list[tuple[str, float]]:
    """The ten best documents by BM25 alone, each by its best entry; the question as it stands."""
    coverage = built.snapshot.postings.coverage(built.snapshot.terms(text, Segmenter()))
    best = np.zeros(len(built.snapshot.table.document_ids))
    np.maximum.at(best, built.snapshot.table.document, coverage)
    order = np.argsort(-best, kind="stable")[:10]
    return [(built.snapshot.table.document_ids[n], float(best[n])) for n in order if best[n] > 0]


def whole(built: Built, texts: Sequence[str], embedder: CachingEmbedder) -> list[list[tuple[str, float]]]:
    """The ten best documents of the whole search, slips mended."""
    read = [built.retriever.reading(text) for text in texts]
    embedder.prepare_queries(read)
    return [
        built.retriever.rank_documents(Query(text, 10), now=NOW, vector=embedder.embed_queries([form])[0])
        for text, form in zip(texts, read, strict=True)
    ]


def report(name: str, data: BeirData, both: Mapping[str, Built], embedder: CachingEmbedder) -> list[str]:
    """Lines of Markdown: a row for each measure of BM25 alone and of the whole search, then what the rest is."""
    asked = data.judged_queries
    texts = list(asked.values())
    said = [both["with"].snapshot.names.found(fold(text)) for text in texts]
    read = {key: [built.retriever.reading(text) for text in texts] for key, built in both.items()}
    changed = {key: sum(fold(a) != b for a, b in zip(texts, of, strict=True)) for key, of in read.items()}
    lines = [
        f"{name}: {len(texts)} questions, {sum(map(bool, said))} name one of {len(both['with'].snapshot.names)} words; "
        f"read otherwise {changed['without']} without, {changed['with']} with"
    ]
    if ", named, " in name:
        mended = {key: sum(fold(a) == b for a, b in zip(asked, of, strict=True)) for key, of in read.items()}
        lines[0] += f"; as without the slip {mended['without']} without, {mended['with']} with"
    systems: dict[str, Callable[[Built], list[list[tuple[str, float]]]]] = {
        "BM25 alone": lambda built: [words_alone(built, text) for text in texts],
        "whole": lambda built: whole(built, texts, embedder),
    }
    for system, search in systems.items():
        scores: dict[str, RankingScores] = {
            key: score_run(dict(zip(asked, search(built), strict=True)), data.qrels) for key, built in both.items()
        }
        for measure in MEASURES:
            of = {key: score.values(measure) for key, score in scores.items()}
            d = paired_difference(of["without"], of["with"])
            a, b = (float(np.mean([v or 0.0 for v in of[key]])) for key in ("without", "with"))
            lines.append(
                f"| {name} | {system} | {measure} | {a:.4f} | {b:.4f} | {d.mean:+.4f} ({d.low:+.4f} to {d.high:+.4f}) |"
            )
    return lines


def cost(built: Built, texts: Sequence[str], rounds: int = 5) -> str:
    """Processor time of finding the names in a text, beside that of its other terms, the median of ``rounds``."""
    segmenter, names = Segmenter(), built.snapshot.names
    spent: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        began = time.process_time()
        for text in texts:
            names.found(text)
        between = time.process_time()
        for text in texts:
            segmenter.terms(text)
        spent.append((between - began, time.process_time() - between))
    own, other = np.median(np.array(spent[1:]), axis=0) / len(texts) * 1e6
    return f"{own:.0f} µs for {len(names)} names, {other:.0f} µs for the other terms"


def main(arguments: list[str] | None = None) -> int:
    """Prints the rows; exit status 0."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.names", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public data sets")
    parser.add_argument("--vectors", type=Path, help="file that keeps the vectors for the next run (.npz)")
    parser.add_argument("--tuning", action="store_true", help="on the questions of cmrc2018 that no report uses")
    given = parser.parse_args(arguments)
    place = Place(given.data, CachingEmbedder(build(Settings()).embedder), given.vectors)
    place.load_vectors()
    made: dict[int, dict[str, Built]] = {}
    for name, data, articles in sets(given.data, given.tuning):
        both = made.setdefault(id(articles), indexes(articles, place.embedder))
        sys.stdout.write("\n".join(report(name, data, both, place.embedder)) + "\n")
        sys.stdout.flush()
        if (given.data / name).is_dir():
            every = [fold(text) for text in load(given.data / name).queries.values()]
            read = {key: sum(built.retriever.reading(text) != text for text in every) for key, built in both.items()}
            sys.stdout.write(
                f"{name}: of all {len(every)} read otherwise {read['without']} without, {read['with']} with\n"
            )
        if "," not in name:
            sys.stdout.write(f"{name}: a question {cost(both['with'], list(data.judged_queries.values()))}; ")
            sys.stdout.write(f"a text {cost(both['with'], [article.body for article in articles][:500])}\n")
    place.keep_vectors()
    return 0


if __name__ == "__main__":
    sys.exit(main())
