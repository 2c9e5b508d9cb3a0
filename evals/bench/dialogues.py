"""Multi-turn retrieval: which turns need knowledge, whether a follow-up finds its passage, what a task requires."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.domain.knowledge import Article
from assistant.followup import NEEDED
from assistant.needs import knowledge_needed
from assistant.retrieval import Retriever
from assistant.tasks.speech import asks
from assistant.text import fold
from evals.bench.charts import dots
from evals.bench.detection import best_threshold, detection_table, f1_of, judged, lead, two_thresholds
from evals.bench.dstc11 import FOLDER, Dialogues, DialogueTurn, load_dstc11
from evals.bench.followups import (
    FORMS,
    Form,
    as_the_product_asks,
    demo_articles,
    load_followups,
    measure,
)
from evals.bench.page import Place, Section
from evals.bench.peers import Search, halves
from evals.bench.peers_haystack import haystack_hybrid
from evals.bench.peers_langchain import langchain_ensemble
from evals.bench.required import tau2_tasks
from evals.bench.systems import OURS, Measured, beside_best, comparison, descending, table
from evals.bench.tau2 import FOLDER as TAU2
from evals.pieces import retriever_of
from evals.ranking import score_run

TITLE = "Dialogues"
PACKAGES = (
    "chromadb",
    "langchain",
    "langchain-classic",
    "langchain-chroma",
    "haystack-ai",
    "bm25s",
    "rank-bm25",
    "jieba",
    "torch",
)
PLOT = "bench-dialogues.svg"
PRODUCT = "product's rule"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
WORDS = f"{OURS}'s detector, by words"
ON_A = 300  # turns of half A on which a form is chosen
SLOW = "both, rank fusion (RRF)"  # whose form the slow hybrids take: they are built alike


def run(place: Place) -> Section:
    """DSTC11 track 5, the demo shop's follow-ups, tau2's tasks. Raises InputRejected where the data are absent."""
    data = load_dstc11(place.data / FOLDER)
    place.embedder.prepare_passages((fold(f"{d.title} {d.text}") for d in data.snippets.values()), place)
    place.keep_vectors()
    articles = [Article(key, doc.title, doc.text, "en") for key, doc in data.snippets.items()]
    ours = retriever_of(articles, place.embedder)
    out, raw = snippets_found(data, ours, place)
    told, detected = needing_knowledge(data, ours, place)
    own, followed = own_followups(place)
    required, raw_required = tau2_tasks(place.data / TAU2, place)
    plot = dots(rows=[r for r in raw["rows"] if r["half"] == "B"], group="form", label="system", value="recall@5")
    out = [*out, f"![recall@5 of every system with its form](images/{PLOT})", "", *told, *own, *required]
    more = {**detected, "own": followed, "required": raw_required}
    return Section("\n".join(out), {**raw, **more}, PACKAGES, {PLOT: plot})


def snippets_found(data: Dialogues, ours: Retriever, place: Place) -> tuple[list[str], dict[str, Any]]:
    """Forms chosen on half A, systems compared on half B."""
    gold_a = [turn for turn in data.half("A") if turn.gold]
    on_a = place.some(gold_a[:: max(1, len(gold_a) // ON_A)])
    on_b = place.some([turn for turn in data.half("B") if turn.gold])
    forms: dict[str, Form] = {**FORMS, PRODUCT: as_the_product_asks}
    rows: list[dict[str, Any]] = []
    for form in forms.values():
        _prepare(on_a, form, place)
    measured_a = {name: of_ours(ours, on_a, form) for name, form in forms.items()}
    rows += [{**m.row(FOLDER), "half": "A", "form": name} for name, m in measured_a.items()]
    _prepare(on_b, as_the_product_asks, place)
    of_b = [(PRODUCT, of_ours(ours, on_b, as_the_product_asks))]
    chosen: dict[str, str] = {}
    for system, build in halves(data.snippets, place.embedder).items():
        search = build()
        on_forms = {name: of_search(system, search, on_a, form) for name, form in FORMS.items()}
        rows += [{**m.row(FOLDER), "half": "A", "form": name} for name, m in on_forms.items()]
        chosen[system] = max(on_forms, key=lambda name: on_forms[name].mean("recall@5"))
        _prepare(on_b, FORMS[chosen[system]], place)
        of_b.append((chosen[system], of_search(system, search, on_b, FORMS[chosen[system]])))
        _tell(place, *of_b[-1])
    slow: Mapping[str, Any] = {
        "LangChain ensemble, BM25 by jieba": lambda: langchain_ensemble(data.snippets, place.embedder, words=True),
        "Haystack hybrid, its tokens, rank fusion": lambda: haystack_hybrid(data.snippets, place.embedder),
    }
    for system, build in slow.items():
        of_b.append((chosen[SLOW], of_search(system, build(), on_b, FORMS[chosen[SLOW]])))
        _tell(place, *of_b[-1])
    place.keep_vectors()
    b_rows = [{**m.row(FOLDER), "half": "B", "form": form} for form, m in of_b]
    beside = [{"set": "half B", "measure": m, **comparison([m_ for _, m_ in of_b], m)} for m in ("recall@5", "mrr@10")]
    shown = [{**r, "system": r["system"] if r["system"] == OURS else f"{r['system']}; {r['form']}"} for r in b_rows]
    gold = sum(len(turn.gold) for turn in on_b) / max(1, len(on_b))
    out = [
        f"`{FOLDER}`: customers ask about a hotel or restaurant that was named turns before; {len(data.snippets)} "
        "snippets, each an FAQ or a sentence of a review with its place's name as title. Half A (conversations "
        f"by a hash of their first words; {len(on_a)} turns) chose the rule and each peer's form of the query, "
        "half B is reported.",
        "",
        "### What to carry over: half A, ours",
        "",
        "| form of the query | recall@1 | recall@5 | MRR@10 |",
        "|---|---|---|---|",
        *(
            f"| {name} | {m.mean('recall@1'):.3f} | {m.mean('recall@5'):.3f} | {m.mean('mrr@10'):.3f} |"
            for name, m in measured_a.items()
        ),
        "",
        f"### Snippets found: half B ({len(on_b)} turns that need knowledge)",
        "",
        f"A turn has {gold:.1f} gold snippets on average, {_ceiling(on_b):.3f} of which five places can hold. "
        "Each peer has the form of the query that was best for it on half A; the slow hybrids take that of the "
        "rank fusion, which is built alike.",
        "",
        *beside_best(beside),
        "",
        *table(shown, ("recall@1", "recall@10", "mrr@10", "ndcg@10"), "recall@5"),
        "",
    ]
    return out, {"rows": rows + b_rows, "beside_best_peer": beside, "forms": chosen}


def needing_knowledge(data: Dialogues, ours: Retriever, place: Place) -> tuple[list[str], dict[str, Any]]:
    """Thresholds fitted on half A, F1 on half B."""
    half_a, half_b = place.some(data.half("A")), place.some(data.half("B"))
    needed_a, needed_b = (np.array([bool(t.gold) for t in half]) for half in (half_a, half_b))
    groups = [turn.conversation for turn in half_b]
    for half in (half_a, half_b):
        _prepare(half, as_the_product_asks, place)
        place.embedder.prepare_queries([turn.text for turn in half], place)
    place.keep_vectors()
    rate, draw = float(needed_a.mean()), random.Random(0)
    by_chance = np.array([draw.random() < rate for _ in half_b])
    said_by: dict[str, NDArray[np.bool_]] = {}

    def take(name: str, said: NDArray[np.bool_]) -> None:
        said_by[name] = said
        rows.append(judged(name, said, needed_b, groups))

    rows = [
        judged("always", np.ones(len(half_b), dtype=np.bool_), needed_b, groups),
        judged("at random, by half A's share", by_chance, needed_b, groups),
    ]
    asks_a, asks_b = (np.array([asks(t.text) for t in half]) for half in (half_a, half_b))
    take("the turn asks (a rule on its words alone)", asks_b)
    words_a, words_b = (np.array([knowledge_needed(t.text) for t in half]) for half in (half_a, half_b))
    take(WORDS, words_b >= best_threshold(words_a, needed_a))
    peers = halves(data.snippets, place.embedder)
    scorers: dict[str, Any] = {
        f"{OURS}'s confidence": lambda turns: _confidence(ours, turns),
        "exact dense, its best score": lambda turns: _best_scores(peers["exact dense (numpy)"](), turns),
        "bm25s + jieba, its best score": lambda turns: _best_scores(peers["bm25s + jieba"](), turns),
    }
    for name, scorer in scorers.items():
        of_a, of_b = scorer(half_a), scorer(half_b)
        take(f"{name} above a threshold", of_b >= best_threshold(of_a, needed_a))
        asking, telling = two_thresholds(of_a, asks_a, needed_a)
        take(
            f"{name}, one threshold for turns that ask, one for others",
            np.where(asks_b, of_b >= asking, of_b >= telling),
        )
        place.say(f"{rows[-2]['system']}: {rows[-2]['f1']:.3f}; with the rule {rows[-1]['f1']:.3f}")
    theirs = {name: said for name, said in said_by.items() if not name.startswith(OURS)}
    peer = max(theirs, key=lambda name: f1_of(theirs[name], needed_b)[0])
    ahead = lead(said_by[WORDS], theirs[peer], needed_b, groups)
    out = [
        f"### Which turns need knowledge: half B ({len(half_b)} turns, {int(needed_b.sum())} of them)",
        "",
        f"Thresholds were fitted on half A ({len(half_a)} turns), for peers as for ours; intervals draw whole "
        "conversations. The other turns are for the booking system (“book it for two”), about the same places "
        "and in the same words. `asks` is the product's rule for questions (`assistant/tasks/speech.py`), "
        "written without these data. Ours is read off the words of the turn (`assistant/needs.py`: twelve features, "
        "weights fitted on all turns of half A), so that it knows bookings in English; peers have no such fit, only "
        "thresholds. The product uses it where it decides how far back a name is looked for, and **not** to decide "
        "whether to answer: of the demo shop's own FAQ questions it takes "
        f"{_share('zh'):.0%} (zh) and {_share('en'):.0%} (en) for such turns, too few.",
        "",
        f"Lead of ours over the best of the others ({peer}): {ahead[0]:+.3f} ({ahead[1]:+.3f} to {ahead[2]:+.3f}).",
        "",
        *detection_table(rows),
        "",
    ]
    return out, {"detection": rows, "detection_lead": {"over": peer, "f1": ahead}}


def _share(locale: str) -> float:
    """Of the demo shop's FAQ questions in this language, how many are taken to need knowledge; all do."""
    asked = [q for article in demo_articles() if article.locale.startswith(locale) for q in article.questions]
    return sum(knowledge_needed(text) >= NEEDED for text in asked) / max(1, len(asked))


