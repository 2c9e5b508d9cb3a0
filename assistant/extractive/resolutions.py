"""What of an agent's old reply may be told to another customer: rules and steps, never what was done for that one."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re

from assistant.text import simplify

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
# what was found out about that one customer's case, what had happened to it, and whom it was said to
_FOUND = re.compile(
    r"^(?:好的?|嗯+|收到|对的?)?[，, ]?(?:我们?|这边|售后|仓库|财务)?(?:查|核实|核对|确认|看|问|收)(?:到|好|齐|过|清楚)?(?:付款)?[了啦]|(?:系统|记录|这边|后台)(?:里|上)?显示"
    r"|已(?:经)?(?:改|到|放|补|退|发|加|转|送|处理|办|关|取消|开|登记|提交|通过|申请|作废|打包|是新)(?!.{0,4}(?:的|就|后))|[改办弄处理]好[了啦]|刚(?:刚)?(?:给|帮|跟|问|核|看)|^到[\u3400-\u9fff]{2,6}了"
    r"|(?<!如果)(?<!如果是)(?<!若)(?<![若要]是)(?:仓库|我们|快递|顺丰|圆通|京东|中通).{0,3}(?:装错|装混|发错|弄错|搞错|漏发|贴错|退单)|(?:钱|款)没有?扣|(?:失败)?原因是|没有?丢[，,]|被.{0,12}占着|^不算的"
    r"|您 ?\d+(?:\.\d+)? ?的|现价|差价 ?\d|[那这](?:张|笔|单)|估计|大概率|(?<![遇上至到~—-])周[一二三四五六日末](?![到至~—-])|今早|今晚|今明|剩下的 ?\d|您(?:申请|选|要)的|^那(?:就|S|M|L|\d)|[\u3400-\u9fff](?:先生|女士|小姐|阿姨|老师)|人为"
    r"|\b(?:has|have|had) been \w+ed\b|\b(?:was|were) (?:already )?(?:declined|packed|sent|shipped|released|delivered|blocked|stopped|held|returned|cancelled|refunded)\b|\b(?:is|are) (?:already|now|being) \w+ed\b|\bon its way\b|\bago\b|(?<!card )\byou (?:paid|ordered|bought|were told)\b|\bthe difference is\b|\bso you get\b|\byou're keeping\b|\bcoming from\b|^already\b"
    r"|^(?:hi|hello|hey|dear)\b|(?-i:\b(?!From|Over|Right|In|Up|Out)[A-Z][a-z]+ (?:here|speaking)\b|\b[Tt]his is [A-Z][a-z]+\b|\b(?:evening|day|weekend|[Tt]hanks|[Tt]hank you),? [A-Z][a-z]+[.!])",
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
    said = simplify(sentence)
    of_one = _THIS_ONE.search(said) or _FOUND.search(said)
    return not (is_action(said) or of_one or _ASKS_BACK.search(said))


def is_private(sentence: str) -> bool:
    """Whether the sentence holds that customer's own order, dates or data: never shown."""
    return bool(_THIS_ONE.search(sentence))
