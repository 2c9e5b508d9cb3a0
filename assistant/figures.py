"""Figures in running text, Chinese and English: amounts, durations, dates, percentages, and when two of them agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from assistant.text import fold

_UNITS: dict[str, tuple[str, str]] = {  # dimension, factor to its base unit; patterns without a Latin boundary
    "秒钟?|seconds?|secs?|s": ("time", "1"),
    "分钟|minutes?|mins?": ("time", "60"),
    "小时|钟头|hours?|hrs?|h": ("time", "3600"),
    "工作日|(?:business|working|work) ?days?": ("workday", "1"),
    "自然日|天|日|(?:calendar )?days?": ("time", "86400"),
    "周|星期|礼拜|weeks?": ("time", "604800"),
    "月|months?": ("month", "1"),
    "季度|quarters?": ("month", "3"),
    "年|years?|yrs?": ("month", "12"),
    "人民币|元|块钱|块|圆|rmb|cny|yuan": ("CNY", "1"),
    "角|毛": ("CNY", "0.1"),
    "美元|美金|usd|(?:us )?dollars?": ("USD", "1"),
    "欧元|eur|euros?": ("EUR", "1"),
    "英镑|gbp": ("GBP", "1"),
    "港元|港币|hkd": ("HKD", "1"),
    "新?台币|twd": ("TWD", "1"),
    "日元|jpy|yen": ("JPY", "1"),
    "积分|points?|pts": ("points", "1"),
    "公斤|千克|kg|kilograms?": ("g", "1000"),
    "斤": ("g", "500"),
    "克|g|grams?": ("g", "1"),
    "公里|千米|km": ("mm", "1000000"),
    "厘米|公分|cm": ("mm", "10"),
    "毫米|mm": ("mm", "1"),
    "英寸|寸|inch(?:es)?": ("inch", "1"),
    "米|m|met(?:er|re)s?": ("mm", "1000"),
    "毫升|ml": ("ml", "1"),
    "升|l|lit(?:er|re)s?": ("ml", "1000"),
    "gb": ("GB", "1"),
    "mb": ("MB", "1"),
    "瓦|w|watts?": ("W", "1"),
    "毫安时?|mah": ("mAh", "1"),
    "摄氏度|°c|度": ("degree", "1"),
    "次|件|张|份|台|部|双|单|笔|人|套|条|个|只|位|名|款|种|项|瓶|盒|箱|包|袋|本|支|枚"
    "|times?|items?|pieces?|orders?|people|persons?|devices?|units?": ("count", "1"),
}
_CURRENCY = {"¥": "CNY", "rmb": "CNY", "cny": "CNY", "$": "USD", "us$": "USD", "usd": "USD", "€": "EUR", "eur": "EUR",
             "£": "GBP", "hk$": "HKD", "nt$": "TWD"}  # fmt: skip
_ALWAYS_SAID = {"date", "clock", "weekday", "percent", "name"}  # a bare number in the source is none of these
_COUNTED = {"次", "件", "张", "单", "笔", "台", "times", "items", "orders"}
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_WORDS = {
    w: i
    for i, w in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
} | {
    "fourteen": 14,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "forty-five": 45,
    "sixty": 60,
    "ninety": 90,
}
_MONTHS = {
    m: i for i, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_DAYS = {d: i for i, d in enumerate(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], 1)}

_UNIT_ALTERNATIVES = sorted(
    ((alternative, unit) for pattern, unit in _UNITS.items() for alternative in re.split(r"\|(?![^(]*\))", pattern)),
    key=lambda pair: -len(pair[0]),
)
_UNIT = "|".join(f"{a}(?![a-z])" if re.search("[a-z]", a) else a for a, _ in _UNIT_ALTERNATIVES)
# Every repeat is bounded and starts where a run starts: customers write these texts, and may write 4,000 digits.
_HAN = "[零〇一二两三四五六七八九十百千万亿]"
_HAN_NUMBER = rf"(?<!{_HAN}){_HAN}{{1,12}}(?:点[零一二三四五六七八九]{{1,6}})?|半"
_ARABIC = r"\d{1,18}(?:,\d{3}){0,5}(?:\.\d{1,9})?"
_NUMBER = rf"(?<![\d.])(?:{_ARABIC})(?:万|亿|千|k(?![a-z]))?|{_HAN_NUMBER}|\b(?:{'|'.join(_WORDS)})\b"
_TO = r" ?(?:-|–|—|~|到|至|或|to|or|and) ?"
_MONTH = r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_MEASURED = re.compile(rf"(?:({_NUMBER}){_TO})?({_NUMBER})(个?半)?[ -]?个?({_UNIT})")
_ONE = re.compile(rf"\b(?:within|after|in|for|takes?|about|every|per) (?:a|an) ({_UNIT})")
_PRICE = re.compile(rf"(us\$|hk\$|nt\$|[¥$€£]|\b(?:rmb|cny|usd|eur))\s?({_ARABIC}(?:万|千|k)?)(?:{_TO}({_ARABIC}))?")
_PERCENT = re.compile(
    rf"(?<![\d.])({_ARABIC})(?:{_TO}({_ARABIC}))?\s?(?:%|percent|per cent)|百分之({_ARABIC}|{_HAN_NUMBER})"
)
_FOLD = re.compile(r"([1-9](?:\.\d|\d)?|[一二三四五六七八九]{1,2})折(?!叠|扣|返|腾)")
_DATES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)"), "ymd"),
    (re.compile(rf"(?:(\d{{4}})年)?(\d{{1,2}}|{_HAN_NUMBER})月(\d{{1,2}}|{_HAN_NUMBER})[日号]"), "ymd"),
    (re.compile(r"(?<!\d)(\d{4})年(?:(\d{1,2})月)?"), "ym"),
    (re.compile(rf"(?<![\d个])(\d{{1,2}}|{_HAN_NUMBER})月"), "m"),
    (re.compile(_MONTH + r" (\d{1,2})(?:st|nd|rd|th)?\b(?:,? (\d{4}))?"), "mdy"),
    (re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)? (?:of )?" + _MONTH + r"(?:,? (\d{4}))?"), "dmy"),
)
_CLOCK = re.compile(
    r"(上午|早上|早|凌晨|中午|下午|晚上|晚)?(?<![\d.])(\d{1,2})(?::(\d{2})(?::\d{2})?|[点时](?![间候击])(?:(\d{1,2})分|(半))?)"
    r"\s?([ap]m\b)?|(?<![\d.])(\d{1,2})\s?([ap]m)\b"
)
_WEEKDAY = re.compile(rf"(?<![每一])(?:周|星期|礼拜)([一二三四五六日天])(?![次个件天])|\b({'|'.join(_DAYS)})s?\b")
_NAME = re.compile(r"(?<![a-z0-9])(?=[a-z0-9_\-]{0,40}\d)(?=[a-z0-9_\-]{0,40}[a-z])[a-z0-9][a-z0-9_\-]{0,40}[a-z0-9]")
_PLAIN = re.compile(rf"(?<![\d.])({_ARABIC})(?:万|亿|千)?")
_STEP = re.compile(r"第\s*[一二三四五六七八九十\d]+\s*步|步骤\s*[一二三四五六七八九十\d]+|\bstep \d+", re.IGNORECASE)
BULLET = re.compile(r"^[ \t>#*•\-]*(?:\d{1,2}(?:[、)）]|\.(?!\d))|[(（]\d{1,2}[)）]|[①-⑳])?[ \t]*", re.MULTILINE)
MARK = re.compile(r"\s{0,3}[\[【]\s*(\d{1,3}(?:\s*[,，、;\-–~]\s*\d{1,3})*)\s*[\]】]")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number: as written (``text``), bare (``number``), and in the base unit of what it measures (None: not said)."""

    text: str
    number: Decimal
    dimension: str | None = None
    value: Decimal = Decimal(0)


