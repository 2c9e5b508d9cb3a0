"""Finds a task's parameters in what the customer wrote: addresses, titles, tax numbers, and which of their things."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.domain.conversation import Turn
from assistant.domain.state import Entity, UserState
from assistant.domain.task import Parameter
from assistant.state.answers.choosing import ORDINALS, chosen_from_list, meant_before, order_of
from assistant.state.answers.goods import named_by_product
from assistant.state.answers.identifiers import find_ids, plain
from assistant.state.answers.normalise import normalise


@dataclass(frozen=True, slots=True)
class Pointed:
    """What a text says of an entity parameter: the things it points at, and ids that this account does not show."""

    entities: tuple[Entity, ...] = ()
    foreign: tuple[str, ...] = ()


def pointed_at(text: str, candidates: Sequence[Entity], state: UserState, history: Sequence[Turn]) -> Pointed:
    """Which of the candidates the text means: by id, from the list just shown, by product, or as "it"."""
    mentions = find_ids(text, state)
    if mentions.own or mentions.foreign:
        return Pointed(_among(mentions.own, candidates, state), mentions.foreign if not mentions.own else ())
    said = normalise(mentions.rest)
    picked = chosen_from_list(said, history, state)
    if picked:
        return Pointed(_among(picked, candidates, state))
    named = named_by_product(said, candidates, state)
    if named:
        return Pointed(named)
    return Pointed(_among(meant_before(said, history, state), candidates, state))


def _among(found: Sequence[Entity], candidates: Sequence[Entity], state: UserState) -> tuple[Entity, ...]:
    """The candidates that are these things, or the orders these things belong to."""
    wanted = {(e.kind, e.id) for e in found}
    wanted |= {(o.kind, o.id) for e in found if (o := order_of(e, state)) is not None}
    return tuple(c for c in candidates if (c.kind, c.id) in wanted)


_LISTED = re.compile(r"^\s*(\d+)\. (.+) \(([^()]+)\)\s*$", re.MULTILINE)
_ORDINAL = re.compile(
    r"第\s*([一二两三四五\d])|^(?:no\.?|number|option|#)?\s*(\d)[.。号]?$|\b(first|second|third|fourth|fifth)\b|\b(\d)(?:st|nd|rd|th)\b"
)
_FILLER = re.compile(
    r"满|减|元|块|券|的|优惠|领|要|张|我|帮|那|\b(?:the|a|an|off|yuan|coupon|voucher|claim|get|me|please|one|for|items?)\b"
)


def pointed_option(text: str, options: Sequence[tuple[str, str]], history: Sequence[Turn]) -> str | None:
    """The id of the option (id, title) that the text means: by its id, its place in the list just shown, its figures
    or words of its title; None where it means none or several.
    """
    said = normalise(text)
    known = {key for key, _ in options}
    for key, _ in options:
        if re.search(rf"(?<![a-z0-9]){re.escape(key.casefold())}(?![a-z0-9])", said):
            return key
    last = next((turn for turn in reversed(history) if turn.role == "assistant"), None)
    listed = {int(n): key for n, _, key in _LISTED.findall(last.text)} if last is not None else {}
    ordinal = _ORDINAL.search(said)
    if ordinal and listed:
        raw = next(group for group in ordinal.groups() if group)
        key = listed.get(ORDINALS.get(raw) or (int(raw) if raw.isdigit() else 0), "")
        return key if key in known else None
    rest = _FILLER.sub(" ", said)
    scores = {key: _likeness(said, rest, normalise(title)) for key, title in options}
    best = max(scores.values(), default=0)
    winners = [key for key, score in scores.items() if score == best]
    if best > 0 and len(winners) == 1:
        return winners[0]
    return options[0][0] if len(options) == 1 else None


def _likeness(said: str, rest: str, title: str) -> int:
    """Shared figures count double; then shared words, and shared pairs of Chinese characters."""
    figures = set(re.findall(r"\d+", said)) & set(re.findall(r"\d+", title))
    told = _FILLER.sub(" ", title)
    words = set(re.findall(r"[a-z]{3,}", rest)) & set(re.findall(r"[a-z]{3,}", told))
    pairs = {told[i : i + 2] for i in range(len(told) - 1) if re.fullmatch(r"[\u4e00-\u9fff]{2}", told[i : i + 2])}
    return 2 * len(figures) + len(words) + sum(pair in rest for pair in pairs)


def text_value(parameter: Parameter, text: str, *, asked: bool) -> str | None:
    """The value of a parameter that is text, or None. ``asked``: the customer was just asked for this one."""
    return _FINDERS[parameter.source](_clean(text), asked)


def same_value(a: str, b: str) -> bool:
    """Whether both say the same, apart from width, case and spaces."""
    return _squeezed(a) == _squeezed(b)


def said_by_customer(value: str, said: Sequence[str]) -> bool:
    """Whether the customer wrote this value: what a model proposes must not be its own invention."""
    return bool(value.strip()) and _squeezed(value) in _squeezed(" ".join(said))


def _squeezed(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def _clean(text: str) -> str:
    """As written, in one line, without what cannot be seen; full-width digits and letters as plain ones."""
    kept = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc") or c in "\n\t")
    wide = {c: unicodedata.normalize("NFKC", c) for c in kept if "\uff10" <= c <= "\uff5a" and c.isalnum()}
    return " ".join("".join(wide.get(c, c) for c in kept).split())


# -- addresses --
_PLACE = r"省|市|自治区|特别行政区|区|县|镇|乡|街道|街|路|道|巷|弄|胡同|村|小区|花园|苑|大厦|广场|公寓|园区|栋|幢|座|单元|楼|室|号|國|縣|鎮|鄉|區|號|樓|棟"
_ZH_PLACE = re.compile(rf"[\u4e00-\u9fff\d](?:{_PLACE})")
_ZH_FROM = re.compile(
    r"(?:新?的?(?:收货|收件|收貨)?(?:地址|位置)(?:应该|應該)?(?:改|换|換|更改|修改|变更|变|寫|写)?(?:成|为|為|到|是)|(?:改|换|換|寄|送|发|發|转|轉|配送|邮|郵)(?:成|到|去|至|往|为|為|给)|应该是|應該是|新?(?:收货|收件)?地址[:：是]?|(?:是|：|:))\s*[:：,，]?\s*"
)
_ZH_TAIL = re.compile(
    r"(?:[,，。.!！;；~\s]*(?:谢谢|谢啦|多谢|謝謝|可以吗|行吗|好吗|可以吧|麻烦了?|拜托了?|辛苦了?|吧|呢|啊|哈|呀|了|[?？]|这个地址|就行|即可))+$"
)
_EN_PLACE = re.compile(
    r"\b\d+[a-z]?(?:[-/]\d+)?[, ]+(?:[\w'.-]+ ){0,5}?(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|way|boulevard|blvd|square|court|ct|place|plaza|block|building|tower|floor|terrace|close|row|park|house)\b"
    r"|\b(?:street|road|avenue|lane|drive|boulevard|building|tower|block|room|flat|unit|suite|apartment|apt|no)\.? ?#?\d+"
    r"|\b\d+ [\w'. -]{2,40}, ?[\w'. -]{2,30}",
    re.IGNORECASE,
)
_EN_FROM = re.compile(
    r"(?:\b(?:address)\b[^:]{0,25}?\b(?:to|is|should be|be|now)\b:?|\b(?:change|update|switch|correct|send|ship|deliver|redirect|reroute)\w*\b.{0,60}?\bto\b:?|\b(?:it should be|should be|new address)\b:?|\bto\b:?|:)\s*",
    re.IGNORECASE,
)
_EN_TAIL = re.compile(
    r"(?:[,.;!?\s]*\b(?:please|pls|thanks|thank you|instead|if possible|ok|okay|asap|if you can|cheers)\b)+[.!?\s]*$|[.!?\s]+$",
    re.IGNORECASE,
)


def _address(text: str, asked: bool) -> str | None:
    if re.search(r"[\u4e00-\u9fff]", text):
        value = _zh_address(text, asked)
        return value if value else None
    start = next(
        (m.end() for m in _EN_FROM.finditer(text) if _EN_PLACE.search(text[m.end() :])), None if not asked else 0
    )
    if start is None:
        return None
    value = _EN_TAIL.sub("", text[start:]).strip(" ,;")
    value = re.sub(
        r"^(?:my |the |a )?(?:new )?(?:address|place|home|office|work)?[ ,:]*(?:is|at)?[ :]*(?=\d|\w+ \d|room|flat|unit)",
        "",
        value,
        flags=re.IGNORECASE,
    ).strip()
    enough = _EN_PLACE.search(value) is not None and 6 <= len(value) <= 200
    return value if enough else None


def _zh_address(text: str, asked: bool) -> str | None:
    best = ""
    starts = [m.end() for m in _ZH_FROM.finditer(text)] + ([0] if asked or _is_bare_address(text) else [])
    for start in sorted(set(starts)):
        rest = text[start:]
        cut = re.split(r"[。!！;；?？\n]", rest, maxsplit=1)[0]
        value = _ZH_TAIL.sub("", cut).strip(" ,，:：")
        if len(_ZH_PLACE.findall(value)) >= 2 or (len(_ZH_PLACE.findall(value)) >= 1 and re.search(r"\d", value)):
            value = re.sub(
                r"^(?:地址(?:是)?|新地址(?:是)?|我(?:的|现在)?(?:新)?(?:地址|住址|家)?(?:在|是)|这里|这个|寄到|送到|改成|改到|换成|是|在|到)[:：,，\s]*",
                "",
                value,
            )
            if 6 <= len(value) <= 200:
                best = value if not best or (len(value) < len(best) and _ZH_FROM.search(best)) else best
    return best or None


def _is_bare_address(text: str) -> bool:
    """Nothing but an address: starts with a place name and has several of its parts."""
    return (
        len(_ZH_PLACE.findall(text)) >= 3
        and re.match(r"[\u4e00-\u9fff]{2,8}?(?:省|市|自治区|区|县|區|縣)", text) is not None
    )


# -- invoices --
_ORGANISATION = r"(?:有限责任公司|股份有限公司|有限公司|公司|集团|中心|学校|大学|学院|医院|事务所|工作室|合作社|协会|研究院|研究所|委员会|局|厂|店|商行|經營部|经营部|幼儿园|基金会)"
_ZH_ORG = re.compile(
    rf"(?:抬头|单位|公司|名称|开给|写|开|为|是|叫|成|[:：,，\s]|^)\s*[:：是写为叫]?\s*([\u4e00-\u9fffA-Za-z0-9（）()·&\-]{{2,40}}?{_ORGANISATION}(?:[（(][\u4e00-\u9fff]{{2,8}}[)）])?(?:[\u4e00-\u9fff]{{2,8}}分公司)?)"
)
_PERSONAL = re.compile(r"个人|個人|私人|\b(?:personal|individual|private|myself|my own name|my name)\b", re.IGNORECASE)
_ZH_TITLED = re.compile(
    r"抬头(?:名称)?\s*(?:是|为|写|填|开|:|：|改成)?\s*[:：]?\s*([\u4e00-\u9fffA-Za-z][\u4e00-\u9fffA-Za-z0-9（）()·& .\-]{1,60}?)(?=[,，。;；\s]|税号|邮箱|发到|$)"
)
_EN_ORG = re.compile(
    r"((?:[A-Z][\w&.'-]*[ ,]+){0,7}(?:Ltd|Limited|LLC|Inc|Corp|Corporation|Company|Co|GmbH|PLC|University|School|Hospital|Studio|Group)\b\.?(?:,? ?(?:Ltd|Limited|Inc|LLC)\b\.?)?)"
)
_EN_TITLED = re.compile(
    r"\b(?:made out to|title(?: is|:)?|to the company|company name(?: is|:)?|company is|in the name of|billed to)[: ]+([A-Z][\w&.,' -]{2,60}?)(?=[,;.]? (?:tax|vat|e-?mail|and|please|our|the)\b|[.;]|$)",
    re.IGNORECASE,
)
_TAX = re.compile(r"(?<![0-9A-Za-z])([0-9A-Za-z]{15,20})(?![0-9A-Za-z])")
_GROUPED = re.compile(r"(?<![0-9A-Za-z])(?:(?=[0-9A-Za-z]*\d)[0-9A-Za-z]{2,6}[ -]){2,}[0-9A-Za-z]{1,6}(?![0-9A-Za-z])")
_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+")
_GENERIC = re.compile(
    r"^(?:给)?(?:我们?|本|你们?|贵|这个?|一个|公司抬头|抬头是?|开给|给|the|our|my|a)?(?:的)?(?:公司|单位|店|中心|学校|医院|company)$",
    re.IGNORECASE,
)


def _invoice_title(text: str, asked: bool) -> str | None:
    without = _EMAIL.sub(" ", _TAX.sub(" ", text))
    for pattern in (_ZH_ORG, _EN_TITLED, _EN_ORG):
        for match in pattern.finditer(without):
            value = match[1].strip(" ,，:：")
            value = (
                re.sub(
                    r"^(?:.*?(?:抬头|开给|公司名称?|名称|单位)\s*(?:是|为|写|填|叫|开|:|：)*\s*)(?=[\u4e00-\u9fffA-Za-z]{2})",
                    "",
                    value,
                )
                if not _GENERIC.match(value)
                else value
            )
            value = re.sub(
                r"^(?:帮我|给我|麻烦|请|我要|我们?的?是?|开票|开|一张|张|写|就写|是|为)+(?=[\u4e00-\u9fff]{4})",
                "",
                value,
            )
            if not _GENERIC.match(value) and len(value) >= 4:
                return value
    if _PERSONAL.search(without):
        return "个人" if re.search(r"[\u4e00-\u9fff]", text) else "Personal"
    titled = _ZH_TITLED.search(without)
    if titled and not _GENERIC.match(titled[1]) and not re.search(r"公司|个人|什么|怎么|错|吗", titled[1]):
        return titled[1].strip()
    return None


def _tax_number(text: str, asked: bool) -> str | None:
    # people group long numbers; only what was just asked for is joined, lest two numbers become one
    joined = " ".join(re.sub(r"[ -]", "", m.group()) for m in _GROUPED.finditer(text)) if asked else ""
    for match in (*_TAX.finditer(text), *_TAX.finditer(joined)):
        value = match[1].upper()
        if sum(c.isdigit() for c in value) >= 8 and not re.match(r"(?:SF|YT|JD|EMS|ZTO|STO)\d", value):
            return value
    return None


def _email(text: str, asked: bool) -> str | None:
    found = _EMAIL.search(text)
    return found.group() if found else None


def _text(text: str, asked: bool) -> str | None:
    return text.strip() or None if asked else None


_FINDERS: dict[str, Callable[[str, bool], str | None]] = {
    "address": _address,
    "invoice_title": _invoice_title,
    "tax_number": _tax_number,
    "email": _email,
    "text": _text,
}


def is_same_id(a: str, b: str) -> bool:
    """Whether both are the same id as ids are compared."""
    return plain(a) == plain(b)
