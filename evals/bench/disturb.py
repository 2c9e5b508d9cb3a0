"""Disturbances of a question, each by a rule and the same in every run: how people really write."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from assistant.text import has_han

Disturbance = Callable[[str], str]

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_WORD = re.compile(r"[A-Za-z]{4,}")
_HAN_RUN = re.compile(r"[\u4e00-\u9fff]+")
# Frequent enough that an input method offers them: the first level of GB 2312 is in the order of pinyin.
_FIRST_LEVEL = bytes(b for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF) for b in (high, low)).decode(
    "gb2312", errors="ignore"
)


def upper_case(text: str) -> str:
    """All capitals."""
    return text.upper()


def full_width(text: str) -> str:
    """Letters, digits and marks as wide as Chinese characters."""
    return "".join("\u3000" if c == " " else chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def traditional(text: str) -> str:
    """Simplified to Traditional characters, phrase by phrase (OpenCC)."""
    return str(_converter().convert(text))


def swapped(text: str) -> str:
    """Two neighbouring letters of one word of four or more change places; in Chinese two characters."""
    return _one(text, lambda word, at: word[:at] + word[at + 1] + word[at] + word[at + 2 :])


def dropped(text: str) -> str:
    """One letter of one word is missing; in Chinese one character."""
    return _one(text, lambda word, at: word[:at] + word[at + 1 :])


def doubled(text: str) -> str:
    """One letter of one word is typed twice; in Chinese one character."""
    return _one(text, lambda word, at: word[: at + 1] + word[at:])


def joined(text: str) -> str:
    """One space is missing."""
    places = [match.start() for match in re.finditer(r"(?<=[A-Za-z]) (?=[A-Za-z])", text)]
    if not places:
        return text
    at = _draw(text).choice(places)
    return text[:at] + text[at + 1 :]


def neighbour_key(text: str) -> str:
    """One letter of one word is that of the key beside it."""
    return _one(text, lambda word, at: word[:at] + _beside(word[at]) + word[at + 1 :])


def homophone(text: str) -> str:
    """One Chinese character is another that sounds alike, tones aside, as an input method slips."""
    draw = _draw(text)
    places = [m.start() for m in re.finditer(r"[\u4e00-\u9fff]", text) if len(_alike(m.group())) > 1]
    if not places:
        return text
    at = draw.choice(places)
    other = draw.choice([c for c in _alike(text[at]) if c != text[at]])
    return text[:at] + other + text[at + 1 :]


def pinyin_typed(text: str) -> str:
    """One word of two or more characters is left as its pinyin: the input method was not switched on."""
    import jieba
    from pypinyin import lazy_pinyin

    jieba.setLogLevel(60)
    words = [word for word in jieba.lcut(text) if len(word) >= 2 and _HAN_RUN.fullmatch(word)]
    if not words:
        return text
    word = _draw(text).choice(words)
    return text.replace(word, "".join(lazy_pinyin(word)), 1)


CHINESE: Mapping[str, Disturbance] = {
    "Traditional characters": traditional,
    "full width": full_width,
    "a character that sounds alike": homophone,
    "a word in pinyin": pinyin_typed,
    "two characters swapped": swapped,
    "a character dropped": dropped,
    "a character doubled": doubled,
}
ENGLISH: Mapping[str, Disturbance] = {
    "capitals": upper_case,
    "full width": full_width,
    "two letters swapped": swapped,
    "a letter dropped": dropped,
    "a letter doubled": doubled,
    "a neighbouring key": neighbour_key,
    "a space dropped": joined,
}


def _one(text: str, change: Callable[[str, int], str]) -> str:
    """``change`` at one place of one word; the text as it is where no word is long enough."""
    pattern = re.compile(r"[\u4e00-\u9fff]{2,}") if has_han(text) else _WORD
    words = list(pattern.finditer(text))
    if not words:
        return text
    draw = _draw(text)
    match = draw.choice(words)
    at = draw.randrange(len(match.group()) - 1)
    return text[: match.start()] + change(match.group(), at) + text[match.end() :]


def _beside(letter: str) -> str:
    for row in _ROWS:
        at = row.find(letter.lower())
        if at >= 0:
            return row[at + 1] if at + 1 < len(row) else row[at - 1]
    return letter


def _draw(text: str) -> random.Random:
    return random.Random(zlib.crc32(text.encode()))


@cache
def _alike(character: str) -> tuple[str, ...]:
    return _by_sound().get(_sound(character), ())


@cache
def _by_sound() -> Mapping[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {}
    for character in _FIRST_LEVEL:
        groups.setdefault(_sound(character), []).append(character)
    return {sound: tuple(characters) for sound, characters in groups.items()}


@cache
def _sound(character: str) -> str:
    from pypinyin import lazy_pinyin

    return str(lazy_pinyin(character)[0])


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("s2t")
