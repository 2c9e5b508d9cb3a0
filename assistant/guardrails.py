"""What needs no retrieval: greetings, thanks, insults, noise, and attempts to give the assistant orders."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from assistant.text import fold, has_han

Locale = Literal["zh", "en"]
Kind = Literal["ok", "empty", "small_talk", "thanks", "bye", "abuse", "injection", "gibberish"]


@dataclass(frozen=True, slots=True)
class Guard:
    """What kind of turn it is; ``reply`` is what to say at once, None when ``kind`` is ``ok`` and it is to be answered."""

    kind: Kind
    reply: str | None


def classify(text: str, locale: Locale) -> Guard:
    """The kind of a customer's turn; anything that might be a question, or a short answer to one, is ``ok``."""
    said = fold(text).casefold().replace("’", "'")
    kind, variant = _kind(said)
    return Guard(kind, None if kind == "ok" else _REPLIES[variant or kind][0 if locale == "zh" else 1])


def greeting(locale: Locale) -> str:
    """What is said to a mere greeting."""
    return _REPLIES["small_talk"][0 if locale == "zh" else 1]


def thanked(locale: Locale) -> str:
    """What is said to thanks."""
    return _REPLIES["thanks"][0 if locale == "zh" else 1]


def _kind(said: str) -> tuple[Kind, str | None]:
    if not said or not re.search(r"\S", said):
        return "empty", None
    if _INJECTION.search(said):
        return "injection", None
    bare = _EMOJI_AND_MARKS.sub(" ", said).strip()
    if not bare:
        return "gibberish", "marks"
    for variant, pattern in (("who", _WHO), ("able", _ABLE), ("how", _HOW_ARE_YOU), ("chat", _IDLE)):
        if pattern.fullmatch(_without(bare, _GREETING)) and len(bare) < 60:
            return "small_talk", variant
    rest = _without(bare, _FILLER)
    for kind, pattern in _COURTESIES:
        rest_after = _without(rest, pattern)
        if rest_after != rest:
            if not _without(_without(_without(_without(rest_after, _THANKS), _BYE), _GREETING), _FILLER):
                return kind, None
            break
    if _ABUSE.search(bare) and not _without(_without(_without(bare, _ABUSE), _ABUSE_FILLER), _GREETING):
        return "abuse", None
    return ("gibberish", None) if _is_noise(bare) else ("ok", None)


def _without(text: str, pattern: re.Pattern[str]) -> str:
    return " ".join(pattern.sub(" ", text).split())


def _is_noise(text: str) -> bool:
    """Keys hit at random, one character over and over, laughter; never ids, sizes, amounts or codes."""
    compact = text.replace(" ", "")
    if re.fullmatch(r"[哈呵嘿啊呃嗯额哦]{3,}|(?:ha|he|lo+l|a+h+|h+m+)+h?", compact):
        return True
    if re.fullmatch(r"(.)\1{2,}", compact):
        return compact not in {"100", "XXX", "xxx", "xxxl"}
    if has_han(text) or re.search(r"\d", text):
        return False
    words = text.split()
    return bool(words) and all(_is_mash(word) for word in words)


def _is_mash(word: str) -> bool:
    """Letters along a keyboard row, or a run of consonants that no word has."""
    if not word.isascii() or not word.isalpha() or len(word) < 5:
        return False
    steps = sum(1 for a, b in pairwise(word) if a + b in _ROWS or b + a in _ROWS)
    vowels = sum(letter in "aeiouy" for letter in word)
    return steps >= 0.8 * (len(word) - 1) or vowels < 0.15 * len(word) or bool(re.search(r"[^aeiouy]{6,}", word))