def own_followups(place: Place) -> tuple[list[str], list[dict[str, Any]]]:
    """The demo shop's follow-ups, by half and form."""
    turns, retriever = load_followups(), retriever_of(demo_articles(), place.embedder)
    rows = []
    for name, form in {**FORMS, PRODUCT: as_the_product_asks}.items():
        row: dict[str, Any] = {"form": name}
        for half in "AB":
            row[half] = measure([t for t in turns if t.half == half], retriever, form)
        rows.append(row)
    count = len(turns) // 2
    out = [
        f"### Follow-ups in the demo shop ({len(turns)} turns, zh and en, written for this)",
        "",
        "Some lean on what was said, some change the subject. Right article first / among three; half A was read "
        f"while the rule was made, half B was not. {count} turns a half: a difference of one or two says nothing.",
        "",
        "| form of the query | half A | half B | half B, first (95 %) |",
        "|---|---|---|---|",
    ]
    for row in rows:
        a, b = row["A"], row["B"]
        low, high = b["first_interval"]
        out.append(
            f"| {row['form']} | {a['first']} / {a['among_3']} of {a['turns']} | {b['first']} / {b['among_3']} of "
            f"{b['turns']} | {b['first'] / b['turns']:.2f} ({low:.2f}–{high:.2f}) |"
        )
    return [*out, ""], rows


