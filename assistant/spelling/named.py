"""Slips in a workspace's names, which are longer than words: the half without the slip tells which name is meant."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from assistant.spelling.lexicon import Lexicon
from assistant.spelling.sounds import sounds
from assistant.text import dictionary

MOST_MENDS = 3
MOST_TRIED = 2_000  # in one question: a hostile one must cost no more than milliseconds
MOST_ALIKE = 30  # names tried that begin, or end, with the same two characters: a brand may begin thousands
_TURNING = frozenset("不没无未非别免勿的了吗呢吧哪谁几多何怎")
"""Never put in or taken out: "支持退货" is no slip of "不支持退货"."""

Mend = tuple[int, int, str]  # from, to, what is put there


def mended(text: str, lexicon: Lexicon) -> str:
    """The text with names of four characters and more as the workspace writes them, one slip in each mended.

    A slip is a character that sounds alike, two swapped, one left out or one typed twice. It must leave two characters
    side by side that stand so nowhere in the workspace; letters and numbers are never changed.
    """
    for _ in range(MOST_MENDS):
        low = text.casefold()
        found = next(_mends(low, lexicon), None) if len(low) == len(text) else None
        if found is None:
            break
        start, end, put = found
        text = text[:start] + put + text[end:]
    return text


def _mends(text: str, lexicon: Lexicon) -> Iterator[Mend]:
    for start, end, name in islice(_tried(text, lexicon), MOST_TRIED):
        yield from _mend(text, start, end, name, lexicon)


def _tried(text: str, lexicon: Lexicon) -> Iterator[tuple[int, int, str]]:
    """(start, end, name) of what may be the name with a slip: near two characters that stand together nowhere else."""
    pairs = list(map(str.__add__, text, text[1:]))
    said = set(pairs)
    heads, tails = lexicon.by_head.keys() & said, lexicon.by_tail.keys() & said
    new = [at for at, pair in enumerate(pairs) if _new(pair, lexicon)] if heads or tails else []
    for at, pair in enumerate(pairs) if new else ():
        for name in lexicon.by_head[pair][:MOST_ALIKE] if pair in heads else ():
            if any(at < place <= at + len(name) for place in new):
                for size in (len(name), len(name) - 1, len(name) + 1):
                    yield at, at + size, name
        for name in lexicon.by_tail[pair][:MOST_ALIKE] if pair in tails else ():
            if any(at - len(name) <= place < at for place in new):
                for size in (len(name), len(name) - 1, len(name) + 1):
                    yield at + 2 - size, at + 2, name


def _mend(text: str, start: int, end: int, name: str, lexicon: Lexicon) -> Iterator[Mend]:
    """The mend that makes this part of the text the name, where there is one and it is safe."""
    if start < 0 or end > len(text):
        return
    said = text[start:end]
    head = _same(said, name)
    tail = min(_same(said[::-1], name[::-1]), min(len(said), len(name)) - head)
    wrong, right = said[head : len(said) - tail], name[head : len(name) - tail]
    if len(wrong) > 2 or len(right) > 2 or not _is_slip(wrong, right, said[head - 1 : head], head, tail):
        return
    first, last = start + head, start + head + len(wrong)
    beside = text[max(0, first - 1) : last + 1]
    pairs = list(map(str.__add__, beside, beside[1:]))
    if not any(_new(pair, lexicon) for pair in pairs) or any(dictionary()[0].get(pair) for pair in pairs):
        return  # also where it makes a word as it stands: "称为" is no slip of "成为"
    outside = [text[start - 1 : start + 1]] * (head == 0 < start) + [text[end - 1 : end + 1]] * (tail == 0)
    if any(lexicon.together(pair) or dictionary()[0].get(pair) for pair in outside if len(pair) == 2):
        return  # a character of the word that stands beside it
    yield first, last, right


def _new(pair: str, lexicon: Lexicon) -> bool:
    """Whether these are two Chinese characters that stand together nowhere in the workspace."""
    return _is_han(pair[0]) and _is_han(pair[1]) and not lexicon.together(pair)


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def _is_slip(wrong: str, right: str, before: str, head: int, tail: int) -> bool:
    if not _TURNING.isdisjoint(wrong + right) or not all(map(_is_han, wrong + right)):
        return False
    if len(wrong) == len(right):
        swapped = len(wrong) == 2 and wrong == right[::-1]
        return swapped or (len(wrong) == 1 and not set(sounds(wrong)).isdisjoint(sounds(right)))
    if not wrong:
        return len(right) == 1 and head > 0 and tail > 0
    return not right and len(wrong) == 1 and wrong == before


def _same(text: str, name: str) -> int:
    """How many characters are the same from the start."""
    return next((i for i, (a, b) in enumerate(zip(text, name, strict=False)) if a != b), min(len(text), len(name)))
