"""How well a unit answers a question: what kind of answer is asked for, terms covered, figures held."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from assistant.text import Segmenter, fold

_NUMBER = r"\d+(?:[,，]\d{3})*(?:\.\d+)?"
_RANGE = rf"{_NUMBER}(?:\s*[–—~～\-至到]\s*{_NUMBER})?"

_ASKED: dict[str, re.Pattern[str]] = {
    "duration": re.compile(
        r"多久|[几多]少?(?:个)?(?:天|日|小时|工作日|个?月|年|周|分钟|星期)|多长时间|什么时候(?:能)?(?:到|退|发|开|好|收)|何时|幾耐|几耐"
        r"|\bhow (?:long|soon|often|fast|quick\w*|many (?:\w+ )?(?:days|weeks|hours|months|years))\b|\bwhen (?:will|does|do|can|should)\b"
    ),
    "amount": re.compile(
        r"多少[钱元块]|几[块元]|费用?|邮费|运费|价格|贵|[便实]惠|免费|包邮|包油|手续费|利息|满多少|多少(?:积分|面值)|\bhow much\b|\bcosts?\b|\bprices?\b|\bfees?\b|\bcharge[ds]?\b|\bfree\b|\bpay for\b"
    ),
    "date": re.compile(
        r"什么时候|哪天|几号|截止|到期|有效期|过期|\bwhen\b|\buntil\b|\bdeadline\b|\bexpir\w+|\bvalid\b"
    ),
    "where": re.compile(r"哪里|哪儿|在哪|哪看|入口|怎么找|找不到|查看|\bwhere\b|\bfind\b"),
    "how": re.compile(
        r"怎么(?!还|没|不|这么|又|就|都|才|总|一直|老)|如何|怎样|咋(?!还|没|不|这么|又|就|都|才|总|一直|老)|步骤|教程|流程|点弄|\bhow (?:do|can|to|should|would)\b|\bsteps?\b|\bwhat (?:do|should) i do\b"
    ),
    "may": re.compile(
        r"可以|能不能|能否|可不可以|行不行|能.{0,14}[吗么]|支持|可唔可以|包不|是否|有没有|[吗么嘛]\W*$|\b(?:can|may|could) (?:i|we|you|it)\b|\bis it (?:ok|possible|allowed)|\b(?:do|does|is|are|will) (?:you|it|the|i)\b"
    ),
    "size": re.compile(
        r"多[大高重宽长响]|几升|[几多]少?(?:克|升|瓦|分贝|寸|毫米|平)|尺[码寸]|[什哪]么?个?码|\bwhat size\b|\bhow (?:big|large|many|heavy|loud|wide)\b|\bsize\b"
    ),
    "most": re.compile(r"最多|最高|上限|封顶|\b(?:at most|maximum|max|up to|limit)\b"),
    "who": re.compile(r"谁|哪方|\bwho\b"),
    "why": re.compile(r"为什么|为啥|怎么回事|咋回事|原因|点解|\bwhy\b|\breason\b"),
}
_TIME_UNIT = r"(?:个)?(?:工作日|自然日|天|日(?!用)|小时|分钟|周|星期|个?月|年|秒)|(?: |-)?(?:working |business |calendar )?(?:days?|hours?|weeks?|months?|years?|minutes?|seconds?|mins?)\b"
_HELD: dict[str, re.Pattern[str]] = {
    "duration": re.compile(
        rf"{_NUMBER}\s*(?:{_TIME_UNIT})|即时|立即|马上|当[天日]|次日|[一两]天|\bat once\b|\bimmediate\w*|\bsame day\b|\bstraight away\b"
    ),
    "amount": re.compile(
        rf"{_NUMBER}\s*(?:元|块|%|％|折|积分|yuan\b)|[¥￥]\s*\d|免费|包邮|不收|承担|\bfree\b|\bpoints?\b|\byuan\b|\bpays?\b"
    ),
    "date": re.compile(
        r"\d{1,2}\s*月\s*\d{1,2}\s*[日号]|\d{4}[-/年]\d|\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December)\b|有效|过期|\bvalid\b|\bexpire"
    ),
    "where": re.compile(r"→|➜|[「【“]|我的|页面?|小程序|订单详情|\bMe\b|\btap\b|\bpage\b|\bopen\b|\bunder\b"),
    "how": re.compile(
        r"点|打开|按|选|进入|提交|上传|申请|联系|\b(?:tap|open|press|hold|choose|select|go to|fill|contact|send)\b",
        re.IGNORECASE,
    ),
    "may": re.compile(
        r"可以?|不能|不可|支持|无法|不[用要会得参含]|除外|仅限|只[能限]|需要?|必须|\b(?:can|can't|cannot|may|must|only|not|no|don't|won't|doesn't|available|allowed)\b",
        re.IGNORECASE,
    ),
    "size": re.compile(
        rf"{_NUMBER}\s*(?:cm|mm|kg|g|m²|平|升|L\b|mL|克|分贝|dB|W|lm|m\b)|[大小]一?码|偏[大小]|\b(?:size|smaller|larger|loose)\b",
        re.IGNORECASE,
    ),
    "most": re.compile(r"最多|最高|上限|限\d|限一|\b(?:at most|maximum|up to|limit\w*)\b", re.IGNORECASE),
    "who": re.compile(
        r"承担|付|出|自理|我们|商家|您|\b(?:we|you|buyer|shop|seller)\b.{0,12}\b(?:pay|cover)", re.IGNORECASE
    ),
    "why": re.compile(r"因为|由于|原因|属于|说明|多半|可能|\bbecause\b|\bmeans\b|\breason\b|\bdue to\b", re.IGNORECASE),
}
_FIGURE = re.compile(
    rf"(?P<sign>[¥￥])?(?P<value>{_RANGE})\s*(?P<unit>{_TIME_UNIT}|元|块|%|％|折|积分|yuan\b)?", re.IGNORECASE
)
_UNIT_CLASS = (
    ("working_days", re.compile(r"工作日|working|business")),
    ("days", re.compile(r"天|日|days?")),
    ("hours", re.compile(r"小时|hour")),
    ("minutes", re.compile(r"分钟|min")),
    ("seconds", re.compile(r"秒|second")),
    ("weeks", re.compile(r"周|星期|week")),
    ("months", re.compile(r"月|month")),
    ("years", re.compile(r"年|year")),
    ("yuan", re.compile(r"元|块|yuan|¥|￥")),
    ("percent", re.compile(r"%|％")),
    ("tenths", re.compile(r"折")),
    ("points", re.compile(r"积分")),
)
_DULL = frozenset(
    [
        "的",
        "了",
        "吗",
        "呢",
        "啊",
        "呀",
        "吧",
        "么",
        "我",
        "你",
        "您",
        "我们",
        "你们",
        "这",
        "那",
        "是",
        "在",
        "有",
        "和",
        "就",
        "都",
        "也",
        "要",
        "想",
        "请问",
        "请",
        "问",
        "一下",
        "怎么",
        "怎样",
        "如何",
        "多久",
        "多少",
        "什么",
        "时候",
        "几",
        "两",
        "一",
        "个",
        "次",
        "天",
        "小时",
        "day",
        "days",
        "hour",
        "hours",
        "哪里",
        "可以",
        "能",
        "不能",
        "能不能",
        "为什么",
        "可不可以",
        "the",
        "a",
        "an",
        "is",
        "are",
        "do",
        "doe",
        "does",
        "i",
        "my",
        "me",
        "you",
        "your",
        "it",
        "to",
        "of",
        "for",
        "in",
        "on",
        "how",
        "what",
        "when",
        "where",
        "who",
        "why",
        "can",
        "could",
        "will",
        "would",
        "if",
        "and",
        "or",
        "be",
        "this",
        "that",
        "have",
        "has",
        "get",
    ]
)
_SEGMENTER = Segmenter()
_MEASURE = re.compile(
    r"(?<![a-z0-9.])(\d{1,4}(?:\.\d+)?)(?![\d.]*\d)\s*(斤|公斤|千克|kgs?|cm|厘米|公分|mm|毫米|lb)?(?![a-z]*\d)"
)
_UNIT_NAME = {"公斤": "kg", "千克": "kg", "kgs": "kg", "厘米": "cm", "公分": "cm", "毫米": "mm"}
_WEIGHED = re.compile(r"(?:体?重|weigh\w*)\D{0,4}$")
_SPAN = re.compile(rf"({_NUMBER})\s*[–—~～-]\s*({_NUMBER})\s*(?:cm|mm|kg|lb)?")
_EXACT = re.compile(r"(\d+(?:\.\d+)?)\s*([^\d\s]{0,3})")


def asked_for(question: str) -> frozenset[str]:
    """The kinds of answer that a question asks for; empty where it does not tell."""
    folded = fold(question).casefold()
    return frozenset(kind for kind, pattern in _ASKED.items() if pattern.search(folded))


def holds(text: str, kinds: frozenset[str]) -> float:
    """Share of the kinds asked for that a text has something of; 0 when none is asked for."""
    folded = fold(text)
    return sum(bool(_HELD[kind].search(folded)) for kind in kinds) / len(kinds) if kinds else 0.0


@lru_cache(maxsize=20_000)
def terms(text: str) -> frozenset[str]:
    """Index terms without words that say nothing."""
    return frozenset(term for term in _SEGMENTER.terms(text) if term not in _DULL and term.lstrip("#") not in _DULL)


def key_terms(key: str, question: str) -> frozenset[str]:
    """Terms of a row's key; none where its figures are not those asked about: ``5 days`` is not named by ``3 days``."""
    numbers = set(re.findall(r"\d+", fold(key)))
    if numbers and not numbers & set(re.findall(r"\d+", fold(question))):
        return frozenset()
    return terms(key)


