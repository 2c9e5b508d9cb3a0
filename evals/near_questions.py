"""How often a question near an earlier one is another question, and how often another way of putting it is seen as one.

``python -m evals.near_questions ../shared/data`` prints one JSON object; every part is printed for two halves by a
digest of the text where something could be chosen on it. Its figures stand in decisions 25 and 32.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from assistant.answering.answer_cache import normal_form
from assistant.answering.asked_form import asked_form
from assistant.bootstrap import build
from assistant.domain.knowledge import Article
from assistant.extractive.relevance import terms
from assistant.ports import Embedder
from assistant.retrieval import Retriever
from assistant.settings import Settings
from assistant.text import cut, has_han
from evals.beir import load
from evals.bench.disturb import CHINESE
from evals.bench.risk_sets import banking77, demo_faq
from evals.caching_embedder import CachingEmbedder
from evals.halves import half_of
from evals.jsonl import read_objects
from evals.near_rules import RULES_BY_FORM, THRESHOLDS, Met, in_a_row, meet, rules_by_meaning
from evals.pieces import retriever_of
from evals.statistics import wilson

SEED = 20261122
PER_ARTICLE = 20  # train questions of each banking77 intent
EDITS = 3  # of each kind, of each question
Asked = list[tuple[str, frozenset[str]]]


def main(data: Path) -> None:
    """Everything, about six minutes of processor time, most of it embedding."""
    embedder = CachingEmbedder(build(Settings()).embedder)
    now = datetime.now(UTC)
    demo = demo_faq(data)
    shops = [retriever_of(part.articles, embedder) for part in demo]
    faq = [[one.text for one in part.asked if one.answered_by] for part in demo]
    found: dict[str, Any] = {
        "pairs written by hand, asked of the demo shop": pairs(shops[0], embedder, now),
        "banking77, all 13,083 questions, words alone": by_label(labelled(data)),
        "dstc11, all FAQ questions, words alone": by_form(faqs(data)),
        "demo FAQ questions with slips": slips(list(zip(shops, faq, strict=True)), embedder, now),
        "one word changed": edited(data, shops[0], faq[0]),
        "asked in a row": {},
    }
    for name, articles, asked in streams(data):
        retriever = retriever_of(articles, embedder)
        embedder.prepare_queries([retriever.reading(text) for text, _ in asked])
        met = meet(asked, retriever, embedder, now)
        answered = [one for one in met if one.passages and one.passages[0].score >= Settings().answer_threshold]
        found["asked in a row"][name] = {
            f"half {half}": table([one for one in answered if half_of(one.text) == half], embedder, now)
            for half in ("A", "B")
        }
        sys.stderr.write(f"{name} done\n")
    sys.stdout.write(f"{json.dumps(found, indent=1, ensure_ascii=False)}\n")


def table(met: Sequence[Met], embedder: Embedder, now: datetime) -> dict[str, Any]:
    """Each rule's hits; rules by meaning at each threshold."""
    by_meaning = rules_by_meaning(embedder, now)
    out: dict[str, Any] = {name: asdict(in_a_row(met, rule, -1.0)) for name, rule in RULES_BY_FORM.items()}
    for name, rule in by_meaning.items():
        out[name] = {str(t): asdict(in_a_row(met, rule, t)) for t in THRESHOLDS}
    return out


def hand_pairs(language: str) -> Iterator[tuple[str, str, str]]:
    """(``different`` or ``same``, one question, the other), written before any rule was tried on them."""
    for line in files("evals").joinpath(f"bench/data/near_pairs_{language}.tsv").read_text("utf-8").splitlines():
        said, one, other = line.split("\t")
        yield said, one, other


def pairs(shop: Retriever, embedder: Embedder, now: datetime) -> dict[str, Any]:
    """By language and kind, how many pairs each rule takes for one question, with Wilson's interval."""
    out: dict[str, Any] = {}
    by_meaning = rules_by_meaning(embedder, now)
    for language in ("zh", "en"):
        kinds: dict[str, list[list[Met]]] = defaultdict(list)
        for said, one, other in hand_pairs(language):
            kinds[said].append(meet([(one, frozenset()), (other, frozenset())], shop, embedder, now))
        for said, couples in kinds.items():
            taken = {name: sum(rule(a, b) for a, b in couples) for name, rule in RULES_BY_FORM.items()}
            for t in THRESHOLDS:
                near = [(a, b) for a, b in couples if float(a.vector @ b.vector) >= t]
                taken |= {f"{t} {name}": sum(rule(a, b) for a, b in near) for name, rule in by_meaning.items()}
            out[f"{language} {said}"] = {"pairs": len(couples), "taken for one": _shares(taken, len(couples))}
    return out


def _shares(taken: dict[str, int], of: int) -> dict[str, list[float | None]]:
    return {name: [n, *(wilson(n, of).low, wilson(n, of).high)] for name, n in taken.items()}


def labelled(data: Path) -> list[tuple[str, str]]:
    """Train and test questions with their intent."""
    return [
        (row["text"], row["category"])
        for name in ("train", "test")
        for row in csv.DictReader((data / "banking77" / f"{name}.csv").open(encoding="utf-8", newline=""))
    ]


