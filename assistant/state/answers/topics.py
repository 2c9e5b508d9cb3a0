"""Which questions are about the user's own things, as data: patterns by topic, over normalised text.

``certain`` can only mean one's own; ``owned`` counts with a word like "my", an id or a product of the user's;
``open`` counts when the account holds something of that kind still under way, and then knowledge is needed as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


def any_of(*patterns: str) -> str:
    """One pattern that matches where any of these does."""
    return "|".join(patterns)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic's patterns; ``subject`` must be in the text for any of them, where it is given."""

    name: str
    certain: str = r"(?!)"
    owned: str = r"(?!)"
    open: str = r"(?!)"
    subject: str = ""

    def matches(self, which: str, text: str) -> bool:
        """Whether one of the patterns of this strength is in the text."""
        return re.search(getattr(self, which), text) is not None


# Talk of the general case: a rule, a way to do something, a plan. An id in the text overrules it.
GENERAL = re.compile(
    any_of(
        r"一般|通常|平时|正常(?:情况|来说)|如果|假如|假设|要是|万一|的话|规则|规定|政策|流程|包邮|运费",
        r"推荐|你们(?:支持|用|会|家|周|平|是不是)|会(?:失败|过期|不会)|会不会|哪些(?:方式|方法|权益|渠道)",
        r"什么(?:方式|条件|权益|区别)|(?:方式|方法|条件)(?:有|是)|每(?:次|单|笔)|发票|专票|开票|手续费",
        r"分期|利息|已经(?:收到(?:了|货了|退款)|到了)|\b(?:instal|fees?\b|interest\b)",
        r"\balready (?:got|received|have)\b|\binvoice|退货[^。]{0,4}寄(?:到|去|回)|指南",
        r"\bin (?:the|your) (?:app|mini-program|mini program|website)\b",
        r"(?:怎么|如何|怎样|在哪里?|哪里|哪儿)(?:可以|能)?(?:申请|办理|开|领|查|看|设置|使用|用(?!不)|算|收费|退货"
        r"|换货|修改|改|换|获得|攒|联系|取消|洗)",
        r"想买|打算买|准备买|买之前|下单前|下单后|发货后|签收后|付款后|取消后|新人",
        r"多久(?:到账|发货|能到|换|到货|送到)|几天(?:能)?(?:到|发|收)",
        r"\b(?:in general|generally|usually|normally|typically|on average|always|every (?:purchase|order|time)|each "
        r"(?:order|time))\b",
        r"\bif (?!i have any)|\bpolic(?:y|ies)\b|\bhow long (?:do|does|would)\b|\bwhat happens\b",
        r"\brecommend",
        r"\bhow (?:do|can|does|to|should) (?!i pay (?:for )?(?:my|it|the|this|that|now)|i (?:finish|complete))",
        r"\bdo (?:you|i need|i get|i earn|coupons|orders|points|refunds)\b",
        r"\bcan (?:orders|you ship|i use|i combine|i get points)\b",
        r"\b(?:refunds|orders|parcels|payments|deliveries|coupons) (?:be|are|take|get|work|usually)\b",
        r"\b(?:are|is) (?:refunds|orders|parcels)\b|\bshould i (?:order|buy|get)\b",
        r"\bbefore (?:i|ordering|buying)\b|\bwant to buy\b|\bthinking of\b",
    )
)
OWNER = re.compile(
    any_of(
        r"我的|我(?:那|这|刚|上|昨|前|今|买|下单|下了|订|在你|还有|有|都|已|现在|退|付|寄)|帮我|给我|替我",
        r"咱|俺|这单|那单|这个订单|那个订单|刚才|刚刚|那笔|这笔|那张|这张|最近一[单笔]|上一[单笔个]|\bmy\b|\bmine\b",
        r"\bi (?:have |just |already |recently )?(?:bought|ordered|paid|placed|returned|got|sent|requested|received)"
        r"\b",
        r"\b(?:am|did|was|have|do) i\b|\bi have\b",
        r"\b(?:this|that|last|latest) (?:order|parcel|package|payment|refund)\b|\bfor me\b",
    )
)
# Whose else: only one's own things can be looked up.
OTHERS = re.compile(
    any_of(
        r"(?:朋友|同事|老公|老婆|爱人|丈夫|妻子|妈妈|爸爸|我妈|我爸|母亲|父亲|儿子|女儿|室友|同学|亲戚|邻居|别人|他"
        r"人|其他人|别的用户|其他用户|客户|她|他)(?:们)?(?:的|买的)(?:那个|这个)?(?:订单|快递|包裹|物流|退款|付款|地"
        r"址|优惠券|账户|账号|积分)",
        r"\b(?:(?:friend|wife|husband|partner|mother|mum|mom|father|dad|sister|brother|son|daughter|colleague|neighb"
        r"our|neighbor|roommate|boss|customer|user|someone|somebody|person|people)(?:'s|s'| else's)|his|her|their|an"
        r"other (?:customer|user|person)'s) (?:\w+ )?(?:order|orders|parcel|package|refund|payment|address|account|d"
        r"elivery|coupon|coupons)\b",
    )
)
LATE = re.compile(
    any_of(
        r"还没|还不|怎么没|没收到|没到|丢|好几天|好多天|这么久|那么久|太慢|这么慢|延误|迟|不动|没动",
        r"停(?:在|了|滞)|卡(?:在|住)|没更新|不更新|没有?变化",
        r"\b(?:late|lost|delayed|stuck|overdue|still|not (?:yet )?(?:moved|updated|arrived|come|received|here)|no up"
        r"date|slow|yet|days ago)\b",
    )
)
NOT_RECEIVED = re.compile(
    any_of(
        r"没(?:有)?收到|没到|not (?:yet )?(?:received|arrived|got|come|here)|never (?:arrived|came|got)",
        r"missing",
    )
)
LIST_ALL = re.compile(
    any_of(
        r"所有|全部|都(?:到|在|是|买)|哪些|哪几|些什么|\ball (?:of )?my\b|\bmy orders\b|\borders\b",
        r"\blist\b",
    )
)
WHEN = re.compile(
    any_of(
        r"什么时候|几号|哪天|几天|多久|几点|今天|明天|\bwhen\b|\bhow long\b|\bby (?:today|tomorrow)\b",
    )
)
WHY = re.compile(r"为什么|怎么(?:会|不|没|还|用不|没法)|什么原因|\bwhy\b|\bhow come\b")
HOW = re.compile(r"怎么|如何|怎样|怎么办|\bhow (?:do|can|to|should)\b|\bwhat (?:do|should|can) i\b")
FASTER = re.compile(r"快点|快一点|加急|尽快|催|提前|\bfaster\b|\bspeed\b|\bsooner\b|\bhurry\b|\bexpedite\b")
SIGNED_FOR = re.compile(r"签收|妥投|\bdelivered\b|\bsigned for\b")
DISPATCH = re.compile(r"发货|发出|寄出|\bship(?:ped)?\b|\bdispatch")
# Things that are waited for but are no parcel.
NO_PARCEL = re.compile(
    any_of(
        r"取件码|门槛|验证码|短信|邮件|回复|通知|电话|券|积分|说明书|赠品|\bemail|\bsms\b|\bcode\b",
        r"\breply\b",
    )
)
AMOUNT = re.compile(r"多少钱|金额|总价|付了多少|花了多少|\bhow much\b|\bamount\b|\btotal\b|\bcost\b")
UNUSABLE = re.compile(
    any_of(
        r"用不了|不能用|没法用|无法使?用|使用不了|用不上|\bnot (?:working|work|apply|use|accepted|valid)\b",
        r"\brejected\b|\bwhy\b",
    )
)

