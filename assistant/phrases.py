"""The few fixed sentences that the assistant says on its own account, in both languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

_HANDOFF = {
    "zh": {
        "customer_request": "好的，正在为您转接人工客服，前面的对话和您的情况会一并交给同事，不用重复说明。",
        "upset": "很抱歉让您有这样的体验。我马上请人工同事接手，前面的情况会一并交给他。",
        "forbidden_topic": "这件事需要专人处理，我已转给负责的同事，他会带着前面的对话与您联系。",
        "vip": "正在为您转接专属顾问，前面的对话会一并交给他。",
        "low_confidence": "这个问题我没有把握，不想给您不准确的答案，已为您转接人工客服，前面的对话会一并交给他。",
        "tool_failure": "我接连几次都查不到您的订单和账户信息，已为您转接人工客服，前面的对话会一并交给他。",
        "staff_only_task": "这件事需要同事来办，我已把您的要求直接转给负责的同事。",
        "loop": "看来我没能解决您的问题，已为您转接人工客服，前面的对话会一并交给他。",
        "": "已为您转接人工客服，前面的对话会一并交给他。",
    },
    "en": {
        "customer_request": "Of course. I'm passing you to a colleague now, with this conversation, "
        "so you won't have to repeat yourself.",
        "upset": "I'm sorry about this experience. A colleague is taking over now and can see everything so far.",
        "forbidden_topic": "This needs a specialist. I've passed it on, with our conversation, "
        "to the colleague responsible.",
        "vip": "I'm connecting you with your personal adviser, who can see our conversation.",
        "low_confidence": "I'm not certain enough to answer this, and I'd rather not guess. "
        "A colleague is taking over and can see our conversation.",
        "tool_failure": "I could not look up your orders and account, more than once. "
        "A colleague is taking over and can see our conversation.",
        "staff_only_task": "Only a colleague may do this. I've passed your request straight to the one responsible.",
        "loop": "I haven't managed to solve this. A colleague is taking over and can see our conversation.",
        "": "A colleague is taking over and can see our conversation.",
    },
}


def handoff(reason: str, locale: str) -> str:
    """What the customer reads when a person takes over."""
    sentences = _HANDOFF["zh" if locale.startswith("zh") else "en"]
    return sentences.get(reason, sentences[""])


def message_left(back_at: datetime | None, locale: str) -> str:
    """Nobody is at work: when people are back, in their local time, and that the message is kept for them."""
    if locale.startswith("zh"):
        when = (
            "上班后" if back_at is None else f"{back_at:%m}月{back_at:%d}日 {back_at:%H:%M}（{_zone(back_at)}）上班后"
        )
        return f"现在不在人工服务时间。您的问题和前面的对话已留给同事，{when}会处理，不用重复说明；还可以在这里补充。"
    when = "when they are back" if back_at is None else f"from {back_at:%d %B, %H:%M} ({_zone(back_at)})"
    return (
        f"Nobody is at work right now. I've left your question and this conversation for my colleagues, who will"
        f" take it up {when}; you won't have to repeat yourself. Anything to add? Just write it here."
    )


def _zone(moment: datetime) -> str:
    return getattr(moment.tzinfo, "key", None) or moment.tzname() or "UTC"


def declined(locale: str) -> str:
    """What a button press to decline a transfer says, as the customer's turn."""
    return "不用转人工了" if locale.startswith("zh") else "No transfer, you answer it."


def withdrawn_and_answered(locale: str) -> str:
    """The customer turned the transfer down; the answer to the open question follows."""
    return "好的，不转人工了，我来回答。" if locale.startswith("zh") else "All right, no transfer: I'll answer it."


def handoff_withdrawn(locale: str) -> str:
    """The customer turned the transfer down."""
    return (
        "好的，不转人工了，我继续帮您。请说说您的问题；想找人时回复“转人工”即可。"
        if locale.startswith("zh")
        else "All right, no transfer: I'll carry on. What can I help with? For a person, just reply “agent”."
    )