def figures(text: str) -> tuple[Figure, ...]:
    """Every amount, duration, date, time, percentage, code and bare number; list and citation numbers are none."""
    return _figures(MARK.sub(" ", text))


@lru_cache(maxsize=8192)
def _figures(text: str) -> tuple[Figure, ...]:
    rest = fold(_STEP.sub(" ", BULLET.sub("", text))).casefold()
    found: list[Figure] = []

    def take(pattern: re.Pattern[str], read: Callable[[re.Match[str]], Iterable[Figure]]) -> None:
        nonlocal rest

        def replace(match: re.Match[str]) -> str:
            taken = list(read(match))
            found.extend(taken)
            return " " * 3 if taken else match.group()

        rest = pattern.sub(replace, rest)

    for pattern, order in _DATES:
        take(pattern, lambda match, order=order: _date(match, order))  # type: ignore[misc]  # bound at once
    take(_PERCENT, lambda m: [_figure(m.group(), n, "percent") for n in m.groups() if n])
    take(_FOLD, _discount)
    take(_CLOCK, _clock)
    take(
        _WEEKDAY,
        lambda m: [_figure(m.group(), str("一二三四五六日天".find(m[1]) % 7 + 1 if m[1] else _DAYS[m[2]]), "weekday")],
    )
    take(_PRICE, lambda m: [_figure(m.group(), n, _CURRENCY[m[1]]) for n in (m[2], m[3]) if n])
    take(_MEASURED, _measured)
    take(_ONE, lambda m: [_figure(m.group(), "1", *_unit(m[1]))])
    take(_NAME, lambda m: [Figure(m.group(), Decimal(-1), "name")])
    take(_PLAIN, lambda m: [_figure(m.group(), m.group(), None)])
    return tuple(found)


