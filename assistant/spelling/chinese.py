"""Slips of Chinese input: a character that sounds alike, two swapped, one left out or typed twice."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from assistant.spelling.lexicon import Lexicon
from assistant.spelling.sounds import sounds
from assistant.text import cut, dictionary

GAIN = 8.0
"""Nats by which the sentence must become more likely before a character is changed; see decision 30."""
MOST_MENDS = 3
LONGEST_WORD = 4
AROUND = 6  # characters on each side that are read with a change
_RUN = re.compile(r"[\u4e00-\u9fff]{2,}")
_FLOOR = 1e-6  # of a character in no word, more than of the rarest words: most are in names
_ASKING = frozenset("哪谁几多何怎么吗呢")
_SMALL = _ASKING.union(
    "的了是在有和与吗呢吧我你您他她它们这那就都也很把被给对从到为以及或而之其所要能会可不没个上下里后前时年月日"
)


def mended(text: str, lexicon: Lexicon) -> str:
    """The text with characters changed where the sentence becomes far more likely, and a word of the workspace."""
    if not lexicon.han:
        return text
    for _ in range(MOST_MENDS):
        best = max(
            (change for match in _RUN.finditer(text) for change in _changes(text, match.start(), match.end(), lexicon)),
            default=None,
        )
        if best is None:
            break
        _, start, end, word = best
        text = text[:start] + word + text[end:]
    return text


def _changes(text: str, start: int, end: int, lexicon: Lexicon) -> Iterator[tuple[float, int, int, str]]:
    """(nats beyond what is asked for, start, end, word) of each change that is worth it."""
    run = text[start:end]
    loose = _loose(run, lexicon)
    if not loose:
        return
    words, _ = dictionary()
    for at in range(len(run) - 1):
        for size in range(2, min(LONGEST_WORD, len(run) - at) + 1):
            if not loose.intersection(range(at, at + size - 1)):
                continue
            piece = run[at : at + size]
            if piece in lexicon.han or words.get(piece):
                continue
            found = set(_candidates(piece, lexicon))
            if not found:
                continue
            left, right = run[max(0, at - AROUND) : at], run[at + size : at + size + AROUND]
            as_it_is = likely(left + piece + right, lexicon) + GAIN
            for word in found:
                gain = likely(left + word + right, lexicon) - as_it_is
                if gain > 0:
                    yield gain, start + at, start + at + size, word


def _loose(run: str, lexicon: Lexicon) -> set[int]:
    """Places whose character and the next stand together nowhere else, one at least in no word: a slip leaves such.

    The small words of every sentence stand beside anything and do not count as in no word.
    """
    covered = [character in _SMALL for character in run]
    words, _ = dictionary()
    for word in cut(run):
        if len(word) > 1 and (words.get(word) or word in lexicon.han):  # else it was only guessed to be one
            at = run.find(word)
            while at >= 0:
                covered[at : at + len(word)] = [True] * len(word)
                at = run.find(word, at + 1)
    return {
        i for i in range(len(run) - 1) if not (covered[i] and covered[i + 1]) and not lexicon.together(run[i : i + 2])
    }


def _candidates(piece: str, lexicon: Lexicon) -> Iterator[str]:
    """Words that sound like the piece, or are it but for two characters swapped, one left out or one typed twice.

    None that would take away what makes the sentence a question.
    """
    size = len(piece)
    for key in sounds(piece):
        for word in lexicon.by_sound.get(key, ()):
            changed = [a for a, b in zip(piece, word, strict=False) if a != b]
            if len(word) == size and len(changed) <= size // 2 and not _ASKING.intersection(changed):
                yield word
    for i in range(size - 1):
        word = piece[:i] + piece[i + 1] + piece[i] + piece[i + 2 :]
        if word != piece and word in lexicon.han:
            yield word
        if piece[i] == piece[i + 1] and piece[i] not in _ASKING and piece[:i] + piece[i + 1 :] in lexicon.han:
            yield piece[:i] + piece[i + 1 :]
    yield from lexicon.by_rest.get(piece, ())


def likely(run: str, lexicon: Lexicon) -> float:
    """Log of how likely the best cut of these characters into words is, by jieba's counts and the workspace's."""
    words, total = dictionary()
    han, own = lexicon.han, lexicon.han_total
    best = [0.0] + [-math.inf] * len(run)
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - LONGEST_WORD - 1), end):
            word = run[start:end]
            share = 0.5 * words.get(word, 0) / total + 0.5 * han.get(word, 0) / own
            if share == 0:
                if end - start > 1:
                    continue
                share = _FLOOR
            weight = best[start] + math.log(share)
            if weight > best[end]:
                best[end] = weight
    return best[-1]
