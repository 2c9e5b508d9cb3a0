"""Whether a customer's turn asks something that knowledge answers, by its words: not a record, a booking, a search."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType

from assistant.tasks.speech import act_of, asks
from assistant.text import fold

# What each pattern means is a dialogue act; none holds a word of a subject that articles are about.
_ACTS: Mapping[str, re.Pattern[str]] = {
    # a detail that a record holds, not an article
    "record": re.compile(
        r"\b(?:phone|telephone|contact|reference|booking|confirmation|order|tracking|ticket|ref|train) "
        r"?(?:number|no\b|#|id|code)s?|\b(?:phone|number|address(?:es)?|post ?codes?|zip ?codes?|reference"
        r"|entrance fee|e-?mail)\b"
        r"|电话|手机号|号码|[单编]号|地址|邮编|预[订定]号|确认号|余额|物流(?:信息|状态|到)"
    ),
    # a thing to be done
    "do": re.compile(
        r"\b(?:book(?:ed|ing)?|reserv\w+|tickets?|purchase|buy|cancel|order|make (?:a|that|it|the))\b"
        r"|预[订定约]|订[个房位票一]|下单|购买|取消|办理"
    ),
    # something to be chosen among many
    "seek": re.compile(
        r"\b(?:look(?:ing)? for|find|search\w*|recommend\w*|suggest\w*"
        r"|need (?:a|an|some) (?:place|hotel|restaurant|room|train|taxi)"
        r"|(?:some)?(?:where|thing|place|one)s? (?:to|in|that|else|with)|what about|how about|any other|options?"
        r"|choose|information|tell me about|interested in)\b|想找|找[一个家]|推荐|有什么好|有哪些|介绍"
    ),
    # values of a form: how many, when, which kind
    "slot": re.compile(
        r"\b(?:\d+|one|two|three|four|five|six|seven|eight) (?:people|persons?|guests?|nights?|days?|stars?|of us"
        r"|adults?)\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b\d{1,2}:\d\d\b"
        r"|\b(?:cheap|moderate(?:ly)?|(?:in)?expensive|price range|area|cent(?:re|er)|north|south|east|west|star|type"
        r"|leav\w+|arriv\w+|depart\w*|destination)\b|\d+ ?[人位晚间]|(?:周|星期)[一二三四五六日天]|价位"
    ),
    # a question that yes or no answers
    "polar": re.compile(
        r"^(?:and |also |but |so |ok(?:ay)?,? |yes,? |great,? |thanks,? |well,? |what about |[\w' ]{0,30}[,.!] )?"
        r"(?:is|are|does|do|did|has|have|will|can i|could i|may i|am i)\b|[吗嘛么][?？]?$|有没有|是不是|能不能|可不可以"
    ),
    # said of something named or understood
    "third": re.compile(
        r"\b(?:does|is|are|do|has|have|will|if|did) (?:it|they|there|the|this|that|either|any|one|these|those)\b"
        r"|它|[这那](?:个|家|款|种|里)"
    ),
    # something to be handed over
    "mayget": re.compile(
        r"\b(?:can|could|may) i (?:just )?(?:please )?(?:get|have)\b|\bgive me\b|\bprovide\b|\bsend me\b|[给发]我"
    ),
    "wish": re.compile(r"\bi(?:'d| would)? (?:like|want|need|prefer|am looking|'m looking)|我(?:想|要|需要)"),
    # a doubt without the form of a question
    "whether": re.compile(
        r"\b(?:if|whether|make sure|be sure|as long as|only|hope|before (?:you|i|we))\b|如果|是否|确定|只要"
    ),
    "closing": re.compile(r"\b(?:that(?:'s| is| will be)? all|no,? thanks?|bye|thank you)\b|没有了|谢谢|再见"),
}
FEATURES = ("asks", "told", *_ACTS)
# Fitted by `python -m evals.bench.needs_fit` on half A of dstc11-track5 (2,109 turns about hotels and restaurants, in
# English; L2 1.0); the Chinese words were put beside the English ones and are not fitted.
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "asks": 1.75,
        "told": -1.32,
        "record": -4.95,
        "do": -1.04,
        "seek": -1.73,
        "slot": -2.59,
        "polar": 1.71,
        "third": 0.92,
        "mayget": -1.19,
        "wish": 0.13,
        "whether": 1.13,
        "closing": -2.38,
    }
)
INTERCEPT = -0.57


def need_features(text: str) -> dict[str, float]:
    """By name of ``FEATURES``, what the text's words say: 0 or 1, and 0 to 2 for how many values of a form it gives."""
    said = fold(text).casefold().replace("’", "'").strip()
    found: dict[str, float] = {"asks": float(asks(text)), "told": float(act_of(text) == "other")}
    for name, pattern in _ACTS.items():
        found[name] = float(min(2, len(pattern.findall(said)))) if name == "slot" else float(bool(pattern.search(said)))
    return found


def knowledge_needed(text: str) -> float:
    """0–1: how likely the turn asks what an article answers. Nothing said needs nothing."""
    if not text.strip():
        return 0.0
    logit = INTERCEPT + sum(WEIGHTS[name] * value for name, value in need_features(text).items())
    return 1.0 / (1.0 + math.exp(-logit))
