"""Who should not be answered: rules that pass a turn to a person, and what is handed over with it."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.domain.conversation import Turn
from assistant.domain.knowledge import Passage
from assistant.domain.reply import Handoff
from assistant.text import fold

Locale = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class HandoffDecision:
    """Why a person takes over: ``reason`` is one of ``HANDOFF_REASONS``, ``rule`` names what fired."""

    reason: str
    rule: str


@dataclass(frozen=True, slots=True)
class HandoffRules:
    """What a shop may set. ``low_confidence`` is the confidence under which nothing is asked back any more."""

    vip_tiers: frozenset[str] = frozenset({"black"})
    low_confidence: float = 0.3
    upset_now: float = -0.6
    upset_before: float = -0.3


def decide_handoff(
    turn_text: str,
    history: Sequence[Turn],
    *,
    locale: Locale,
    profile: Mapping[str, object],
    confidence: float | None,
    rules: HandoffRules | None = None,
) -> HandoffDecision | None:
    """Why this turn goes to a person, or None. ``history`` are the turns before it; ``confidence`` None: not known yet.

    ``locale`` changes nothing: people switch languages, so the rules of both are tried.
    """
    rules = rules or HandoffRules()
    text = _folded(turn_text)
    for reason, rule, pattern, veto in _TOPICS:
        if any(pattern.search(clause) and not (veto and veto.search(clause)) for clause in _clauses(text)):
            return HandoffDecision(reason, rule)
    if asks_for_person(turn_text):
        return HandoffDecision("customer_request", "asked_for_person")
    mood = sentiment(turn_text)
    before = [sentiment(turn.text) for turn in history if turn.role == "customer"][-3:]
    if mood <= rules.upset_now and any(score <= rules.upset_before for score in before):
        return HandoffDecision("upset", "negative_repeated")
    if _INSULT.search(text) and (_COMPLAINT.search(text) or any(score <= rules.upset_before for score in before)):
        return HandoffDecision("upset", "insult_and_complaint")
    if profile.get("tier") in rules.vip_tiers and _NEEDS_PERSON.search(text):
        return HandoffDecision("vip", "vip_needs_person")
    if _is_loop(turn_text, history):
        return HandoffDecision("loop", "same_issue_three_times")
    if confidence is not None and confidence < rules.low_confidence:
        return HandoffDecision("low_confidence", "confidence")
    return None


def asks_for_person(text: str) -> bool:
    """Whether a person is asked for, in any words; questions about staff, and refusals of a transfer, are not."""
    for clause in _clauses(_folded(text)):
        if _AWAY_FROM_BOT.search(clause):
            return True
        if _REFUSES.search(clause) or _PROCEDURE.search(clause) or _NARRATIVE.search(clause):
            continue
        if _ASKS.search(clause) or _ONLY_PERSON.fullmatch(clause):
            return True
    return False


def sentiment(text: str) -> float:
    """Mood of one turn, -1 (angry) to 1 (delighted), by a lexicon with negation and emphasis; 0 where nothing tells."""
    folded = _folded(text)
    if not folded:
        return 0.0
    score = 0.0
    for weight, pattern in _MOODS:
        for match in pattern.finditer(folded):
            negated = weight > 0 and _NEGATION.search(folded[max(0, match.start() - 8) : match.start()])
            score += -0.6 * weight if negated else weight
    if score < 0 or (score == 0 and re.search(r"[!?]{2,}", folded)):
        score -= 0.2 * len(re.findall(r"[!?]{2,}|\b[A-Z]{4,}\b", text.replace("！", "!").replace("？", "?")))
    return max(-1.0, min(1.0, score))


def skill_for(question: str) -> str:
    """The queue that a topic or question belongs to.

    One of delivery, refund, payment, product, invoice, membership, complaint and general.
    """
    text = _folded(question)
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
    telling = [line for line in (_without_request(text) for text in said) if len(_terms(line)) >= 2]
    first = telling[0] if telling else _line(question)
    last = telling[-1] if telling else first
    answers = [turn.text for turn in history if turn.role == "assistant" and not _NON_ANSWER.search(_folded(turn.text))]
    titles = list(dict.fromkeys(passage.title for passage in passages))[:3]
    zh = locale == "zh"
    lines = [("客户问题：" if zh else "Issue: ") + _line(first)]
    if answers:
        told = _line(answers[-1])
        lines.append(f"已答 {len(answers)} 次，最近：“{told}”" if zh else f'Answered {len(answers)}×, last: "{told}"')
    else:
        lines.append("尚未作答" if zh else "Not answered yet")
    if titles:
        lines.append("查过：" + "、".join(f"《{t}》" for t in titles) if zh else "Looked at: " + "; ".join(titles))
    if state_used:
        lines.append(("相关记录：" if zh else "Records: ") + ", ".join(state_used))
    lines.append(("待解决：" if zh else "Open: ") + _line(last))
    return "\n".join(lines)


def fix_promises(text: str, handoff: Handoff | None, locale: Locale) -> str:
    """The text without any promise of a transfer that nobody makes; unchanged when there is a handoff."""
    if handoff is not None:
        return text
    kept = [part for part in _cut(text) if not _promises(part)]
    fixed = "".join(kept).strip()
    if fixed == text.strip():
        return text
    if len(_terms(fixed)) >= 2:
        return fixed
    if locale == "zh":
        return "这个问题我暂时没有可靠的答案。需要人工客服时，回复“转人工”即可。"
    return "I have no reliable answer to this. If you would like a person, just reply “agent”."


def _promises(sentence: str) -> bool:
    folded = _folded(sentence)
    return bool(_PROMISE.search(folded)) and not _OFFER.search(folded)


def _is_loop(question: str, history: Sequence[Turn]) -> bool:
    """The last three rounds of the customer are one issue, and neither reply between them was an answer."""
    rounds: list[str] = []
    replies: list[str] = []
    for turn in [*history, Turn("customer", question)]:
        if turn.role == "agent":
            rounds, replies = [], []
        elif turn.role == "customer":
            if len(rounds) > len(replies):
                rounds[-1] += "\n" + turn.text
            else:
                rounds.append(turn.text)
        elif turn.role == "assistant" and rounds:
            if len(replies) < len(rounds):
                replies.append(turn.text)
            else:
                replies[-1] += "\n" + turn.text
    if len(rounds) < 3 or len(replies) < len(rounds) - 1:
        return False
    for index in (len(rounds) - 2, len(rounds) - 1):
        cue = bool(_NOT_HELPED.search(_folded(rounds[index])))
        same = cue or _overlap(rounds[index - 1], rounds[index]) >= 0.3
        reply = replies[index - 1]
        earlier = any(_overlap(old, reply) >= 0.8 for old in replies[: index - 1])
        if not same or not (cue or earlier or _NON_ANSWER.search(_folded(reply))):
            return False
    return True


def _overlap(left: str, right: str) -> float:
    """Shared terms over the smaller set of terms."""
    a, b = _terms(left), _terms(right)
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def _terms(text: str) -> set[str]:
    folded = _folded(text)
    han = re.findall(r"(?=([\u3400-\u9fff]{2}))", folded)
    return {*han, *(w for w in re.findall(r"[a-z0-9']{2,}", folded) if w not in _STOP)}


def _folded(text: str) -> str:
    return fold(text).casefold().replace("’", "'")


def _clauses(text: str) -> list[str]:
    """Parts between punctuation; a space beside a Chinese character parts clauses too."""
    parts = re.split(r"[,，。!?;:、…~\n()（）]|\.(?=\s|$|\.)|(?<=[\u3400-\u9fff])\s+|\s+(?=[\u3400-\u9fff])", text)
    return [part.strip() for part in parts if part.strip()]


def _cut(text: str) -> list[str]:
    return re.findall(r"[^。！？!?\n.]*(?:\.(?=\S)[^。！？!?\n.]*)*(?:[。！？!?\n]+|\.\s*|$)", text)


def _line(text: str, longest: int = 80) -> str:
    flat = " ".join(re.sub(r"\*\*|^#+ |^[-*] |\|", " ", text, flags=re.MULTILINE).split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"


def _without_request(text: str) -> str:
    """The turn without the clauses that only ask for a person."""
    parts = re.split(r"(?<=[,，。！？!?;；\n])", text)
    return "".join(part for part in parts if not asks_for_person(part)).strip() or ""


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_STOP = frozenset(
    [
        "the",
        "is",
        "it",
        "to",
        "of",
        "in",
        "on",
        "my",
        "me",
        "you",
        "your",
        "and",
        "for",
        "do",
        "can",
        "how",
        "what",
        "this",
        "that",
        "are",
        "was",
        "i'm",
        "it's",
    ]
)

# -- asking for a person: written on the odd lines of tests/data/handoff_turns.jsonl and on groups a and b of the demo --
_NOT_STAFF = r"(?!费|智能|审核|验货|审批|皮革|填充|降雪|湖|几点|上班|下班|[一-龥]{0,3}试穿|上身|着|实拍|效果)"
_ZH_PERSON = (
    r"(?:(?:[人仁任]\s*[工公功宫]|rengong|ren gong)(?:客服|服务|台|坐席)?|真人(?:客服)?|活人|真正的?(?:人|客服)|[客顾]服(?:人员|专员|小姐姐|小哥|主管|经理)?"
    r"|专员|工作人员|接线员|(?:客户)?服务员|客户服务|负责人|经理|主管|领导|老板|组长|上级|同事|高层"
    r"|(?:能|会|可以)?(?:做主|管事|办事|说了算|拍板|主事|(?:解决|处理|办|管)(?:问题|事情?)?)的人?|懂(?:的|行)?的?人|人类"
    r"|(?:real |live )?(?:person|human|agent|people))" + _NOT_STAFF
)
_FILL = r"(?:到|至|成|入|一下|下|给|我|你们?的?|咱们?|个|一个|一位|一名|位|名|再|另外?|能|来|位|些|在线|的)*"
_ZH_ASKS = (
    rf"(?:[转传赚接换]|zhuan ?|转接|接通){_FILL}{_ZH_PERSON}",
    rf"(?:找|叫|[搵揾]|问|要|请|派|让|喊|联系|见|给我|安排|换|呼叫|直接|来){_FILL}{_ZH_PERSON}(?!给的|说的|说过|讲过|联系不)",
    rf"(?:跟|和|与|同){_FILL}{_ZH_PERSON}.{{0,3}}(?:说|聊|讲|谈|沟通|对话|倾|反映)",
    r"(?:叫|找|派|换|来|安排|[搵揾]|让|请)(?:个|一个|你们的?|一位|位|别的|其他|另一个|懂的)*人(?:[来嚟黎]|跟我|和我|说|处理|解决|聊|讲|谈|倾|帮|看|管|给我|行|吧|$)",
    r"(?:有没有|有冇|有无)(?:个|一个)?(?:活人|真人|人(?:管|能|可以|处理|解决|理我|回我)|懂|能(?:管|解决|处理|做主))",
    r"(?:谁|有人)(?:能|来|可以)(?:出来|来)?(?:管|处理|解决|负责)|(?:没|一个)人(?:管|处理|理我|负责|上班)|连个人都没有|人呢",
    rf"(?:怎么|怎样|如何|在哪里?|哪里|哪儿|咋)(?:才能|可以|能)?(?:联系|转|接|找|打)(?:通|到|得到|接)?(?:一下)?{_FILL}{_ZH_PERSON}",
    rf"{_ZH_PERSON}(?:要|该|应该)?(?:怎么|在哪里?|哪里|如何)(?:转|接|联系|找|打|进)",
    r"(?:给我|帮我)?回(?:个|一个|我)?电话|打(?:个)?电话给我|打给我|(?:客服|人工|服务)(?:的)?(?:电话|热线)|给我(?:来|打)个?电话",
    r"(?:叫|换|让|找)(?:回|上次的)?(?:小|阿|老)[一-龥](?:来|$)|(?:叫|换|让|找)[一-龥]{0,4}(?:客服|专员)来",
)
_EN_STAFF = (
    r"(?:(?:real|live|actual|proper|human|genuine|different|another|other|customer|support|service|care|senior|line|flesh and blood)[ -])*"
    r"(?:humans?(?: being)?s?|hoo?man|persons?|people|agents?|rep(?:resenta?t[ia]?ves?)?s?|operator|advis[eo]r|manager|supervisor|boss"
    r"|specialist|staff|colleague|customer (?:service|support|care|relations)|(?:support|service) (?:team|staff|desk|people)|team ?(?:member|lead)|human (?:support|help))"
    r"\b(?![ -](?:fee|rights|photo|error|hair|resources|commission|hours|size|centre|charge|number of))"
)
_EN_ANYONE = r"(?:some(?:one|body)|any(?:one|body)|some person|one of you)"
_ART = r"(?:a|an|the|your|some|one of your|any|with|to|me|us|just|please|that|another|our)"
_EN_ASKS = (
    rf"\b(?:speak(?:ing)?|talk(?:ing)?|chat(?:ting)?|spk) (?:directly )?(?:to|with|2|w/)(?: {_ART})* (?:{_EN_STAFF}|{_EN_ANYONE}\b)",
    r"\b(?:connect|transfer|redirect|switch|forward|patch|pass|hand|put) (?:me|us)\b(?! (?:a|the|my|some) (?:link|code|coupon))",
    rf"\b(?:connect|transfer|hand|pass|forward|escalate|route|assign)(?: \w+){{0,4}} (?:to|with)(?: {_ART})* {_EN_STAFF}",
    r"\bescalate\b",
    rf"\b(?:get|give|gimme|find|send|bring|want|need|wanna|like|request|prefer|require|asked for|have|reach|contact|call|see)(?: {_ART})* {_EN_STAFF}",
    rf"\b(?:get|find|need|want|have|send|ask)(?: me)? {_EN_ANYONE}(?: \w+)? (?:competent|who|to (?:look|help|fix|check|call|sort|contact|deal|take)|from|at your|in charge|else|real|look|call|check|sort|deal)",
    rf"\b(?:can|could|will|would|may)(?: {_ART})* (?:{_EN_STAFF}|{_EN_ANYONE})(?: there| here| at your end| on your team| from your team)?(?: please)?"
    r"(?: (?:actual(?:ly)?|really|human|just|real|finally|with a brain|competent|who))* (?:human |actually )?(?:look|check|call|phone|ring|review|take over|get back|contact|deal|sort|intervene|step in|assist)",
    rf"\b(?:can|could|will|would)(?: {_ART})* {_EN_ANYONE}(?: please)? help(?: me| us)?(?: please| out)?$|\b{_EN_ANYONE} (?:human|real|actual(?:ly)?|competent|with a brain)",
    rf"\b(?:can|could|will|would) (?:(?:a|an|some|any) )?(?:{_EN_STAFF}|actual {_EN_ANYONE}|real {_EN_ANYONE}) (?:please )?help",
    rf"\b(?:is|are) (?:there )?(?:any )?(?:{_EN_ANYONE}|{_EN_STAFF}|a (?:real|live|actual) \w+)(?: \w+)? (?:i can|to (?:talk|speak|help)|there who|who can|available)|\b(?:is|are) (?:any(?:one|body)|some(?:one|body)) (?:real|human)",
    r"\bwho (?:can|do|should) i (?:talk|speak|contact|complain|call|escalate)\b",
    r"\bcall me(?: back)?\b(?! (?:on|at) \+?\d)|\bgive me a (?:call|ring)\b|\b(?:support|customer service|your) (?:phone|hotline|helpline|telephone)(?: number)?\b|\bnumber (?:i can|to) call\b",
)
_ASKS = _any(*_ZH_ASKS, *_EN_ASKS)
_ONLY_PERSON = re.compile(
    rf"(?:我?(?:要|想要|就要|只要|找)|请|麻烦|快|直接|給我|给我|\s)*(?:{_ZH_PERSON}|人)?(?:{_ZH_PERSON}|客服电话)+[吧啊呀呢嘛了谢请快\s]*"
    rf"|(?:(?:ok|okay|yes|no|just|please|pls|hi|hello|hey|sorry|a|an|the|i said|get me|now|stop) )*{_EN_STAFF}"
    r"(?: (?:please|pls|plz|plss|now|already|help|here|support|asap|thanks|thank you|only))*[吧啊呀呢嘛]*"
)
_AWAY_FROM_BOT = _any(
    r"不(?:想|要|愿意?|是要)(?:再)?(?:跟|和|同|对着?)(?:你们?的?|这个?|一个)?(?:机器人?|ai|bot|人机|电脑)",
    r"(?:别|不要|少)(?:再)?(?:让|用|拿|叫|派)?.{0,3}(?:机器人?|ai|bot|自动回复|自动应答|复读机)",
    r"(?:机器人?|ai|bot)(?:就|都|你)?(?:别|不要|少|让开|走开)|跟(?:你|机器人?|ai|bot)(?:说|讲|聊|沟通)?(?:不清|不通|不明白|说不|讲不|没法|没用)|答非所问.{0,2}换人|换人",
    r"(?:听不懂|不懂)人话|你(?:们)?(?:根本|又|也)?(?:解决|处理|帮|搞)不了",
    r"\b(?:don'?t|do not|not|stop|done|tired of|sick of|hate|instead of|rather than|enough of|no more|without|fed up with)\b.{0,22}\b(?:bots?|robots?|ai|machines?|chatbots?|computers?)\b(?!.{0,12}(?:vacuum|mop|clean))",
    r"\bstop (?:sending|giving) (?:me )?(?:these |the )?(?:canned|automat|auto|copy)",
)
_REFUSES = _any(
    rf"(?:不用|不要|先?别|不需要|不想|无需|甭|没必要|[唔無]使|不必|无须).{{0,5}}(?:转|找|叫|要|接|联系)?.{{0,3}}{_ZH_PERSON}",
    r"(?<!why )\b(?:don'?t|do not|doesn'?t|no need|needn'?t|rather not|not necessary|without)\b(?!.{0,4} (?:you|i) (?:have|get)).{0,28}\b(?:agents?|humans?|person|people|rep\w*|transfer|connect|escalate|manager|supervisor|some(?:one|body)|call me|staff)",
    r"\bwithout (?:having to|needing to)?",
)
_PROCEDURE = _any(
    rf"(?:要不要|需不需要|用不用|是不是(?:要|得|需要|必须)|必须|一定要|需要|得|只能)(?:先)?(?:找|联系|转|通过|打|跟|让)?.{{0,4}}{_ZH_PERSON}.{{0,10}}(?:吗|么|才|\?|呢$)",
    rf"(?:需要|要)(?:找|联系|转).{{0,4}}{_ZH_PERSON}吗|{_ZH_PERSON}.{{0,4}}(?:几点|上班|下班|周末|节假日|工作时间|服务时间|多久|是什么|什么等级)",
    r"\b(?:do|does|would|will|must|should) (?:i|we|you|one) (?:need|have|require|want)\b.{0,28}\b(?:agent|human|person|rep|customer service|support|someone|somebody|anyone)",
    r"\b(?:working|opening|business|office) hours\b|\bwhat (?:time|are|is)\b",
)
_NARRATIVE = _any(
    r"(?:昨天|刚才|刚刚|上次|之前|前天|已经|上回|那个|前几天|早上|上周).{0,8}(?:客服|人工|专员|经理|主管|同事).{0,8}(?:说|答应|承诺|告诉|讲|给|让我|回复)",
    r"(?:客服|人工|经理|主管)(?:跟我|和我|给我)?(?:说|答应|承诺|告诉|讲过|回复)(?!话)",
    r"\b(?:spoke|talked|told|said|promised|called|contacted|chatted|was (?:talking|speaking|chatting))\b.*\b(?:yesterday|last|ago|earlier|before|today|told|said|promised)\b",
)

# fmt: off
# -- topics nobody but a person may speak on: (reason, rule, pattern, what makes it harmless) --
_TOPICS: tuple[tuple[str, str, re.Pattern[str], re.Pattern[str] | None], ...] = (
    ("forbidden_topic", "injury_or_safety", _any(r"受伤|烫伤|烧伤|烫到|触电|电到|漏电|起火|着火|自燃|冒烟|冒火|爆炸|炸了|炸开|过敏|流血|中毒|住院|划伤|割伤|骨折|送医|急诊|起泡|不想活|自杀",
            r"\b(?:injur\w+|electrocut\w+|electric shock|caught (?:on )?fire|on fire|explod\w+|allergic|bleeding|hospital|poison\w*|suicid\w+|kill myself)\b"
            r"|\bburn(?:ed|t) (?:my|me|his|her|our|himself|herself)|\bsmok(?:e|ing) (?:from|coming|out)|\b(?:is|was|started|it'?s) smoking\b|\bspark(?:s|ed|ing)\b|\bshocked (?:me|my)"),
        _any(r"会不会|会.{0,8}[吗么]|防|怕|抗|避免|预防|以免|不会|是否|容易",
            r"\b(?:will it|does it|could it|anti|hypo|proof|avoid|prevent|safe|in case|might)\b")),
    ("forbidden_topic", "fraud_or_account_theft", _any(r"诈骗|被骗了?[\d一-龥]{0,4}钱|盗刷|冒充|盗号|账号被盗|被盗用|钓鱼|洗钱",
            r"\b(?:fraud\w*|scamm?ed|stolen card|card was stolen|hacked|phishing|identity theft|impersonat\w+)\b|\bunauthori[sz]ed (?:charge|payment|transaction|order)"),
        _any(r"防诈|反诈")),
    ("forbidden_topic", "legal_or_press_threat", _any(r"12315|12345|工商局?(?:投诉|举报)|消协|消费者协会|市场监管|曝光|媒体|记者|新闻|律师(?!事务所)|起诉|法院|告你们?|法律途径|报警|举报|(?:发|挂)(?:到|上|去)?(?:网上|微博|抖音|小红书|朋友圈)",
            r"\b(?:lawyers?|attorney|solicitor|legal action|lawsuit|journalist|newspaper|the media|trading standards|small claims|chargeback|the police|regulator|consumer (?:protection|rights|council))\b",
            r"\bsu(?:e|ing) (?:you|your|the)|\bto court\b|\bgo(?:ing)? to the press|\bexpose you|\breport you\b|\bgo(?:ing)? public\b"),
        _any(r"(?:得|有|返|领|可以)[^,，]{0,6}(?:券|积分|奖)|晒单")),
    ("upset", "complaint", _any(r"(?:我?要|想|我去|必须|打算|准备)投诉|投诉你们?|\b(?:make|file|raise|lodge|submit) a (?:formal )?complaint\b|\bwant to complain\b"), None),
)

# -- mood: fitted on groups a and b of the demo's labels --
_NEGATION = re.compile(r"不|没|別|别|无|未|\b(?:not|no|never|isn'?t|wasn'?t|don'?t)\W*$")
_INSULT = _any(r"傻[逼比子叉x]|[sｓ]b\b|煞笔|智障|脑残|废物|垃圾|骗子|骗人|混蛋|王八|他?妈的|tmd|滚|去死|有病|草泥|狗屁|放屁|不要脸|黑店|坑人|[破烂](?:客服|店|公司|机器人|东西|玩意)",
    r"\b(?:fuck\w*|shit\w*|idiots?|stupid|moron\w*|bullshit|scum|liars?|crap|bastards?|asshole|useless|pathetic|thieves|rip-?off|scam)\b")
_COMPLAINT = _any(r"退|没到|没收到|坏|投诉|等了|几天|多久|不处理|没人|还不|还没|差评|服务|解决|赔|质量|破|又",
    r"\b(?:refund|late|broken|waiting|weeks?|days|still|never|complain|service|money|fix|again|return)\b")
_MOODS: tuple[tuple[float, re.Pattern[str]], ...] = ((-0.9, _INSULT),
    (-0.7,
        _any(r"投诉|差评|举报|曝光|12315|气死|太(?:过分|差|离谱|坑|慢|狠|贵|欺负)|离谱|过分|无语|服了|恶心|失望|忽悠|骗|坑|搞笑呢|烦死|烦人|受不了|再也不|凭什么|什么(?:破|态度|玩意|意思啊)|复读机|答非所问|听不懂|有没有人管|白问|废话|咋回事|拖",
            r"\b(?:ridiculous|unacceptable|terrible|awful|horrible|worst|disgust\w*|disappoint\w*|furious|angry|joke|nonsense|appalling|outrageous|fed up|shocking|disgrace|insult|unfair|on earth|counts for nothing)\b")),
    (-0.4,
        _any(r"怎么又|又(?:是|卡|坏|来|说)|早就|那你倒是|都[\d一二三四五六七八九十两几半]{1,3}[天日周个]|没用|没提醒|没动静|没人|唉|哎|呵呵|😡|😠|🙄|😒|😓|😤|👎|复杂|麻烦死|不是(?:尺码|偏|码数)|问[你的]|你确定|自己看|倒是|都系咁|都係咁|影子|不舍得|白等|[天日]了\W*(?:还|都|咋|怎么)|缩了|[^一-龥]*!{3,}",
            r"\b(?:already|again and|nobody|annoy\w*|frustrat\w*|upset|unhappy|shame|ages for|ugh|sigh|seriously|contradict\w*|refused|too long|tried (?:twice|that|already))\b|\bwow$")),
    (-0.2,
        _any(r"还没|还不|怎么还|咋还|还收|还要|不行|不对|失败|坏[了的]|没反应|没来|漏水|裂|破了|臭|噪音|卡住|少发|少了|发错|扣了两次|[付副]不了|连不上|等了|急|到底|催|停咗|未到|已经[\d一二三四五六七八九十两]{1,3}[天日周]|凭",
            r"\b(?:still|again|not working|doesn'?t work|won'?t|broken|wrong|failed|fails|late|never|nothing|missing|lost|cracked|leak\w*|damaged|no such|tried)\b")),
    (0.6,
        _any(r"谢谢|多谢|感谢|謝|唔該|谢[啦了你]|3q|太好了|真好|不错|满意|赞|喜欢|开心|辛苦了|厉害|给力|完美|成了|好了好了|搞定|成功|付上了|买上|改好|升好|得咗|安静了|哈哈|还好|挺好|那好|可以[ 👍]|👍|🙏|😊|🌹|❤|🥰|😂|来得及|还差不多|解决了|贴心",
            r"\b(?:thanks?|thank you|thx|cheers|great|perfect|brilliant|lovely|awesome|excellent|appreciat\w*|happy|love|wonderful|good|nice|works|worked|fixed|fair enough|that helps|helpful|amazing|deal|sorted|found it|fine)\b")))

# -- answers that are none, promises, needs --
_NON_ANSWER = _any(r"没有?(?:完全)?(?:理解|明白|听懂|看懂)|没有?把握|无法(?:回答|确认|查|处理)|没有?找到|请(?:换个|再|重新)?(?:说法|描述)|您是想(?:了解|问)|不太确定|暂时(?:不|没|无法)|转接?人工",
    r"(?:don'?t|didn'?t|did not) (?:quite )?understand|not sure (?:i|what)|could(?:n'?t| not) find|rephrase|can(?:no|')t (?:help|find|answer)|no reliable answer|transfer you")
_NOT_HELPED = _any(r"没用|还是(?:不|没)|不是(?:这个|问|说)|我(?:问|说|讲)的(?:是|不是)|问你|答非所问|没解决|说了不|都说了|试过了|不对|没回答|看不懂|听不懂|又是这|复读|重复|同样的|刚才就|早就|已经.{0,6}了",
    r"\bnot what i (?:asked|meant|said)|\bdid(?:n'?t| not) (?:help|work|answer)|\b(?:does|do)(?:n'?t| not) (?:help|work|answer)|\bstill (?:not|no|doesn|isn|won|can|the same)|\balready (?:tried|did|told|said)|\bi (?:said|asked|meant)\b|\bsame (?:answer|thing|again)|\bno such\b|\btried\b")
_NEEDS_PERSON = _any(r"(?:帮|给|替)我.{0,12}(?:取消|退|换|改|修|查|催|补|开|拦|处理|安排|申请|看)|(?:我?要|想|需要)(?:取消|退|换|改|修|投诉|补偿|赔)|没收到|没到账|还没(?:到|退|发)|坏了|破损|少发|漏发|发错|扣了两次|重复扣|拦截|上门取",
    r"\b(?:cancel|refund|return|exchange|change|redirect|repair|fix|chase|track|complain|compensat\w+|intercept)\b.{0,20}\b(?:my|this|it|order|parcel)\b|\b(?:not|never|hasn'?t|haven'?t) (?:arrived|received|come|been)|\b(?:broken|damaged|missing|charged twice|wrong (?:item|size))\b")
_PROMISE = _any(r"(?:为|帮|给|替)?(?:您|你)?.{0,6}(?:转接|转到|转至|转给|接通|呼叫|接入)(?:至|到|给|了)?.{0,6}(?:人工|客服|专员|同事|主管|专人)|(?:为|帮|给)(?:您|你)转(?:接|人工|客服)",
    r"(?:安排|请|让).{0,4}(?:人工|客服|专员|同事|主管|专人).{0,8}(?:联系|处理|跟进|回复|回电|为您)|(?:人工|客服|专员|同事).{0,2}(?:马上|稍后|即将|很快|正在|会尽快|立即).{0,8}(?:您|你|接入|跟进|处理)|正在.{0,6}(?:转接|接通)",
    r"\b(?:i'?ll|i will|i'?m|i am|we'?ll|we will|we are|we'?re|let me|i'?ve|i have|going to|now)\b.{0,24}\b(?:transfer\w*|connect\w*|hand(?:ing|ed)? (?:you|this|it|over)|escalat\w+|put(?:ting)? you through|pass(?:ing|ed)? (?:you|this|it)|forward(?:ing|ed)? (?:you|this))\b",
    r"\b(?:an?|our|the|one of our|my) (?:human )?(?:agent|colleague|representative|specialist|advisor|supervisor)s? (?:will|is going to) (?:contact|be with|join|call|get back|reach out|take over|help|assist|follow)",
    r"\b(?:transferring|connecting) you\b|\byou (?:are|will) be(?:ing)? (?:transferred|connected)")
_OFFER = _any(r"可以.{0,10}(?:转|联系|回复|找)|需要.{0,16}(?:吗|请|时)|是否|要不要|如果|如需|若|想.{0,4}的话|回复.{0,3}转人工|[吗?？]\s*$",
    r"\bif (?:you|the|this|it)\b|\bwould you like|\bshall i|\bdo you want|\bi can\b|\bcan ask\b|\breply .{0,3}agent|\?\s*$")
_SKILLS: dict[str, re.Pattern[str]] = {
    "complaint": _any(r"投诉|举报|曝光|差评|态度|赔偿|12315|律师|受伤|complain\w*|compensat\w*|lawyer|unacceptable|injur\w+"
    ),
    "refund": _any(r"退款|退货|退钱|退宽|换货|退换|退了?没|退给|差价|价保|运费险|换码|换一?个?[大小]|到账|refund\w*|return\w*|exchange\w*|money back|price protection|price drop"
    ),
    "delivery": _any(r"快递|物流|发货|包裹|配送|收货|地址|运费|邮费|包邮|签收|自提|驿站|寄到|催件|还没到|没收到|deliver\w*|parcel\w*|shipp\w*|courier\w*|tracking|address|arriv\w*|package"
    ),
    "payment": _any(r"付款|支付|扣款|扣了|分期|花呗|银行卡|付不了|手续费|礼品卡|转账|定金|尾款|payment\w*|\bpay\b|paid|charged|instal?ments?|gift cards?|bank card"
    ),
    "invoice": _any(r"发票|抬头|税号|专票|开票|红字|invoice\w*|\bvat\b|tax (?:id|number)"),
    "membership": _any(r"会员|积分|黑金|金卡|银卡|等级|生日|优惠券|券|满减|活动|注销|member\w*|points|tiers?|coupons?|vouchers?|promo\w*|birthday"
    ),
    "product": _any(r"尺码|尺寸|怎么(?:洗|用|装|清|安)|加湿器|电饭煲|净化器|水壶|羽绒|跑鞋|四件套|扫地|咖啡机|投影|保温杯|滤[芯网]|wi-?fi|保修|维修|故障|报错|除垢|噪音|多大|size|humidifier|cooker|purifier|kettle|jacket|shoes?|bedding|duvet|vacuum|espresso|coffee|projector|bottle|filter|warranty|repair|descal\w*|wash"
    ),
}
# fmt: on
