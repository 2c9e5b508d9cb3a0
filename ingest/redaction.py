"""Replaces personal data by typed placeholders before a text is embedded; order ids, money and dates stay."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ingest.sources.language import detect_locale

PLACEHOLDERS = {
    "zh": {
        "phone": "[电话]",
        "email": "[邮箱]",
        "id_number": "[证件号]",
        "card": "[银行卡]",
        "address": "[地址]",
        "name": "[姓名]",
        "account": "[账号]",
    },
    "en": {
        "phone": "[phone]",
        "email": "[email]",
        "id_number": "[id number]",
        "card": "[card]",
        "address": "[address]",
        "name": "[name]",
        "account": "[account]",
    },
}

# one character for one, so that a place found in the shadow is the same place in the text
_SHADOW = str.maketrans(
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | {ord(mark): ord("-") for mark in "‐‑‒–—―−－"}
    | {ord(space): ord(" ") for space in "\u00a0\u2002\u2003\u2007\u2009\u202f\u3000\t"}
)


@dataclass(frozen=True, slots=True)
class Redaction:
    """A text without personal data, and how often each kind was replaced."""

    text: str
    counts: dict[str, int] = field(default_factory=dict)


def redact(text: str, locale: str | None = None) -> Redaction:
    """The text with personal data replaced; placeholders are in ``locale``, where it is None in the text's language."""
    shadow = text.translate(_SHADOW)
    taken: list[tuple[int, int, str]] = []
    for kind, detector in _DETECTORS:
        for start, end in detector(shadow):
            # an address may run into the telephone number behind it
            end = min([end, *(left for left, right, _ in taken if start < left < end)])
            if start < end and all(end <= left or start >= right for left, right, _ in taken):
                taken.append((start, end, kind))
    found = _merged(text, sorted(span for span in taken if span[2] != _KEEP))
    if not found:
        return Redaction(text)
    words = PLACEHOLDERS["zh" if (locale or detect_locale(text)).lower().startswith("zh") else "en"]
    parts: list[str] = []
    position = 0
    for start, end, kind in found:
        parts += [text[position:start], words[kind]]
        position = end
    return Redaction("".join([*parts, text[position:]]), dict(Counter(kind for _, _, kind in found)))


