"""Retrieval when questions are written as people write them: recall@1 clean and disturbed, beside peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from assistant.domain.knowledge import Article
from assistant.query import Query
from assistant.text import fold
from evals.beir import BeirData, BeirDocument, load
from evals.bench.charts import dots
from evals.bench.disturb import CHINESE, ENGLISH, Disturbance
from evals.bench.followups import NOW, demo_articles
from evals.bench.page import Place, Section
from evals.bench.peers import Corpus, Search, bm25_jieba, exact_dense
from evals.bench.risk_sets import banking77
from evals.bench.systems import OURS, descending
from evals.pieces import retriever_of
from evals.ranking import score_run
from evals.statistics import bootstrap_mean

TITLE = "Robustness"
PACKAGES = (
    "bm25s",
    "jieba",
    "langchain-classic",
    "langchain-chroma",
    "opencc-python-reimplemented",
    "pypinyin",
    "rank-bm25",
    "symspellpy",
    "torch",
)
PLOT = "bench-robustness.svg"
QUESTIONS = 150  # of each public set, evenly spaced
PUBLIC = {"cmrc2018-dev-zh": "zh", "xquad-zh": "zh", "xquad-en": "en"}
BANKING, PER_ARTICLE = "banking77", 20
LEFT = f"{OURS}, slips left"
CLEAN = "clean"


def as_it_is(text: str) -> str:
    """No disturbance."""
    return text


def run(place: Place) -> Section:
    """The demo's held-out FAQ questions, cmrc2018, xquad in both languages and banking77, where they are there."""
    sets: dict[str, tuple[BeirData, list[Article]]] = {
        f"demo-{tongue}": demo_questions(tongue) for tongue in ("zh", "en")
    }
    for name, tongue in PUBLIC.items():
        if (place.data / name).is_dir():
            sets[name] = public_questions(load(place.data / name), tongue)
    if (place.data / BANKING).is_dir():
        sets[BANKING] = intent_questions(place)
    rows: list[dict[str, Any]] = []
    for name, (data, articles) in sets.items():
        chosen = place.some(list(data.judged_queries))
        data = BeirData(data.corpus, {k: data.queries[k] for k in chosen}, {k: data.qrels[k] for k in chosen})
        rows += measured(name, data, articles, CHINESE if name.endswith("zh") else ENGLISH, place)
    out = [
        "Recall@1 of the same questions as they are and disturbed by rule, one disturbance a question "
        "(`evals/bench/disturb.py`), and what that loses: of each article of the demo shop with several questions the "
        f"last, which stands nowhere in the index, and {QUESTIONS} of each public set; banking77's intents are "
        f"articles of {PER_ARTICLE} train questions. All systems get the same disturbed text; peers fold width, case "
        "and script as their own tokenisers do, and no more. The nats that a change of Chinese characters must gain "
        "were chosen on cmrc2018, the weight of a left-out space on banking77; xquad and the demo chose nothing "
        "([decision 30](decisions/0030-questions-as-people-type-them.md)).",
        "",
        *losses(rows),
        "",
    ]
    for name in sets:
        of_set = [r for r in rows if r["set"] == name]
        systems = list(dict.fromkeys(r["system"] for r in of_set))
        out += [f"### {name} ({of_set[0]['queries']} questions)", "", f"| disturbance | {' | '.join(systems)} |"]
        out.append("|---" * (1 + len(systems)) + "|")
        for disturbance in dict.fromkeys(r["disturbance"] for r in of_set):
            cells = {r["system"]: r for r in of_set if r["disturbance"] == disturbance}
            best = round(max(r["recall@1"] for r in cells.values()), 3)
            shown = [cells[system]["recall@1"] for system in systems]
            marked = [f"**{s:.3f}**" if round(s, 3) >= best else f"{s:.3f}" for s in shown]
            out.append(f"| {disturbance} | {' | '.join(marked)} |")
        out.append("")
    out += [f"![recall@1 by disturbance](images/{PLOT})", ""]
    plot = dots(
        rows=[{**r, "what": f"{r['set']}: {r['disturbance']}"} for r in rows],
        group="what",
        label="system",
        value="recall@1",
    )
    return Section("\n".join(out), {"rows": rows}, PACKAGES, {PLOT: plot})


