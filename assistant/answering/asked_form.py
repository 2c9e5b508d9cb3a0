"""One form for the ways of putting one question: what is left once the frame of a question is taken off is kept whole.

Words are never weighed: a frame is from a closed list, all else must be the same, character by character.
"""

from __future__ import annotations

import re

from assistant.text import has_han

_LONGEST = 200  # characters; what is longer is no question that others put the same way
_MARK = "\x1f"
_CLAUSES = re.compile(r"[，,。；;！!？?：:]|\.\s")
_H = r"\u4e00-\u9fff"

# -- Chinese --
_ME = re.compile(r"^我(?!们)(?:想要?|要|需要)?")
_MAY = re.compile(r"(?<![不没才只就可功智节性职机热动电万技产])还?(?:可以|能够|能(?!量|耗|效|源|力|否|不能))")
_NEED = re.compile(r"(?<!不)需要")
_MAY_OR_NOT = re.compile(r"能不能够?|可不可以|能否|可否|是否(?:可以|能)|可唔可以")
_WHETHER = re.compile(r"是否(?!有)")
_HAS_OR_NOT = re.compile(rf"有没有(?=[{_H}])|是否有")
_A_NOT_A = re.compile(rf"([{_H}])不\1")
_POLAR = re.compile(r"吗$|(?<![什怎这那多要])么$")
_HOW = re.compile(
    r"(?:应该|该|应|要|是)?(?:怎么样(?=才)|怎么|如何|怎样|咋)(?!办|样|回事|着|说|会|还|没|不|又|就|都|总|老|一直|这么|那么|了|啦|啥|个)"
    r"(?:才能|才可以|可以|能|去)?"
)
_LONG = re.compile(
    r"(?:大概|一般|大约|通常)?(?:需要|要|需|得)?(?:多久|多长时间|(?<![这过前好那十第每隔])(?:几|多少)个?(?:天|工作日))(?!了|没|还|前|后|内)(?:时间)?"
    r"(?:才|能|会|可以)*"
)
_WHEN = re.compile(r"(?:什么时候|啥时候|何时)(?:才|能|会|可以)*")
_WHERE = re.compile(
    r"(?<![从到去])(?:在|可以在|能在)?(?:哪里(?!的)|哪儿(?!的)|哪(?![里儿个些种款家天年月怕]))(?:可以|能)?"
)
_MONEY = re.compile(
    r"(?:是|要|得|需要|需)?(?:多少钱|多少元|多少块钱?|几块钱|几元)(?!的|一|以|起|内)|(?<=[费价])(?:是|要)?多少$"
)
_WHY = re.compile(r"为(?:什么|何)")
_WHO = re.compile(r"(?:由|是)?谁(?:来)?")
_ABLE = re.compile(r"还?(?:能|可以)$")
_ASKING = (
    ("怎么", _HOW),
    ("多久", _LONG),
    ("何时", _WHEN),
    ("多少钱", _MONEY),
    ("为什么", _WHY),
    ("哪里", _WHERE),
    ("谁", _WHO),
)
_OTHER_ASKING = re.compile(r"为什么|为啥|为何|什么|多少|几|哪|怎么|咋|如何|谁|何时|多久|啥")
_I = re.compile("^我(?![想要需们])")
_WHAT_NOW = re.compile(r"(?:应该|该|要)?怎么办$")
_TOWARDS = re.compile(r"[给向找跟和被让替帮为对把]$")
_DO = re.compile(r"^(?:弄|操作|搞|做)$")
_OF = re.compile(r"(?<!目)的(?!确|$)")

