"""Requests that name a person and wish for one: nouns × wishes, in both languages, whatever stands between them.

The patterns in ``asking`` are whole phrases; this is grammar, so that no phrase need be foreseen.
"""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re

from assistant.handoff.wording import any_of


def names_and_wants(clause: str) -> bool:
    """Whether one clause (folded and ``spelled``) names somebody of the staff and wishes to have or reach them."""
    return bool(_ZH.search(clause) or _EN.search(clause))


def without_their_own(clause: str) -> str:
    """The clause without staff words that belong to somebody or something else: "my boss", "manager account"."""
    return _COMPOUND.sub(" ", _OWN_OR_THING.sub(" ", clause)).strip()


def wants_plainly(clause: str) -> bool:
    """Whether the wish is the speaker's own and present ("i want", "给我转"): no earlier talk of staff outweighs it."""
    return bool(_PLAINLY.search(clause))


# "manager account", "human-shaped": the noun is only half of a thing's name
_THING = r"(?:accounts?|roles?|log-?in|pages?|apps?|portal|dashboard|seats?|licen[cs]es?|fees?|jackets?|shaped|sized?|counters?|hair|made|errors?|resources|rights|transla\w+|readable|cards?|ids?|discounts?|commission|codes?|names?|reviews?|photos?|tickets?|plans?|contracts?|hours|number of|charges?|edition|mode|settings?|pillows?|sensors?|jobs?|training|uniforms?)\b"
# -- nouns --
_ZH_NOUN = (
    r"(?:人工(?=客服|服务|坐席|台|电话|热线|通道|支持|窗口|介入|[吧啊呀呢嘛吗了的来处回答协接帮跟和说聊沟对解办受谢,\s]|$)(?!服务费)(?:客服|服务|坐席|台|支持)?"
    r"|真人(?!秀|试|上身|发|同款|版|照|实拍|穿|模特)|[大]?活人|(?<!智能)(?<!ai)(?<!机器)客服(?:人员|专员|小姐姐|小哥|代表)?|坐席|专员|专人|工作人员|接线员|服务人员|值班(?:的|人员|经理)"
    r"|售后(?:人员|师傅|部门?|的人|$)|(?<!我)(?:负责人|经理(?!款)|主管|主任|领导|店长|店主|组长|掌柜|老板(?!娘)|同事|员工|上级)|你们(?:店里|公司|那边|那儿|家)?的人|人类|顾问|技术员|工程师|小姐姐|小哥哥?)"
)
_EN_NOUN = (
    r"(?:(?:human|live|real|actual)(?: being)?(?: (?:agent|person|support|help|assistance|assistant|representative|rep|service|operator|being|staff|employee|contact))*s?"
    r"|(?:human|person|agent|rep|representative|operator|supervisor|manager|employee|colleague|advis[eo]r|specialist|consultant|superior|teammate|executive|associate)s?|human beings?"
    r"|(?:(?:customer|client) (?:service|support|care|relations)|support|service|help ?desk|care) ?(?:team|staff|desk|people|person|line|agent|rep|guy|lady|executive|department)?s?"
    r"|staff(?: members?)?|team members?|members? of (?:your |the )?(?:staff|team)|people)\b"
    rf"(?![ -]{_THING})"
)
_EN_CERTAIN = (  # without "support", "service", "people", which are also what is talked about
    r"(?:humans?(?: beings?)?|live (?:agent|person|chat|support|help)|real (?:person|human|people|agent)|actual (?:person|human)|persons?|agents?|reps?|representatives?|operators?|supervisors?|managers?|employees?|advis[eo]rs?|specialists?|(?:customer |client )?(?:care|support|service) (?:executive|agent|person|rep|representative|staff|team)s?"
    r"|human (?:\w+ )?(?:assistance|help|support|intervention|attention|contact|service|agent)|staff(?: members?)?|team members?)\b"
    rf"(?![ -]{_THING})"
)
# -- wishes --
_NEAR = r"(?:(?!怎么|多少|什么|能不能退|是不是|[，,]).){0,7}?"
_ZH = any_of(
    rf"^(?!.*(?:周末|节|晚上|夜|假|几点|24)).{{0,4}}有{_ZH_NOUN}(?:在|吗|么|没|不)",
    rf"(?:转|接(?!受了|到)|换|找|叫|喊|请|(?<!不)要|想|需要|联系|呼叫|呼唤|召唤|安排|派|来|求|给我|帮我|替我|让|申请|希望|麻烦|拜托|跪求|只认|只信|只接受|只跟|只想|[跟和与同](?=.{{0,9}}[说聊讲谈沟对倾反交])|搵|见|切换?到?|能不能有|有没有|有无|能有|可以有|配|选择?|点){_NEAR}{_ZH_NOUN}(?!说的|说过|给的|告诉|承诺|答应)",
    rf"^(?:你们?的?|请|麻烦|那|就|直接|快|还是|都|叫|一个|个|位)*{_ZH_NOUN}(?:.{{0,3}}(?:处理|介入|回复|答复|回答|帮(?:我|忙)|接(?:一下|手|听|入|待|管)|来(?:吧|说|讲|一下|处理|$)|跟我|和我|联系我|出来|协助|解决|沟通|对接|跟进|受理|服务|快来|速来|在(?:吗|不|么|哪|线)|呢|有吗|上))",
)
_W = r"(?:\W+(?!and\b|but\b|because\b|so\b|what\b|how\b|why\b)[\w']+){0,6}?\W+"
_EN = any_of(
    rf"\b(?:want|need|require|request|demand|prefer|insist on|like|love|appreciate|wanna|gimme|give me|get me|get|find me|find|bring|send|summon|seek|seeking|looking for|ask(?:ing)? for|waiting for|beg(?:ging)? for|only accept|deserve|have|hoping for|hook me up with|hit me with|let me have|offer me|assign|page|fetch|grab)(?: me| us)?(?:\W+(?:an?|the|your|some|one|of|any|with|to|me|us|just|please|that|another|our|different|competent|proper|actual|real|live|right|now|for|see|reach|contact|this|it|handled|looked|at|by|from|be|put|through|connected|transferred|helped|served|spoken|talk|speak|chat|[a-z]{{3,11}}ly))*\W+{_EN_CERTAIN}",
    rf"\b(?:speak|talk|chat|converse|conversation|communicate|discuss|deal|work|correspond|interact|connect(?:ed)?|transfer(?:red)?|patch(?:ed)?|route[ds]?|redirect(?:ed)?|hand(?:ed)?|pass(?:ed)?|forward(?:ed)?|escalate[ds]?|assign(?:ed)?|refer(?:red)?|switch(?:ed)?|move[ds]?|put|get|go|turn(?:ed)?|bump|kick|send|word|call|line|handled|answered|served|helped|dealt|reviewed|treated){_W}?(?:to|with|by|over|onto|through|from)\W+(?:[\w']+\W+){{0,4}}?{_EN_NOUN}",
    rf"\b(?:ring|call|phone|reach|contact|see|meet|summon|put|bring|have|let|make|ask|tell|get|invite|involve|loop in|include)\W+(?:(?:an?|the|your|some|one of|any|another|in|on|up|over|actual|real|live)\W+)*{_EN_CERTAIN}\W*(?:to|on|in|over|here|into|onto|call|contact|phone|reach|help|assist|take|handle|look|reply|respond|answer|step|join|deal|sort|fix|speak|talk|please|now|read|see|up|$)",
    rf"{_EN_CERTAIN}(?:\W+(?:assistance|help|support|intervention|attention|contact|is|are|being|would be|has been))*\W+(?:required|needed|requested|wanted|necessary|please|pls|plz|now|asap|urgently|immediately|only|at once|right (?:now|away))\b",
    rf"\b(?:is|are|any|isn'?t|aren'?t)\b(?:\W+[\w']+){{0,3}}?\W+{_EN_CERTAIN}(?:\W+[\w']+){{0,3}}?\W*(?:available|around|online|here|there|on duty|free|i can|i could|to (?:talk|speak|help|chat|assist)|who (?:can|could|will))\b(?!.*\b(?:holidays?|weekends?|sundays?|saturdays?|nights?|24/7|christmas|easter)\b)",
    rf"\b(?:can|could|will|would|may|might|must|should|have|let|needs?)\b(?:\W+(?:i|we|you|please|an?|the|your|some|one of|any|another|actual|real|live|have|get))*\W+{_EN_CERTAIN}\W+(?:please\W+|just\W+|actually\W+|kindly\W+|mind\W+|to\W+)*(?:call(?:ing)?|contact|phone|reach|help|assist|take|handle|look|reply|respond|answer|step|join|deal|sort|review|intervene|get back|write|message|speak|talk|come)\b(?! on (?:my|his|her) behalf)",
    rf"\b(?:where|how)(?:'s| is| are| do| can| would| could)?\b(?:\W+(?:i|we|to|one|can|get|reach|contact|speak|talk|find|is|are|an?|the|your|any|with|hold of|through|actual|real|live))*\W+{_EN_CERTAIN}\W*$",
    rf"^(?:\W*(?:an?|any|some|the|just|please|pls|plz|hi|hello|hey|yo|ok|okay|now|no|only|um|real|live|actual|dear|oi|for)\b)*\W*{_EN_CERTAIN}(?:\W+(?:please|pls|plz|plss|now|already|help|here|asap|thanks|thank you|thx|for (?:this|me|gods? sake|once)|ffs|dammit|right now|kindly|today|immediately|urgent(?:ly)?|only|or nothing))*\W*$",
)
_PLAINLY = any_of(
    r"(?<!昨天)(?<!之前)(?:我(?:就|只|现在|还是|真的|必须)?(?:要|想|需要)|我得|给我|帮我|替我|请|赶紧|马上|立刻|快点?|现在就)(?:.{0,4}?)(?:转|找|接|叫|换|联系|跟|和)?.{0,4}(?:人工|真人|活人|客服)(?!给|说|告诉|承诺|答应|费|智能).{0,6}(?:$|可以吗|行吗|好吗|谢谢|处理|帮|说|聊)",
    r"\b(?:(?<!do )(?<!does )(?<!did )(?<!would )(?<!must )(?<!should )(?<!will )(?<!if )(?<!when )i (?:really |just |still |now |only )*(?:want|need|demand|require|request|insist)|i'?d (?:like|prefer|rather)|i would (?:like|prefer|rather)|get me|give me|connect me|transfer me|put me|pass me|let me (?:talk|speak)|can i (?:please |just )?(?:talk|speak|have|get)|please (?:connect|transfer|get))\b(?!.{0,12}\b(?:yesterday|last|told|before)\b)(?:\W+[\w']+){0,7}?\W+(?:humans?|agents?|person|people|representatives?|reps?|supervisors?|managers?|operators?|staff|employees?|someone|somebody)\b",
)
# somebody of the customer's own, and things that carry the word
_OWN_OR_THING = any_of(
    r"(?:我|我们|咱|他|她)(?:的|家|公司)?(?:经理|领导|老板|同事|主管|组长|员工|店长)",
    r"人工智能(?:客服)?|智能客服|人工(?:费|泪液|宝石|贴膜|草坪|关节|耳蜗|降雪|湖|心脏|皮革|合成|养殖|刺绣|画|审核|验货|翻译)",
    r"\bmy (?:own |line |project |store )?(?:manager|boss|supervisor|colleague|agent|employee|person|rep|staff|people|team|operator|advis[eo]r|specialist)s?\b",
    r"\b(?:cleaning|descaling|rinse|bleaching|travel|estate|letting|property|insurance|order|password|project|account|file|task|download) (?:agent|manager)s?\b",
    r"\b(?:business|another|second|third|missing|disabled|delivery|contact|older|other|young|tall|short|per) person\b|\bperson (?:under|over|aged|in my|at my|on the box|to receive)",
    r"\bperson as a gift|\bagent (?:jacket|coat|toy|game|movie|provocateur)",
)
_COMPOUND = re.compile(
    rf"\b(?:human|person|people|agent|operator|supervisor|manager|employee|staff|specialist)(?:'s)?[ -]{_THING}"
)
