"""What an agent has to check before a draft goes out: an old reply tells what was done then, for somebody else."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re

_SENTENCE = re.compile(r"(?:[^。！？!?.\n]|\.(?=\S))+[。！？!?.]*")
_ACT = (
    "提交|提了?|申请|登记|安排|建|催|改|备注|标|取消|拦截|补发?|退|换|开|查|锁|下单|下|发送|发|通知|联系|反馈|上报|转"
)
_DONE = re.compile(
    rf"已经?(?:帮|给|为|替)(?!我)|(?:帮|给|为|替)(?:您|你|快递|仓库|圆通|顺丰|中通|韵达|申通|京东|极兔)[^，,。？?]{{0,12}}?(?:{_ACT})[^，,。？?]{{0,8}}?(?:了|好(?!吗)|过)"
    rf"|我(?:这边|现在|马上|先|来|去|已经?|在后台|刚刚?|就)*(?:帮|给|为|替)(?:您|你|[\u3400-\u9fff]{{2,4}}?(?=[提发催备登])).{{0,10}}?(?:{_ACT})"
    rf"|我(?:已经|刚刚?)(?:{_ACT})|(?<![能可以还])(?:建|登记|提交|安排|申请|补发|配件单.{{0,3}}下|换货单|退款单)(?:已经)?(?:好|过|单|建|下)*了(?![解吗么])|已(?:经)?(?:{_ACT})(?:好|过)?了?(?=[，,。！!哈哦 ]|$)"
    r"|已(?:经)?(?:到(?:账|您)|.{0,2}余额|作废|退回|是新)|(?:重开|改|换)好了|改成.{0,12}了$|(?:已经?|并)通过了|正在(?:为|帮|给)您|我(?:会|来|继续)?(?:盯着|跟进)"
    r"|^(?:ok(?:ay)?|all )?,? ?done\b|\b(?:i'?ve|i have|we'?ve|we have) (?:just |now |also |already )?(?!no\b|to\b|not\b|had\b|got\b|been\b|seen?\b|checked\b|an?\b|the\b)\w+"
    r"|\bi (?:just )?(?:asked|left|put|sent|booked|raised|opened|cancelled|filed|added|arranged|requested|issued|refunded|changed|noted)\b"
    r"|\b(?:i'?ll|i will|we'?ll|we will|let me) (?!be\b|have to\b|know\b|check\b|see\b|look\b)\w+|\b(?:is|has been|have been|was|are) (?:now )?(?:being )?(?:added|submitted|cancelled|issued|sent|refunded|filed|booked|raised|opened|arranged|requested|registered|updated|changed)\b",
    re.IGNORECASE,
)
_THEN = re.compile(
    r"今天|明天|昨天|后天|今晚|明晚|刚才|\d{1,2}月\d{1,2}[日号]|\b(?:today|tomorrow|yesterday|tonight|this (?:morning|afternoon|evening)|last night)\b"
    r"|\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December)\b|\b(?:January|February|March|April|May|June|July|August|September|October|November|December) \d{1,2}\b"
    r"|地址(?:就是|是)|[（(](?:单号|金额|地址|邮箱|number|amount|address|e-mail)[）)]",
    re.IGNORECASE,
)
_NOT_YET = re.compile(
    r"^(?:如果|要是|若|超过|过了)|的话|可以(?:帮|给|为|替)|[帮给为替][您你].{0,4}不了|\b(?:if|once|when|can|could)\b",
    re.IGNORECASE,
)


def to_check(old: str) -> tuple[str, ...]:
    """The sentences of an old reply that say what was done, or what held on that day: not yet true for this customer."""
    told = [sentence.strip() for sentence in _SENTENCE.findall(old)]
    return tuple(dict.fromkeys(s for s in told if _THEN.search(s) or (_DONE.search(s) and not _NOT_YET.search(s))))
