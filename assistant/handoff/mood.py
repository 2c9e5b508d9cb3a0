"""How a customer sounds: a word list with negation and emphasis, in both languages."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re

from assistant.handoff.wording import any_of, folded


def sentiment(text: str) -> float:
    """Mood of one turn, -1 (angry) to 1 (delighted), by a lexicon with negation and emphasis; 0 where nothing tells."""
    said = folded(text)
    if not said:
        return 0.0
    score = 0.0
    for weight, pattern in _MOODS:
        for match in pattern.finditer(said):
            negated = weight > 0 and _NEGATION.search(said[max(0, match.start() - 8) : match.start()])
            score += -0.6 * weight if negated else weight
    if score < 0 or (score == 0 and re.search(r"[!?]{2,}", said)):
        score -= 0.2 * len(re.findall(r"[!?]{2,}|\b[A-Z]{4,}\b", text.replace("！", "!").replace("？", "?")))
    return max(-1.0, min(1.0, score))


# fmt: off
# -- mood: fitted on groups a and b of the demo's labels --
_NEGATION = re.compile(r"不|没|別|别|无|未|\b(?:not|no|never|isn'?t|wasn'?t|don'?t)\W*$")
INSULT = any_of(r"傻[逼比子叉x]|[sｓ]b\b|煞笔|智障|脑残|废物|垃圾|骗子|骗人|混蛋|王八|他?妈的|tmd|滚|去死|有病|草泥|狗屁|放屁|不要脸|黑店|坑人|[破烂](?:客服|店|公司|机器人|东西|玩意)",
    r"\b(?:fuck\w*|shit\w*|idiots?|stupid|moron\w*|bullshit|scum|liars?|crap|bastards?|asshole|useless|pathetic|thieves|rip-?off|scam)\b")
COMPLAINT = any_of(r"退|没到|没收到|坏|投诉|等了|几天|多久|不处理|没人|还不|还没|差评|服务|解决|赔|质量|破|又",
    r"\b(?:refund|late|broken|waiting|weeks?|days|still|never|complain|service|money|fix|again|return)\b")
_MOODS: tuple[tuple[float, re.Pattern[str]], ...] = ((-0.9, INSULT),
    (-0.7,
        any_of(r"投诉|差评|举报|曝光|12315|气死|太(?:过分|差|离谱|坑|慢|狠|贵|欺负)|离谱|过分|无语|服了|恶心|失望|忽悠|骗|坑|搞笑呢|烦死|烦人|受不了|再也不|凭什么|什么(?:破|态度|玩意|意思啊)|复读机|答非所问|听不懂|有没有人管|白问|废话|咋回事|拖",
            r"\b(?:ridiculous|unacceptable|terrible|awful|horrible|worst|disgust\w*|disappoint\w*|furious|angry|joke|nonsense|appalling|outrageous|fed up|shocking|disgrace|insult|unfair|on earth|counts for nothing)\b")),
    (-0.4,
        any_of(r"怎么又|又(?:是|卡|坏|来|说)|早就|那你倒是|都[\d一二三四五六七八九十两几半]{1,3}[天日周个]|没用|没提醒|没动静|没人|唉|哎|呵呵|😡|😠|🙄|😒|😓|😤|👎|复杂|麻烦死|不是(?:尺码|偏|码数)|问[你的]|你确定|自己看|倒是|都系咁|都係咁|影子|不舍得|白等|[天日]了\W*(?:还|都|咋|怎么)|缩了|[^一-龥]*!{3,}",
            r"\b(?:already|again and|nobody|annoy\w*|frustrat\w*|upset|unhappy|shame|ages for|ugh|sigh|seriously|contradict\w*|refused|too long|tried (?:twice|that|already))\b|\bwow$")),
    (-0.2,
        any_of(r"还没|还不|怎么还|咋还|还收|还要|不行|不对|失败|坏[了的]|没反应|没来|漏水|裂|破了|臭|噪音|卡住|少发|少了|发错|扣了两次|[付副]不了|连不上|等了|急|到底|催|停咗|未到|已经[\d一二三四五六七八九十两]{1,3}[天日周]|凭",
            r"\b(?:still|again|not working|doesn'?t work|won'?t|broken|wrong|failed|fails|late|never|nothing|missing|lost|cracked|leak\w*|damaged|no such|tried)\b")),
    (0.6,
        any_of(r"谢谢|多谢|感谢|謝|唔該|谢[啦了你]|3q|太好了|真好|不错|满意|赞|喜欢|开心|辛苦了|厉害|给力|完美|成了|好了好了|搞定|成功|付上了|买上|改好|升好|得咗|安静了|哈哈|还好|挺好|那好|可以[ 👍]|👍|🙏|😊|🌹|❤|🥰|😂|来得及|还差不多|解决了|贴心",
            r"\b(?:thanks?|thank you|thx|cheers|great|perfect|brilliant|lovely|awesome|excellent|appreciat\w*|happy|love|wonderful|good|nice|works|worked|fixed|fair enough|that helps|helpful|amazing|deal|sorted|found it|fine)\b")))
# fmt: on
