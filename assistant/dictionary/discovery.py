"""Chooses names and terms of the trade from a workspace's own texts: what no general dictionary holds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assistant.dictionary.names import MOST, Names, squeezed
from assistant.dictionary.stream import HAN, LATIN, Stream
from assistant.text import dictionary, plain_cut

DOCUMENTS = 3
COHESION, FREEDOM = 3.0, 1.2  # nats; decision 33 says what they were chosen on
SHORTEST, LONGEST = 3, 12  # characters; of two only with Latin: two Chinese ones are a shingle of the index anyway
WITNESSES = 5  # places where a word is read in its surroundings
_AROUND = 6
_QUOTED = re.compile(r"[「『“《【]([^「『“《【」』”》】]{2,24})[」』”》】]")
_PART = re.compile(r"[^\s【】（）()《》「」“”：:，,、。；;！!？?|/+%]+")
_PIECE = re.compile(rf"{HAN}|{LATIN}")
_PIECES = re.compile(rf"(?>{_PIECE.pattern})+")  # atomic: else a long word before a mark is tried in every cut
_NEVER = frozenset("的了吗呢吧么啊呀哪谁怎您你我他她它们这那")
_NO_END = _NEVER.union(
    "是在有和与也很把被给对从到为以及或而之其所要能会可不没个上下里后前时都就请让向每各该此最更再又还只已将于等"
    "如若但则并且因由需应无多少几什"
)
_MEASURES = frozenset("年月日号天时分秒个件元块折期次人米克升斤寸码周位张条只台套双小工点度毫厘千万百层楼岁页倍成级")


@dataclass(frozen=True, slots=True)
class Source:
    """A text, the number of the document that it is of, and whether it is that document's title."""

    text: str
    document: int
    is_title: bool = False


def learn_names(sources: Sequence[Source]) -> list[str]:
    """Names as they are matched (``squeezed``), those in most documents first, at most ``MOST``.

    Four ways in: what stands in ``DOCUMENTS`` documents, its parts together far more often than by chance and beside
    different neighbours (pointwise mutual information and branching entropy, after Huang & Powers 2003); what is quoted
    in one document and said in another; how two titles begin that go on differently; and what stands in a title between
    spaces and marks. A word of jieba's dictionary is none, nor is what mostly cuts such a word apart where it stands.
    """
    texts = [squeezed(source.text) for source in sources]
    documents = [source.document for source in sources]
    found = {
        each.text
        for each in Stream(texts, documents).together(DOCUMENTS, COHESION, FREEDOM)
        if _may_be_a_name(each.text) and not _number_at_an_end(each.text)
    }
    titles = {text for text, source in zip(texts, sources, strict=True) if source.is_title}
    parts = {part for title in titles for part in _PART.findall(title) if _may_be_a_name(part)}
    quoted = {inner for text in texts for inner in _QUOTED.findall(text)}
    told = {name for name in {*quoted, *_beginnings(titles)} if _may_be_a_name(name)}
    held = {
        name: len(said_in)
        for name, (said_in, around) in _places(Names({*found, *parts, *told}), texts, documents).items()
        if (name in parts or len(said_in) >= 2) and _stands_free(name, around)
    }
    return sorted(held, key=lambda name: (-held[name], name))[:MOST]


def _may_be_a_name(text: str) -> bool:
    """Whether it has Chinese in it, no word of grammar at its ends, and is no word that everybody knows."""
    if not _PIECES.fullmatch(text):
        return False
    pieces = _PIECE.findall(text)
    chinese = sum(piece >= "\u4e00" for piece in pieces)
    shortest = SHORTEST if chinese == len(pieces) else 2
    if not chinese or not shortest <= len(pieces) <= LONGEST:
        return False
    if not _NEVER.isdisjoint(pieces) or pieces[0] in _NO_END or pieces[-1] in _NO_END:
        return False
    counted = any(a.isdigit() and b in _MEASURES for a, b in itertools.pairwise(pieces))  # "15 天", "满 2 件"
    return not counted and text not in dictionary()[0]


def _number_at_an_end(text: str) -> bool:
    """Whether it ends in a number, or begins with one too short for a name: "618大促" is one, "2件装" is not."""
    pieces = _PIECE.findall(text)
    return bool(pieces[-1].isdigit() or (pieces[0].isdigit() and len(pieces[0]) < 3))


def _beginnings(titles: Iterable[str]) -> set[str]:
    """What two titles have in common from their start to where they differ; the longest for each title."""
    found = set[str]()
    for pair in itertools.pairwise(sorted(titles)):
        one, other = (_PIECE.findall(match.group()) if (match := _PIECES.match(title)) else [] for title in pair)
        same = itertools.takewhile(lambda both: both[0] == both[1], zip(one, other, strict=False))
        found.add("".join(piece for piece, _ in same))
    return found


def _places(
    names: Names, texts: Sequence[str], documents: Sequence[int]
) -> Mapping[str, tuple[set[int], list[tuple[str, str]]]]:
    """By name: the documents that say it, and what stands before and after it in up to ``WITNESSES`` of them."""
    held: dict[str, tuple[set[int], list[tuple[str, str]]]] = {}
    for text, document in zip(texts, documents, strict=True):
        for at, name in names.places(text):
            said_in, around = held.setdefault(name, (set(), []))
            if len(around) < WITNESSES and document not in said_in:
                end = at + len(name)
                around.append((text[max(0, at - _AROUND) : at], text[end : end + _AROUND]))
            said_in.add(document)
    return held


def _stands_free(name: str, around: Sequence[tuple[str, str]]) -> bool:
    """Whether the dictionary's words mostly end where it begins, and begin where it ends."""
    free = 0
    for before, after in around:
        ends = set(itertools.accumulate(map(len, plain_cut(before + name + after)), initial=0))
        free += {len(before), len(before) + len(name)} <= ends
    return 2 * free > len(around)
