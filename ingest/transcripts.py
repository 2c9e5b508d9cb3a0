"""Mines question → resolution records from human conversations: issues apart, courtesies gone, personal data out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from assistant.domain.conversation import Transcript, Turn
from assistant.domain.knowledge import MinedResolution
from ingest.redaction import redact
from ingest.sources.language import detect_locale

_LONGEST_QUESTION = 600
_LONGEST_CONTEXT = 600


@dataclass(slots=True)
class Issue:
    """One matter of a conversation, as indexes of its turns.

    ``opening`` is what the customer said before the first answer, ``followup`` what came after, ``answer`` the agent's
    turns that carry information.
    """

    opening: list[int] = field(default_factory=list)
    followup: list[int] = field(default_factory=list)
    answer: list[int] = field(default_factory=list)
    topics: set[str] = field(default_factory=set)
    terms: set[str] = field(default_factory=set)


def mine(transcript: Transcript) -> list[MinedResolution]:
    """A record for each issue that a human agent answered; none for a conversation that ended unresolved."""
    if transcript.outcome == "unresolved":
        return []
    turns = transcript.turns
    article_ids = transcript.resolution.article_ids if transcript.resolution else ()
    spoken = " ".join(turn.text for turn in turns if turn.role == "customer")
    locale = transcript.locale or detect_locale(spoken)
    mined: list[MinedResolution] = []
    for issue in issues(transcript):
        asked = [i for i in issue.followup if _ASKS.search(turns[i].text) and i < issue.answer[-1]]
        question = _joined(turns, issue.opening + asked, _LONGEST_QUESTION)
        answer = _joined(turns, issue.answer)
        earlier = [i for i in _customer(turns, issue.answer[-1]) if i not in issue.opening and i not in asked]
        if question and answer:
            mined.append(
                MinedResolution(
                    id=f"{transcript.conversation_id}/{len(mined) + 1}",
                    conversation_id=transcript.conversation_id,
                    question=_private(question),
                    answer=_private(answer),
                    context=_private(_joined(turns, earlier, _LONGEST_CONTEXT)),
                    locale=locale,
                    closed_at=transcript.closed_at,
                    article_ids=article_ids,
                )
            )
    return mined


def issues(transcript: Transcript) -> list[Issue]:
    """The conversation's issues in the order they came up, only those that a human agent answered."""
    found: list[Issue] = []
    current: Issue | None = None
    for index, turn in enumerate(transcript.turns):
        if turn.role == "customer" and carries_information(turn):
            current = _issue_of_customer(found, current, turn.text)
            (current.followup if current.answer else current.opening).append(index)
        elif turn.role == "agent" and current and carries_information(turn):
            current = _issue_of_agent(found, current, turn.text)
            current.answer.append(index)
        else:
            continue
        current.topics |= _topics(turn.text)
        current.terms |= _terms(turn.text)
    answered = [issue for issue in found if issue.answer]
    for issue in answered:
        issue.answer = _without_inquiries(transcript.turns, issue.answer)
    return answered


def carries_information(turn: Turn) -> bool:
    """False for system lines, greetings, thanks, waiting, apologies and calls for a person, in Chinese and English."""
    if turn.role == "system":
        return False
    return any(_says_something(sentence, turn.role) for sentence in _sentences(turn.text))


@lru_cache(maxsize=20_000)
def _says_something(sentence: str, role: str) -> bool:
    rest = _COURTESY.sub(" ", sentence.translate(_FOLD))
    rest = (_AGENT_COURTESY if role == "agent" else _CUSTOMER_COURTESY).sub(" ", rest)
    rest = _PARTICLES.sub(" ", rest)
    if re.search(r"\d|\[[^\]]{1,12}\]", rest):
        return True
    han = len(re.findall(r"[\u3400-\u9fff]", rest))
    words = len(re.findall(r"[A-Za-z]{2,}", rest))
    return han + 2 * words >= (4 if role == "agent" else 2)


def _sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[。！!？?～~；;\n…])|(?<=[a-z]\. )", text) if part.strip()]


def _issue_of_customer(found: list[Issue], current: Issue | None, text: str) -> Issue:
    if current is None or _opens_new_issue(current, text):
        topics, terms = _topics(text), _terms(text)
        back = [i for i in found if i is not current and topics & i.topics and len(terms & i.terms) >= 2]
        if back and not _CUE.search(text):
            return back[-1]
        found.append(Issue())
        return found[-1]
    return current


