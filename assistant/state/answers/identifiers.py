"""Ids in a question, of any shape, and whose they are."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from assistant.domain.state import Entity, UserState

_KNOWN = ("sq", "pay", "sf", "yt", "jd", "rf", "cp", "tk", "wr", "sub", "ord", "ems", "zto", "sto")
_PREFIXED = re.compile(r"(?<![a-z0-9])#?([a-z]{1,4})[ \-]?(\d{4,20})(?![a-z0-9])")
_HASHED = re.compile(r"#\s?([a-z]{0,4}\d{3,20})(?![a-z0-9])")
_DIGITS = re.compile(r"(?<![a-z0-9.#])(\d{6,20})(?![a-z0-9.])(?!\s*(?:元|块|rmb|cny|usd))")
_NEAR = re.compile(
    r"订单|单号|运单|快递|物流|包裹|付款单|退款单|尾号|发货|到哪|签收|\border|\btracking|\btrack\b|\bparcel|\bpackage|\brefund|"
    r"\bship"
)
_SPELLED = re.compile(r"(?<![a-z0-9])(?:[a-z0-9] ){5,}[a-z0-9](?![a-z0-9])")
_SEPARATED = re.compile(rf"(?<![a-z0-9])({'|'.join(_KNOWN)})[\s\-_.:#]{{0,3}}((?:\d[ \-_.]?){{4,20}})(?![a-z0-9])")
_GROUPS = re.compile(r"(?<![0-9a-z.])(\d{4})[ \-](\d{4})(?![0-9a-z.])")
_PHONE = re.compile(r"(手机|电话|号码是|取件码|验证码|邮编|身份证|卡号|银行卡|phone|mobile|call|tel)[^\d]{0,8}$")
_TAIL = re.compile(r"(?:尾号|末尾|后四位|最后四位|ending(?: in| with)?)\D{0,4}(\d{3,6})(?!\d)")
_WINDOW = 16


@dataclass(frozen=True, slots=True)
class Mentions:
    """Ids found in a text: the user's own entities, ids that this account does not show, and the text without any."""

    own: tuple[Entity, ...]
    foreign: tuple[str, ...]
    rest: str


def plain(raw: str) -> str:
    """An id as it is compared: letters and digits only, lower case."""
    return "".join(c for c in unicodedata.normalize("NFKC", raw).casefold() if c.isalnum())


def find_ids(text: str, state: UserState | None) -> Mentions:
    """Every id in the text. A bare number counts next to a word for orders, or when it is one of the user's ids."""
    lowered = _joined(unicodedata.normalize("NFKC", text).casefold())
    known = _index(state) if state else {}
    prefixes = {*_KNOWN, *(re.match(r"[a-z]*", key).group() for key in known)} - {""}  # type: ignore[union-attr]
    own: list[Entity] = []
    foreign: list[str] = []
    rest = lowered

    def take(raw: str, sure: bool) -> None:
        nonlocal rest
        entities = known.get(plain(raw), [])
        if not entities and not sure:
            return
        rest = rest.replace(raw, " ")
        own.extend(e for e in entities if e not in own)
        if not entities and plain(raw) not in map(plain, foreign):
            foreign.append(raw.strip().upper())

    for match in _HASHED.finditer(lowered):
        take(match.group(), True)
    for match in _PREFIXED.finditer(rest):
        prefix, digits = match.groups()
        joined = match.group().lstrip("#") == prefix + digits  # "mine is 6225…" holds no id
        take(match.group(), prefix in prefixes or (len(prefix) > 1 and joined and len(digits) >= 8))
    for match in _DIGITS.finditer(rest):
        before, after = rest[max(0, match.start() - _WINDOW) : match.start()], rest[match.end() : match.end() + _WINDOW]
        if _PHONE.search(before):
            continue
        named = _NEAR.search(before) or (_NEAR.search(after) and len(match.group()) >= 8)
        take(match.group(1), bool(named) and len(match.group()) <= 20)
    tail = _TAIL.search(rest)
    if tail and state:
        ending = [e for key, entities in known.items() if key.endswith(tail[1]) for e in entities]
        own.extend(e for e in ending if e not in own)
        if not ending and _NEAR.search(rest) and not _PHONE.search(rest[: tail.start()]):
            foreign.append(tail[1])
    return Mentions(tuple(own), tuple(foreign), rest)


def _joined(text: str) -> str:
    """Ids as people space them out ("SQ 2103-0418", "s q 2 1 0 3") in one piece; what cannot be seen is dropped."""
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    text = _SPELLED.sub(lambda m: m.group().replace(" ", ""), text)
    text = _SEPARATED.sub(lambda m: f"{m[1]}{re.sub(r'[^0-9]', '', m[2])} ", text)
    return _GROUPS.sub(r"\1\2", text)


def _index(state: UserState) -> dict[str, list[Entity]]:
    """Id → entities: their own ids and tracking numbers, ids without their letters, and orders known by reference."""
    index: dict[str, list[Entity]] = {}

    def add(raw: str, entity: Entity) -> None:
        key = plain(raw)
        if key and entity not in index.setdefault(key, []):
            index[key].append(entity)

    for entity in state.entities:
        add(entity.id, entity)
        add(entity.attribute("tracking_no"), entity)
    for entity in state.entities:
        reference = entity.attribute("order_id")
        if reference and plain(reference) not in index:
            add(reference, entity)
        digits = re.sub(r"\D", "", entity.id)
        if len(digits) >= 6 and digits not in index:
            add(digits, entity)
    return index