TOPICS = (
    Topic(
        "refund",
        subject=any_of(
            r"退款|退的?钱|钱[^。]{0,6}退|退回|退货|退换|退[^。]{0,12}钱|什么时候[^。]{0,6}退|\brefund",
            r"money back",
        ),
        certain=any_of(
            r"退(?:款|的?钱)[^。]{0,10}(?:到了|到账了?(?:吗|没|么)|到哪|进度|怎么(?:还|没)|还没|没到|没收到|状态"
            r"|审核|成功了?(?:吗|没)|呢|下来了?(?:吗|没)|退了(?:吗|没))",
            r"(?:没|没有)收到[^。]{0,6}退款",
            r"退[^。]{0,12}钱[^。]{0,6}(?:还没|没到|没收到|到了吗|到账|什么时候|呢)",
            r"钱[^。]{0,6}退[^。]{0,4}(?:了吗|了没|没有|到哪|哪)|退货(?:的)?(?:进度|到哪)",
            r"(?:where|status|progress|update)\b[^.?]{0,25}(?<!any )\brefund\b",
            r"\b(?:has|have|did|was|is) (?:my|the|that|this) refund\b",
            r"\brefund\b[^.?]{0,25}\b(?:status|yet|come through|through|not (?:arrived|come|here|received)|lande"
            r"d|pending)",
            r"\b(?:not|still|waiting)\b[^.?]{0,25}\brefund\b|\bmy money back\b",
        ),
        owned=any_of(
            r"退款|退的?钱|什么时候(?:能|才|可以)?(?:给我)?退(?!货|换|出|订)|\brefund\b|\bmoney back\b",
        ),
        open=any_of(
            r"退款[^。]{0,6}(?:什么时候|哪天|几号)|(?:什么时候|几号|哪天)[^。]{0,6}(?:退款|退到|退给)",
            r"退款[^。]{0,4}(?:快点|快一点|加急)|\bwhen\b[^.?]{0,20}\brefund\b|\brefund faster\b",
        ),
    ),
    Topic(
        "coupon",
        subject=r"券|红包|\bcoupon|\bvoucher|\bpromo code|\bdiscount code",
        certain=any_of(
            r"我[^。]{0,8}(?:什么|哪些|几张|多少)[^。]{0,4}券|还(?:有|剩)[^。]{0,5}券",
            r"我的?[^。]{0,6}券[^。]{0,10}(?:用不了|不能用|没法用|无法|不见|没了|过期|到期|失效|呢)",
            r"\b(?:what|which|any|how many)\b[^.?]{0,15}\b(?:coupon|voucher)s?\b[^.?]{0,12}\b(?:i have|have i|le"
            r"ft|do i)\b",
            r"\b(?:do i have|have i got)\b[^.?]{0,15}\b(?:coupon|voucher)",
            r"\bmy (?:\w+ ){0,2}(?:coupon|voucher)s?\b[^.?]{0,25}\b(?:work|apply|expire|valid|gone|missing|disap"
            r"pear)",
            r"\b(?:why|can not|not)\b[^.?]{0,25}\bmy (?:\w+ ){0,2}(?:coupon|voucher)",
            r"\b(?:list|show)\b[^.?]{0,8}\bmy (?:coupon|voucher)",
        ),
        owned=any_of(
            r"券[^。]{0,10}(?:什么时候|几号|哪天|过期|到期|失效|用不了|不能用|没法用|无法使?用|有效期)",
            r"\b(?:coupon|voucher)s?\b[^.?]{0,20}\b(?:expire|valid|end|run out|use by)",
        ),
        open=any_of(
            r"券[^。]{0,4}(?:什么时候|几号|哪天)[^。]{0,4}(?:过期|到期)",
            r"有(?:什么|哪些)(?:可用的?)?(?:优惠)?券",
        ),
    ),
    Topic(
        "ticket",
        subject=any_of(
            r"工单|换的|售后|投诉|维修|换货|换新|补发|修|ticket|complaint|repair|replacement|exchange",
            r"claim|case|request|update on",
        ),
        certain=any_of(
            r"(?:修|换货|处理|申请)[^。]{0,12}到哪一?步",
            r"我[^。]{0,4}(?:换|修)的[^。]{0,8}(?:呢[?？!]?$|到哪|什么时候)",
            r"工单[^。]{0,10}(?:怎么样|进度|处理|状态|到哪|结果|呢|解决)",
            r"(?:售后|投诉|维修|换货|换新|补发)(?:单|申请)?的?[^。]{0,4}(?:进度|到哪|处理得?(?:怎|好|完|了)|怎么"
            r"样了|有结果|好了(?:吗|没)|修好)",
            r"\b(?:my|the|support) ticket\b|\bticket (?:status|tk)",
            r"\bmy (?:complaint|case|claim|repair|replacement|exchange|(?:service )?request)\b[^.?]{0,25}\b(?:go"
            r"ing|status|progress|update|done|ready|resolved|yet)",
        ),
        owned=r"(?:修好|处理好|处理完)了?(?:吗|没)|\b(?:any|an) (?:update|news) on (?:my|the)\b",
    ),
    Topic(
        "warranty",
        subject=r"保修|过保|在保|warranty|guarantee|covered",
        certain=any_of(
            r"(?:我[^。]{0,14})保修[^。]{0,4}(?:到(?:哪|什么|几)|还有|还剩|过了|截止)|\bmy warranty\b",
            r"\b(?:my|the)\b[^.?]{0,25}\bstill\b[^.?]{0,10}\b(?:warranty|guarantee|covered)",
        ),
        owned=any_of(
            r"(?:还在|在不在|是否在|过没过|过了|还有|还剩|出)[^。]{0,6}保修?",
            r"保修期?(?:内)?[^。]{0,4}(?:到(?:哪|什么|几|期)|还有多久|还剩|过了|过期了?(?:吗|没)|截止)",
            r"过保(?:了|没)|在保(?:吗|不)",
            r"\b(?:under|in|out of|within|still)\b[^.?]{0,10}\b(?:warranty|guarantee)",
            r"\b(?:warranty|guarantee)\b[^.?]{0,20}\b(?:expire|until|end|run out|left|valid)",
            r"\buntil when\b",
        ),
    ),
    Topic(
        "subscription",
        subject=r"订阅|定期|下次|下一次|下期|自动续|subscri|next|upcoming|refill|auto-?renew",
        certain=any_of(
            r"(?:下次|下一次|下期)[^。]{0,6}(?:什么时候|哪天|几号)?[^。]{0,4}(?:送|配送|发货|寄|扣款|扣费|续费)",
            r"我的?(?:订阅|定期)[^。]{0,10}(?:什么时候|状态|下次|还在|到期|呢)",
            r"\b(?:next|upcoming)\b[^.?]{0,15}\b(?:delivery|filter|box|refill|charge|subscription)\b",
            r"\bmy subscription\b[^.?]{0,25}\b(?:next|when|status|renew|active|ship|arrive|due)",
            r"\bwhen\b[^.?]{0,20}\bmy (?:next )?(?:subscription|refill)",
        ),
        owned=r"(?:订阅|定期)[^。]{0,10}(?:什么时候|状态|下次|还在|到期)|什么时候续费",
    ),
    Topic(
        "points",
        subject=r"积分|\bpoints?\b",
        certain=any_of(
            r"我[^。]{0,8}(?:多少|几)[^。]{0,3}积分|我的?积分[^。]{0,6}(?:还剩|剩|多少|余额|有|呢)",
            r"积分(?:余额|还剩|还有)|(?:查|看)(?:一?下)?(?:我的?)?积分",
            r"\bhow many points (?:do i have|have i|are)",
            r"\bmy points\b[^.?]{0,15}\b(?:balance|total|left|how|what)",
            r"\b(?:points balance|check my points|what are my points|what is my points)",
        ),
        owned=r"(?:多少|几)积分|\bpoints\b[^.?]{0,10}\b(?:left|have|balance)",
    ),
    Topic(
        "tier",
        subject=r"会员|等级|级别|金卡|银卡|黑金|vip|tier|level|membership|member|gold|silver",
        certain=any_of(
            r"我[^。]{0,6}(?:什么|哪个|几级|哪一?级)[^。]{0,4}(?:会员|等级|级别|卡)",
            r"我的?(?:会员)?(?:等级|级别)|我(?:现在|目前)?是(?:不是)?(?:会员|银卡|金卡|黑金|vip)",
            r"\b(?:what|which)\b[^.?]{0,12}\b(?:tier|level|membership|status)\b[^.?]{0,6}\b(?:am i|do i|i am)",
            r"\bwhat is my (?:tier|membership|member level|level)",
            r"\bmy (?:tier|membership (?:tier|level|status))",
            r"\bam i (?:a |an )?(?:gold|silver|black|member|vip)",
        ),
    ),
    Topic(
        "payment",
        subject=r"付|扣|保留|尾款|\bpay|\bpaid|payment|charged|card|checkout",
        certain=any_of(
            r"(?:付款?|支付|那笔钱|钱)[^。]{0,5}(?:成功|过去|失败)了?(?:吗|没|么|没有)",
            r"为什么[^。会]{0,8}付款[^。会]{0,3}(?:失败|不了|不成功|没成功)",
            r"付(?:款)?(?:不了|不上|失败了)|付款不成功|扣(?:了|我|走)[^。]{0,4}(?:款|钱|两次|2次)|被扣",
            r"(?:条|次|笔)扣款|扣款(?:了|成功)|(?:刚才|刚刚|那笔|这笔)[^。]{0,8}(?:付|款)|保留到",
            r"(?:重新|继续)付|付款(?:状态|进度)",
            r"\b(?:did|has|is|was|have) (?:my|the|that) (?:\w+ ){0,2}payment\b|\bdid the payment\b",
            r"\bpayment\b[^.?]{0,25}\b(?:go through|went through|gone through|through)",
            r"\bwhy\b[^.?]{0,15}\b(?:my )?(?:payment|card)\b[^.?]{0,12}\b(?:fail|failed|declined|rejected)",
            r"\bpayment (?:has |was |got |just )?(?:failed|declined)",
            r"\bmy (?:card|payment)\b[^.?]{0,45}\b(?:fail|failed|declined|rejected|stuck|pending)",
            r"\bcharged (?:me|twice)|\bwas i charged|\bhave i paid\b",
            r"\bpay (?:for )?(?:my|this|that) order|\b(?:finish|complete) (?:my |the )?payment",
        ),
        owned=any_of(
            r"(?:怎么|如何|还能|可以|现在)[^。]{0,6}付(?:款|钱|尾款)|付款失败|尾款",
            r"\bpay (?:for )?(?:it|now|(?:the|my) (?:\w+ ){0,3}(?:order|balance|deposit|rest))\b",
            r"\bpayment (?:status|fail)",
        ),
        open=any_of(
            r"^(?:现在|还能|请问|那)?(?:怎么|如何)(?:付款|付尾款|继续付|再付)|^付款失败|保留多久",
            r"\bhow (?:can|do) i pay (?:it|now)|\bhow long .{0,25}(?:kept|held|reserved)",
        ),
    ),
    Topic(
        "address",
        subject=r"地址|收货人|改寄|转寄|\baddress|redirect",
        owned=any_of(
            r"\bnew address\b|(?:改|换|修改|变更|更改|填错|写错|选错|错)[^。]{0,6}地址",
            r"地址[^。]{0,8}(?:改|换|错)|改寄|转寄",
            r"(?:change|update|wrong|edit|different|fix|redirect)\b[^.?]{0,25}\b(?:address|order|parcel|package)",
            r"\baddress\b[^.?]{0,20}\b(?:changed|wrong|updated)",
        ),
    ),
    Topic(
        "cancel",
        subject=r"取消|不想要|不要了|\bcancel",
        certain=r"订单[^。]{0,4}取消了(?:吗|没)|\b(?:has|was|is|did) my order\b[^.?]{0,12}\bcancel",
        owned=any_of(
            r"(?:能|可以|可|想|要|帮我|给我)[^。]{0,10}取消|取消[^。]{0,8}(?:吗|不|订单|那单|这单)",
            r"(?:不想要|不要)了|\bcancel\b",
        ),
    ),
    Topic(
        "parcel",
        certain=any_of(
            r"(?:寄|发|走|送|运|跑)?(?<!得)到(?:了)?(?:哪(?!一?步|些|个|种)|什么地方)",
            r"(?:快递|包裹|物流|东西|订单|货|单子|件)[^。]{0,8}(?:在哪(?!里?[看查开填])|哪去了|去哪里?[了啦]|呢["
            r"?？!]?$)",
            r"(?:还没|怎么没|没有?|还不)(?:有)?(?:收到(?:货|快递|包裹|东西|$|[?？,，])|到货|送到|送来|(?:给我)?"
            r"发货|到(?:$|[?？啊呀呢,，吗]))",
            r"(?:物流|快递|包裹)[^。]{0,10}(?:不动|没动|停|卡|没更新|不更新|没有?变化|没有?消息)",
            r"(?:还要|还有|还得)(?:多久|几天)[^。]{0,4}(?:到|收|送)",
            r"(?:发货|发出|寄出|揽收|签收|到货|送到)了?(?:吗|没|么|没有)[呀啊呢]?[?？]?$",
            r"我[^。]{0,4}(?:买|订|拍)的[^。]{1,10}呢[?？!]?$",
            r"(?:催|查|看)(?:一?下)?[^。]{0,8}(?:快递|物流|包裹|发货)",
            r"^(?:我的?)?(?:快递|包裹|物流|订单)(?:信息|状态|进度)?[呢啊]?[?？]?$",
            r"\bwhere (?:is|are) (?:(?:my|the|it|our)\b(?![^.?]{0,20}\b(?:refund|money|coupon|voucher|invoice|ac"
            r"count|password|profile|points|ticket|receipt|serial|warranty|discount|code)\b)(?=[^.?]{0,40}\b(?:("
            r"?:order|orders|parcel|parcels|package|packages|delivery|shipment|stuff|things?|item|items|goods|pu"
            r"rchase)|i (?:bought|ordered))\b|$|[?.!])|it\b)",
            r"\bwhere (?:\w+ ){0,3}(?:is|are) my (?!(?:refund|money|coupon|voucher|invoice|account|password|prof"
            r"ile|points|ticket|receipt|serial|warranty|discount|code)\b)",
            r"\b(?:has|(?<!can i )(?<!to )(?<!i )have|did|is|was) (?:my|the|it|our)\b[^.?]{0,25}\b(?:shipped|shi"
            r"p|arrived|arrive|delivered|dispatched|been sent|out for delivery|on its way)",
            r"\b(?:my|the|our) [^.?]{0,25}(?:has not|have not|not|never|still)\b[^.?]{0,12}\b(?:arrived|come|shi"
            r"pped|delivered|moved|here|updated)",
            r"\b(?:not|never) (?:yet )?(?:received|got|gotten) (?:my|the|it|any)\b(?![^.?]{0,20}\b(?:refund|mone"
            r"y|coupon|voucher|invoice|account|password|profile|points|ticket|receipt|serial|warranty|discount|c"
            r"ode)\b)",
            r"\bwhen (?:will|is|does|should|can) (?:my|it|the|i (?:get|receive|expect))\b(?![^.?]{0,20}\b(?:refu"
            r"nd|money|coupon|voucher|invoice|account|password|profile|points|ticket|receipt|serial|warranty|dis"
            r"count|code)\b)[^.?]{0,30}\b(?:arrive|come|here|delivered|delivery|ship|shipped|reach|receive|get|e"
            r"xpect|dispatched)",
            r"\btrack(?:ing)? (?:my|it|this|that)\b|\bmy tracking\b",
            r"\b(?:my|the) (?:order|orders|parcel|parcels|package|packages|delivery|shipment|stuff|things?|item"
            r"|items|goods|purchase) (?:is |has )?(?:\w+ )?(?:stuck|late|delayed|lost|missing|not moving)",
            r"\b(?:order|parcel|package) (?:has )?not (?:arrived|come)",
            r"\b(?:parcel|package|delivery) (?:status|update)",
            r"\bcheck (?:on )?my (?:parcel|package|delivery|shipment)",
        ),
        owned=any_of(
            r"我[^。]{0,3}的[^。]{1,10}呢[?？!]*$|去了哪|停在|不动了|没动静|给不给(?:送|发)",
            r"到底[^。]{0,4}(?:送|发货)",
            r"(?:什么时候|几号|哪天|几点|今天|明天|多久)[^。]{0,6}(?:到(?!账|期)|送到?|收到|送达|派送|发货|发出"
            r"|寄出)",
            r"发货|到了(?:吗|没|么)|(?:送|寄|发)到",
            r"\b(?:arrive|arrived|arriving|shipped|delivered|dispatched|track|tracking)\b",
            r"\bwhere\b[^.?]{0,12}\b(?:order|orders|parcel|parcels|package|packages|delivery|shipment|stuff|thin"
            r"gs?|item|items|goods|purchase)\b",
        ),
        open=any_of(
            r"(?:什么时候|几号|哪天|几点|今天能|明天能)[^。]{0,4}(?:能)?(?:到(?!账|期)|送到|送达|收到|发货|发出)",
            r"\bwhen will (?:it|they|this) (?:arrive|come|get here|ship)",
        ),
    ),
    Topic(
        "order",
        subject=any_of(
            r"订单|买|单|花了|付了|\border|\bbought|\bbuy|\bpa(?:y|id)\b|\bpurchase|\bhow much",
            r"\bspen[dt]\b",
        ),
        certain=any_of(
            r"我[^。]{0,4}(?:买|下|订|点)(?:了|过)?[^。]{0,3}(?:什么|哪些|哪几)",
            r"(?:最近|全部|所有|我)的?[^。]{0,3}订单(?:有哪些|列表|状态|进度)?[?？]?$",
            r"订单(?:的)?(?:现在|目前)?[^。]{0,4}(?:状态|什么情况|进度|怎么样了|怎样了)",
            r"我[^。]{0,6}(?:付|花)了多少|多少钱来着",
            r"\bwhat (?:did|have) i (?:\w+ )?(?:order|buy|bought|purchase)",
            r"\bwhat i (?:last )?(?:ordered|bought)|\bhow much (?:did|have) i (?:pay|paid|spend|spent)",
            r"\bmy (?:last|latest|recent|current|open|past) orders?\b",
            r"\b(?:list|show|see|view)\b[^.?]{0,8}\bmy orders|\border status\b",
            r"\b(?:status|state|progress) of (?:my|the|order|this|that)\b",
        ),
        owned=any_of(
            r"(?:订单|这单|那单|单子)[^。]{0,10}(?:状态|情况|进度|多少钱|金额|详情)|多少钱|金额",
            r"\b(?:status|amount|total)\b[^.?]{0,20}\border",
            r"\border\b[^.?]{0,20}\b(?:status|amount|total)",
        ),
    ),
)
BY_NAME = {topic.name: topic for topic in TOPICS}