def _opens_new_issue(current: Issue, text: str) -> bool:
    topics = _topics(text)
    fresh = bool(topics - _WEAK) and not topics & current.topics
    asks = bool(_ASKS.search(text))
    if _CUE.search(text):
        return fresh or (asks and (not topics or not current.answer))
    if not current.answer or not asks or _FOLLOWS.search(text):
        return False
    return fresh and not any(topics <= kin and current.topics & kin for kin in _KIN)


def _issue_of_agent(found: list[Issue], current: Issue, text: str) -> Issue:
    waiting = [issue for issue in found if not issue.answer]
    if current.answer and not waiting:
        return current
    topics, terms = _topics(text), _terms(text)

    def nearness(issue: Issue) -> tuple[int, bool]:
        return 3 * len(topics & issue.topics) + len(terms & issue.terms), issue is current

    return max([*waiting, current], key=nearness)


def _without_inquiries(turns: tuple[Turn, ...], answer: list[int]) -> list[int]:
    """The answer without questions for a detail, unless nothing else was said."""
    return [index for index in answer if not _inquires(turns[index])] or answer


def _inquires(turn: Turn) -> bool:
    """True where all that a turn says is a short question for a detail."""
    said = [part.strip() for part in _sentences(turn.text) if _says_something(part, turn.role)]
    whole = " ".join(said)
    brief = len(whole) <= (110 if detect_locale(whole) == "en" else 45)
    return bool(said) and brief and bool(_INQUIRY.search(said[-1])) and not _OFFER.search(whole)


def _customer(turns: tuple[Turn, ...], before: int) -> Iterable[int]:
    return (i for i, turn in enumerate(turns[:before]) if turn.role == "customer" and carries_information(turn))


def _joined(turns: tuple[Turn, ...], indexes: Iterable[int], longest: int = 0) -> str:
    texts = []
    for index in sorted(indexes):
        role = turns[index].role
        kept = "".join(part for part in _sentences(turns[index].text) if _says_something(part, role)).strip()
        if kept and kept not in texts:
            texts.append(kept)
    whole = "\n".join(texts)
    return whole if not longest or len(whole) <= longest else whole[: longest - 1].rstrip() + "…"


def _private(text: str) -> str:
    """Without personal data, and without ids that would send a later customer to someone else's order or parcel."""
    zh = detect_locale(text) == "zh"
    clean = redact(text).text
    clean = _ORDER_ID.sub("[订单]" if zh else "[order]", clean)
    return _OTHER_ID.sub("[单号]" if zh else "[number]", clean)


_ORDER_ID = re.compile(
    r"(?<![A-Za-z0-9])SQ\d{6,}(?!\d)|#[A-Z]{0,2}\d{5,}|(?:(?<=订单号)|(?<=订单)|(?<=訂單)|(?<=order )"
    r"|(?<=Order ))[:： #]?[A-Z]{0,4}\d{6,}"
)
_OTHER_ID = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,5}[-_]?\d{5,}(?:-\d+)*(?![A-Za-z0-9])|(?<![\d.,])\d{10,}(?![\d.,]\d)")

