"""How Chinese sounds, tones and the usual confusions aside, so that what was mistyped can be found by ear."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from itertools import islice, product

READINGS = 2  # of a character; the others are rare
_MOST = 8
_RETROFLEX = re.compile(r"([zcs])h")


@lru_cache(maxsize=8192)
def sounds(text: str) -> tuple[str, ...]:
    """How Chinese characters may sound, one string a combination of readings; empty where one has no known reading.

    zh/z, ch/c, sh/s, -ng/-n and l/n are one, as in the slips of many who type by ear.
    """
    each = [_alike_readings(character) for character in text]
    return tuple(["".join(parts) for parts in islice(product(*each), _MOST)]) if all(each) else ()


def readings(text: str) -> list[str]:
    """Pinyin without tones and spaces, one a combination of readings; empty where a character has no known one."""
    each = [_readings(character) for character in text]
    return ["".join(parts) for parts in islice(product(*each), _MOST)] if all(each) else []


def alike(pinyin: str) -> str:
    """Pinyin without tones, with what is confused written one way."""
    return _RETROFLEX.sub(r"\1", pinyin).replace("ng", "n").replace("l", "n")


@cache
def _alike_readings(character: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(alike(reading) for reading in _readings(character)))


@cache
def _readings(character: str) -> tuple[str, ...]:
    from pypinyin.pinyin_dict import pinyin_dict

    marked = pinyin_dict.get(ord(character), "")
    plain = (toneless(reading) for reading in marked.split(",") if reading)
    return tuple(dict.fromkeys(plain))[:READINGS]


def toneless(syllable: str) -> str:
    """``nǚ`` as ``nv``, ``hǎo`` as ``hao``: what is typed."""
    spread = unicodedata.normalize("NFD", syllable.replace("ü", "v"))
    spread = re.sub("u[\u0300\u0301\u0304\u030c]?\u0308[\u0300\u0301\u0304\u030c]?", "v", spread)
    return "".join(letter for letter in spread if letter.isascii())