def of_ours(retriever: Retriever, turns: Sequence[DialogueTurn], form: Form) -> Measured:
    """The product's retriever with this form of the query."""
    run = {turn.key: retriever.rank_documents(replace(form(turn.text, turn.history), k=10), now=NOW) for turn in turns}
    return Measured(OURS, score_run(run, _qrels(turns)))


def of_search(system: str, search: Search, turns: Sequence[DialogueTurn], form: Form) -> Measured:
    """A peer with this form of the query."""
    run = {turn.key: descending(search(_said(turn, form), 10)) for turn in turns}
    return Measured(system, score_run(run, _qrels(turns)))


def _said(turn: DialogueTurn, form: Form) -> str:
    query = form(turn.text, turn.history)
    return f"{query.context} {query.text}".strip()


def _prepare(turns: Sequence[DialogueTurn], form: Form, place: Place) -> None:
    queries = [form(turn.text, turn.history) for turn in turns]
    texts = [fold(query.text) for query in queries] + [_said(turn, form) for turn in turns]
    texts += [f"{query.context} {fold(query.text)}" for query in queries if query.context]
    place.embedder.prepare_queries(texts, place)


def _confidence(retriever: Retriever, turns: Sequence[DialogueTurn]) -> NDArray[np.float64]:
    best = [retriever.search(as_the_product_asks(t.text, t.history), now=NOW).best for t in turns]
    return np.array([passage.score if passage is not None else 0.0 for passage in best])


def _best_scores(search: Search, turns: Sequence[DialogueTurn]) -> NDArray[np.float64]:
    found = [search(turn.text, 1) for turn in turns]
    return np.array([hits[0][1] if hits else 0.0 for hits in found])


def _qrels(turns: Sequence[DialogueTurn]) -> dict[str, dict[str, int]]:
    return {turn.key: dict.fromkeys(turn.gold, 1) for turn in turns}


def _ceiling(turns: Sequence[DialogueTurn]) -> float:
    return sum(min(5, len(turn.gold)) / len(turn.gold) for turn in turns) / max(1, len(turns))


def _tell(place: Place, form: str, m: Measured) -> None:
    place.say(f"{m.system:44} {form:20} recall@5 {m.mean('recall@5'):.4f}")
