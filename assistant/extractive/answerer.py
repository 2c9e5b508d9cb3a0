"""The reply when no model writes it: chosen words of the best supported passage, and honest about conflicts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from assistant.domain.knowledge import DocumentKind, Passage
from assistant.domain.reply import Citation
from assistant.extractive.conflict import Disagreement, dated, disagreement
from assistant.extractive.ranking import Reading, Scored, score_units, stands_later
from assistant.extractive.reading import Block, Unit, is_steps, opening_end, plain, read, section_labels
from assistant.extractive.relevance import coverage, terms
from assistant.extractive.rendering import Piece, one_row, render
from assistant.extractive.resolutions import is_general, opening
from assistant.ports import Embedder
from assistant.text import has_han

Locale = Literal["zh", "en"]

_READ = 6  # passages looked into
_SHORT = {"zh": 130, "en": 340}  # characters of a passage that is shown whole
_SENTENCES = 5  # of a short paragraph, which is shown whole
_EQUAL = 0.12  # scores this near are about equal support
_REVIEWED = 0.15  # what an article is ahead of a resolution
_OPENING = {"zh": 70, "en": 190}  # characters of an opening that is put before the rest
_WHOLE = {"zh": 260, "en": 560}  # characters of an opening that is shown whole, its table marks counted
_ROOM = {"zh": 190, "en": 520}  # characters that a second block may fill the reply to
_FOLLOWS = re.compile(
    r"^[*_ ]*(?:但|不过|除外|除非|仅限|注意|例外|不含|but\b|unless\b|except\b|however\b|only\b|note\b)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ExtractiveAnswer:
    """``support`` is 0–1: the passage's score, lowered where the chosen words hold little of what was asked for.

    ``text`` is light Markdown, empty when there is nothing to quote; ``conflict`` says that it shows two versions.
    """

    text: str
    citations: tuple[Citation, ...]
    support: float
    conflict: bool


class ExtractiveAnswerer:
    """Answers by quoting. Stateless; blocking for about as long as embedding a dozen sentences takes."""

    def answer(
        self, question: str, passages: Sequence[Passage], *, locale: Locale, embedder: Embedder, now: datetime
    ) -> ExtractiveAnswer:
        """The best supported passage's words on the question; passages past ``valid_until`` at ``now`` are not used."""
        usable = [p for p in passages if p.text.strip() and (p.valid_until is None or p.valid_until >= now)][:_READ]
        alone = len(usable) == 1 and _shown_whole(usable[0])  # then no vector could change a word
        reading = score_units(question, usable, None if alone else embedder)
        if not reading.units:
            return ExtractiveAnswer("", (), 0.0, False)
        best = _best(reading, usable, locale)
        found = disagreement(reading, best)
        if found is not None and not found.superseded:
            return _both(found, locale)
        best = found.first if found is not None else best
        if best.passage.kind is DocumentKind.RESOLUTION:
            return _from_resolution(reading, best, locale)
        pieces = _pieces(reading, best, question)
        text = "\n\n".join(piece.text for piece in pieces)
        text, citations = _in_language(text, best.passage, locale), _citations(pieces)
        if found is not None:
            text, citations = f"{text}\n\n{_newer(found, locale)}", (*citations, _cited(found.second))
        support = best.passage.score * (0.75 + 0.25 * min(1.0, max(best.coverage, best.kind)))
        return ExtractiveAnswer(text, citations, round(min(1.0, support), 4), False)


def _shown_whole(passage: Passage) -> bool:
    """Whether the reply is all of this passage, whichever of its units answers best."""
    if passage.kind is not DocumentKind.ARTICLE or len(passage.text) > _SHORT["zh" if has_han(passage.text) else "en"]:
        return False
    if passage.locale.startswith("zh") and len(passage.text) > _SHORT["zh"]:
        return False
    return all(block.kind == "paragraph" and len(block.units) <= _SENTENCES for block in read(passage.text))


def _best(reading: Reading, passages: Sequence[Passage], locale: Locale) -> Scored:
    """The best unit, reviewed words before an agent's; of an article's two languages the customer's, if about equal."""
    best = max(reading.units, key=lambda item: item.score + _REVIEWED * (item.passage.kind is DocumentKind.ARTICLE))
    if best.passage.kind is DocumentKind.RESOLUTION:
        reviewed = [
            item
            for item in reading.units
            if item.passage.kind is DocumentKind.ARTICLE
            and item.passage.score >= 0.85 * best.passage.score
            and item.score >= 0.4 * best.score
        ]
        best = max(reviewed, key=lambda item: item.score, default=best)
    if best.passage.locale.startswith(locale):
        return best
    family = _family(best.passage)
    twins = [
        item
        for item in reading.units
        if _family(item.passage) == family
        and item.passage.locale.startswith(locale)
        and item.passage.score >= best.passage.score - _EQUAL
    ]
    return max(twins, key=lambda item: item.score, default=best)


