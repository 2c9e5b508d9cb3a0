"""A passage as blocks (paragraph, list, table) of units (sentence, item, row), each with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

BlockKind = Literal["paragraph", "list", "table"]

_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$")
_RULE = re.compile(r" {0,3}(?:-{3,}|\*{3,}|_{3,})[ \t]*$")
_DELIMITER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_ITEM = re.compile(
    r"(?P<indent>[ \t]*)(?P<mark>[-*+•·][ \t]+|[（(]?\d{1,3}[.)、）．](?!\d)[ \t]*"
    r"|[（(]?[一二三四五六七八九十]{1,3}[、)）][ \t]*"
    r"|[①-⑳][ \t]*|第[一二三四五六七八九十\d]+步[:：、 ]*|[Ss]tep \d+[.:]?[ \t]*)"
)
_END = re.compile(r"[。！？!?…]+[”’」』）)\"'*]*|\.[\"')*]*(?=\s+[A-Z0-9\"'(*“]|\s*$)")
_LEAD = re.compile(r"[:：][*_ ]*$|^\*\*[^*]+\*\*$")
_LABEL = re.compile(r"\*\*([^*]{1,30})\*\*")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"<[^<>]{1,80}>")
_STEP = re.compile(
    r"^[*_ “「]*(?:点|打开|进入|按|长按|选|填|拔|插|断电|通电|取下|倒|装|放|拆|擦|洗|上传|提交"
    r"|关|开机|重新|等|把|用|确认|将|滑|扫|拧|加|连|先|再|机器|容器|提示|水箱"
    r"|open|tap|press|hold|choose|select|fill|pull|plug|unplug|empty|switch|rinse"
    r"|wait|go|let|put|turn|dissolve|when|flush|remove|take|click|enter|upload|add|wipe|connect|pick)",
    re.IGNORECASE,
)
_STEPS_SECTION = re.compile(
    r"步骤|流程|操作|怎么|如何|方法|申请|自己|清洗|step|how to|before packing|do it yourself|claim", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest thing quoted. ``start`` and ``end`` are offsets in the passage's text; ``text`` has no list mark."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """Units that belong together. ``header`` is a table's header row.

    ``leads_on`` says that the next block completes it.
    """

    kind: BlockKind
    units: tuple[Unit, ...]
    start: int
    end: int
    section: str = ""
    ordered: bool = False
    header: str = ""
    leads_on: bool = False


def read(text: str) -> list[Block]:
    """The passage's blocks in order; headings become ``section`` of the blocks below them."""
    lines = [(match.start(), match.group()) for match in re.finditer(r"[^\n]+", text)]
    blocks: list[Block] = []
    section = ""
    index = 0
    while index < len(lines):
        start, line = lines[index]
        heading = _HEADING.match(line)
        if heading:
            section = plain(heading[1])
            index += 1
        elif not line.strip() or _RULE.match(line):
            index += 1
        elif "|" in line and index + 1 < len(lines) and _is_delimiter(lines[index + 1][1]):
            end = index + 2
            while end < len(lines) and "|" in lines[end][1] and _adjacent(text, lines, end):
                end += 1
            rows = tuple(_unit(text, at, at + len(row)) for at, row in lines[index + 2 : end])
            if rows:
                blocks.append(Block("table", rows, start, rows[-1].end, section, header=line))
            index = end
        elif _ITEM.match(line):
            index = _read_list(text, lines, index, section, blocks)
        else:
            end = index + 1
            while end < len(lines) and _adjacent(text, lines, end) and not _begins(lines, end):
                end += 1
            units = tuple(unit for at, row in lines[index:end] for unit in _sentences(text, at, at + len(row)))
            if units:
                last = text[units[-1].start : units[-1].end]
                blocks.append(Block("paragraph", units, units[0].start, units[-1].end, section, leads_on=_leads(last)))
            index = end
    return blocks


def is_steps(block: Block) -> bool:
    """Whether a list is a procedure, of which no step may be left out."""
    if block.kind != "list" or not block.ordered or len(block.units) < 2:
        return False
    verbs = sum(bool(_STEP.match(unit.text)) for unit in block.units)
    return verbs >= 0.5 * len(block.units) or (bool(_STEPS_SECTION.search(block.section)) and verbs > 0)


def label_of(block: Block) -> str:
    """The bold words that a block begins with, or nothing."""
    found = _LABEL.match(block.units[0].text)
    return found[1] if found and block.kind == "paragraph" else ""


