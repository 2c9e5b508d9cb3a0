"""What is said from the user's live state, and the case it is said for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from assistant.domain.state import Entity, UserState

Locale = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class StateAnswer:
    """A reply from live state alone. ``used`` are ids of the entities it rests on, ``facts`` the lines it says.

    ``sufficient`` is False where the text is only the state's part and the answer also needs knowledge.
    """

    text: str
    used: tuple[str, ...] = ()
    decision: Literal["answer", "clarify"] = "answer"
    confidence: float = 0.9
    topic: str = ""
    facts: tuple[str, ...] = ()
    sufficient: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """One question on the state of one user. ``named`` are the entities pointed at by id, history or product.

    ``text`` is the normalised question. ``named_by_id`` tells an id from a product's name, which may fit several.
    """

    topic: str
    text: str
    state: UserState
    locale: Locale
    now: datetime
    named: tuple[Entity, ...] = ()
    named_by_id: bool = False
    certain: bool = True
    hints: frozenset[str] = field(default_factory=frozenset)

    @property
    def zh(self) -> bool:
        """Whether the reply is in Chinese."""
        return self.locale == "zh"

    def say(self, zh: str, en: str) -> str:
        """The text in the reply's language."""
        return zh if self.zh else en