def _figure(text: str, number: str, dimension: str | None, factor: str = "1") -> Figure:
    value = _value(number)
    value = Decimal(-2) if value is None else value
    return Figure(text.strip(), value, dimension, value * Decimal(factor))


def _unit(text: str) -> tuple[str, str]:
    return next(unit for alternative, unit in _UNIT_ALTERNATIVES if re.fullmatch(alternative, text))


def _measured(match: re.Match[str]) -> list[Figure]:
    low, high, half, unit = match.groups()
    dimension, factor = _unit(unit)
    out = []
    for written in (low, high):
        value = _value(written) if written else None
        if value is None:
            continue
        if half and written is high:
            value += Decimal("0.5")
        # "a" and the writer's own counting (两种方式) are no facts of the source
        if dimension == "count" and not written[0].isdigit() and (value <= 1 or unit not in _COUNTED):
            continue
        out.append(Figure(match.group().strip(), value, dimension, value * Decimal(factor)))
    return out


def _discount(match: re.Match[str]) -> list[Figure]:
    """八折 and 20% off are one figure."""
    digits = "".join(str(_DIGITS.get(c, c)) for c in match[1])
    paid = Decimal(digits) * (10 if len(digits) == 1 or "." in digits else 1)
    return [Figure(match.group(), Decimal(digits), "percent", 100 - paid)]


def _date(match: re.Match[str], order: str) -> list[Figure]:
    parts = dict(zip(order, match.groups(), strict=True))
    year, month, day = (_value(str(_MONTHS.get(v, v))) if (v := parts.get(k)) else Decimal(0) for k in "ymd")
    if year is None or month is None or day is None or month > 12 or day > 31:
        return []
    return [Figure(match.group().strip(), day or month or year, "date", year * 10000 + month * 100 + day)]


def _clock(match: re.Match[str]) -> list[Figure]:
    part, hour, minute, minute_zh, half, ampm, hour_only, ampm_only = match.groups()
    hours = int(hour or hour_only)
    late = (ampm or ampm_only) == "pm" or part in ("下午", "晚上", "晚")
    if hours > 24 or (hours == 12 and (ampm or ampm_only) == "am"):
        hours = hours if hours > 24 else 0
    minutes = int(minute or minute_zh or (30 if half else 0))
    return [
        Figure(
            match.group().strip(), Decimal(hours), "clock", Decimal((hours + 12 * (late and hours < 12)) * 60 + minutes)
        )
    ]


def _value(written: str) -> Decimal | None:
    """The number written in digits, Chinese or English; None where it is no number (三四, 几)."""
    scale = {"万": 10**4, "亿": 10**8, "千": 1000, "k": 1000}
    if written[0].isdigit():
        factor = scale.get(written[-1], 1)
        return Decimal(written.rstrip("万亿千k").replace(",", "")) * factor
    if written in _WORDS:
        return Decimal(_WORDS[written])
    if written == "半":
        return Decimal("0.5")
    whole, _, fraction = written.partition("点")
    total = section = 0
    digit: int | None = None
    for c in whole:
        if c in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[c]
        elif c in "十百千":
            section += (1 if digit is None else digit) * {"十": 10, "百": 100, "千": 1000}[c]
            digit = None
        else:
            total = (total + section + (digit or 0)) * scale[c]
            section, digit = 0, None
    return Decimal(f"{total + section + (digit or 0)}.{''.join(str(_DIGITS[c]) for c in fraction) or 0}")


def same_figure(claimed: Figure, source: Figure) -> bool:
    """Whether the source says the claimed figure; units count where both have one."""
    if claimed.dimension is None or source.dimension is None:
        return claimed.dimension not in _ALWAYS_SAID and source.dimension != "name" and claimed.number == source.number
    if claimed.dimension != source.dimension:
        return False
    if claimed.dimension == "name":
        return claimed.text.replace("-", "") == source.text.replace("-", "")
    if claimed.dimension == "date":  # the source may say more than the reply, never less
        mine, theirs = (divmod(int(f.value), 10000) for f in (claimed, source))
        month_day = all(not a or a == b for a, b in zip(divmod(mine[1], 100), divmod(theirs[1], 100), strict=True))
        return mine[0] in (0, theirs[0]) and month_day
    return claimed.value == source.value
