"""Cuts replies into sentences and leaves out those that only keep company: greetings, apologies, promises to look."""

from __future__ import annotations

import re
from functools import lru_cache

from assistant.domain.conversation import Turn
from assistant.text import fold
from evals.answer_metrics.figures import figures
from ingest.transcripts import carries_information

_BREAK = re.compile(r"(?<=[。！!？?；;～~…\n])|(?<=[a-z)\]\"”][.])\s+|(?<=\d[.])\s+(?=[A-Z])")

# What agents of any shop say whatever was asked; what is left of a sentence after it must still say something.
_EMPTY = re.compile(
    r"(?:给|为|让|替)?[您你](?:带来|添|造成|久等)(?:的|了)?(?:不便|麻烦|困扰|不好的体验)?|(?:非常|十分|真的|实在|万分|深表|很)*(?:抱歉|歉意|对不起|不好意思|遗憾)"
    r"|(?:我|我们|这边|小二|客服|马上|立即|立刻|尽快|现在|这就|先|正在|会|将|来|再|已经|已)*(?:为|帮|给|替)?[您你]?(?:进行)?(?:的)?"
    r"(?:核实|查询|查看|查一?下|看一?下|处理|跟进|反馈|确认|核对|了解|解决|转达|记录)(?:一下|下)?(?:具体|相关|您的)?(?:情况|问题|订单|信息)?(?:的|哦|哈|呢|并|和|后)*"
    r"|(?:请|麻烦|劳烦)?[您你]?(?:耐心|再)?(?:稍等|稍候|等待|等候|等我|等一?下)(?:一下|片刻|哦|哈|一会儿?)*|尽快(?:给|为|帮)?[您你]?(?:答复|回复|处理|解决)"
    r"|(?:感谢|谢谢)[您你]?(?:的|对我们的)?(?:理解|支持|配合|耐心|反馈|咨询|等待|光临)*|(?:祝|愿)[您你].*|(?:请|麻烦)?(?:您)?(?:放心|谅解|理解|见谅|别(?:着急|担心|生气))"
    r"|(?:如)?(?:有|还有)?(?:任何|其他|什么|别的)?(?:问题|疑问|需要)?(?:可以|欢迎|请)?(?:随时)(?:联系|咨询|找|问)(?:我们|我|客服)?|很?(?:高兴"
    r"|荣幸)(?:能)?为?[您你]?服务|为[您你]服务"
    r"|(?:转|转接|接)(?:到|至)?人工(?:客服|坐席)?"
    r"|[我俺](?:是|系|係)(?:人工)?(?:客服)?小?[\u4e00-\u9fff]{1,2}(?=[,，。!！~～ ]"
    r"|$)|^[\u4e00-\u9fff]{1,3}(?:先生|女士|小姐|阿姨|经理)"
    r"|(?:帮|为)[您你](?:睇|查)(?:一?下|紧|緊)?(?:付款)?(?:记录|资料)?",
)
_EMPTY_EN = re.compile(
    r"\b(?:we|i)(?: (?:are|am|will|'ll|would|truly|sincerely|really|do))* (?:sorry|apologi[sz]e"
    r"|understand|appreciate|check|look|verify|investigat\w*)[^.!?;]*"
    r"|\b(?:i'?m|we'?re|i'?ll|we'?ll)(?: so| very| really| truly)? (?:sorry|happy|glad|check|look"
    r"|verify|get back)[^.!?;]*"
    r"|\bapolog\w+[^.!?;]*|\bsorry\b[^.!?;,]*|\bthank(?:s| you)\b[^.!?;]*|\bplease (?:wait|hold"
    r"|bear with|be patient|rest assured)[^.!?;]*"
    r"|\b(?:one|a) moment\b[^.!?;]*|\blet me (?:check|look|see|verify)[^.!?;]*|\bhave a (?:good|great"
    r"|nice|lovely) \w+|\b(?:feel free|don'?t hesitate) to[^.!?;]*|\bany (?:other"
    r"|further) questions?[^.!?;]*",
    re.IGNORECASE,
)
# a bare yes or no is short, but it is the answer
_VERDICT = re.compile(
    r"^[^,，]{0,4}(?:不?支持|不?可以|不能|不行|不会|没有|无法|不用|不需要|yes|no)(?:[的哦呢哈了]|\b)*[。.!！~～]*$",
    re.IGNORECASE,
)
_JUDGED = 400  # characters of a sentence that are looked at: the patterns are slow on pages without a full stop
_TELLING = frozenset({"amount", "date", "duration", "share"})
_LETTERS = re.compile(r"[\u3400-\u9fff]|[A-Za-z]{2,}|\d")
_FILLERS = re.compile(r"[亲啊呀哦噢喔哈呢吧嘛啦哟呐嗯了的您你我]|非常|这边|马上|现在|请")


def sentences(text: str) -> list[str]:
    """The text's sentences, folded (NFKC, Simplified), without empty ones."""
    parts = (fold(part) for line in text.splitlines() for part in _BREAK.split(line))
    return [part for part in parts if _LETTERS.search(part)]


@lru_cache(maxsize=20_000)
def content_sentences(text: str) -> tuple[str, ...]:
    """The sentences that say something a customer could act on or know."""
    return tuple(part for part in sentences(text) if says_something(part))


@lru_cache(maxsize=100_000)
def says_something(sentence: str) -> bool:
    """False for a sentence made of greeting, apology, thanks, waiting and promises to look into it."""
    sentence = sentence[:_JUDGED]
    if _VERDICT.search(sentence) or any(figure.kind in _TELLING for figure in figures(sentence)):
        return True
    if not carries_information(Turn("agent", sentence)):
        return False
    rest = _FILLERS.sub("", _EMPTY_EN.sub("", _EMPTY.sub("", sentence)))
    found = _LETTERS.findall(rest)
    han = sum("\u3400" <= letter <= "\u9fff" for letter in found)
    return any(letter.isdigit() for letter in found) or han + 2 * (len(found) - han) >= 4