_ROWS = {row[i : i + 2] for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm") for i in range(len(row) - 1)}
_EMOJI_AND_MARKS = re.compile(r"[^\w#]|_|[\U0001f000-\U0001faff\u2600-\u27bf]")

# -- orders to the assistant itself --
_THE_RULES = r"(?:指令|提示词?|规则|设定|限制|要求|命令|身份|角色|约束|安全策略)"
_INJECTION = re.compile(
    "|".join(
        (
            rf"(?:忽略|无视|忘[记掉]|抛开|跳过|绕过|不要遵守|别管|不用管|覆盖).{{0,8}}(?:以上|上述|之前|此前|先前|前面|上面|所有|全部|你的?|系统|原来|一切|任何).{{0,6}}{_THE_RULES}",
            r"(?:你的?|系统|隐藏|完整的?|初始|原始|内部).{0,4}(?:prompt|提示词|系统提示(?!支付|失败|库存)|初始指令|系统指令|初始设定|底层指令)|(?<![a-z])system ?prompt(?![a-z])|(?:输出|打印|显示|告诉我|泄露|展示|说出|重复).{0,6}(?:系统提示$|提示词|系统指令|\bprompt\b)",
            r"(?:进入|开启|切换到?|启用).{0,3}(?:开发者|调试|越狱|管理员|上帝|dan) ?模式",
            r"(?:从现在起|从现在开始|现在起|假装|假设|扮演|现在)[,， ]?(?:你|请你|你要)?(?:就)?(?:是|扮演|假装|变成|成为)(?:一个|一名|我的|没有)?.{0,6}(?:管理员|没有限制|不受限制|(?<![a-z])dan(?![a-z])|黑客|员工|老板|开发者|root|海盗)",
            r"(?:重复|复述|输出|打印).{0,4}(?:你)?(?:上面|以上|之前|收到).{0,6}(?:内容|文字|消息|话)",
            r"(?:显示|列出|给我|查|导出|告诉我).{0,4}(?:其他|别的|所有|全部|别人)(?:客户|用户|顾客|人).{0,4}(?:手机|电话|地址|订单|信息|资料|数据)|(?:所有|其他)(?:用户|客户|顾客)的(?:订单|手机|电话|地址|信息)",
            r"(?:^|\n|\s)(?:system|assistant|系统|\[system\]|<\|?\w+\|?>) ?[:：]|<\|im_|#{2,} ?(?:new |system |新的?|系统)\w* ?(?:instructions?|指令|prompt)?",
            r"\b(?:ignore|disregard|forget|override|bypass|skip)\b.{0,18}\b(?:previous|prior|above|earlier|all|any|your|system|the)\b.{0,14}\b(?:instructions?|rules?|prompts?|guidelines?|restrictions?|directions|programming|told)\b",
            r"\b(?:ignore|disregard|forget) (?:all )?(?:of )?(?:the |everything )?(?:above|before|you were told|previous)(?! (?:order|message))|\bforget everything you\b",
            r"\b(?:print|show|reveal|repeat|output|display|leak|tell me|give me|what(?:'s| is| are)|dump)\b.{0,12}\b(?:system prompt|your (?:\w+ )?(?:prompt|instructions|rules)|hidden prompt|initial (?:prompt|instructions)|api[ -]?key)\b",
            r"\brepeat (?:everything|all|the (?:text|words)) (?:above|before)",
            r"\b(?:you are now|act as|pretend (?:to be|you(?:'re| are))|roleplay as|from now on you are)\b.{0,14}\b(?:dan|admin\w*|root|unrestricted|developer|hacker|pirate|jailbr\w+|an? (?:ai|model|employee|manager))\b|\bdo anything now\b|\bjailbreak\b",
            r"\b(?:enter|enable|activate|switch to) (?:the )?(?:developer|debug|god|admin|dan) mode\b",
            r"\b(?:list|show|give|export|dump)\b.{0,10}\b(?:all|other|every)\b.{0,6}\b(?:customers?|users?)(?:'s?|s')? (?:orders?|data|phones?|addresses|details|emails?|info\w*)\b",
        )
    )
)

# -- courtesies: a turn is one when nothing else is left --
_FILLER = re.compile(
    r"[啊呀哦噢喔哈呢吧嘛啦哟嗯恩唔了哇呐滴哒嘞]+(?=\s|$)|(?:^|\s)(?:好的?|行|嗯+|恩+|ok(?:ay)?|嗨呀|那|先这样|就这样|没别的了?|没事了?|没(?:什么)?问题了?|没有了|小姐姐|小哥哥?|亲亲?|你啊|解决了|知道了|明白了|懂了|收到|可以了|好滴|好嘞|姐姐?|闺女)(?=\s|$)"
    r"|\b(?:great|perfect|that's|that s|so much|a lot|very much|then|oh|ah|well|mate|again|all|good day|ok|okay|lovely|brilliant|got it|cool|alright|no worries|for your help|for the help|for now|that is all|that s all)\b"
)
_GREETING = re.compile(
    r"(?:我?(?:想|要)?(?:请)?(?:咨询|问)(?:你|您)?(?:一下|一个问题|个问题|个事|点事|点问题|下)(?=\s|$)|您好|你好|[你您] ?hao|哈喽|哈啰|哈罗|嗨|喂|早上好|上午好|中午好|下午好|晚上好|早安|[在再]吗|[在再]不[在再]|(?<![\u3400-\u9fff])[在早亲](?![\u3400-\u9fff])"
    r"|有人(?:在)?吗|有人喺度吗|有没有人(?:在)?|请问(?:有人)?(?=\s|$)|客服(?:您好|你好|在吗)?(?=\s*(?:在|您|你|$))(?=.)|亲亲?(?=\s|$|[在你您]))[啊呀哦呢吗哈~]*"
    r"|\b(?:(?:hi+|hell?o+|h[ae]llo|hey+)(?: there)?|hiya|yo|ni ?hao|good (?:morning|afternoon|evening)|morning|evening|(?:is )?any(?:one|body) (?:there|here)|are you there|greetings|howdy|(?:quick|i have a|i(?:.| )?ve got a|just a|one) (?:quick )?question|(?:can|may|could) i ask (?:you )?(?:something|a (?:quick )?question))\b"
)
_THANKS = re.compile(
    r"(?:太|非常|十分|很|真的?是?)?(?:谢谢|感谢|多谢|谢啦|谢了|谢过|蟹蟹|3q|[唔無]该|辛苦|麻烦)(?:你们?|您|您了|啦|了|啊|晒|小姐姐|大家|帮忙|回复|解答|的|帮助|耐心)*"
    r"|\b(?:thank you|thank u|thanks?|thx|thnx|ty|tysm|cheers|(?:much |really )?appreciated?(?: it)?)\b"
)
_BYE = re.compile(
    r"再见|拜拜|拜$|晚安|下次再?聊|回头聊|回见|(?<!\d)88[6]?(?!\d)|溜了|(?:先)?(?:走|下)了"
    r"|\b(?:good ?bye|bye(?: bye)?|see (?:you|ya)(?: later| soon)?|cya|take care|good night|have a (?:nice|good|great|lovely) (?:day|evening|one|weekend)|farewell|ttyl)\b"
)
_COURTESIES: tuple[tuple[Kind, re.Pattern[str]], ...] = (("bye", _BYE), ("thanks", _THANKS), ("small_talk", _GREETING))
_WHO = re.compile(
    r"(?:那|请问|所以)?\s*(?:你|您)(?:到底|究竟)?(?:是不是|是|叫)(?:谁|什么|啥|什么名字|啥名字|哪位|哪个|干嘛的|机器人|真人|人工|人|ai|人工智能|机器)?(?:还是(?:机器人|真人|人|人工|ai))?(?:名字)?[吗么呀啊呢吧]*"
    r"|(?:你|您|这|现在|对面)?是(?:真人|人工|机器人|ai)(?:客服)?(?:还是(?:真人|人工|机器人|ai)(?:客服)?)?(?:在(?:回复|聊天?))?[吗么呀啊呢吧]*"
    r"|\b(?:who|what) (?:are|r) (?:you|u)\b|what(?:'s| s| is) your name|(?:are|r) (?:you|u) (?:a |an |even a )?(?:real )?(?:bot|robot|human|ai|person|machine|chatbot)(?: or (?:a |an )?\w+)?"
    r"|(?:am i|is this) (?:talking|speaking|chatting)?\s*(?:to|with)?\s*(?:a |an )?(?:bot|robot|ai|machine|chatbot|automated chat|human|person|real person)|is this (?:an? )?(?:automated|automatic) (?:chat|reply|service)"
)
_ABLE = re.compile(
    r"(?:你|您|你们)?(?:能|会|可以)(?:帮我?)?(?:干|做|办|聊|回答)(?:些|点)?(?:什么|啥|哪些)(?:事|问题)?[呀啊呢]*|(?:你|您)都?(?:会|能)(?:些|点)?(?:什么|啥|哪些)[呀啊呢]*|(?:你|您)有(?:什么|啥|哪些)(?:功能|本事|用)|what can (?:you|u) do(?: for me)?|what do you do|how can you help(?: me)?"
)
_HOW_ARE_YOU = re.compile(
    r"how are you(?: doing)?(?: today)?|how(?:'s| s| is) it going|what(?:'s| s) up|(?:你)?(?:最近|今天)?(?:过得)?(?:怎么样|还好吗|好不好)|(?:你|您)?吃(?:饭|过)?了[吗么没]|h[ao]?w are (?:you|u)"
)
_IDLE = re.compile(
    r"(?:给我)?(?:讲|说)个(?:笑话|故事)[吧吗呀]?|(?:今天)?天气(?:真|好|不错|怎么样|如何)+[好啊呀]*|唱(?:首|个)歌[吧吗]?|陪我聊(?:聊天|聊|天|会儿?)[吧吗]?|(?:你|您)(?:喜欢|爱)我[吗么]|(?:你|您)(?:今年)?(?:多大|几岁)了?[呀啊]?|(?:你|您)有(?:男|女)朋友[吗么]|(?:请?帮我|给我|请)?(?:写|作|编)一?(?:首|个|篇|段)(?:诗|歌|故事|作文|文章|代码|程序)[吧吗]?|\d+ ?[加减乘除x]? ?\d+ ?(?:等于|是)(?:几|多少)|我(?:好)?无聊"
    r"|tell me (?:a|another) (?:joke|story)|(?:the )?weather is \w+(?: today)?|nice weather(?: today)?|sing (?:me )?a song|do you (?:love|like) me|will you marry me|how old (?:are|r) (?:you|u)|write (?:me )?an? (?:poem|story|song|essay|joke)|what(?: s|'s| is)? the weather(?: like)?(?: today)?|what(?: s|'s| is)? \d+ (?:(?:plus|minus|times|x) )?\d+|i(?:'m| m| am) bored"
)
_ABUSE = re.compile(
    r"滚(?:蛋|开|远点)?(?![筒轮动刷])|[傻沙][逼比币叉x缺吊]|傻子|煞笔|尼玛|(?<![a-z])w?cnm(?![a-z])|破(?:机器人|客服|玩意儿?)|去你(?:妈|大爷)的?|(?<![a-z])s ?b(?![a-z])|智障|脑残|废物|垃圾(?:玩意儿?|东西|机器人|客服)?|混蛋|王八蛋?|(?:他|你)?妈的|(?:操|草)(?:你妈|泥马)|去死吧?|(?:你)?有病|不要脸|白痴|蠢(?:货|猪)?|(?:你)?是猪|\btmd\b|\bnmsl\b"
    r"|\bfuck(?:ing|er)?(?: (?:you|off|this))?\b|\bshit(?:ty)?\b|\bidiots?\b|\bstupid\b|\bmorons?\b|\bdumb(?:ass)?\b|\bbastards?\b|\bassholes?\b|\bbitch\b|\bshut up\b|\bgo to hell\b|\bscrew you\b|\b(?:piece of )?(?:crap|trash)\b|\bwtf\b|\bbullshit\b|\b(?:you|this|it|u) (?:really )?sucks?\b|\buseless\b|\bgarbage\b|\brubbish\b|\bf+ +(?:you|u|off)\b|\bcunts?\b|\bwankers?\b"
)
_ABUSE_FILLER = re.compile(
    r"[你您的个真就是吧吗呀啊啦都太好一这那们]+|什么|啥|机器人?|\bai\b|人工智障|客服|玩意儿?|东西"
    r"|\b(?:you|your|re|you're|are|u|a|an|the|this|that|is|bot|robot|machine|piece|of|such|so|really|just|absolute|total|off|all|and|what|chatbot|company)\b|'"
)

_REPLIES: dict[str, tuple[str, str]] = {
    "empty": (
        "您好像还没有输入内容，请告诉我您想咨询什么。",
        "I didn't receive any text. What would you like to know?",
    ),
    "small_talk": ("您好！请问有什么可以帮您？", "Hello! How can I help you?"),
    "who": (
        "我是智能客服助手，不是真人。可以回答订单、配送、退换和产品方面的问题；需要真人时，回复“转人工”即可。",
        "I'm the support assistant, not a person. I can answer questions on orders, delivery, returns and products;"
        " if you need a person, just reply “agent”.",
    ),
    "able": (
        "我可以查您的订单、物流和退款，也可以回答退换、发票、优惠和产品使用方面的问题。请直接说您的问题。",
        "I can look up your orders, parcels and refunds, and answer questions on returns, invoices, offers and using our"
        " products. Just ask.",
    ),
    "how": ("谢谢关心，我随时都在。请问有什么可以帮您？", "I'm ready to help, thank you. What can I do for you?"),
    "chat": (
        "闲聊我不太擅长，订单、配送、退换和产品方面的问题可以随时问我。",
        "I'm not much of a talker, but do ask me about orders, delivery, returns or our products.",
    ),
    "thanks": ("不客气！还有问题随时告诉我。", "You're welcome! Let me know if anything else comes up."),
    "bye": ("好的，再见，祝您生活愉快！", "Goodbye, and have a nice day!"),
    "abuse": (
        "很抱歉让您不愉快。请告诉我遇到了什么问题，我尽力解决；也可以回复“转人工”由真人处理。",
        "I'm sorry you're having a bad time. Tell me what went wrong and I'll do my best, or reply “agent” for a person.",
    ),
    "injection": (
        "这个我无法照办。订单、配送、退换或产品方面的问题，请直接告诉我。",
        "I can't do that. If you have a question about an order, delivery, returns or a product, please ask.",
    ),
    "gibberish": (
        "抱歉，我没看懂。请用一句话说说您的问题。",
        "Sorry, I couldn't make that out. Could you put your question in a sentence?",
    ),
    "marks": ("请用文字说说您的问题，我来帮您。", "Please put your question into words and I'll help."),
}