def _family(passage: Passage) -> str:
    """The article whatever its language: ``refund-time`` and ``refund-time-en`` are one."""
    return re.sub(r"-(?:en|zh)$", "", passage.document_id)


def _pieces(reading: Reading, best: Scored, question: str) -> list[Piece]:
    """The block of the best unit with what it cannot do without, and at most one more that adds to it."""
    passage = best.passage
    blocks = reading.blocks[passage.id]
    language: Locale = "zh" if passage.locale.startswith("zh") else "en"
    if len(passage.text) <= _SHORT[language]:
        return [render(reading, passage, index, question) for index in range(len(blocks))]
    chosen = {(passage.id, best.block): render(reading, passage, best.block, question)}
    held = terms(chosen[passage.id, best.block].text)
    others: dict[tuple[str, int], Scored] = {}
    for item in sorted(reading.units, key=lambda item: -item.score):
        if item.passage.document_id == passage.document_id and (item.passage.id, item.block) not in chosen:
            others.setdefault((item.passage.id, item.block), item)
    for index in _opening(reading, best, language, question):
        chosen[passage.id, index] = render(reading, passage, index, question)
        others.pop((passage.id, index), None)
    for (_, index), item in others.items():
        if stands_later(reading, item.passage, index):
            continue
        adds = coverage(reading.weight, held | terms(item.unit.text)) - coverage(reading.weight, held)
        lacks = bool(reading.asked) and best.kind < 1 <= item.kind
        if item.score >= 0.8 * best.score and (adds >= 0.12 or lacks):
            more = render(reading, item.passage, index, question)
            if sum(len(piece.text) for piece in (*chosen.values(), more)) <= _ROOM[language]:
                chosen[item.passage.id, index] = more
                break
    for key in list(chosen):
        page = chosen[key].passage
        for index in _companions(reading.blocks[page.id], key[1]):
            if (page.id, index) not in chosen:
                chosen[page.id, index] = _companion(reading, page, index, key[1], question)
    order = {p.id: n for n, p in enumerate(dict.fromkeys(item.passage for item in reading.units))}
    return [chosen[key] for key in sorted(chosen, key=lambda key: (order[key[0]], key[1]))]


def _opening(reading: Reading, best: Scored, language: Locale, question: str) -> list[int]:
    """Blocks of the article's opening, which gives its rule in short, that go with the block of the best unit.

    All of it where the best unit stands in it and says little alone; its first words where they are about the question
    too; nothing where a row was named or measured.
    """
    passage, blocks = best.passage, reading.blocks[best.passage.id]
    labels = section_labels(blocks)
    end = opening_end(blocks, labels)
    if passage.heading or not end or one_row(reading, passage, blocks[best.block], question):
        return []
    size = sum(block.end - block.start for block in blocks[:end])
    lists = any(block.kind != "paragraph" for block in blocks[1 : min(end, 2)])
    alone = blocks[best.block].kind == "paragraph" and best.own >= 0.5 and not (best.block == 0 and lists)
    if best.block < end and size <= (_WHOLE[language] if not alone else _ROOM[language]):
        return list(range(end))
    first = blocks[0]
    if best.block == 0 or first.kind != "paragraph" or first.leads_on or first.end - first.start > _OPENING[language]:
        return []
    about = max((item.score for item in reading.of_block(passage, 0)), default=0.0)
    return [0] if about >= 0.7 * best.score else []


def _companions(blocks: Sequence[Block], index: int) -> list[int]:
    """Blocks that this one leads on to, is led by, or is limited by."""
    found: list[int] = []
    if index and blocks[index - 1].leads_on and blocks[index - 1].section == blocks[index].section:
        found.append(index - 1)
    if index + 1 < len(blocks):
        follower = blocks[index + 1]
        limits = follower.kind == "paragraph" and bool(_FOLLOWS.match(follower.units[0].text))
        if follower.section == blocks[index].section and (blocks[index].leads_on or limits):
            found.append(index + 1)
    return found


