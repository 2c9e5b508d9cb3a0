"""What a reply does or sets going, as classes: two replies that act alike agree whatever their wording."""

from __future__ import annotations

import re
from functools import lru_cache

from evals.answer_metrics.sentences import content_sentences

_CLASSES = {
    "refund": r"退款|退钱|退[给到回]您|退到|退\s*\d|全额退|差价|补差|refund|money back|credit(?:ed)? (?:back|to)",
    "cancel": r"取消|作废|关闭订单|cancel|void",
    "exchange": r"换货|换一[台件双个套]|换新|换码|换成|换[大小SML]|exchange|replac|swap",
    "resend": r"补发|重新?发|再发|重寄|补寄|re-?send|send (?:you )?(?:a |an )?(?:new|another)|resh?ip|new one",
    "return": r"退货|寄回|退回来|上门取|取件|return (?:it|the|them|label)|pick-?up|collect",
    "chase": r"催件|催单|催[一促]?下|加急|追踪|催促|发催|请.{2,6}(?:核实|查件|催)|trac(?:e|ing)|chas(?:e|ing)|urge",
    "redirect": r"拦截|改地址|修改地址|转寄|改寄|地址.{0,4}改|intercept|redirect|chang.{1,8}address",
    "compensate": (
        r"补偿|优惠券.{0,6}(?:补|送|给您)|(?:补|送|给您).{0,10}(?:券|余额|红包)"
        r"|coupon.{0,20}(?:added|account|credit)"
        r"|(?:added|gave|giv).{0,30}coupon|compensat|goodwill"
    ),
    "invoice": (
        r"(?:重开|换开|开[具票好]|补开).{0,8}(?:发票|票)?|(?:发票|专票|票).{0,8}(?:开|发到|发您|重开)"
        r"|(?:re-?)?issue.{0,20}invoice"
        r"|invoice.{0,30}(?:issued|sent|reissue)"
    ),
    "repair": r"返修|维修|送修|寄修|检修|repair|service (?:centre|center|ticket)",
    "pay_again": (
        r"(?:继续|重新|再)(?:支付|付款|付)|换.{0,6}(?:支付|付款|微信|支付宝|张卡)"
        r"|pay again|another (?:card|method|payment)"
        r"|try.{0,20}(?:card|wechat|alipay)"
    ),
    "escalate": (
        r"工单|上报|升级|主管|组长|财务|专属顾问|转(?:给)?[^,，。]{0,6}(?:同事|部门|专员)"
        r"|escalat|supervisor|team lead|manager"
        r"|finance|ticket"
    ),
    "ask": (
        r"(?:请|麻烦|辛苦)?(?:您)?(?:把|将)?[^,，。]{0,12}(?:发我|发给我|告诉我|提供|发一?下|拍[一个张段照]|截图|报一?下)"
        r"|方便.{0,12}(?:吗|么)"
        r"|(?:send|share|tell|give) (?:me|us)|could you|can you|please (?:send|provide|confirm)"
        r"|which (?:order|one)|what(?:'s| is) (?:your|the order)"
    ),
    "reset": (
        r"长按|重启|重新(?:添加|连接|装|安装)|断电|重置|擦|清洗|除垢|升级固件|固件|更新"
        r"|hold .{0,20}(?:second|button)|restart|reset"
        r"|re-?seat|wipe|descal|firmware|update"
    ),
}
_PATTERNS = {name: re.compile(words, re.IGNORECASE) for name, words in _CLASSES.items()}
_NOT = re.compile(
    r"(?:不|没|未|无法|别|无需|n't|\b(?:can't|cannot|not|no|without|never))[^,，。.;；]{0,8}$",
    re.IGNORECASE,
)
_OF_DECISION = {"handoff": "escalate", "clarify": "ask"}


def actions(text: str, decision: str | None = None) -> frozenset[str]:
    """The classes of action in the text's content sentences; a denied one is ``no <class>``.

    A handoff counts as escalation and a clarification as asking, whatever the words.
    """
    found = frozenset[str]().union(*map(_of_sentence, content_sentences(text)))
    return found | {_OF_DECISION[decision]} if decision in _OF_DECISION else found


@lru_cache(maxsize=20_000)
def _of_sentence(sentence: str) -> frozenset[str]:
    return frozenset(
        f"no {name}" if _NOT.search(sentence[: match.start()]) else name
        for name, pattern in _PATTERNS.items()
        for match in pattern.finditer(sentence)
    )


def action_agreement(reply: frozenset[str], reference: frozenset[str]) -> float | None:
    """F1 of the classes, None where the reference acts on nothing."""
    if not reference:
        return None
    shared = len(reply & reference)
    return 2 * shared / (len(reply) + len(reference))