def _merged(text: str, spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Parts of one address that only blanks or commas divide become one."""
    made: list[tuple[int, int, str]] = []
    for start, end, kind in spans:
        if made and kind == made[-1][2] == "address" and not text[made[-1][1] : start].strip(" ,，\u3000"):
            made[-1] = (made[-1][0], end, kind)
        else:
            made.append((start, end, kind))
    return made


_KEEP = "keep"
_Detector = Callable[[str], Iterator[tuple[int, int]]]


def _pattern(*patterns: str, flags: int = re.IGNORECASE) -> _Detector:
    """Finds whole matches, or group ``x`` where the pattern has one."""
    compiled = [re.compile(pattern, flags | re.VERBOSE) for pattern in patterns]

    def find(text: str) -> Iterator[tuple[int, int]]:
        for expression in compiled:
            group = "x" if "x" in expression.groupindex else 0
            for match in expression.finditer(text):
                yield match.span(group)

    return find


_FREE = r"(?<![A-Za-z0-9])(?<![\d][-.])"  # not the tail of a longer number or code
_END = r"(?!\d)(?!-\d)(?![A-Za-z]\d)"
_GAP = r"[ ]?-?[ ]?"
_OF = r"[\s:：是为係为叫#]{0,3}"

# what looks like a number of a person and is none
_keep = _pattern(
    r"\[[^\[\]\n]{1,24}\]",
    r"(?<![A-Za-z])(?:SQ|PAY|SF|YT|JD|JDVA|ZTO|STO|EMS|RF|CP|TK|WR|SUB|INV)[-_]?\d{5,}(?:-\d+)*",
    r"(?:订单号?|訂單號?|订单编号|运单号?|快递单号|物流单号|单号|流水号|交易号|tracking\ (?:no\.?|number)"
    r"|order\ (?:no\.?|number|id))"
    r"[\s:：是为#]{0,4}(?!\+|1[3-9]\d{9}(?!\d))(?:\d[\d-]{7,}\d)",
    r"发票(?:代码|号码?)[\s:：是]{0,3}\d{8,20}",
    r"https?://\S+",
    r"(?<![\d-])(?:19|20)\d{2}[-/.年](?:0?[1-9]|1[0-2])[-/.月](?:[12]\d|3[01]"
    r"|0?[1-9])日?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?(?![\d-])",
    r"(?<![\d-])(?:400|800)[- ]?\d{3,4}[- ]?\d{3,4}(?![\d-])",
    r"(?:¥|￥|\$|€|£|HK\$|RMB\ ?|CNY\ ?)\d[\d,]*(?:\.\d+)?",
    r"(?<![\d,.])\d[\d,]*+(?:\.\d++)?\ ?(?:元|块|円|港币|美元|yuan|CNY|RMB|HKD|USD)(?![A-Za-z])",
)

_email = _pattern(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]*\ ?@\ ?[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    r"(?:\ ?\.\ ?[A-Za-z0-9-]{2,})+",
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]*\s?[(\[]?\b(?:at"
    r"|AT)\b[)\]]?\s?[A-Za-z0-9-]+\s?[(\[]?\bdot\b[)\]]?\s?(?:com|cn|net|org|hk|uk)\b",
)

_S = r"[ -]?"
_ID18 = re.compile(
    rf"(?<![A-Za-z0-9])(?:[1-6]\d|71|8[1-3]){_S}(?:\d{_S}){{4}}(?:1{_S}9|2{_S}0){_S}\d{_S}\d{_S}"
    rf"(?:0{_S}[1-9]|1{_S}[0-2]){_S}(?:0{_S}[1-9]|[12]{_S}\d|3{_S}[01]){_S}(?:\d{_S}){{3}}[\dXx](?![A-Za-z0-9])"
)
_ID15 = re.compile(
    r"(?<![A-Za-z0-9-])(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])\d{4}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]"
    r"|[12]\d|3[01])\d{3}"
    r"(?![A-Za-z0-9-])"
)


def _id_number(text: str) -> Iterator[tuple[int, int]]:
    for expression in (_ID18, _ID15):
        for match in expression.finditer(text):
            yield match.span()
    yield from _other_id(text)


_other_id = _pattern(
    r"(?:身份证|身份證|证件|證件)(?:号码?|號碼?|号|號)?[\s:：是为]{0,3}(?P<x>\d{14,17}[\dXx])(?![A-Za-z0-9])",
    r"(?<![A-Za-z0-9])[A-Z]{1,2}\d{6}\ ?\([0-9A]\)",
    r"(?:香港身份[证證]|HKID|Hong\ Kong\ ID|身份[证證]|ID\ card"
    r"|ID\ number)[^\dA-Z]{0,12}?(?P<x>[A-Z]{1,2}\d{6}[0-9A])(?![A-Za-z0-9])",
    r"(?:护照|護照|passport|通行证|通行證|回乡证|台胞证|permit)(?:\ ?(?:号码?|號碼?|no\.?|number"
    r"|num))?[\s:：是为#]{0,3}(?:is\ )?(?P<x>[A-Z]{0,2}\d{7,10})(?![A-Za-z0-9])",
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·•. ]?"
    r"(?=[A-HJ-NP-Z]{0,4}\d)[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港"
    r"澳](?![A-Za-z0-9])",
    r"(?:national\ insurance|NI\ number|SSN|social\ security)[^\d]{0,16}(?P<x>\d{3}-?\d{2}-?\d{4}"
    r"|[A-Z]{2}\ ?\d{2}\ ?\d{2}\ ?\d{2}\ ?[A-D])",
)

_RUN = re.compile(r"(?<![A-Za-z0-9])(?<!\d[-.])\d(?:[ -]?\d){11,22}(?![A-Za-z0-9])")
_CARD_START = re.compile(r"62|4|5[1-5]|2[2-7]|35|3[0479]|6[0459]|9[0-9]")
_CARD_CUE = re.compile(
    r"(?:卡号|卡號|银行卡|銀行卡|信用卡|储蓄卡|借记卡|账户|帐户|帐号|账号|卡|card)[^\d\n]{0,16}$", re.IGNORECASE
)


def _card(text: str) -> Iterator[tuple[int, int]]:
    for match in _RUN.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        cue = _CARD_CUE.search(text, max(0, match.start() - 24), match.start())
        if 13 <= len(digits) <= 19 and ((_CARD_START.match(digits) and _luhn(digits)) or (cue and len(digits) >= 15)):
            yield match.span()


def _luhn(digits: str) -> bool:
    doubled = [int(d) * 2 if place % 2 else int(d) for place, d in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


_PHONE_CUE = (
    r"(?:电话|電話|手机|手機|致电|联系方式|号码|號碼|(?<![A-Za-z])(?:tel|phone|mobile|cell|whatsapp|call|text|reach"
    r"|contact)(?![A-Za-z]))"
)
_phone = _pattern(
    # China: mobile in every grouping people use, then landlines
    r"(?:(?<![A-Za-z0-9])|(?<=tel)|(?<=phone))(?:(?:\+|00)?\(?86\)?[ -]{0,2})?(?<!\d[-.])"
    r"(?:1[3-9]\d(?:[ -]?\d{4}){2}|1[3-9]\d{2}[ -]\d{3}[ -]\d{4}|1[3-9]\d{3}[ -]\d{6}|1[3-9]\d{4}[ -]\d{5}"
    r"|1(?:[ -.]{1,2}\d){10}|1[3-9]\d[ -]?\d{4}[ -]{1,2}\d{4})(?!\d)(?![A-Za-z]\d)",
    rf"{_FREE}(?:(?:(?:\+|00)86[ -]?)?\(?0|(?:\+|00)86[ -]?\(?)(?:10|2\d|[3-9]\d{{2}})\)?[ -]\d{{7,8}}(?:(?:转|-"
    rf"|\ ext\.?\ ?)\d{{1,5}})?{_END}",
    rf"{_FREE}\(?0(?:10|2\d|[3-9]\d{{2}})\)?\d{{7,8}}{_END}",
    # Hong Kong and Macau
    rf"(?:(?<![A-Za-z0-9+])(?:\+|00)?|\()85[23]\)?[ -]?[2-9](?:\d{{3}}[ -]?\d{{4}}|\d[ -]\d{{3}}[ -]\d{{3}}){_END}",
    rf"{_PHONE_CUE}[^\d\n+]{{0,12}}(?P<x>[2-9]\d{{3}}[ -]?\d{{4}}){_END}",
    # United Kingdom, United States and Canada, then any other with its country code
    rf"(?<![A-Za-z0-9])(?:\+|00)44[ -]?(?:\(0\))?[ -]?\d(?:[ -]?\d){{8,9}}{_END}",
    rf"{_FREE}0(?:[127]\d{{2,3}}[ -]?\d{{3}}[ -]?\d{{3,4}}|20[ -]\d{{4}}[ -]\d{{4}}){_END}",
    rf"{_FREE}(?:\+?1[ .-]?)?\(?(?!(?:400|800|888|877|866|855|844"
    rf"|833)\b)[2-9]\d{{2}}\)?[ .-]{{1,2}}\d{{3}}[ .-]\d{{4}}{_END}",
    rf"{_PHONE_CUE}[^\d\n+]{{0,12}}(?P<x>[2-9]\d{{9}}){_END}",
    rf"(?<![A-Za-z0-9])\+[1-9]\d{{0,2}}(?:[ -.()]{{0,2}}\d){{7,12}}{_END}",
    r"[幺一壹][三四五六七八九][零〇一二三四五六七八九幺]{9}(?![零〇一二三四五六七八九幺])",
)

_account = _pattern(
    r"(?:微信|薇信|v信|wechat|weixin|vx|(?<![A-Za-z])wx)(?:[号號]|\ ?id)?(?:\ {0,2}[:：是为]\s?|(?<=[号號d])\ "
    r"(?:is\ )?"
    r"|(?<=[号號]))(?P<x>[A-Z][-_A-Z0-9]{5,19})(?![A-Za-z0-9])",
    r"(?:加我?|搜)?(?:微信|薇信|v信|wechat|vx"
    r"|(?<![A-Za-z])wx)(?:[号號])?\ ?(?P<x>(?=[-_A-Z]*[\d_])[A-Z][-_A-Z0-9]{5,19})(?![A-Za-z0-9])",
    r"(?<![A-Za-z])(?:QQ|扣扣|企鹅号?)(?:[号號]码?|\ ?number)?[\s:：是为]{0,3}(?:is\ )?(?P<x>[1-9]\d{4,10})(?!\d)",
    r"(?:支付宝|淘宝|抖音|小红书|微博)(?:账[号户]|帐[号户]|号|ID|id)[\s:：是为]{0,3}(?P<x>[A-Z0-9][-_.A-Z0-9]{4,24})",
    r"(?:telegram|line\ id|line号|whatsapp\ id|skype|instagram|\big)(?:[\s:：是为]"
    r"|\ is\ ){1,3}@?(?P<x>(?=[-_.A-Z]*[\d_])[A-Z][-_.A-Z0-9]{4,24})",
)

_PROVINCE = (
    "北京|天津|上海|重庆|重慶|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|廣東"
    "|海南|四川|贵州|云南|"
    "陕西|甘肃|青海|内蒙古|广西|西藏|宁夏|新疆|香港|澳门|澳門|台湾|台灣|九龍|九龙|新界"
)
_H = r"[\u4e00-\u9fff]"
_NUM = r"(?:\d{1,5}|[一二三四五六七八九十百零〇两]{1,4}|[甲乙丙丁])"
_UNIT = (
    rf"(?:{_NUM}|[A-Za-z]\d{{0,2}})(?:-\d{{1,5}}){{0,2}}\ ?(?:号院|號院|号楼|號樓|栋|棟|幢|座|单元|單元|楼|樓|层"
    rf"|層|室|户|戶|房|号铺|期|弄"
    rf"|巷|号|號)"
)
_ANY = rf"(?:{_H}|[A-Za-z0-9])"
# atomic groups keep the work linear in a text of nothing but administrative words
_AREA = (
    rf"(?>(?:{_H}{{1,9}}?(?:省|自治区|特别行政区|市|自治州|地区|盟|(?<!小)(?<!社)[区區]|县|縣|旗|镇|鎮|乡|鄉|街道)"
    r"[ ,，]?){1,6})"
)
_ROAD = (
    rf"{_ANY}{{1,14}}?(?:大道|大街|路|街|道|巷|胡同|弄|村|屯|里|环)(?:[东西南北中]段?|[一二三四五六七八九]段)?[ ]?"
    rf"{_NUM}(?:-\d{{1,5}})?\ ?(?:号|號|弄|栋|幢|座|组|组团|社)(?>(?:[ ,，]?{_ANY}{{0,12}}?{_UNIT}){{0,5}})"
)
_ESTATE = (
    rf"{_ANY}{{2,10}}?(?:小区|小區|花园|花園|家园|苑|公寓|大厦|大廈|广场|廣場|中心|新村|社区|宿舍|公馆|山庄|豪庭|国际|城|府|湾"
    rf"|邨|阁|閣|园|村|学院?)[ ,，]?{_UNIT}(?>(?:[ ,，]?{_UNIT}){{0,4}})(?:[ ,，]?\d{{3,4}}(?!\d))?"
)
_ZH_ADDRESS = re.compile(f"{_AREA}(?:{_ROAD}|{_ESTATE})|{_ROAD}|{_ESTATE}")
_BUILDING = r"(?:大厦|大廈|中心|广场|廣場|公寓|花园|花園|小区|小區|大楼|大樓|苑|国际|新城)"
_TAIL = re.compile(
    rf"[ ,，]{{0,2}}(?:{_UNIT}|{_H}{{2,10}}?{_BUILDING}"
    rf"|(?:{_H}{{2,10}}?{_BUILDING})?[ ]?(?:[A-Z]\d?座?[ -]?)?\d{{1,5}}(?:-\d{{1,5}}){{0,2}}"
    rf"(?:室|号|楼|樓)?(?![\d.\-:/元块点个件天年月日%])(?!\ ?\d))"
)
_NOT_AN_ADDRESS = re.compile(r"^(?:[一二三四五六七八九十\d]+|第.|这|那|哪|同|上|下|本|一)(?:道|路|里|街|园|城|学)")
_LEAD = re.compile(
    r".*(?:地址改?[是为成到:：]?|改成|改为|改到|换成|换到|寄到|寄往|寄去|发到|发往|發到|送到|送去|住在|位于|搬到"
    r"|我在|我住|現在住|家在|在|到|住|是|为|至|從|从|去|给|：|:|的|了)",
    re.DOTALL,
)


def _zh_address(text: str) -> Iterator[tuple[int, int]]:
    for match in _ZH_ADDRESS.finditer(text):
        start, end = match.span()
        anchor = re.search(_PROVINCE, match[0])
        if anchor:
            start += anchor.start()
        else:
            # the first component runs back into the sentence before it
            head = re.split(r"\d|省|市|区|區|县|路|街|道", match[0], maxsplit=1)[0]
            lead = _LEAD.match(head)
            start += lead.end() if lead else 0
        tail = _TAIL.match(text, end)
        while tail and tail.end() > end:
            end = tail.end()
            tail = _TAIL.match(text, end)
        if end - start >= 5 and not _NOT_AN_ADDRESS.match(text[start:end]):
            yield start, end


_STREET = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Terrace|Close|Crescent|Square|Sq|"
    r"Parkway|Pkwy|Highway|Way|Place|Pl|Gardens|Grove|Row|Hill|Path)"
)
_POSTCODE = r"(?:[A-Z]{1,2}\d[A-Z\d]?\ \d[A-Z]{2}|(?:[A-Z]{2}\ )?\d{5}(?:-\d{4})?(?!\d))"
_en_address = _pattern(
    r"(?:(?:Flat|Room|Rm|Unit|Apartment|Apt|Suite"
    r"|Block)\.?\ [A-Z0-9]{1,5},?\ *(?:\d{1,2}/F\.?,?\ *)?(?:[A-Z][\w']*\ ?){0,5},?\ *)?"
    rf"(?<![\w.])\d{{1,5}}[A-Za-z]?(?:-\d{{1,5}})?,?\ +(?:[A-Z0-9][\w'.]*\ +){{1,4}}{_STREET}\b\.?"
    rf"(?:\ [NSEW]{{1,2}}\b)?"
    r"(?:,?\ *(?:Apt|Apartment|Flat|Unit|Suite|Room|Floor|\#)\.?\ ?[A-Z0-9-]{1,5})?"
    rf"(?:,\ *[A-Z][A-Za-z']+\b(?:\ [A-Z][A-Za-z']+\b){{0,2}}){{0,4}}(?:,?\ *{_POSTCODE})?",
    r"(?:Flat|Room|Rm|Unit)\.?\ [A-Z0-9]{1,5},\ *\d{1,3}/F\.?(?:,\ *[A-Z][\w']*(?:\ [A-Z0-9][\w']*){0,4}){1,5}",
    r"(?<![A-Za-z0-9])[A-Z]{1,2}\d[A-Z\d]?\ \d[A-Z]{2}(?![A-Za-z0-9])",
    flags=0,
)
_postal = _pattern(r"(?:邮编|郵編|邮政编码|zip(?:\ code)?|postcode)[\s:：是为]{0,3}(?:is\ )?(?P<x>\d{5,6})(?!\d)")


def _address(text: str) -> Iterator[tuple[int, int]]:
    yield from _zh_address(text)
    yield from _en_address(text)
    yield from _postal(text)


_SURNAME = (
    "(?:欧阳|歐陽|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|"
    "[王李张劉刘陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何林罗羅高郑鄭梁谢謝宋唐许許邓鄧韩韓冯馮曹彭曾肖田董潘袁蔡蒋蔣余于杜叶葉程魏苏蘇"
    "吕呂丁任卢盧姚沈钟鐘鍾姜崔谭譚陆陸范汪廖石金韦贾夏付方邹熊白孟秦邱江尹薛闫段雷侯龙龍史黎贺顾顧毛郝龚邵万钱严覃武戴莫孔汤康易乔赖文施洪季柯岑关關甘霍莊庄])"
)
_AFTER_NAME = (
    r"(?=[^\u4e00-\u9fff]|$|电话|電話|手机|手機|地址|号码|的|是|在|想|要|请|我|你|身份证|住|先生|女士"
    r"|小姐|收|这|昨|今|订|之前|买|，)"
)
_name = _pattern(
    r"(?:我叫|我的名字[是叫]?|我名叫|名字[是叫:：]|姓名|收件人|收货人|收貨人|寄件人|联系人|聯絡人|户名|戶名"
    r"|开户名|持卡人|客户名|署名|本人)"
    rf"(?:改[为成]|换成|姓名|[是为叫係])?[\s:：]{{0,3}}(?P<x>{_SURNAME}(?:{_H}{{1,2}}?{_AFTER_NAME}|{_H}{{2}}))",
    rf"(?:身份证|身份證|卡)[^\n]{{14,48}}?\ (?P<x>{_SURNAME}{_H}{{1,2}})(?=\s|$)",
    r"(?:我叫|姓名|收件人|收货人|收貨人|联系人|聯絡人)[\s:：是]{0,3}(?P<x>[A-Z][a-z]+(?:\ [A-Z][a-z]+){0,2})(?![a-z])",
    rf"(?P<x>{_SURNAME}{_H}{{1,2}})[,，、 ]{{0,2}}(?=(?:\+?86)?1[3-9]\d{{9}})",
    r"(?i:\bmy\ (?:full\ )?name\ is|\bmy\ name['’]s|\brecipient(?:'s\ name)?(?:\ is|:)|\baddressee:"
    r"|\bcardholder(?:\ name)?(?:\ is|:)|(?<![\w\ ])name:|\bi\ am\ called|\bunder\ the\ name(?:\ of)?|\bconsignee:"
    r"|\bcontact\ name:|\bfull\ name:)"
    r"\s*(?P<x>(?!(?i:not|wrong|the|on|also|missing)\b)[A-Za-z][A-Za-z'’-]+(?:\ [A-Z][A-Za-z'’-]*\.?){0,2})",
    r"(?i:\bthis\ is|\bi['’]?\ ?a?m)\ (?P<x>[A-Z][a-z'’-]+\ [A-Z][a-z'’-]+)(?=\ (?:here|speaking|from)\b|[,.!]|$)",
    flags=0,
)

_DETECTORS: tuple[tuple[str, _Detector], ...] = (
    ("email", _email),
    ("account", _account),
    (_KEEP, _keep),
    ("id_number", _id_number),
    ("card", _card),
    ("phone", _phone),
    ("address", _address),
    ("name", _name),
)
