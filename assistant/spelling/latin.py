"""Slips in Latin words: a letter too many, too few, wrong or swapped, and spaces left out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import count

from assistant.spelling.lexicon import LONGEST, SHORTEST, Lexicon
from assistant.spelling.slips import slips
from assistant.text import stem

WORD = re.compile(r"(?<![A-Za-z0-9_.@/#&'’-])[A-Za-z]{4,40}(?![A-Za-z0-9_@/#&-]|\.[A-Za-z0-9]|['’](?!s\b))")
MOST_MENDS = 6
COMMON = 1e-5  # share of all words in running English from which a word not of the workspace may be meant
OWN = 0.7  # what the workspace's own use of a word counts beside English at large
SLIP, SPACE = -6.0, -1.0  # log of how likely one slip and a space left out are; the latter as decision 30 says
OTHER_START = -3.0  # the first letter is rarely the wrong one
_SHORT = (
    "a i an am as at be by do go he if in is it me my no of on or so to up us we all and any are but can did for get "
    "had has her him his how its let may new not now off old one our out own pay see she the too two use was way who "
    "why yes yet you"
)
_TWO_SLIPS_FROM = 7
_ABBREVIATED = 6  # letters; a shorter word in capitals among others stands for itself
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BRITISH = (
    ("or", "our"),
    ("er", "re"),
    ("iz", "is"),
    ("yz", "ys"),
    ("ic", "is"),
    ("og", "ogue"),
    ("l", "ll"),
    ("e", "ae"),
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_CONTRACTED = (
    "dont cant wont didnt doesnt isnt wasnt arent werent havent hasnt hadnt couldnt wouldnt shouldnt aint youre theyre "
    "thats whats hows wheres whos theres youve theyve youll theyll lets"
)


def mended(text: str, lexicon: Lexicon) -> str:
    """The text with Latin words that neither the workspace nor English knows put right where one stands out.

    The first ``MOST_MENDS`` of them: a text of nothing else is noise, or meant to keep us busy.
    """
    names, tries = not text.isupper(), count()

    def right(match: re.Match[str]) -> str:
        word = match.group()
        parts = [part.casefold() for part in _CAPITAL.split(word)]  # "DirectDebit", "canI"
        if known(word.casefold(), lexicon) or next(tries) >= MOST_MENDS:
            return word
        if len(parts) > 1 and all(_stands(part, lexicon) for part in parts):
            return " ".join(_CAPITAL.split(word))
        if word.isupper() and len(word) < _ABBREVIATED:
            return word
        name = names and word[0].isupper() and match.start() > 0
        better = meant(word.casefold(), lexicon, name=name)
        return word if better is None else _cased(better, word)

    return WORD.sub(right, text)


def _stands(part: str, lexicon: Lexicon) -> bool:
    return known(part, lexicon) if len(part) >= SHORTEST else part in _short()


def _cased(better: str, word: str) -> str:
    """With the capitals of the word that it stands for."""
    letters = iter(word)
    if better.replace(" ", "") == word.casefold():  # nothing but spaces were put in
        return "".join(" " if c == " " else next(letters) for c in better)
    return better.capitalize() if word[0].isupper() and not word.isupper() else better


def known(word: str, lexicon: Lexicon) -> bool:
    """Whether a word in lower case is the workspace's or English."""
    return (
        word in lexicon.latin
        or word in english()
        or any(each in english() for each in _spelt_otherwise(word))
        or word in _contracted()
        or len(word) < SHORTEST
        or stem(word) in lexicon.stems
    )


def _spelt_otherwise(word: str) -> Iterator[str]:
    """As the British write it: the list of English words is theirs."""
    for american, british in _BRITISH:
        at = word.find(american)
        while at > 0:
            yield word[:at] + british + word[at + len(american) :]
            at = word.find(american, at + 1)


def meant(word: str, lexicon: Lexicon, *, name: bool = False) -> str | None:
    """The word, or words, that a word in lower case was meant to be; None where it is known or nothing stands out.

    The noisy channel of Kernighan, Church & Gale (1990): how common the word is times how likely the slip. A ``name``
    is only ever put right by a word of the workspace.
    """
    if known(word, lexicon):
        return None
    found = {each: _weight(each, lexicon, own=name) + SLIP + _start(word, each) for each in _one_slip(word)}
    if not name:
        parts, weight = _parted(word, lexicon)
        found[parts] = weight
    best = max(found, key=lambda each: found[each], default="")
    if best and found[best] > -math.inf:
        return best
    if len(word) >= _TWO_SLIPS_FROM:
        near = [each for each in lexicon.by_start.get(word[0], ()) if slips(word, each, 2) == 2]
        return max(near, key=lambda each: lexicon.latin[each], default=None)
    return None


def _weight(word: str, lexicon: Lexicon, *, own: bool = False) -> float:
    """Log of how common a word is; minus infinity where it is too rare to be meant, or not the workspace's ``own``."""
    here = lexicon.latin.get(word, 0) / lexicon.latin_total
    there = english().get(word, 0.0)
    if here == 0 and (own or there < COMMON):
        return -math.inf
    return math.log(OWN * here + (1 - OWN) * there)


def _start(word: str, other: str) -> float:
    return 0.0 if word[0] == other[0] else OTHER_START


def _one_slip(word: str) -> set[str]:
    """Everything one slip away (Damerau 1964)."""
    splits = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    return {
        *(a + b[1:] for a, b in splits if b),
        *(a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1),
        *(a + c + b[1:] for a, b in splits if b for c in _LETTERS),
        *(a + c + b for a, b in splits for c in _LETTERS),
    }


def _parted(word: str, lexicon: Lexicon) -> tuple[str, float]:
    """(the words that it is when spaces are put in, log of how likely they are); minus infinity where it is none."""
    best: list[tuple[float, int]] = [(0.0, 0)] + [(-math.inf, 0)] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - LONGEST), end):
            before = best[start][0]
            if before == -math.inf:
                continue
            weight = before + _part(word[start:end], lexicon) + (SPACE if start else 0.0)
            if weight > best[end][0]:
                best[end] = (weight, start)
    weight, end, parts = best[-1][0], len(word), list[str]()
    if weight == -math.inf:
        return "", -math.inf
    while end:
        start = best[end][1]
        parts.append(word[start:end])
        end = start
    if not any(part in lexicon.latin for part in parts):  # a name is easily a row of short words
        return "", -math.inf
    return " ".join(reversed(parts)), weight


def _part(word: str, lexicon: Lexicon) -> float:
    if len(word) < SHORTEST and word not in _short():  # "re" and "un" are begins of words, not words
        return -math.inf
    return _weight(word, lexicon)


@cache
def _contracted() -> frozenset[str]:
    return frozenset(_CONTRACTED.split())


@cache
def _short() -> frozenset[str]:
    return frozenset(_SHORT.split())


@cache
def english() -> Mapping[str, float]:
    """English words with their share of running text, from symspellpy's list (SCOWL and Google's n-grams)."""
    path = files("symspellpy") / "frequency_dictionary_en_82_765.txt"
    lines = (line.split() for line in path.read_text(encoding="utf-8-sig").splitlines())
    counts = {word: int(count) for word, count in lines}
    total = sum(counts.values())
    return {word: count / total for word, count in counts.items()}