_CUE = re.compile(
    r"^[\W_]*(?:(?:好的?|嗯嗯?|哦哦?|ok(?:ay)?|great|thanks|got it|fine|行|cool|perfect)[\W_]*)?"
    r"(?:另外|还有(?!几|多久|货|吗|吧|没|\d)|還有(?!幾|貨|冇)|对了|對了|顺便|順便|顺带|再问|再問|还想问|想再问"
    r"|再请教|再咨询|另一[个個]|第二个"
    r"|其他问题|此外|然后(?:我|那)|by the way|btw|also\b|another|one more|one other|different question"
    r"|second question|oh and"
    r"|separate|and (?:the|can|could|how|what|is|do|does|when|where|for)\b)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"[?？]|吗|嗎|么$|呢|咋|怎么|怎麼|怎样|如何|多久|多少|几|幾|哪|啥|什么|什麼|为什么|能不能|可不可以"
    r"|可以.{0,6}不|是不是|有没有|有冇|可唔可以|帮我|幫我|想|要|请问|点解"
    r"|\b(?:how|what|when|where|why|which|who|can|could|do|does|is|are|will|would|may|should|need|want|please|any)\b",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(r"^[\W_]*(?:要是|如果|万一|所以|就是说|即係|what if|and if|but if)", re.IGNORECASE)
_INQUIRY = re.compile(
    r"对吗|對嗎|对吧|是吗|是嗎|是吧|是对的?吗|方便.{0,10}[吗?？]|多少(?:呢|呀|的|啊)?[?？～~ ]*$|(?:发|提供|给"
    r"|说|报)一?下|给下吗"
    r"|什么问题|哪[一个款双].{0,6}[?？吗呢]|订单号.{0,8}[?？吗]|(?:could|can|may|would) (?:you|i) (?:please )?"
    r"(?:send|tell|give"
    r"|share|have|confirm)|what(?:'s| is) your"
    r"|which (?:order|one|size)|order number|do you have|has the",
    re.IGNORECASE,
)
_OFFER = re.compile(
    r"可以[^?？]*[,，。]|已经|建好|登记|改好|确认了|安排|重新|退回|一般|就是|就可以|会自动|\b(?:done|i've|we'll"
    r"|i'll)\b",
    re.IGNORECASE,
)

# the Traditional characters that the patterns need
_FOLD = str.maketrans(
    "謝嗎請煩為務興還幫問這個對們會換貨運費發單訂優券稅擡碼員積禮幾麼電壓國門館銷賬號貼帳戶預價錢讓聯絡緊記軟歡體驗張維質遲寄陳機動濾網",
    "谢吗请烦为务兴还帮问这个对们会换货运费发单订优券税抬码员积礼几么电压国门馆销账号贴帐户预价钱让联络紧记软欢体验张维质迟寄陈机动滤网",
)

_TOPIC_WORDS = {
    "refund": r"退款|退宽|退的?钱|钱.{0,8}(?:退|到账)|到账|refund|money back",
    "return": r"退货|退掉|退貨|不想?要了|无理由|return",
    "exchange": r"换货|换码|换[一SML\d]|換|exchange|swap",
    "size": r"尺码|尺寸|码数|多大码|[SMLX]码|偏[大小]|大一?码|小一?码|size|fit\b|身高|体重",
    "late": r"没到|还没到|没收到|物流|快递|催|丢件|停在|没更新|到哪|几天到|parcel|package|courier|tracking"
    "|delivered|arrive",
    "postage": r"运费|邮费|包邮|包油|郵費|運費|postage|shipping (?:fee|cost)|free shipping",
    "address": r"地址|改寄|转寄|address|redirect",
    "overseas": r"香港|澳门|日本|美国|海外|国外|电压|伏|110V|100V|220V|abroad|overseas|voltage|japan",
    "invoice": r"发票|發票|抬头|税号|专票|invoice|tax no",
    "coupon": r"优惠券|優惠券|券|满减|coupon|voucher|promo code",
    "price": r"降价|差价|价保|保价|price (?:drop|protection|match)|difference|\bprice\b|价格",
    "promo": r"活动|以旧换新|学生优惠|学生|双十一|双11|打折|trade-?in|student|discount|[\d一二三四五六七八九]折",
    "presale": r"预售|定金|尾款|deposit|pre-?order",
    "compensation": r"补偿|赔|compensat",
    "room": r"平米|\d平|how big a room|square met",
    "pay": r"付款|支付|扣款|扣了|付不了|付失败|风控|payment|pay\b|charged",
    "instalment": r"分期|花呗|[36]期|12期|手续费|instal?ment|monthly|spread it",
    "points": r"积分|积点|points",
    "tier": r"会员|银卡|金卡|黑金|等级|生日|member|tier|birthday",
    "gift_card": r"礼品卡|gift card",
    "wifi": r"wi-?fi|2\.4|联网|连不上|配网|米家|homekit|mi home|投屏|airplay|miracast",
    "filter": r"滤芯|滤网|滤心|filter",
    "clean": r"清洗|除垢|水垢|怎么洗|机洗|手洗|洗衣机|干洗|wash|descale|clean",
    "warranty": r"保修|质保|维修|修好|返修|warranty|repair",
    "account": r"注销|账号|手机号|account",
    "subscription": r"订阅|定期|配送.{0,4}次|subscription",
    "spare": r"配件|密封圈|零件|spare|part\b",
    "missing": r"少发|少了|漏发|缺|missing",
    "wrong": r"发错|寄错|左脚|右脚|wrong item",
    "engrave": r"刻字|engrav",
    "noise": r"噪音|吵|声音|分贝|nois|loud",
    "cancel": r"取消|cancel",
    "insurance": r"运费险|freight insurance",
    "pickup": r"自提|驿站|快递柜|locker|pick-?up point",
    "dispatch": r"发货|出库|dispatch|ship (?:out|today|before)",
    "carrier": r"(?:发|走|用|换)(?:的|个)?(?:顺丰|京东|圆通|中通)|什么快递|which carrier",
    "battery": r"充电|充不进|充不上|续航|电池|charging|battery",
    "device": r"地图|传感器|固件|sensor|firmware|\bmaps?\b",
    "material": r"材质|面料|充绒|含绒|material|fabric",
    "gift": r"赠品|free gift",
    "stock": r"有货|库存|补货|in stock|restock",
}
_TOPICS = {name: re.compile(words, re.IGNORECASE) for name, words in _TOPIC_WORDS.items()}


# what is asked about these goes with the matter at hand
_WEAK = frozenset({"tier", "stock"})
_KIN = (
    {"refund", "return", "pay"},
    {"exchange", "size", "stock", "late", "wrong"},
    {"coupon", "tier"},
    {"late", "address", "missing", "dispatch", "carrier", "pickup"},
    {"postage", "insurance"},
    {"exchange", "size", "return", "dispatch"},
)


def _topics(text: str) -> set[str]:
    folded = text.translate(_FOLD)
    return {name for name, words in _TOPICS.items() if words.search(folded)}


_COMMON = re.compile(
    r"我们|你们|您好|可以|一下|已经|这个|那个|就是|没有|不是|怎么|什么|还是|现在|的话|这边|时候|今天|明天|知道|的是|是不|不用|了吗"
    r"|that|this|have|with|your|will|from|what|they|there|been|would|could|order|please|just"
)


def _terms(text: str) -> set[str]:
    han = re.findall(r"(?=([\u3400-\u9fff]{2}))", text)
    words = [word.lower() for word in re.findall(r"[A-Za-z]{4,}|[A-Za-z]*\d[A-Za-z\d]*", text)]
    return {term for term in [*han, *words] if not _COMMON.fullmatch(term)}


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_PARTICLES = re.compile(
    r"[\W_]|[亲啊呀哦噢喔哈呢吧嘛啦哟呐嗯恩唔哎唉额呃诶欸哇的了您]|\b(?:oh|ah|um+|hm+|haha\w*|lol|u|so|very|all)\b",
    re.IGNORECASE,
)
_COURTESY = _any(
    r"您好|你好|哈喽|哈啰|嗨|早上好|下午好|晚上好|早安|晚安|[在再]吗|在不在|有人[吗在嗎]*|亲亲?|好的|好滴|好哒"
    r"|好嘞|好吧|好叭|好呀|嗯+|恩+|哦+|噢+|喔|哈{2,}|呵呵|嘿嘿|行吧?"
    r"|可以的?[!！~～。]*$"
    r"|ok(?:ay|k)?\b|okok|收到|明白|了解|知道了|懂了|没事|没关系|不客气|不用谢|不谢|谢谢[您你啦]?|谢啦|谢了|多谢"
    r"|感谢|感激|辛苦了?|麻烦[您你]?了|拜拜|再见|唔該晒?|謝謝|多謝",
    r"\b(?:hi|hello|hey|hiya|morning|evening|good (?:morning|afternoon|evening|day|night)"
    r"|thanks?(?: you)?(?: so much| a lot| very much)?|thx|ty|cheers|bye|goodbye"
    r"|yes|yeah|yep|no problem|sure|great|perfect|brilliant|lovely|fine|alright|all right|cool|nice|noted"
    r"|understood|i see|got it|you'?re welcome|welcome)\b",
)
_AGENT_COURTESY = _any(
    r"(?:很|非常)?(?:高兴|荣幸|高興)(?:能)?为?為?[您你]?(?:服务|服務|解答)|(?:请|請|麻烦)?[您你]?(?:稍等|稍候"
    r"|等我?一?下|等一等)(?:一下|片刻|哦|哈)*|(?:让"
    r"|让您)?[久]等[了啦]*|请讲|请说",
    r"我?(?:这边|现在|马上|先|来|帮[您你]|給您|给您|為您|为您)*(?:看|查|查询|核实|核查|确认|了解|核对|查看|看看"
    r"|看一看)(?:一?下|一下下|看|到了?|下)?(?:[您你](?:的"
    r"|这[笔单])?)?(?:订单|物流|退款单?|情况|付款|记录|信息|支付|流水|系统|工单|账户|快递|后台|这边)*(?:记录"
    r"|流水|情况|信息)?[哈哦啊呢]*$",
    r"(?:人工)?客服[^，。！]{0,6}(?:为您服务|为您解答|在的?)?|我(?:是|系)(?:上次的|人工客服"
    r"|客服)?小?[\u4e00-\u9fff]{1,2}(?=[，。！～~ ]|$)"
    r"|(?:人工客服)?(?:小[林周何吴张王李陈]|[\u4e00-\u9fff]主管)(?:在的?|来啦|来了)?(?=[，。！～~ ]|$)"
    r"|^[\u4e00-\u9fff]{1,3}(?:先生|女士|小姐|阿姨)"
    r"|这边是(?:人工客服|客服)?小?[\u4e00-\u9fff]{1,2}|小[\u4e00-\u9fff]在的?|为您服务|在的|在呢|又见面了",
    r"(?:真的?|实在|非常|十分|太|很|确实)*(?:抱歉|对不起|不好意思|慢了|离谱了?)[了啦哈亲]*|给[您你]?(?:添|带来)"
    r"(?:麻烦|不便)了?|(?:非常|特别)?理解(?:您的心情|您)?|别急"
    r"|[您你]?(?:先|也)?别(?:着急|生气|担心)|不着急|请?放心|请您?(?:耐心)?(?:等待|谅解|见谅|理解)|感谢(?:您的)?"
    r"(?:理解|支持|耐心|配合)",
    r"祝[您你][^。！～~]{0,14}|(?:有)?(?:任何|其他|什么|别的)?(?:问题|需要)?(?:请?您?)?(?:随时|再)(?:来|联系|找"
    r"|咨询|问)[我们]*|(?:请问)?(?:还|還)有(?:什么"
    r"|其他|别的|啥)[^。]{0,10}(?:帮|问题|需要)[^。]{0,8}|期待[您你][^。]{0,8}|欢迎[^。]{0,8}(?:光临|咨询|联系)",
    r"(?:上次|之前)也是我[^，。]{0,16}|(?:电话|地址|手机|都)+(?:和|、)?(?:电话|地址)?(?:都)?(?:核对|记录|记下"
    r"|记住|备注)(?:过|好|下)?了?|记(?:下|住|录)了?"
    r"|明天联络您|收到|(?:麻烦|请|辛苦)?[^。，]{0,6}(?:五星)?好评[^。]{0,8}|给[^。]{0,6}评价[^。]{0,6}|(?:先生"
    r"|女士|小姐|阿姨|大哥|姐姐|亲爱的|宝子|宝)"
    r"|有(?:进展|变化|消息)[^。]{0,16}|我会(?:盯着|跟进)[^。]{0,6}|您的意见[^。]{0,12}|问题随时[^。]*",
    r"\b(?:this is|i'?m|it'?s) \w+(?: here| again| from \w+)?\b|\b\w+ (?:here|again)\b|(?:^|(?<=[,.] ))(?:hi|hello"
    r"|hey|good \w+|morning)[ ,]+[A-Z]\w+\b|happy to help|glad (?:i could|to) help|how can i help[^.?!]*|(?:just "
    r"|give me |bear with me )?(?:one|a) (?:moment|minute|second|sec)(?: please)?(?: while[^.]*| to[^.]*)?"
    r"|let me (?:check|look|see|have a look|take a look|pull)[^.,]*|(?:i'?m )?(?:so |very "
    r"|really )?sorry(?: about that| for[^.]*| to hear[^.]*)?|thank you for[^.]*|thanks for[^.]*"
    r"|(?:is there )?anything else[^.?]*|have a (?:good|great|nice|lovely)[^.!]*|my pleasure|take care|no worries"
    r"|please hold[^.]*|apolog\w+[^.]*|enjoy[^.!]*|you(?:'re| are)? (?:have |every )*right[^.]*|i understand"
    r"|noted as feedback|i'?ll (?:note|pass)[^.]*",
)
_CUSTOMER_COURTESY = _any(
    r"(?:我要|要|帮我|请|给我|我想|能不能|可以)?(?:转|找|叫|要|接|想問|搵)(?:个|一?下)?(?:人工|真人|活人|人)"
    r"(?:客服|服务)?|人工(?:客服)?|真人|(?:机器人"
    r"|复读机)[^。？]{0,8}|听不懂|有没有人|人呢|客服呢|叫你们(?:经理|领导)来?",
    r"我?(?:再)?(?:看看|想想|考虑下?|等等|试试|试下|看下)(?:再说)?$|太好了|真好|不错|可以[啊呀]?$|挺好的?"
    r"|那还差不多|就这样|没别的了?|没有了|没了$|对的?[对的]*$|是的?$|对呀"
    r"|小姐姐|闺女|小哥哥?|不说了|等你|我等",
    r"(?:can i|i want to|let me|i'?d like to|could i|please)?\s*(?:speak|talk|chat)?\s*(?:to|with|get"
    r"|connect me to)?\s*(?:a |an |some )?(?:real |live |actual )?\b(?:human|person|agent|representative"
    r"|somebody real)\b(?: please)?|anyone there|is anybody there|are you (?:a )?(?:bot|robot)|one sec\w*|waiting"
    r"|ok will \w+|will do",
)
