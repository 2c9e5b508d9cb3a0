"""What a customer's sentence does: asks for something to be done, asks how, says yes, says no. Both languages."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from assistant.state.answers.normalise import normalise

Act = Literal["request", "question", "other"]

_DO = r"(?:改|换|更改|更换|修改|取消|撤|退|开|补|申请|领|要|办|寄|送|发|转|弄|处理|提交|抢|拿)"
_DO_EN = r"(?:change|update|edit|correct|fix|modify|switch|cancel|issue|send|ship|deliver|redirect|claim|get|collect|give|redeem|make|put|use|amend|replace|request|apply|order|invoice|grab|take|create|compensate)"
# someone else is asked to do it
_ASKS_US = re.compile(
    rf"(?:帮|替|给|麻烦|劳烦|拜托|辛苦|烦请|请)(?!问)(?:你|您|你们|我|忙|一下|下|把|先|再|尽快|马上|直接|快|忙把|,|，|\s)*.{{0,24}}?{_DO}"
    r"|帮(?:我|忙)|麻烦(?!吗)|(?:能|可以|能够|可不可以|能不能|可否)(?:帮|替|给|麻烦)(?:我|忙)"
    rf"|\b(?:can|could|would|will) you\b.{{0,20}}\b{_DO_EN}|\b(?:please|kindly)\b.{{0,40}}\b{_DO_EN}|\b{_DO_EN}\b.{{0,80}}\bplease\b|\bhelp me (?:to )?{_DO_EN}|\bi(?: would|'d) like you to\b"
    rf"|\bmind {_DO_EN[:-1]}|changing|cancell?ing|sending|issuing)\b"
)
_WANTS = re.compile(
    rf"我(?:现在|们)?(?:想要?|要|需要|得|打算|希望|决定|还是)(?:你|您|再|先|把|给|去)*.{{0,16}}?{_DO}|我(?:想要?|要|需要)(?!不要)"
    rf"|把.{{1,40}}(?:改|换|取消|退|寄|送|发|转|开|领|撤)|^(?:直接|快|就|那就|那)?{_DO}(?!了吗|好了?吗|没)|(?:改|取消|开|领|办|退|换|撤)(?:一下|掉|了?吧|张)|(?:改|换|寄|送|发|转)(?:成|到|为|去|至)"
    r"|不想?要了|不买了|(?:写|填|选|拍|买|下)错|错了|搬家"
    rf"|\bi(?: would|'d)? (?:really |just )?(?:like|want|need|wish|have) (?:to |a |an |the |my |this |that )?|\bi wanna\b|\blet'?s\b|^(?:ok |okay |then |so |just |hi |hello |hey |also |and |now |actually |,|\s)*{_DO_EN}\b|\bi'?ll take\b|\bi (?:don'?t|do not|no longer) (?:want|need)\b|\bi (?:typed|entered|put|gave|ordered|bought|moved|just moved)\b|\bi(?: am|'m) moving\b|\bi have moved\b"
)
_HOW = re.compile(
    r"怎么(?!还|没|又|这么|就)|怎样|如何|咋(?!还|没)|在哪|哪里|哪儿|步骤|流程|方法|入口|什么时候|多久|几天|多少|为什么|是否|会不会|有没有|规则|条件|(?:可以|能|还能|能够|支持|允许|需要|要)[^,，。]{0,16}[吗么嘛]|能不能(?!帮|给|替|麻烦)|可不可以(?!帮|给|替|麻烦)|可否(?!帮|给|替)|要不要|哪些|什么"
    r"|\bhow\b|\bwhere\b|\bwhen\b|\bwhy\b|\bwhat\b|\bwhich\b|\bcan i\b|\bcould i\b|\bmay i\b|\bam i able\b|\bis it possible\b|\bis there (?:a|any) (?:way|fee|charge)\b|\bdo i (?:need|have)\b|\bdo you\b|\bare there\b|\bwill i\b|\bdoes\b|\bis (?:it|there)\b|\bcan (?:the|my|an|a|it|orders?|coupons?)\b"
)
# told, not asked for: it has happened, was tried in vain, or shall not happen
_TOLD = re.compile(
    r"(?:已经?|刚刚?|之前|昨天|上次|早就|前天).{0,10}(?:改|取消|申请|领|开)(?:过|好|完|掉|成功)?了|(?:改|取消|开|领|申请)(?:好|完|成功|掉)?了[吗没么]|(?:改|取消|领|开|换|申请)不(?:了|到|上|成|掉)|(?:取消|修改|领取|申请|开票|改)(?:失败|不成功|没成功)|被(?:取消|改|退)|没(?:有)?(?:取消|改|领到|开)成?|(?:领|改|开|取消|申请)过"
    r"|\b(?:has|have|had|was|were|is|been|got|did|already)\b.{0,24}\b(?:changed|cancel+ed|issued|claimed|updated)\b|\b(?:couldn'?t|can'?t|cannot|can not|unable to|failed to|won'?t let me|didn'?t)\b.{0,24}\b(?:change|cancel|claim|get|update|use)|\balready (?:changed|cancel+ed|claimed)\b|\byou (?:changed|cancel+ed)\b"
)
_NOT = re.compile(
    rf"(?:不要|别|不用|不想|先别|不必|暂时不|不需要|无需|千万别|没(?:有)?(?:要|想)|不是(?:要|想)?)(?:再|帮我|给我|把|去|急着|了)*\s*(?:取消|改|换|开|领|申请|办|撤|要取消|要改)(?!.{{0,3}}不了)"
    rf"|\b(?:don'?t|do not|never|no need to|not going to|rather not|didn'?t ask (?:you )?to|not asking (?:you )?to|not)\b (?:want (?:you )?to |wish to |need to |you )?(?:{_DO_EN[3:-1]})\b(?! (?:it )?anymore)"
)

_YES_WORDS = r"确认|确定|好的?|可以的?|行的?|对的?|是的?|没错|没问题|同意|就这样|就这么办|照办|办理?吧|提交吧?|改吧|修改吧|开吧|领吧|领取吧|麻烦了?|谢谢|请|那就?|嗯|恩|帮我|办理?|修改|马上|立即|就|吧|啦|了|呀|哦|哈|没有?问题|无误|信息|地址|对|好滴|好哒|好呀|妥|成|中|ok(?:ay)?|yes"
_YES_STRONG = re.compile(
    r"确认|确定|好的?|可以|^行|对的|^对|是的|^是$|没错|没问题|同意|就这样|就这么办|照办|办理?吧|提交|改吧|开吧|领吧|领取吧|无误|好滴|好哒|ok|yes"
)
_YES_ZH = re.compile(rf"(?:(?:{_YES_WORDS})[\s,，。.!！~～、]*)+")
_YES_EN = re.compile(
    r"(?:(?:yes|yeah|yep|yup|sure|ok|okay|confirm(?:ed)?|i confirm(?: it| that)?|correct|right|that'?s (?:right|correct|it|fine)|go ahead|go for it|do it|do that|please do(?: it| that)?|please|proceed|absolutely|definitely|of course|agreed?|i agree|sounds good|looks good|perfect|all good|fine|thanks|thank you|now|and|then|it'?s (?:right|correct)|make the change|change it|submit(?: it)?)[\s,.!]*)+"
)
_YES_EN_STRONG = re.compile(
    r"yes|yeah|yep|yup|\bsure|\bok|confirm|correct|right|go ahead|do it|do that|please do|proceed|absolutely|definitely|of course|agree|sounds good|looks good|perfect|submit|make the change|change it|fine"
)
_NO = re.compile(
    r"(?:那|先|还是|我)*(?:算了|不用了?|不办了?|不要了?|不改了?|不领了?|不开了?|不取消了?|先不|暂时不|别改了?|别办了?|别取消了?|放弃|取消(?:操作|办理|申请|这次|修改)?|停|停下|不了|不|没事了|不需要了?|否|不确认|不同意|不对|错了)(?:[吧了啊呀,，。!！\s]|谢谢|不用|不改|不办|改|办|取消)*"
    r"|(?:no|nope|nah|never ?mind|forget (?:it|that|about it)|stop|don'?t|do not|cancel that|leave it(?: as it is)?|not now|no thanks?(?: you)?|(?:don'?t|do not) do (?:it|that)|abort|no need|changed my mind|i changed my mind|keep (?:it|the order|my order)|not (?:right|correct)|wrong|(?:don'?t|do not) (?:cancel|change)(?: it)?|let'?s not|,|\.|!|\s|thanks|thank you|please|it)+"
)
_WAIT = re.compile(
    r"等等|等一?下|稍等|慢着|先等|\bwait\b|\bhold on\b|\bhang on\b|one (?:moment|second)|just a (?:moment|second|sec)"
)
_MARKS = re.compile(r"[?？]")
# what stands in quotation marks is somebody's words or a value, not what this sentence does
_QUOTED = re.compile(r"“[^“”]{2,}”|「[^「」]{2,}」|『[^『』]{2,}』|\"[^\"]{2,}\"")


def act_of(text: str) -> Act:
    """Whether the sentence wants a thing done, asks about doing it, or neither (told, refused, tried in vain)."""
    said = normalise(text)
    unquoted = _QUOTED.sub(" ", said)
    said = unquoted if unquoted.strip(" ,.!。，！") else said  # all in quotation marks: then these are the words
    if declines(said):
        return "other"
    asks_us = _ASKS_US.search(said) is not None
    how = _HOW.search(said) is not None
    if asks_us and not re.search(r"怎么|怎样|如何|咋|\bhow (?:do|can|to|could|should)\b", said):
        return "request"
    if how:
        return "question"
    if _WANTS.search(said):
        return "request"
    return "question" if _MARKS.search(said) else "other"


def declines(text: str) -> bool:
    """Whether the sentence says that it was done, was tried in vain, or shall not be done."""
    said = normalise(text)
    return _TOLD.search(said) is not None or _NOT.search(said) is not None


def says_yes(text: str, also: Sequence[str] = ()) -> bool:
    """Whether this is an explicit yes and nothing else; ``also`` are further words for it.

    A question, a bare murmur (嗯), a wait, a "yes, but" and anything with new content are not.
    """
    said = _bare(text)
    if not said or _MARKS.search(text) or _WAIT.search(said):
        return False
    if any(
        _bare(word) == said
        or re.fullmatch(
            rf"(?:{_YES_WORDS}|yes|please|\s|,|，)*{re.escape(_bare(word))}(?:{_YES_WORDS}|please|\s)*", said
        )
        for word in also
    ):
        return True
    if _YES_ZH.fullmatch(said) and _YES_STRONG.search(said):
        return True
    return _YES_EN.fullmatch(said) is not None and _YES_EN_STRONG.search(said) is not None


def says_no(text: str) -> bool:
    """Whether this gives the task up, and says nothing else."""
    said = _bare(text)
    return bool(said) and not _MARKS.search(text) and _NO.fullmatch(said) is not None


def is_ambiguous_no(text: str, also: Sequence[str]) -> bool:
    """Whether a bare word could be a yes as well: "取消" to "shall I cancel the order?"."""
    said = _bare(text)
    return len(said) > 1 and any(said in _bare(word) and not re.match(r"不|no\b|don", said) for word in also)


def asks(text: str) -> bool:
    """Whether this is a question of its own rather than a piece of information."""
    said = normalise(text)
    if len(re.sub(r"\W", "", said)) < 3:
        return False  # "嗯？" and "why?" alone ask nothing that could be answered
    return _MARKS.search(said) is not None or _HOW.search(said) is not None


def _bare(text: str) -> str:
    """Normalised, without emoji and closing marks."""
    said = normalise(text).strip()
    said = re.sub(r"[^\w\s,，。.!！?？'’~、]", "", said)
    return re.sub(r"[\s,，。.!！~、]+$", "", said).strip()