# -- English --
_CONTRACTED = (
    (re.compile(r"\bcan't\b|\bcannot\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\b(what|where|who|how|when|it|that|there)'s\b"), r"\1 is"),
)
_FRAMES = (
    (
        "how",
        re.compile(
            r"^(?:(?:(?:can|could|would|will) you (?:please )?(?:tell|show|explain to) me|do you know"
            r"|i (?:want|need|would like) to know|tell me) )?"
            r"(?:how (?:do|can|could|would|should|might) (?:i|one)|how to|how i can"
            r"|what (?:do|should|must) i (?:need to |have to )?do (?:in order )?to|what are the steps (?:in order )?to"
            r"|what is the (?:way|process|procedure) to) (?!not\b|know\b)"
        ),
    ),
    (
        "can",
        re.compile(
            r"^(?:(?:can|could|may) i|am i (?:able|allowed) to|is it (?:possible|ok|okay|allowed) (?:for me )?to"
            r"|is there (?:a|any) way (?:for me )?to|(?:will|would) i be able to) (?!not\b)"
        ),
    ),
    (
        "must",
        re.compile(
            r"^(?:do i (?:really )?(?:need|have) to|must i|am i required to|is it necessary (?:for me )?to) (?!not\b)"
        ),
    ),
    ("can you", re.compile(r"^(?:can you|are you able to|is it possible for you to) (?!not\b)")),
    ("where", re.compile(r"^where (?:do|can|could|would) i (?!not\b)")),
    (
        "how long",
        re.compile(
            r"^how (?:long|many (?:business |working )?days) (?:does|do|will|would) (?:it take (?=to|for))?(?!not\b)"
        ),
    ),
    ("do", re.compile(r"^(?:do|does) (?!you\b|i\b|we\b|not\b)")),
    ("be", re.compile(r"^(?:is|are) (?!there\b|not\b|you\b)")),
    ("is there", re.compile(r"^(?:is|are) there (?:(?:a|an|any) )?(?!not\b|no\b)")),
    ("what", re.compile(r"^(?:what|which) (?!is\b|are\b|of\b|one\b|do\b|does\b|if\b)")),
)
_ARTICLE = re.compile(r"\b(?:a|an|the) (?!us\b|uk\b)")
_MINE = re.compile(r"\bmy ")
_HAVING = re.compile(r"^(?:get|have|receive|obtain|claim|collect|expect)\b")
_HYPHEN = re.compile(r"(?<=[a-z])-(?=[a-z]{2})")
_PLURAL = re.compile(
    r"\b(?!(?:does|always|goods|customs|glasses|savings|news|clothes|series|species)\b)"
    r"([a-z]{3,}?)(ies|(?<=ss|ch|sh)es|(?<=x)es|(?<![sui])s)\b"
)


def asked_form(form: str) -> str:
    """The form of a question whose courtesies are off (``normal_form``), without the frame in which it is put.

    怎么改地址, 地址怎么改 and 如何改地址 have one, "how do i change my pin" and "how to change the pin" too. What has
    questions or clauses, or no frame of the list, stays as it is. Nobody can type another question's form: the mark
    between frame and rest is white space, which ``fold`` leaves none of.
    """
    if len(form) > _LONGEST or _CLAUSES.search(form):
        return form
    return (_chinese(form) if has_han(form) else _english(form)) or form


def _chinese(form: str) -> str | None:
    """Yes or no (能不能退, 可以退吗), or one question word; None for all else."""
    text, polar = _MAY_OR_NOT.subn("能", form.replace("啥", "什么"))
    if not polar:
        text, polar = _WHETHER.subn("", text)
    if not polar:
        text, polar = _HAS_OR_NOT.subn("有", text)
    if not polar:
        text, polar = _A_NOT_A.subn(r"\1", text)
    text, asked = _POLAR.subn("", text)
    text = _OF.sub("", text)
    now = _WHAT_NOW.search(text)
    words = [(name, match) for name, pattern in _ASKING for match in pattern.finditer(text)]
    if polar + asked + bool(now) + len(words) != 1:
        return None
    if not words:
        rest = text[: now.start()] if now else re.sub("^支持", "能", _NEED.sub("要", _MAY.sub("能", text)))
        if _OTHER_ASKING.search(rest):
            return None
        return _framed("怎么办", _I.sub("", rest)) if now else _framed("吗", rest)
    name, match = words[0]
    before, after = text[: match.start()], text[match.end() :]
    return None if _OTHER_ASKING.search(before + after) else _asked(name, before, after)


def _asked(name: str, before: str, after: str) -> str | None:
    """What stands around a question word. Of how, where and who the object may stand on either side: 发票怎么开."""
    if name == "为什么":
        return _framed(name, before + after)
    if name in ("多久", "何时", "多少钱"):
        return _framed(name, _ABLE.sub("", before), after)
    if name == "谁":
        if _TOWARDS.search(before):  # 给谁打电话 is not 谁打电话给
            return None
        return _framed(name, after + before) if after else _framed(name, before, "")
    before = _ME.sub("", before)
    if name == "哪里":
        return _framed(name, after + _ABLE.sub("", before)) if after else _framed(name, before, "")
    if "了" in after or not before + after:  # 怎么扣钱了 asks why
        return None
    return _framed(name, before if before and _DO.match(after) else after + before)


def _framed(name: str, *rest: str) -> str:
    return _MARK.join((name, *rest))


def _english(form: str) -> str:
    text = form
    for pattern, whole in _CONTRACTED:
        text = pattern.sub(whole, text)
    text = _HYPHEN.sub(" ", text)
    for name, pattern in _FRAMES:
        match = pattern.match(text)
        if match:
            rest = text[match.end() :]
            rest = _MINE.sub("", rest) if name == "how" and not _HAVING.match(rest) else rest
            return _framed(name, _PLURAL.sub(_single, _ARTICLE.sub("", rest)))
    return text


def _single(match: re.Match[str]) -> str:
    return match[1] + ("y" if match[2] == "ies" else "")
