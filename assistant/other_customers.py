"""Takes out of an old reply what belonged to the customer it was written for: numbers, amounts, names, addresses."""

from __future__ import annotations

import re

from assistant.extractive.resolutions import is_general
from assistant.figures import figures
from assistant.text import fold

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦"
    "付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
    "張劉陳楊黃趙吳孫馬許韓馮鄧蔣葉蘇魏呂盧鍾譚陸範賈龍萬錢嚴湯溫齊喬龐顏倪莊聶魯詹關蘭"
)
_TITLE = "先生|女士|小姐|太太|老师|老師|阿姨|同学|經理|经理"
_THANKS_NOT = "(?<![感多谢謝])[谢謝](?![谢謝])"  # 谢 is a surname, and in 谢谢赵先生 it is none
_CHINESE_NAME = re.compile(
    rf"(?:欧阳|司马|上官|诸葛|{_THANKS_NOT}|[{_SURNAMES}])[\u3400-\u9fff]{{0,2}}?(?:{_TITLE})您?"
)
_ENGLISH_TITLE = re.compile(r"\b(?:Mr|Ms|Mrs|Miss|Mx|Dr)\.? [A-Z][\w'’-]+(?: [A-Z][\w'’-]+)?")
_ENGLISH_NAME = re.compile(
    r"\b(Hi|Hello|Dear|Hey|Sorry|Thanks|Thank you)(,? )[A-Z][A-Za-z'’-]+(?: [A-Z][A-Za-z'’-]+)?(?=\s*[,.!:—–-]|\s*$)"
)
_NOT_NAMES = re.compile(r"(?:There|Sir|Madam|Customer|All|Again|Everyone|Team|Please|You|Your|The)\b", re.IGNORECASE)
# order, parcel, ticket, coupon and card numbers, telephone numbers; a hotline in groups and a year are none
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9.])(?=[A-Za-z0-9_-]*\d[A-Za-z0-9_-]*\d[A-Za-z0-9_-]*\d[A-Za-z0-9_-]*\d)"
    r"(?:[A-Za-z]{1,6}[-_]?\d[A-Za-z0-9_-]{3,29}|\d{7,30}[A-Za-z]?|1[3-9]\d[ -]?\d{4}[ -]?\d{4}"
    r"|\d{4}(?:[ -]\d{4}){2,4})"
    r"(?![A-Za-z0-9]|\s?(?:元|块|yuan|CNY|RMB|mAh|毫安))"
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_MONEY = re.compile(
    r"(?:[¥￥$€£]|\b(?:CNY|RMB|USD))\s?\d[\d,]*(?:\.\d+)?|\d[\d,]*(?:\.\d+)?\s?(?:元|块钱?|yuan\b|CNY\b|RMB\b|dollars?\b)",
    re.IGNORECASE,
)
_CHINESE_PLACE = re.compile(
    r"(?:[\u3400-\u9fff]{2,8}(?:省|市|自治区))?(?:[\u3400-\u9fff]{2,6}[市区县])?(?:[\u3400-\u9fff]{1,8}(?:街道|镇|乡|村))?"
    r"[\u3400-\u9fff]{1,8}(?:路|街|大道|巷|弄|胡同|小区|花园|苑|新村)\s?\d+\s?(?:号|弄|幢|栋|座)"
    r"(?:[\u3400-\u9fffA-Za-z0-9 ]{0,12}?\d+\s?(?:号楼?|幢|栋|座|单元|室|楼|层))*"
)
_ENGLISH_PLACE = re.compile(
    r"\b(?:(?:Flat|Apt|Unit|Room) \w{1,5},? )?\d{1,5}[A-Z]? (?:[A-Z][a-z]+ ){1,3}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Close|Court|Way|Square|Terrace)\b\.?"
    r"(?:,? [A-Z][a-z]+)?(?:,? [A-Z]{1,2}\d\w? ?\d[A-Z]{2})?"
)
_SENTENCE = re.compile(r"(?:[^。！？!?.\n]|\.(?=\S))+[。！？!?.\n]*|[。！？!?.\n]+")
_WORDS = {
    "zh": {"number": "（单号）", "amount": "（金额）", "place": "（地址）", "mail": "（邮箱）"},
    "en": {"number": "(number)", "amount": "(amount)", "place": "(address)", "mail": "(e-mail)"},
}


def without_others(text: str, locale: str, own: str = "") -> str:
    """The old reply with gaps, such as （金额）, for the agent to fill where it held the other customer's data.

    ``own`` is what may stay: this customer's records and words, and the articles that were found. Amounts stay too in
    sentences that hold for anyone, since there they are a rule's. A bare name without a title is not recognised.
    """
    words = _WORDS["zh" if locale.startswith("zh") else "en"]
    known = fold(own).casefold()
    amounts = {figure.number for figure in figures(own)}
    text = _MAIL.sub(lambda m: m[0] if m[0].casefold() in known else words["mail"], text)
    for place in (_CHINESE_PLACE, _ENGLISH_PLACE):
        text = place.sub(lambda m: m[0] if m[0].casefold() in known else words["place"], text)
    text = _NUMBER.sub(lambda m: m[0] if m[0].casefold() in known else words["number"], text)
    text = _CHINESE_NAME.sub("您", text)
    text = _ENGLISH_NAME.sub(lambda m: m[0] if _NOT_NAMES.match(m[0][len(m[1]) + len(m[2]) :]) else m[1], text)
    text = _ENGLISH_TITLE.sub("", text)

    def priced(match: re.Match[str]) -> str:
        found = figures(match[0])
        return match[0] if found and all(figure.number in amounts for figure in found) else words["amount"]

    def sentence(match: re.Match[str]) -> str:
        return match[0] if is_general(match[0].strip()) else _MONEY.sub(priced, match[0])

    return _SENTENCE.sub(sentence, text)
