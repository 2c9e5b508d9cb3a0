"""Reads which of the user's own matters a question is about, and how surely."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from assistant.state.answers.topics import GENERAL, NO_PARCEL, OWNER, TOPICS

Strength = Literal["certain", "owned", "open"]
_SENTENCE = re.compile(r"[。！!？?；;\n]+|\.(?=\s|$)")
_FOLLOW_UP = re.compile(
    r"^(?:那么?|还有|另外).{1,20}(?:呢|吗|的呢)[?？]?$|^(?:and|what about|how about)\b.{1,40}$|.{1,12}呢[?？]?$"
)
_GREETING = re.compile(r"^(?:你好|您好|在吗|在么|亲|嗨|hi|hello|hey|请问|麻烦问一?下|想问一?下|那个|excuse me)[,，\s]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """The topic of a question and how surely it is about the user's own."""

    topic: str
    strength: Strength


def sentences(text: str) -> list[str]:
    """Sentences of a normalised text, greetings cut off."""
    return [cut for part in _SENTENCE.split(text) if (cut := _GREETING.sub("", part.strip()).strip())]


def read(text: str, *, owns: bool = False, has_id: bool = False) -> Asked | None:
    """What the normalised text asks of the user's own; None for the general case and everything else.

    ``owns`` says that it names a thing of the user's, ``has_id`` that it holds an id: then it is not the general case.
    """
    found: list[Asked] = []
    parts = sentences(text)
    for part in parts:
        if not has_id and GENERAL.search(part):
            continue
        owner = owns or has_id or OWNER.search(part) is not None
        for topic in TOPICS:
            if topic.subject and not re.search(topic.subject, part):
                continue
            if topic.name == "parcel" and NO_PARCEL.search(part):
                continue
            if topic.matches("certain", part):
                found.append(Asked(topic.name, "certain"))
                break
            if owner and topic.matches("owned", part):
                found.append(Asked(topic.name, "owned"))
                break
            if topic.matches("open", part):
                found.append(Asked(topic.name, "open"))
                break
    rank = {"certain": 0, "owned": 1, "open": 2}
    return min(found, key=lambda asked: rank[asked.strength]) if found else None


def is_follow_up(text: str) -> bool:
    """Whether the text only points at another thing of the same matter: "那羽绒服呢", "what about the kettle?"."""
    return _FOLLOW_UP.search(text.strip()) is not None