def measured(
    name: str, data: BeirData, articles: list[Article], disturbances: Mapping[str, Disturbance], place: Place
) -> list[dict[str, Any]]:
    """Every system on every disturbance of one set; ``changed`` counts the questions that it altered."""
    retriever = retriever_of(articles, place.embedder)
    systems: dict[str, Search] = {
        OURS: lambda text, k: retriever.rank_documents(Query(text, k), now=NOW),
        LEFT: lambda text, k: retriever.rank_documents(Query(text, k, as_typed=True), now=NOW),
        **peers(data.corpus, place),
    }
    rows = []
    for disturbance, change in {CLEAN: as_it_is, **disturbances}.items():
        asked = {key: change(text) for key, text in data.queries.items()}
        forms = [form for text in asked.values() for form in (text, fold(text), retriever.reading(text))]
        place.embedder.prepare_queries(forms, place)
        for system, search in systems.items():
            scores = score_run({key: descending(search(text, 10)) for key, text in asked.items()}, data.qrels)
            estimate = bootstrap_mean(scores.values("recall@1"))
            rows.append(
                {
                    "set": name,
                    "disturbance": disturbance,
                    "system": system,
                    "queries": len(asked),
                    "changed": sum(asked[key] != data.queries[key] for key in asked),
                    "recall@1": estimate.mean,
                    "recall@1_interval": [estimate.low, estimate.high],
                    "mrr@10": scores.means()["mrr@10"],
                }
            )
        line = " ".join(f"{r['recall@1']:.3f}" for r in rows[-len(systems) :])
        place.say(f"{name:10} {disturbance:32} {line}")
    place.keep_vectors()
    return rows


def peers(corpus: Corpus, place: Place) -> dict[str, Search]:
    """BM25, the exact cosine, and LangChain's ensemble of the two kinds."""
    from evals.bench.peers_langchain import langchain_ensemble

    return {
        "bm25s + jieba": bm25_jieba(corpus),
        "exact dense (numpy)": exact_dense(corpus, place.embedder),
        "LangChain ensemble, BM25 by jieba": langchain_ensemble(corpus, place.embedder, words=True),
    }


def losses(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Markdown table: what a disturbed question loses of a clean one's recall@1, in percent, the mean of all kinds."""
    systems = list(dict.fromkeys(row["system"] for row in rows))
    out = [f"| mean loss | {' | '.join(systems)} |", "|---" * (1 + len(systems)) + "|"]
    for name in dict.fromkeys(row["set"] for row in rows):
        cells = []
        for system in systems:
            of = {r["disturbance"]: r["recall@1"] for r in rows if (r["set"], r["system"]) == (name, system)}
            disturbed = [value for kind, value in of.items() if kind != CLEAN]
            loss = 1 - sum(disturbed) / len(disturbed) / of[CLEAN] if of[CLEAN] else None
            cells.append("–" if loss is None else f"{100 * loss:.1f} %")
        out.append(f"| {name} | {' | '.join(cells)} |")
    return out


def intent_questions(place: Place) -> tuple[BeirData, list[Article]]:
    """Evenly spaced test questions of banking77, its intents as articles."""
    part = banking77(place.data, PER_ARTICLE)
    asked = [a for a in part.asked if a.answered_by]
    chosen = asked[:: max(1, len(asked) // QUESTIONS)][:QUESTIONS]
    queries = {f"q{number}": a.text for number, a in enumerate(chosen)}
    qrels = {f"q{number}": dict.fromkeys(a.answered_by, 1) for number, a in enumerate(chosen)}
    corpus = {a.id: BeirDocument(a.title, "\n".join([*a.questions, a.body])) for a in part.articles}
    return BeirData(corpus, queries, qrels), list(part.articles)


def demo_questions(tongue: str) -> tuple[BeirData, list[Article]]:
    """(questions held out, peers' corpus and answers; the articles without those questions).

    Of every article with two questions or more the last is asked, and stands nowhere in the index.
    """
    queries, qrels, kept = {}, {}, []
    for article in demo_articles():
        if article.locale != tongue or article.audience != "public":
            continue
        questions = article.questions
        if len(questions) > 1:
            queries[article.id], qrels[article.id] = questions[-1], {article.id: 1}
            questions = questions[:-1]
        kept.append(replace(article, questions=questions))
    corpus = {a.id: BeirDocument(a.title, "\n".join([*a.questions, a.body])) for a in kept}
    return BeirData(corpus, queries, qrels), kept


def public_questions(data: BeirData, tongue: str) -> tuple[BeirData, list[Article]]:
    """Evenly spaced questions of a public set."""
    keys = list(data.judged_queries)
    chosen = keys[:: max(1, len(keys) // QUESTIONS)][:QUESTIONS]
    articles = [Article(key, document.title, document.text, tongue) for key, document in data.corpus.items()]
    return BeirData(data.corpus, {k: data.queries[k] for k in chosen}, {k: data.qrels[k] for k in chosen}), articles