def names_nothing(title: str) -> frozenset[str]:
    """Terms of a title that name no single row: what the whole article is about, except codes such as E1."""
    return frozenset(term for term in terms(title) if not any(c.isdigit() for c in term))


def weights(question: frozenset[str], texts: Sequence[frozenset[str]]) -> dict[str, float]:
    """Weight of each question term that some text holds: Robertson's idf, 1976, kept above zero by the 1 inside the log."""
    counts = Counter(term for text in texts for term in text & question)
    total = len(texts)
    return {term: math.log(1 + (total - count + 0.5) / (count + 0.5)) for term, count in counts.items()}


def coverage(weight: dict[str, float], text: frozenset[str]) -> float:
    """Share of the question's weight that a text covers, 0–1."""
    whole = sum(weight.values())
    return sum(value for term, value in weight.items() if term in text) / whole if whole else 0.0


def figures(text: str) -> dict[str, frozenset[str]]:
    """Figures with a unit, by class of unit: ``{"days": {"7"}, "yuan": {"20"}}``."""
    found: dict[str, set[str]] = {}
    for match in _FIGURE.finditer(fold(text)):
        unit = (match["unit"] or match["sign"] or "").casefold()
        for name, pattern in _UNIT_CLASS:
            if unit and pattern.search(unit):
                value = re.sub(r"\s", "", re.sub(r"[–—~～至到]", "-", match["value"])).replace(",", "")
                found.setdefault(name, set()).add(value)
                break
    return {name: frozenset(values) for name, values in found.items()}