def by_label(asked: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Questions of one form: how many are of another intent than the first of that form; all such, to be read."""
    out: dict[str, Any] = {}
    for half in ("A", "B"):
        groups: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
        for text, intent in asked:
            if half_of(text) == half:
                groups[asked_form(normal_form(text))].setdefault(normal_form(text), (text, intent))
        later = [(group[0], one) for group in map(list, map(dict.values, groups.values())) for one in group[1:]]
        other = [(first, one) for first, one in later if first[1] != one[1]]
        out[f"half {half}"] = {
            "questions in other words": sum(map(len, groups.values())),
            "hits": len(later),
            "of another intent": len(other),
            "to be read": [f"{first[0].strip()} | {one[0].strip()}" for first, one in other],
        }
    return out


def faqs(data: Path) -> list[str]:
    """The distinct questions of hotels' and restaurants' FAQs, which nothing was chosen on."""
    knowledge = json.loads((data / "dstc11-track5" / "knowledge.json").read_text("utf-8"))
    places = [entity for domain in knowledge.values() for entity in domain.values()]
    return sorted({str(faq["question"]) for place in places for faq in (place.get("faqs") or {}).values()})


def by_form(texts: Sequence[str]) -> dict[str, Any]:
    """Questions in other words that have one form, all of them listed: there are no labels, they are to be read."""
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for text in texts:
        groups[asked_form(normal_form(text))].setdefault(normal_form(text), text)
    alike = [f"{first} | {other}" for first, *later in map(list, map(dict.values, groups.values())) for other in later]
    return {"questions in other words": sum(map(len, groups.values())), "hits": len(alike), "to be read": alike}


def slips(shops: Sequence[tuple[Retriever, list[str]]], embedder: Embedder, now: datetime) -> dict[str, Any]:
    """Held-out questions, each disturbed in each way: taken for the question itself, or for another."""
    out: dict[str, dict[str, int]] = {name: defaultdict(int) for name in CHINESE}
    for shop, texts in shops:
        chosen = texts[::2]
        clean = dict(zip(chosen, meet([(text, frozenset()) for text in chosen], shop, embedder, now), strict=True))
        forms = {one.form: text for text, one in clean.items()}
        for name, disturbance in CHINESE.items():
            for text in chosen:
                typed = disturbance(text)
                if typed == text:
                    continue
                [one] = meet([(typed, frozenset())], shop, embedder, now)
                out[name]["asked"] += 1
                for rule, allows in RULES_BY_FORM.items():
                    out[name][rule] += allows(one, clean[text])
                out[name]["taken for another"] += forms.get(one.form, text) != text
    return {name: dict(counts) for name, counts in out.items()}


def edited(data: Path, shop: Retriever, faq: Sequence[str]) -> dict[str, Any]:
    """Questions with a word put in another's place, or "not" put in: how many keep their form, which none may.

    Words come from the same set. In the demo shop the edited question is read, slips mended, as the service does.
    """
    sets: dict[str, list[str]] = {
        "demo FAQ, as read": list(faq),
        "banking77": [text for text, _ in labelled(data)[::4]],
    }
    for name in ("cmrc2018-dev-zh", "xquad-zh", "xquad-en"):
        sets[name] = list(load(data / name).judged_queries.values())
    out = {}
    for name, texts in sets.items():
        draw = random.Random(SEED)
        words = sorted({word for text in texts for word in _content(text)})
        edits = [edit for text in texts for edit in _edits(text, words, draw)]
        read = shop.reading if name == "demo FAQ, as read" else str
        kept = [f"{a} | {b}" for a, b in edits if asked_form(normal_form(read(a))) == asked_form(normal_form(read(b)))]
        estimate = wilson(len(kept), len(edits))
        out[name] = {
            "edits": len(edits),
            "kept their form": len(kept),
            "at most": estimate.high,
            "to be read": kept[:40],
        }
    return out


def _content(text: str) -> list[str]:
    """Words that carry what is asked: two Chinese characters and more, four Latin letters and more."""
    form = normal_form(text)
    parts = [word for run in form.split() for word in (cut(run) if has_han(run) else [run])]
    return [w for w in parts if len(w) >= (2 if has_han(w) else 4) and w.isalnum() and terms(w)]


def _edits(text: str, words: Sequence[str], draw: random.Random) -> Iterator[tuple[str, str]]:
    own = _content(text)
    form = normal_form(text)
    for word in draw.sample(own, min(EDITS, len(own))):
        yield form, form.replace(word, draw.choice([other for other in words if other != word]), 1)
    if has_han(form):
        at = draw.randrange(len(form) + 1)
        yield form, f"{form[:at]}不{form[at:]}"
    else:
        said = form.split()
        at = draw.randrange(1, len(said) + 1)
        yield form, " ".join([*said[:at], "not", *said[at:]])


def streams(data: Path) -> Iterator[tuple[str, Sequence[Article], Asked]]:
    """(name, articles, questions with labels): banking77's intents, and two sets with several questions a paragraph.

    Of xquad a label is a paragraph with an answer; a question in the words of an earlier one is left out, since the
    set gives two of them other answers.
    """
    part = banking77(data, PER_ARTICLE)
    yield "banking77", part.articles, [(one.text, one.answered_by) for one in part.asked if one.answered_by]
    for name in ("xquad-zh", "xquad-en"):
        read = load(data / name)
        articles = [Article(key, d.title or key, d.text, name[-2:]) for key, d in read.corpus.items()]
        asked: dict[str, tuple[str, frozenset[str]]] = {}
        for _, line in read_objects(data / name / "queries.jsonl"):
            if line["_id"] in read.qrels:
                documents, answers = read.qrels[line["_id"]], line["metadata"]["answers"]
                labels = frozenset(f"{d} {a.strip().casefold()}" for d in documents for a in answers)
                asked.setdefault(normal_form(line["text"]), (line["text"], labels))
        yield name, articles, list(asked.values())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
