"""tau2-banking as retrieval data: what the customer of a task says first, and the articles that the task requires."""

from __future__ import annotations

import json
import re
from pathlib import Path

from assistant.errors import InputRejected
from evals.beir import BeirData, BeirDocument
from evals.jsonl import read_objects

FOLDER = "tau2-banking"
_OPENING = re.compile(
    r"(?:opening|start(?:ing)?\b|begin|initial|first message|open with)[^\"“”\n]{0,160}[\"“](.+?)[\"”](?=\s|$)",
    re.IGNORECASE | re.DOTALL,
)
# Sentences that tell the person who plays the customer how to play; the customer does not say them.
_STAGE = re.compile(
    r"playing the role|tool that allow|on the line with|don'?t dump|never respond as|only provide|only mention|"
    r"(?:do not|don'?t) (?:bring|volunteer|reveal|tell|mention)|unless (?:specifically )?asked|"
    r"immediately (?:apply|take)|no need to respond|no need to ask",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def load_tau2(folder: Path) -> tuple[BeirData, int]:
    """(corpus, opening words by task, required articles; how many tasks quote their opening).

    Raises InputRejected where the folder is not there, or a task requires an article that is not.
    """
    tasks = folder / "tasks.json"
    if not tasks.is_file():
        raise InputRejected(str(tasks), "no such file")
    corpus = {
        str(article["id"]): BeirDocument(str(article["title"]), str(article["body"]))
        for _, article in read_objects(folder / "articles.jsonl")
    }
    queries: dict[str, str] = {}
    qrels: dict[str, dict[str, int]] = {}
    quoted = 0
    for task in json.loads(tasks.read_text(encoding="utf-8")):
        text, said = opening(str(task["user_scenario"]["instructions"]))
        unknown = [key for key in task["required_documents"] if key not in corpus]
        if unknown:
            raise InputRejected(str(tasks), f"{task['id']} requires {unknown[0]}, which is not among the articles")
        queries[task["id"]] = text
        qrels[task["id"]] = dict.fromkeys(task["required_documents"], 1)
        quoted += said
    return BeirData(corpus, queries, qrels), quoted


def opening(instructions: str) -> tuple[str, bool]:
    """(what a system would hear first, whether the instructions quote it).

    Where they do not, it is what they say of the customer's wish and situation, without directions for the play.
    """
    quoted = _OPENING.search(instructions)
    if quoted:
        return " ".join(quoted.group(1).split()), True
    sentences = [s.strip() for s in _SENTENCE.split(instructions)]
    return " ".join(s for s in sentences if s and not _STAGE.search(s)), False
