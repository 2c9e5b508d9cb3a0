"""What of an agent's old reply may be told to another customer: rules and steps, never what was done for that one."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re

_COURTESY = re.compile(
    r"^(?:亲+|您好|你好|好的|好滴|嗯+|哦|对的|是的|可以的|没事|收到|明白|理解您|(?:非常|很|实在)?(?:抱歉|不好意思|对不起)|查到[了啦]|看到[了啦]|请?稍等|不客气|感谢[^，,。]{0,10}|祝您[^，,。]{0,10}"
    r"|hi|hello|hey|ok(?:ay)?|sure|thanks?(?: you)?|good|great|agreed|no worries|(?:i'?m )?(?:so |very |really )?sorry(?: about that| to hear that)?|let me check|one moment|i'?m afraid)"
    r"(?:亲|哈|哦|呢|呀|的|了|啦|[A-Z][a-z]+)?\s*[，,。.!！~～:： ]+",
    re.IGNORECASE,
)
_DONE = re.compile(
    r"已经?(?:帮|给|为|替)|(?:帮|给|替|为)(?:您|你).{0,14}(?:了|好|建|申请|登记|安排|催|改|提|锁|查|看)|我(?:这边|现在|马上|先|来|去)?(?:帮|给|看|查|提|催|登记|建|备注|申请|记)|(?:建|登记|提交|安排|申请|取消|改|补|下|退|发)好?了"
    r"|正在(?:为|帮|给)|会(?:盯|跟进)|\b(?:i'?ve|i have|i'?ll|i will|we'?ve|we have|i (?:just )?(?:asked|left|put|sent|booked|raised|opened|cancelled|checked|see)|done|has been (?:cancelled|issued|sent|refunded|issued)"
    r"|is being issued|let me)\b",
    re.IGNORECASE,
)
_THIS_ONE = re.compile(
    r"\[[^\]]{1,12}\]|\*{2,}|(?<!自)我(?!们)|您(?:的|这|当时|家|是|刚|那|付|选|买|收货|地址)|您.{0,8}下的单|这次|\d{1,2}[:：]\d{2}|[您你].{0,4}(?:订单|那[笔单个件]|这[笔单个件])|今天|明天|昨天|后天|刚才|上午|下午|晚上|\d{1,2}月\d{1,2}[日号]|第 ?\d+ ?天"
    r"|\byour (?:order|parcel|refund|card|account|payment|number|machine|coupon)\b|\b(?:today|tomorrow|yesterday|this morning|tonight|last night)\b|\bfor you\b|\bI\b(?!'m afraid)|\b(?:that|this) (?:order|parcel|one)\b"
    r"|\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December)\b",
    re.IGNORECASE,
)
_ASKS_BACK = re.compile(r"[?？]\s*$|[吗呢]\s*[~～]?$|(?:提供|发|说)一下")


def opening(text: str) -> int:
    """Length of the courtesies that a sentence begins with."""
    start = 0
    while match := _COURTESY.match(text[start:]):
        start += match.end()
    return start if start < len(text) else 0


def is_action(sentence: str) -> bool:
    """Whether the agent tells what was done for that customer."""
    return bool(_DONE.search(sentence))


def is_general(sentence: str) -> bool:
    """Whether the sentence holds for anyone: nothing done for that customer, none of its specifics, no question back."""
    return not (is_action(sentence) or _THIS_ONE.search(sentence) or _ASKS_BACK.search(sentence))


def is_private(sentence: str) -> bool:
    """Whether the sentence holds that customer's own order, dates or data: never shown."""
    return bool(_THIS_ONE.search(sentence))
