"""Figures in a reply, in one form for both languages: amounts, dates, times, durations, shares, sizes, ids, names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from assistant.text import fold

_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_UP_TO_TWELVE = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
_WORDS = {
    **{w: n for n, w in enumerate(_UP_TO_TWELVE)},
    **{"fifteen": 15, "twenty": 20, "twenty-four": 24, "thirty": 30, "forty-eight": 48, "seventy-two": 72},
    **{"a": 1, "an": 1, "half a": 0.5},
}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

_NUMBER = r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_HAN_NUMBER = r"[零〇一二两三四五六七八九十百]+|半"
_WORD_NUMBER = "|".join(sorted((w for w in _WORDS if w not in ("a", "an")), key=len, reverse=True)) + "|a|an"
_ANY = rf"(?:{_NUMBER}|{_HAN_NUMBER}|\b(?:{_WORD_NUMBER})\b)"
_TO = r"\s*(?:-|–|—|~|～|到|至|或|、|\bto\b|\bor\b)\s*"
_UNIT_HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0, "day": 24.0, "week": 168.0}
_UNITS = {
    "second": r"秒钟?|seconds?\b|secs?\b",
    "minute": r"分钟|minutes?\b|mins?\b",
    "hour": r"个?小时|个?钟头|hours?\b|hrs?\b|h\b",
    "day": r"个?工作日|天|(?:个)?自然日|(?:working|business|calendar|natural)?[\s-]*days?\b|working[\s-]+days?\b",
    "week": r"个?星期|个?礼拜|周(?![一二三四五六日末年])|weeks?\b",
    "month": r"个月|months?\b",
    "year": r"年(?!\d|货|会)|years?\b|yrs?\b",
}
_MEASURES = r"m2|mm|cm|m|kg|g|l|ml|db|w|v|ghz|hz|℃|°c|bar|平米|平方米|平|升|毫升|厘米|毫米|米|公斤|克|伏|度|码|寸|片|期"
_SAME_MEASURE = {"平米": "m2", "平方米": "m2", "平": "m2", "升": "l", "毫升": "ml", "厘米": "cm"}
_SAME_MEASURE |= {"毫米": "mm", "米": "m", "公斤": "kg", "克": "g", "伏": "v", "度": "℃", "°c": "℃"}
_COUNTERS = r"件|次|张|台|双|床|套|份|盒|袋|单|条|包|杯|pieces?\b|items?\b|times\b|pairs?\b"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. ``kind`` says what may be compared with what; ``value`` is its normal form."""

    kind: str
    value: str


@lru_cache(maxsize=50_000)
def figures(text: str) -> frozenset[Figure]:
    """Every figure of the text; a range gives both its ends.

    Durations up to weeks are in hours and longer ones in months, so that 48 小时, 两天 and "2 days" are one; a working
    day counts as a day. Amounts drop currency and trailing zeros. A number without a unit has the kind ``number``.
    """
    found: set[Figure] = set()
    rest = fold(text)
    for pattern, read in _READERS:
        pieces = []
        last = 0
        for match in pattern.finditer(rest):
            made = read(match)
            if made:
                found.update(made)
                pieces.append(rest[last : match.start()] + " ¦ ")
                last = match.end()
        rest = "".join(pieces) + rest[last:]
    return frozenset(found)


def agree(a: Figure, b: Figure) -> bool:
    """Whether two figures say the same; a bare number agrees with an equal amount, count or measure."""
    if a.value != b.value:
        return False
    return a.kind == b.kind or ("number" in (a.kind, b.kind) and not {a.kind, b.kind} & {"date", "time", "id"})