def _companion(reading: Reading, passage: Passage, index: int, of: int, question: str) -> Piece:
    """Of a lead-in its last line; of all else what ``render`` shows."""
    block = reading.blocks[passage.id][index]
    if index > of or (block.kind == "list" and len(block.units) <= 3) or is_steps(block):
        return render(reading, passage, index, question)
    last = block.units[-1]
    return Piece(passage, index, last.text, ((last.start, last.end),))


def _from_resolution(reading: Reading, best: Scored, locale: Locale) -> ExtractiveAnswer:
    """What an agent told someone else: the rules of it, or that such a case was handled so; never as done now."""
    passage = best.passage
    zh = locale == "zh"
    near = [item for item in reading.units if item.passage.id == passage.id and item.score >= 0.7 * best.score]
    near = sorted(sorted(near, key=lambda item: -item.score)[:4], key=lambda item: item.unit.start)
    told = [_without_greeting(passage, item.unit) for item in near]
    told = [span for span in told if span[1] > span[0]]
    said = "\n".join(plain(passage.text[a:b]) for a, b in told)
    general = is_general(best.unit.text)
    if general:
        lead = "此前客服对类似问题的答复：" if zh else "Our agents have answered a similar question:"
    else:
        lead = (
            "类似情况此前这样处理过（您的情况尚未处理）："
            if zh
            else "Such cases were handled as follows (yours has not been yet):"
        )
    citations = tuple(_citation(passage, a, b) for a, b in told)
    support = best.passage.score * (0.75 + 0.25 * min(1.0, max(best.coverage, best.kind))) * (1.0 if general else 0.5)
    return ExtractiveAnswer(_in_language(f"{lead}\n\n{said}", passage, locale), citations, round(support, 4), False)


def _without_greeting(passage: Passage, unit: Unit) -> tuple[int, int]:
    return unit.start + opening(passage.text[unit.start : unit.end]), unit.end


def _both(found: Disagreement, locale: Locale) -> ExtractiveAnswer:
    """Two versions side by side, the newer reviewed article first."""
    zh = locale == "zh"
    pair = (found.first, found.second)
    lines = [f"- {_named(item, locale)}{'：' if zh else ': '}{_said(item, locale)}" for item in pair]
    lead = "这一点上资料的说法不一致：" if zh else "Our sources do not agree on this:"
    close = (
        "哪一个为准我无法判断；需要人工确认，请回复“转人工”。"
        if zh
        else "I cannot tell which one holds; reply “agent” to have a person confirm it."
    )
    support = min(item.passage.score for item in pair)
    citations = tuple(_cited(item) for item in pair)
    return ExtractiveAnswer("\n".join([lead, "", *lines, "", close]), citations, round(support, 4), True)


def _newer(found: Disagreement, locale: Locale) -> str:
    """That the newer version holds, with both named and what the older one says."""
    newer, older = (_named(item, locale) for item in (found.first, found.second))
    if locale == "zh":
        return f"以较新的{newer}为准；较早的{older}写的是：{_said(found.second, locale)}"
    return f"This is from the newer {newer}; the older {older} says: {_said(found.second, locale)}"


def _named(item: Scored, locale: Locale) -> str:
    """Title and date of the source."""
    zh = locale == "zh"
    name = f"《{item.passage.title}》" if zh else f"“{item.passage.title}”"
    if item.passage.kind is DocumentKind.RESOLUTION:
        name = "客服此前的答复" if zh else "An earlier reply by our agents"
    date = dated(item.passage, locale)
    return name if not date else f"{name}（{date}）" if zh else f"{name} ({date})"


def _said(item: Scored, locale: Locale) -> str:
    text = item.unit.text
    return text if "|" not in text else text.strip("| ").replace("|", "，" if locale == "zh" else ",")


def _cited(item: Scored) -> Citation:
    return _citation(item.passage, item.unit.start, item.unit.end)


def _in_language(text: str, passage: Passage, locale: Locale) -> str:
    if not text or passage.locale.startswith(locale):
        return text
    lead = "以下内容为英文原文：" if locale == "zh" else "This is only available in Chinese:"
    return f"{lead}\n\n{text}"


def _citations(pieces: Sequence[Piece]) -> tuple[Citation, ...]:
    return tuple(_citation(piece.passage, a, b) for piece in pieces for a, b in piece.quotes)


def _citation(passage: Passage, start: int, end: int) -> Citation:
    return Citation(
        passage_id=passage.id,
        title=passage.title,
        quote=passage.text[start:end].strip(),
        article_id=passage.article_id,
        conversation_id=passage.conversation_id,
    )
