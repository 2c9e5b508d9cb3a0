"""The two languages the assistant speaks, and which one a reply is in."""

from __future__ import annotations

from typing import Literal

from assistant.text import language_of

Locale = Literal["zh", "en"]


def spoken(locale: str | None, text: str) -> Locale:
    """The language of the reply: the one asked for, else the one that ``text`` is written in."""
    if locale:
        return "zh" if locale.lower().startswith("zh") else "en"
    return "zh" if language_of(text) == "zh" else "en"
