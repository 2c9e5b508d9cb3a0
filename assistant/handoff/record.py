"""What the person who takes over is handed: the issue, what was tried, the state that matters, the queue."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from assistant.domain.conversation import Turn
from assistant.domain.knowledge import DocumentKind, Passage
from assistant.domain.reply import Handoff
from assistant.handoff.asking import asks_for_person
from assistant.handoff.loops import NON_ANSWER
from assistant.handoff.rules import HandoffDecision
from assistant.handoff.wording import Locale, any_of, folded, line, terms


def skill_for(question: str) -> str:
    """The queue that a topic or question belongs to.

    One of delivery, refund, payment, product, invoice, membership, complaint and general.
    """
    text = folded(question)
    if text in _SKILLS or text == "general":
        return text
    counts = {skill: len(pattern.findall(text)) for skill, pattern in _SKILLS.items()}
    best = max(counts, key=lambda skill: counts[skill])
    return best if counts[best] else "general"


def summarise(
    history: Sequence[Turn], question: str, locale: Locale, state_used: Sequence[str], passages: Sequence[Passage]
) -> str:
    """What the agent reads first, a line each: the issue, what was tried on which passages, the state, what is open."""
    said = [turn.text for turn in history if turn.role == "customer"] + [question]
    telling = [part for part in (without_request(text) for text in said) if len(terms(part)) >= 2]
    first = telling[0] if telling else line(question)
    last = telling[-1] if telling else first
    answers = [turn.text for turn in history if turn.role == "assistant" and not NON_ANSWER.search(folded(turn.text))]
    # the customer reads this too: the title of a resolved case is what another customer wrote
    articles = (passage for passage in passages if passage.kind is DocumentKind.ARTICLE)
    titles = list(dict.fromkeys(passage.title for passage in articles))[:3]
    zh = locale == "zh"
    lines = [("客户问题：" if zh else "Issue: ") + line(first)]
    if answers:
        told = line(answers[-1])
        lines.append(f"已答 {len(answers)} 次，最近：“{told}”" if zh else f'Answered {len(answers)}×, last: "{told}"')
    else:
        lines.append("尚未作答" if zh else "Not answered yet")
    if titles:
        lines.append("查过：" + "、".join(f"《{t}》" for t in titles) if zh else "Looked at: " + "; ".join(titles))
    if state_used:
        lines.append(("相关记录：" if zh else "Records: ") + ", ".join(state_used))
    lines.append(("待解决：" if zh else "Open: ") + line(last))
    return "\n".join(lines)


def make_record(
    history: Sequence[Turn],
    question: str,
    locale: Locale,
    decision: HandoffDecision,
    *,
    state_used: Sequence[str],
    passages: Sequence[Passage],
    mood: str,
    back_at: datetime | None = None,
) -> Handoff:
    """The record that the person gets: the summary for reading, and its parts as data.

    ``back_at``: nobody is at work until then, so the record is a message left. ``history`` should be the live part.
    """
    said = [turn.text for turn in history if turn.role == "customer"]
    telling = [part for part in (without_request(text) for text in [*said, question]) if len(terms(part)) >= 2]
    tried = [turn.text for turn in history if turn.role == "assistant" and not NON_ANSWER.search(folded(turn.text))]
    return Handoff(
        decision.reason,
        summarise(history, question, locale, state_used, passages),
        skill_for(" ".join([*said[-3:], question])),
        rule=decision.rule,
        issue=line(telling[0] if telling else question),
        tried=tuple(line(text) for text in tried[-3:]),
        passages=tuple(dict.fromkeys(passage.id for passage in passages)),
        state=tuple(state_used),
        question=line(telling[-1] if telling else question),
        mood=mood,
        back_at=back_at,
    )


def without_request(text: str) -> str:
    """The turn without the clauses that ask for a person; may be empty."""
    parts = re.split(r"(?<=[,，。！？!?;；\n])", text)
    return "".join(part for part in parts if not asks_for_person(part)).strip() or ""


# fmt: off
_SKILLS: dict[str, re.Pattern[str]] = {
    "complaint": any_of(r"投诉|举报|曝光|差评|态度|赔偿|12315|律师|受伤|complain\w*|compensat\w*|lawyer|unacceptable|injur\w+"
    ),
    "refund": any_of(r"退款|退货|退钱|退宽|换货|退换|退了?没|退给|差价|价保|运费险|换码|换一?个?[大小]|到账|refund\w*|return\w*|exchange\w*|money back|price protection|price drop"
    ),
    "delivery": any_of(r"快递|物流|发货|包裹|配送|收货|地址|运费|邮费|包邮|签收|自提|驿站|寄到|催件|还没到|没收到|deliver\w*|parcel\w*|shipp\w*|courier\w*|tracking|address|arriv\w*|package"
    ),
    "payment": any_of(r"付款|支付|扣款|扣了|分期|花呗|银行卡|付不了|手续费|礼品卡|转账|定金|尾款|payment\w*|\bpay\b|paid|charged|instal?ments?|gift cards?|bank card"
    ),
    "invoice": any_of(r"发票|抬头|税号|专票|开票|红字|invoice\w*|\bvat\b|tax (?:id|number)"),
    "membership": any_of(r"会员|积分|黑金|金卡|银卡|等级|生日|优惠券|券|满减|活动|注销|member\w*|points|tiers?|coupons?|vouchers?|promo\w*|birthday"
    ),
    "product": any_of(r"尺码|尺寸|怎么(?:洗|用|装|清|安)|加湿器|电饭煲|净化器|水壶|羽绒|跑鞋|四件套|扫地|咖啡机|投影|保温杯|滤[芯网]|wi-?fi|保修|维修|故障|报错|除垢|噪音|多大|size|humidifier|cooker|purifier|kettle|jacket|shoes?|bedding|duvet|vacuum|espresso|coffee|projector|bottle|filter|warranty|repair|descal\w*|wash"
    ),
}
# fmt: on
