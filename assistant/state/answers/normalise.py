"""A customer's question as the rules read it: one script, one case, common typos and dialect words put right."""

from __future__ import annotations

import re
from functools import lru_cache

from assistant.spelling.slips import slips
from assistant.text import fold

_ZH = (
    (r"定单|订丹|订但", "订单"),
    (r"快第|块递|快弟", "快递"),
    (r"包果", "包裹"),
    (r"物留|物溜", "物流"),
    (r"退宽|退欸", "退款"),
    (r"付宽", "付款"),
    (r"(?<=优惠)卷|(?<=代金)卷|(?<=抵用)卷", "券"),
    (r"到帐", "到账"),
    (r"帐", "账"),
    (r"发或", "发货"),
    (r"收获地址", "收货地址"),
    (r"积份", "积分"),
    (r"保休", "保修"),
    (r"神马", "什么"),
    (r"甚么|咩", "什么"),
    (r"(?<=[到在])那(?=[了里儿边拉啦]|$|[?？!！,，])", "哪"),
    (r"边度|边到|邊度", "哪里"),
    (r"(?<=[寄到去了])边(?=$|[?？])", "哪"),
    (r"几时|啥时候?|何时|什么时间", "什么时候"),
    (r"点解|为啥|为何|咋", "为什么"),
    (r"嘅", "的"),
    (r"咗", "了"),
    (r"仲(?=未|没)", "还"),
    (r"还未", "还没"),
    (r"未(?=收到|到货|送到|发货|到账|到$)", "还没"),
    (r"唔", "不"),
    (r"冇", "没有"),
    (r"喺", "在"),
    (r"啥", "什么"),
    (r"支付", "付款"),
    (r"质保", "保修"),
)
_EN = (
    (r"[’‘`]", "'"),
    (r"\b(where|what|when|how|who)s\b", r"\1 is"),
    (r"\b(where|what|when|how|it|that|here|there)'s\b", r"\1 is"),
    (r"\b(has|have|did|does|do|is|was|are|would|could)nt\b", r"\1n't"),
    (r"\b(has|have|did|does|do|is|was|are|would|could)n't\b", r"\1 not"),
    (r"\b(can't|cant|cannot)\b", "can not"),
    (r"\bwon'?t\b", "will not"),
    (r"\bi'm\b", "i am"),
    (r"\bi've\b", "i have"),
    (r"\bi'd\b", "i would"),
    (r"\bthru\b", "through"),
    (r"\b(pls|plz)\b", "please"),
    (r"\b(delivery|parcel|order|refund|package)'s\b", r"\1 is"),
)
_WORDS = tuple(
    re.findall(
        r"\w+",
        "order orders parcel package refund refunded payment delivery delivered tracking coupon coupons voucher "
        "shipment shipped arrived arrive received receive warranty subscription address cancel cancelled expire "
        "where through status ticket points humidifier invoice",
    )
)
# Words that are near one of those and right as they are.
_REAL = frozenset(
    re.findall(
        r"\w+",
        "older border offer arrives receives received ordered parcels packages refunds payments vouchers there were "
        "here when expires expired cancels point pointed tickets shipments thorough dress deliver shipping statue",
    )
)
_TOKEN = re.compile(r"[a-z]{4,}")


def normalise(text: str) -> str:
    """Simplified, lower case, typos of the words that matter put right; digits and order of words are kept."""
    out = fold(text).casefold()
    for pattern, word in (*_EN, *_ZH):
        out = re.sub(pattern, word, out)
    return _TOKEN.sub(lambda match: _corrected(match.group()), out)


@lru_cache(maxsize=20_000)
def _corrected(word: str) -> str:
    if word in _REAL or word in _WORDS:
        return word
    near = [known for known in _WORDS if len(known) > 4 and known[0] == word[0] and slips(word, known, 1) <= 1]
    return near[0] if near else word