def row_hits(question: str, header: Sequence[str], row: Sequence[str]) -> float:
    """How many measures of the question this row holds: 170 cm in ``168–176``, 130 斤 in ``61–70`` kg, 42 in ``42``.

    A value equal to a cell counts whole in a column that the question names or whose unit it has, else half.
    """
    folded = fold(question).casefold()
    hits = 0.0
    for match in _MEASURE.finditer(folded):
        said = match[2] or (
            "斤" if match[1] and float(match[1]) >= 90 and _WEIGHED.search(folded[: match.start()]) else ""
        )
        best = 0.0
        for title, cell in zip(header, row, strict=False):
            best = max(best, _in_cell(float(match[1]), said, folded[match.end(1) :], folded, title, cell))
        hits += best
    return hits


def _in_cell(value: float, said: str, after: str, question: str, title: str, cell: str) -> float:
    unit = _UNIT_NAME.get(said, said)
    column = re.search(r"cm|mm|kg|lb|厘米|毫米|公斤", fold(title).casefold())
    measured = _UNIT_NAME.get(column[0], column[0]) if column else ""
    if said == "斤":
        value, unit = value / 2, "kg"
    if (unit, measured) in (("cm", "mm"), ("mm", "cm")):
        value, unit = (value * 10 if unit == "cm" else value / 10), measured
    if unit and measured and unit != measured:
        return 0.0
    span = _SPAN.fullmatch(fold(cell))
    if span:
        return 1.0 if float(span[1]) <= value <= float(span[2]) else 0.0
    exact = _EXACT.fullmatch(fold(cell))
    if not exact or float(exact[1]) != value:
        return 0.0
    suffix = exact[2].casefold()
    if suffix:
        return 1.0 if after.lstrip().startswith(suffix) else 0.0
    return 1.0 if (unit and unit == measured) or fold(title).casefold() in question else 0.5
