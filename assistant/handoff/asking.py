"""Whether a person is asked for, or a transfer turned down: said plainly, sideways, misspelt, in two languages."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re

from assistant.handoff.explicit import names_and_wants, wants_plainly, without_their_own
from assistant.handoff.spelling import spelled
from assistant.handoff.wording import any_of, clauses, folded
from assistant.text import has_han


def asks_for_person(text: str, likelihood: float | None = None, threshold: float = 0.55) -> bool:
    """Whether a person is asked for, in any words; questions about staff, and refusals of a transfer, are not.

    The patterns hear the plain ways. ``likelihood`` (0–1, from ``TurnReader``) hears the others from ``threshold`` on,
    unless a clause refuses a person or tells of an earlier one.
    """
    vetoed, about = False, True
    said = re.sub(r"\s*\bvs\b\.?\s*", "vs", spelled(text))
    for clause in clauses(said):
        if _AWAY_FROM_BOT.search(clause):
            return True
        if _REFUSES.search(clause):
            vetoed = True
            continue
        if not wants_plainly(clause) and (_PROCEDURE.search(clause) or _NARRATIVE.search(clause)):
            vetoed = True
            continue
        if _ABOUT.search(clause):
            continue
        kept = without_their_own(clause)
        vetoed = vetoed or kept != clause
        if _ASKS.search(kept) or _ONLY_PERSON.fullmatch(kept) or names_and_wants(kept):
            return True
        about = about and bool(_FILLER.fullmatch(clause))
    return likelihood is not None and likelihood >= threshold and not vetoed and not about


def declines_person(text: str) -> bool:
    """Whether a transfer is turned down ("不用人工了", "no, you answer it"); a request anywhere in the text wins."""
    said = clauses(folded(text))
    return any(_DECLINES.search(clause) or _REFUSES.search(clause) for clause in said) and not asks_for_person(text)


def beyond_decline(text: str) -> str:
    """What else a turn says that turns a transfer down; empty when that is all."""
    parts = re.split(r"(?<=[,，。！？!?;；\n])|(?<=\.)\s", text)
    kept = [p for p in parts if not (_REFUSES.search(folded(p)) or (_DECLINES.search(folded(p)) and _is_short(p)))]
    rest = "".join(kept).strip(" ,，。.!！")
    return "" if re.fullmatch(r"(?i)(?:no|nah|ok|okay|thanks?|thank you|好的?|嗯+|谢谢|算了|不|不了)?", rest) else rest


def _is_short(part: str) -> bool:
    return len(part) <= 8 if has_han(part) else len(part.split()) <= 5


# -- asking for a person: written on the odd lines of tests/data/handoff_turns.jsonl and on groups a and b of the demo --
_NOT_STAFF = (
    r"(?!费|智能|审核|验货|审批|皮革|填充|降雪|湖|几点|上班|下班|[一-龥]{0,3}试穿|上身|着|实拍|效果|比例|语音|配音)"
)
_ZH_PERSON = (
    r"(?:(?:(?:[人仁任亽]|\bren)\s*(?:[工公功宫]|gong\b)|rengong)(?:客服|服务|台|坐席)?|真人(?:客服)?|活人|真正的?(?:人|客服)|[客顾]服(?:人员|专员|小姐姐|小哥|主管|经理)?"
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
    r"(?:给我|帮我)?回(?:个|一个|我)?电话|打(?:个)?电话给我|打给我|(?:客服|人工|服务)(?:的)?(?:电话|热线)(?!.{0,4}(?:多少|几点|收费|号码|打不通|没人接))|给我(?:来|打)个?电话",
    r"(?:小|阿|老)[王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓冯曾程蔡彭潘袁于董余苏叶吕魏蒋田杜丁沈姜范江傅钟卢汪戴崔任陆廖姚方邱夏谭贾邹熊孟秦薛侯雷龙段郝孔邵史毛常万顾赖武康贺严尹钱施洪龚](?:呢|人呢|在不在|还?在[吗么]|去哪)",
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
    r"\bcall me(?: back)?\b(?! (?:on|at) \+?\d| (?:a|an|the|when|if|once)\b)|\bgive me a (?:call|ring)\b|\b(?:support|customer service|your) (?:phone|hotline|helpline|telephone)(?: number)?\b|\bnumber (?:i can|to) call\b",
)
_ASKS = any_of(*_ZH_ASKS, *_EN_ASKS)
_ONLY_PERSON = re.compile(
    rf"(?:我?(?:要|想要|就要|只要|找)|请|麻烦|快|直接|給我|给我|\s)*(?:{_ZH_PERSON}|人)?(?:(?:{_ZH_PERSON}|客服电话)\s*)+(?:还?在(?:线|不在)?)?[吧吗啊呀呢嘛了谢请快\s]*"
    r"|转接?[吧啊呀了]*"
    rf"|(?:(?:ok|okay|yes|no|just|please|pls|hi|hello|hey|sorry|a|an|the|i said|get me|now|stop) )*{_EN_STAFF}"
    r"(?: (?:please|pls|plz|plss|now|already|help|here|support|asap|thanks|thank you|only|humans?|agents?|operator|representative))*[吧啊呀呢嘛]*"
)
_AWAY_FROM_BOT = any_of(
    r"不(?:想|要|愿意?|是要|会)?(?:再)?(?:跟|和|同|对着?)(?:你们?的?|这个?|一个)?(?:机器人?|ai|bot|人机|电脑)",
    r"(?:别|不要|少)(?:再)?(?:让|用|拿|叫|派)?.{0,3}(?:机器人?|ai|bot|自动回复|自动应答|复读机)",
    r"(?:机器人?|ai|bot)(?:就|都|你)?(?:别|不要|少|让开|走开)|跟(?:你|机器人?|ai|bot)(?:说|讲|聊|沟通)?(?:不清|不通|不明白|说不|讲不|没法|没用)|答非所问.{0,2}换人|换人",
    r"(?:听不懂|不懂)人话|你(?:们)?(?:根本|又|也)?(?:解决|处理|帮|搞)不了",
    r"\b(?:don'?t|do not|not|stop|done|tired of|sick of|hate|instead of|rather than|enough of|no more|without|fed up with)\b.{0,22}\b(?:bots?|robots?|ai|machines?|chatbots?|computers?)\b(?!.{0,12}(?:vacuum|mop|clean))",
    r"\bstop (?:sending|giving) (?:me )?(?:these |the )?(?:canned|automat|auto|copy)",
)
# between a refusal and its noun stand only words like these: "别啰嗦转人工" refuses nothing
_ZH_LIGHT = r"(?:再|先|给|帮|替|我(?!要|想)|你们?|让|去|用|急着|必|总|老|一直|就|都|非得|想|需要|一个|个|位|麻烦|直接|又|随便|轻易|把我|劳驾|打扰|劳烦|惊动|动不动就?|经过|通过|着)*"
_REFUSES = any_of(
    rf"(?:(?<!能)不用|(?<!能)不要|不找|不转|不叫|不等|(?<!特)(?<!区)(?<!分)先?别|不需要|不想|无需|甭|没必要|[唔無]使|不必|无须|用不着|不(?=麻烦|打扰|劳烦|惊动)){_ZH_LIGHT}(?:转接?|找|叫|要|接|联系|来|惊动)?{_ZH_LIGHT}(?:{_ZH_PERSON}|人来)",
    r"^(?:无需|无须|不用|不必|不要|别)(?:再)?转接?(?:了|$)",
    r"(?<!why )\b(?:don'?t|do not|doesn'?t|no need|needn'?t|rather not|not necessary|without)\b(?!.{0,4} (?:you|i) (?:have|get))(?! care| mind| understand| know| get)(?:(?!\b(?:i (?:want|need|demand|said)|i'd like|but|get me|give me|wait|connect me|make me)\b).){0,28}\b(?:agents?|humans?|person|people|rep(?:s|resentatives?)?|transfer|connect|escalate|manager|supervisor|some(?:one|body)|any(?:one|body)|call me|staff|colleagues?|handover|hand ?off)",
    r"\bno (?:humans|agents|people|persons|reps)\b(?! (?:help|answer|respon|there|available|repl|yet|so far|has|have|is|are|ever|on|in|at))|\bno (?:handover|hand-?off|transfer)\b(?! (?:fee|received|arrived))|\bwithout (?:having to|needing to)",
)
_PROCEDURE = any_of(
    rf"(?:要不要|需不需要|用不用|是不是(?:要|得|需要|必须)|必须|一定要|需要|得|只能)(?:先)?(?:找|联系|转|通过|打|跟|让)?.{{0,4}}{_ZH_PERSON}.{{0,10}}(?:吗|么|才|\?|呢$)",
    rf"(?:需要|要)(?:找|联系|转).{{0,4}}{_ZH_PERSON}吗|{_ZH_PERSON}.{{0,4}}(?:晚上|夜里|夜间|假期|春节|24小时|几点|上班|下班|周末|节假日|工作时间|服务时间|多久|是什么|什么等级)",
    r"\b(?:do|does|would|will|must|should) (?:i|we|you|one) (?:need|have|require|want)\b(?! to (?:ask|beg|scream|say|shout)).{0,28}\b(?:agent|human|person|rep|customer service|support|someone|somebody|anyone)",
    r"\b(?:working|opening|business|office) hours\b|\bwhat (?:time|are|is)\b(?! (?:going on|wrong|this|happening))|\btill when\b|\b(?:bank|public) holidays?\b|\bon (?:sun|satur)days?\b|\bat weekends?\b",
)
_NARRATIVE = any_of(
    rf"(?:昨天|刚才|刚刚?|上次|之前|前天|前几天|上回|上周|早上).{{0,4}}(?:转|找|打|跟|和|问).{{0,6}}{_ZH_PERSON}.{{0,6}}(?:了|过|等|很久|半天|完)",
    r"(?:昨天|刚才|刚刚|上次|之前|前天|已经|上回|那个|前几天|早上|上周).{0,8}(?:客服|人工|专员|经理|主管|同事).{0,8}(?:说|答应|承诺|告诉|讲|给|让我|回复)",
    r"(?:客服|人工|经理|主管)(?:跟我|和我|给我)?(?:说|答应|承诺|告诉|讲过|回复)(?!话)",
    rf"(?:跟|和|找|问|联系|打).{{0,3}}{_ZH_PERSON}.{{0,4}}过了?(?!时|期)",
    r"\bafter (?:talking|speaking|chatting|a (?:call|chat))\b|\b(?:colleague|agent|representative|rep|advisor|operator|person)s?(?: on the \w+)? (?:was|were|had|helped|told|said|emailed|fixed|sorted|approved|promised)\b",
    r"\b(?:spoke|talked|told|said|promised|called|contacted|chatted|was (?:talking|speaking|chatting))\b.*\b(?:yesterday|last|ago|earlier|before|today|told|said|promised)\b",
)
_DECLINES = any_of(
    r"^(?:不用|不要|不必|别|先别|不需要|无需|算了|[唔無]使).{0,3}(?:转|换人|找人|叫人|人了|麻烦(?:人|同事))|(?:还是|就|让)?你(?:来|直接|继续)(?:回答|说|答|讲|告诉|处理)|你(?:来)?(?:回答|答)(?:就行|就好|吧|$)|不(?:找|转|等|要)(?:人工|真人|人|客服)(?:了|吧|$)",
    r"^(?:no |just )?you (?:can |just |may )?(?:(?:answer|do|handle|solve) (?:it|this|that|me)|tell me|keep going)\b|\b(?:i'?d|i would|let'?s) rather (?:you|stay|stick|keep)|\b(?:stay|stick|continue|carry on|keep going|go on) with (?:you|the (?:bot|assistant))\b|\bskip the (?:human|agent|person)|\b(?:cancel|forget|never ?mind) the (?:transfer|agent|human|handoff)|\bno (?:human|agent|person|people|transfer)\b(?! (?:help|answer|respon|there|available|repl))",
)
# what is said about people and machines without asking for either
_ABOUT = any_of(
    r"^(?:so |but |wait |hey |and )*(?:are|r) (?:you|u|we)\b(?! (?:able|going|gonna|there)).{0,24}\b(?:human|person|robot|bot|ai|machine|real|chatbot)\b(?: or .{1,20})?$",
    r"^am i (?:really |actually )?(?:talking|speaking|chatting) (?:to|with) (?:an? )?(?:real |actual )?(?:human|person|robot|bot|ai|machine|chatbot)(?: or .{1,20})?$",
    r"^you(?:'re| are| must be| sound| look| seem)\b.{0,24}\b(?:human|person|robot|bot|ai|machine|chatbot)\b.{0,8}$",
    r"\b(?:speak|talk|chat|write|type|reply|answer|communicate)(?:ing)? (?:to (?:you|me) )?(?:in )?(?:chinese|mandarin|cantonese|english|french|german|spanish|japanese|korean|my language)\b(?!.*\b(?:agent|human|person|rep|representative|staff|someone|somebody|operator|colleague)\b)",
    r"\b(?:talk|walk|take|guide|lead) you through\b",
    r"^(?:你|您)(?:到底)?是(?:不是)?.{0,4}(?:机器人?|ai|真人|人类?|活人|人工智?能?|客服)(?:吗|吧|么|嘛|啊|还是.{1,6}|客服吗?)?$",
    r"(?:人工智能|智能客服|ai).{0,6}(?:怎么回事|是什么|是啥|什么意思|原理|哪家|谁做|怎么(?:工作|做))|人工(?:和|与|跟|vs|还是|或)|(?:vs|和|与|跟) ?(?:ai|人工)",
)
_FILLER = re.compile(r"(?:hi|hello|hey|ok|okay|lol|haha|wait|so|hmm+|um|你好|您好|在吗|请问|哈+|嗯+|那|诶|咦)*\W*")