def _plain(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _value(text: str) -> float | None:
    text = text.strip().lower().replace(",", "")
    if text == "半":
        return 0.5
    if text in _WORDS:
        return float(_WORDS[text])
    try:
        return float(text)
    except ValueError:
        return _han_value(text)


def _han_value(text: str) -> float | None:
    total, digit = 0, 0
    for letter in text:
        if letter in _DIGITS:
            digit = _DIGITS[letter]
        elif letter in "十百":
            total += (digit or 1) * (10 if letter == "十" else 100)
            digit = 0
        else:
            return None
    return float(total + digit)


def _ends(match: re.Match[str], first: str = "a", second: str = "b") -> list[float]:
    values = (_value(match[name]) for name in (first, second) if match[name])
    return [value for value in values if value is not None]


def _durations(match: re.Match[str]) -> list[Figure]:
    unit = next(name for name in _UNITS if match[name])
    extra = 0.5 if match["half"] or match["more"] else 0.0
    made = []
    for value in _ends(match):
        value += extra
        if unit in ("month", "year"):
            months = value * (12 if unit == "year" else 1)
            made.append(Figure("duration", f"{_plain(months)}mo") if months != 0.5 else Figure("duration", "360h"))
        else:
            made.append(Figure("duration", f"{_plain(value * _UNIT_HOURS[unit])}h"))
    return made


def _dates(match: re.Match[str]) -> list[Figure]:
    return [Figure("date", f"{int(match['m'])}-{int(match['d'])}")] if 1 <= int(match["m"]) <= 12 else []


def _named_dates(match: re.Match[str]) -> list[Figure]:
    month = _MONTHS.index((match["m1"] or match["m2"]).lower()[:3]) + 1
    return [Figure("date", f"{month}-{int(match['d1'] or match['d2'])}")]


def _times(match: re.Match[str]) -> list[Figure]:
    hour, minute = int(match["h"]), int(match["min"] or match["past"] or 0)
    if match["half"]:
        minute = 30
    late = (match["part"] or "") in ("下午", "晚上", "晚", "傍晚") or (match["pm"] or "").lower() == "pm"
    if late and hour < 12:
        hour += 12
    return [Figure("time", f"{hour}:{minute:02d}")] if hour < 25 and minute < 60 else []


def _of(kind: str) -> Callable[[re.Match[str]], list[Figure]]:
    def read(match: re.Match[str]) -> list[Figure]:
        return [Figure(kind, _plain(value)) for value in _ends(match)]

    return read


def _discounts(match: re.Match[str]) -> list[Figure]:
    value = _value(match["a"])
    if value is None:
        return []
    return [Figure("share", _plain(100 - (value if value > 10 else value * 10)))]


def _measures(match: re.Match[str]) -> list[Figure]:
    unit = match["unit"].lower()
    unit = _SAME_MEASURE.get(unit, unit)
    return [Figure(f"measure {unit}", _plain(value)) for value in _ends(match)]


def _shoe_sizes(match: re.Match[str]) -> list[Figure]:
    return [Figure("measure 码", match["a"])]


def _ids(match: re.Match[str]) -> list[Figure]:
    return [Figure("id", re.sub(r"\W", "", match.group()).upper())]


def _codes(match: re.Match[str]) -> list[Figure]:
    return [Figure("code", re.sub(r"[\s-]", "", match.group()).upper())]


def _range(number: str, after: str, before: str = "") -> re.Pattern[str]:
    return re.compile(rf"{before}(?P<a>{number})(?:{_TO}(?P<b>{number}))?\s*{after}", re.IGNORECASE)


_UNIT = "|".join(f"(?P<{name}>{words})" for name, words in _UNITS.items())
_LETTER = r"[A-Za-z0-9]"
_READERS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], list[Figure]]]] = [
    (re.compile(rf"(?<!{_LETTER})(?:[A-Z]{{2,5}}[-_]?\d{{5,}}|\d{{9,}})(?!{_LETTER})"), _ids),
    (re.compile(r"(?:\d{4}[-/年])(?P<m>\d{1,2})[-/月](?P<d>\d{1,2})日?(?:T\S*)?"), _dates),
    (re.compile(r"(?P<m>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*[日号]?"), _dates),
    (
        re.compile(
            rf"\b(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m1>{'|'.join(_MONTHS)})[a-z]*\b"
            rf"|\b(?P<m2>{'|'.join(_MONTHS)})[a-z]*\.? (?P<d2>\d{{1,2}})(?!\d)(?:st|nd|rd|th)?",
            re.IGNORECASE,
        ),
        _named_dates,
    ),
    (re.compile(r"(?<!\d)v?\d+\.\d+\.\d+(?:\.\d+)*", re.IGNORECASE), _codes),
    (
        re.compile(
            r"(?P<part>上午|中午|下午|晚上|晚|傍晚|凌晨|早上)?\s*(?<![\d:])(?P<h>\d{1,2})"
            r"(?:[:：](?P<min>\d{2})(?![\d:])|\s*点(?:(?P<half>半)|(?P<past>\d{2})(?!\d))?|(?=\s*[ap]m\b))(?:\s*(?P<pm>[ap]m)\b)?",
            re.IGNORECASE,
        ),
        _times,
    ),
    (_range(_ANY, rf"(?P<half>个半|半)?\s*(?:{_UNIT})(?P<more>半(?![价天年月个小分]))?"), _durations),
    (re.compile(rf"(?P<a>{_NUMBER}|{_HAN_NUMBER})\s*折"), _discounts),
    (_range(_NUMBER, r"(?:%|％|percent\b|个点)"), _of("share")),
    (_range(_NUMBER, r"(?:元|块钱?|圆|yuan\b|rmb\b|cny\b|¥)"), _of("amount")),
    (_range(_NUMBER, "", r"(?:¥|￥|rmb|cny)\s*"), _of("amount")),
    (_range(_NUMBER, rf"(?P<unit>{_MEASURES})(?![A-Za-z0-9])"), _measures),
    (
        re.compile(r"\b(?:EU|size)\s*(?P<a>\d{2}(?:\.5)?)(?P<b>)(?P<unit>)", re.IGNORECASE),
        _shoe_sizes,
    ),
    (_range(rf"{_NUMBER}|[两二三四五六七八九十]|(?:two|three|four|five|six)(?= )", rf"(?:{_COUNTERS})"), _of("count")),
    (
        re.compile(
            rf"(?<!{_LETTER})(?:[A-Z]{{1,3}}[- ]?\d{{1,2}}|[2-5]?X{{0,3}}[SL]"
            rf"|[SML](?=码|号| code|\b(?!'))|[A-Z]{{2,}})(?!{_LETTER})"
        ),
        _codes,
    ),
    (_range(_NUMBER, "", rf"(?<!{_LETTER})(?<!\.)"), _of("number")),
]