def section_labels(blocks: Sequence[Block]) -> list[str | None]:
    """For each block the heading or bold label that it stands under; None where it stands under neither."""
    labels: list[str | None] = []
    for index, block in enumerate(blocks):
        own = label_of(block)
        led = index > 0 and blocks[index - 1].leads_on and blocks[index - 1].section == block.section
        if own:
            labels.append(f"{block.section} {own}".strip())
        elif led:
            labels.append(labels[-1])
        else:
            labels.append(block.section or None)
    return labels


def opening_end(blocks: Sequence[Block], labels: Sequence[str | None]) -> int:
    """How many blocks open the text: those before its first heading or label.

    Where it has neither, the first block with the tables and lists that follow it at once.
    """
    for index, label in enumerate(labels):
        if label is not None:
            return index
    end = min(1, len(blocks))
    while 0 < end < len(blocks) and (blocks[end - 1].leads_on or blocks[end].kind != "paragraph"):
        end += 1
    return end


def plain(text: str) -> str:
    """Light Markdown: links as their words, HTML tags gone, emphasis kept only where it closes."""
    cleaned = _TAG.sub("", _LINK.sub(r"\1", text)).replace("`", "")
    if cleaned.count("**") % 2:
        cleaned = cleaned.replace("**", "")
    return " ".join(cleaned.split())


def cells(row: str) -> list[str]:
    """The cells of a table row."""
    return [plain(cell.strip().replace("\\|", "|")) for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def _read_list(text: str, lines: list[tuple[int, str]], index: int, section: str, blocks: list[Block]) -> int:
    first = _ITEM.match(lines[index][1])
    depth = len(first["indent"]) if first else 0
    ordered = bool(first) and lines[index][1].lstrip()[0] not in "-*+•·"
    spans: list[list[int]] = []
    while index < len(lines):
        at, line = lines[index]
        item = _ITEM.match(line)
        if item and len(item["indent"]) <= depth:
            if spans and (line.lstrip()[0] not in "-*+•·") != ordered:
                break
            spans.append([at, at + len(line)])
        elif _HEADING.match(line) or (not item and not _continues(text, lines, index)):
            break
        elif spans:
            spans[-1][1] = at + len(line)
        index += 1
    units = tuple(_unit(text, left, right) for left, right in spans)
    last = text[units[-1].start : units[-1].end]
    blocks.append(Block("list", units, units[0].start, units[-1].end, section, ordered, leads_on=_leads(last)))
    return index


def _continues(text: str, lines: list[tuple[int, str]], index: int) -> bool:
    line = lines[index][1]
    if "|" in line and index + 1 < len(lines) and _is_delimiter(lines[index + 1][1]):
        return False
    return line.startswith(("  ", "\t")) or (_adjacent(text, lines, index) and not _LEAD.search(line.strip()))


def _begins(lines: list[tuple[int, str]], index: int) -> bool:
    line = lines[index][1]
    table = "|" in line and index + 1 < len(lines) and _is_delimiter(lines[index + 1][1])
    return bool(_HEADING.match(line) or _ITEM.match(line) or _RULE.match(line) or table)


def _is_delimiter(line: str) -> bool:
    return "-" in line and "|" in line and bool(_DELIMITER.match(line))


def _adjacent(text: str, lines: list[tuple[int, str]], index: int) -> bool:
    """Whether no blank line stands before this one."""
    previous, line = lines[index - 1]
    return text[previous + len(line) : lines[index][0]].count("\n") <= 1


def _leads(sentence: str) -> bool:
    return bool(_LEAD.search(sentence.strip()))


def _unit(text: str, start: int, end: int) -> Unit:
    raw = text[start:end]
    mark = _ITEM.match(raw)
    return Unit(start, end, plain(raw[mark.end() :] if mark else raw))


def _sentences(text: str, start: int, end: int) -> list[Unit]:
    out: list[Unit] = []
    left = start
    for match in _END.finditer(text, start, end):
        if text[left : match.end()].count("**") % 2 and match.end() < end:
            continue  # do not cut inside bold words
        if match.end() - left < 10 and match.end() < end and text[left : match.end()].strip().startswith("**"):
            continue  # a bold label belongs to what it labels
        out.append(_unit_of_sentence(text, left, match.end()))
        left = match.end()
    if text[left:end].strip():
        out.append(_unit_of_sentence(text, left, end))
    return [unit for unit in out if unit.text.strip("*_ ")]


def _unit_of_sentence(text: str, start: int, end: int) -> Unit:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Unit(start, end, plain(text[start:end]))
