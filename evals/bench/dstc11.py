"""DSTC11 track 5 as multi-turn retrieval data: turns, whether each needs knowledge, and the snippets that answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.domain.conversation import Turn
from assistant.errors import InputRejected
from evals.beir import BeirDocument
from evals.halves import Half, half_of

FOLDER = "dstc11-track5"


@dataclass(frozen=True, slots=True)
class DialogueTurn:
    """A customer's turn with what was said before it; ``gold`` is empty where no knowledge is needed.

    ``conversation`` names what it belongs to: turns of dialogues that open alike belong together.
    """

    key: str
    conversation: str
    text: str
    history: tuple[Turn, ...]
    gold: frozenset[str]

    @property
    def half(self) -> Half:
        """``A`` (to fit on) or ``B`` (to report on), by the conversation."""
        return half_of(self.conversation)


@dataclass(frozen=True, slots=True)
class Dialogues:
    """Snippets by id, an FAQ or one sentence of a review each, with its place's name as title; and the turns."""

    snippets: Mapping[str, BeirDocument]
    turns: Sequence[DialogueTurn]

    def half(self, name: str) -> list[DialogueTurn]:
        """The turns of one half."""
        return [turn for turn in self.turns if turn.half == name]


def load_dstc11(folder: Path) -> Dialogues:
    """The folder's three files. Raises InputRejected where one is missing, or a label names no snippet."""
    held = {}
    for name in ("knowledge", "logs", "labels"):
        path = folder / f"{name}.json"
        if not path.is_file():
            raise InputRejected(str(path), "no such file")
        held[name] = json.loads(path.read_text(encoding="utf-8"))
    snippets = dict(_snippets(held["knowledge"]))
    turns = []
    for number, (log, label) in enumerate(zip(held["logs"], held["labels"], strict=True)):
        gold = frozenset(_key(item) for item in label.get("knowledge", ())) if label["target"] else frozenset()
        unknown = sorted(gold - snippets.keys())
        if unknown:
            raise InputRejected(str(folder / "labels.json"), f"turn {number} names {unknown[0]}, which is no snippet")
        history = tuple(Turn("customer" if t["speaker"] == "U" else "assistant", t["text"]) for t in log[:-1])
        turns.append(DialogueTurn(f"t{number}", log[0]["text"].casefold(), log[-1]["text"], history, gold))
    return Dialogues(snippets, turns)


def _snippets(knowledge: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, BeirDocument]]:
    made = []
    for domain, entities in knowledge.items():
        for entity, place in entities.items():
            name = str(place["name"]).title()
            for number, faq in place["faqs"].items():
                text = f"{faq['question']}\n{faq['answer']}"
                made.append((f"{domain}/{entity}/faq/{number}", BeirDocument(name, text)))
            for number, review in place["reviews"].items():
                for sentence, text in review["sentences"].items():
                    made.append((f"{domain}/{entity}/review/{number}/{sentence}", BeirDocument(name, text)))
    return made


def _key(item: Mapping[str, Any]) -> str:
    key = f"{item['domain']}/{item['entity_id']}/{item['doc_type']}/{item['doc_id']}"
    return f"{key}/{item['sent_id']}" if item["doc_type"] == "review" else key