_WHICH = ("您想了解的是：", "which of these you mean:")
_CHOICE = re.compile(r"^\d+\. (.+)$", re.MULTILINE)


def choices_in(text: str) -> tuple[str, ...]:
    """The choices of a reply that ``unsupported`` or ``many_on`` made; empty for any other text."""
    asked = next((which for which in _WHICH if which in text), None)
    return tuple(_CHOICE.findall(text.split(asked, 1)[1])) if asked is not None else ()


def unsupported(near: Sequence[str], locale: str) -> str:
    """No passage supports an answer; ``near`` are titles of what comes close, offered as choices."""
    chinese = locale.startswith("zh")
    if near:
        return _listed("我不确定您问的是哪一项，" if chinese else "I'm not sure ", near, chinese)
    return (
        "我没有找到能回答这个问题的资料，不想随意猜测。您可以换个说法，或回复“转人工”由同事来帮您。"
        if chinese
        else "I couldn't find anything that answers this, and I'd rather not guess. "
        "You can put it another way, or say “agent” to talk to a person."
    )


def many_on(topic: str, titles: Sequence[str], locale: str) -> str:
    """Of several articles on a topic that was merely named, which is meant?"""
    chinese = locale.startswith("zh")
    return _listed(f"关于“{topic}”，" if chinese else f"On “{topic}”: I'm not sure ", titles, chinese)


def _listed(head: str, titles: Sequence[str], chinese: bool) -> str:
    choices = "\n".join(f"{number}. {title}" for number, title in enumerate(titles, 1))
    return (
        f"{head}{_WHICH[0]}\n{choices}\n都不是的话，请换个说法，或回复“转人工”。"
        if chinese
        else f"{head}{_WHICH[1]}\n{choices}\n"
        "If it's none of them, please put it another way, or say “agent” for a person."
    )


def noted(locale: str) -> str:
    """After "ok": nothing was asked."""
    return "好的，还有问题随时告诉我。" if locale.startswith("zh") else "Alright. Just ask if there is anything else."


def still_coming(locale: str) -> str:
    """After "ok" or "never mind" while a person is on the way."""
    return (
        "好的。同事接手后会在这里回复您；不需要了的话，回复“不用人工了”就行。"
        if locale.startswith("zh")
        else "Alright. A colleague will answer here; if you no longer need one, just reply “I don't need an agent”."
    )


def closing(locale: str) -> str:
    """After "that's all"."""
    return (
        "好的，有需要随时找我，祝您生活愉快！"
        if locale.startswith("zh")
        else "Alright, I'm here whenever you need me. Have a nice day!"
    )


def not_helpful(locale: str) -> str:
    """After a bare "no" to an answer."""
    return (
        "抱歉没有帮上忙。请换个说法告诉我您想问的，或回复“转人工”由同事来帮您。"
        if locale.startswith("zh")
        else "Sorry that didn't help. Please put your question another way, or reply “agent” for a person."
    )


def which_one(locale: str) -> str:
    """After "yes" to several choices."""
    return (
        "请问是哪一项？回复序号就可以。"
        if locale.startswith("zh")
        else "Which of them do you mean? Its number is enough."
    )


def state_missing(locale: str) -> str:
    """The live state did not answer in time."""
    return (
        "（暂时查不到您的订单和账户信息，以上没有参考它们。）"
        if locale.startswith("zh")
        else "(Your orders and account could not be looked up just now, so they are not taken into account.)"
    )


def sign_in(locale: str) -> str:
    """A visitor asked about something of their own; the answer before it is the general one."""
    return (
        "想查您自己的订单和账户情况，请先登录，我再为您查。"
        if locale.startswith("zh")
        else "To look at your own orders and account, please sign in first."
    )


def with_agent(locale: str) -> str:
    """To a customer who writes while an agent has the conversation."""
    return "已转给正在为您服务的同事。" if locale.startswith("zh") else "Passed on to the colleague who is with you."
