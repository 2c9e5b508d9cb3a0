"""Which of the user's things a question names, also across languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from assistant.domain.state import Entity, UserState
from assistant.spelling.slips import slips
from assistant.state.answers.identifiers import plain
from assistant.state.answers.wording import item_names
from assistant.text import fold

# Everyday names of goods, so that "the kettle" finds 电热水壶: each line is one kind of thing.
_SAME_GOODS = tuple(
    tuple(line.split("|"))
    for line in (
        "加湿器|humidifier",
        "电饭煲|电饭锅|rice cooker",
        "净化器|purifier",
        "水壶|kettle",
        "羽绒服|down jacket|puffer|外套|jacket|coat",
        "跑鞋|鞋|running shoe|trail shoe|shoe|shoes|sneaker|trainers",
        "四件套|床单|被套|bedding|sheets",
        "被|被子|duvet|quilt|comforter",
        "扫地机|扫地机器人|robot vacuum|vacuum",
        "咖啡机|espresso machine|coffee machine|coffee maker",
        "投影仪|projector",
        "保温杯|水杯|杯子|bottle|mug",
        "滤芯|滤网|filter",
        "手机|phone|smartphone",
        "电脑|笔记本|laptop|computer",
        "平板|tablet",
        "耳机|headphones|earphones|earbuds|headset",
        "手表|watch",
        "相机|camera",
        "音箱|speaker",
        "键盘|keyboard",
        "鼠标|mouse",
        "显示器|monitor",
        "电视|tv|television",
        "空调|air conditioner",
        "冰箱|fridge|refrigerator",
        "洗衣机|washing machine|washer",
        "热水器|water heater",
        "油烟机|range hood|cooker hood",
        "吹风机|hair dryer",
        "台灯|灯|lamp",
        "椅子|椅|chair",
        "桌子|桌|desk|table",
        "书架|bookshelf|bookcase",
        "靴|靴子|boots",
        "衬衫|shirt",
        "裤子|裤|trousers|pants|jeans",
        "裙子|裙|dress|skirt",
        "帽子|帽|hat|cap",
        "背包|书包|backpack",
        "行李箱|suitcase|luggage",
        "雨伞|umbrella",
        "面霜|cream",
        "口红|lipstick",
        "牙刷|toothbrush",
        "玩具|toy",
        "自行车|bicycle|bike",
        "书|book",
    )
)
_NOISE = re.compile(
    r"订单|付款|支付|退款|包裹|快递|取消|失败|补发|换新|换货|预售|尾款|七天无理由|质量问题|保修|两年|一年|定期|配送|"
    r"工单|售后|进度|优惠|整机|顺丰|圆通|中通|京东|未拆封|refund|payment|parcel|order|express|warranty|delivery|failed|"
    r"replacement|every|months?|years?|card|exchange|return|[×x]\s?\d+"
)
_HAN_RUN = re.compile(r"[\u4e00-\u9fff]+")
_LATIN = re.compile(r"[a-z]{3,}")
_COMMON = re.compile(
    r"the|and|for|with|set|kit|pack|new|mini|pro|plus|max|air|one|two|size|long|still|already|has|have|not|was|were|what|"
    r"where|when|why|how|can|could|will|would|did|does|from|that|this|your|you|our|out|get|got|any|its|mine|are|all|hot|"
    r"order|status|please|shipped|arrived|track|water|machine|electric|office|smart|home|unit|main"
)
_SINGLE = frozenset("鞋壶锅灯裤帽杯裙靴椅桌")


def names_of(entity: Entity, state: UserState) -> str:
    """Everything the user may call it by: its title and items, and those of its order; folded, lower case."""
    parts = [entity.title, *item_names(entity)]
    reference = plain(entity.attribute("order_id"))
    for other in state.entities:
        if reference and other.kind == "order" and plain(other.id) == reference:
            parts += [other.title, *item_names(other)]
    return _NOISE.sub(" ", fold(" | ".join(parts)).casefold())


def named_by_product(text: str, entities: Sequence[Entity], state: UserState) -> tuple[Entity, ...]:
    """Entities whose product the text names, the best named only; empty where it names none."""
    words = _NOISE.sub(" ", text)
    scored = [(score(words, names_of(entity, state)), entity) for entity in entities]
    best = max((s for s, _ in scored), default=0.0)
    return tuple(entity for s, entity in scored if s == best) if best > 0 else ()


def score(text: str, names: str) -> float:
    """How much of the names the text holds: characters of the longest shared name, Latin words, kinds of goods."""
    total = 0.0
    for run in _HAN_RUN.findall(names):
        shared = _longest_shared(run, text)
        if shared >= 2 or (shared == 1 and any(c in _SINGLE and c in text for c in run)):
            total = max(total, float(shared))
    words = {w for w in _LATIN.findall(text) if not _COMMON.fullmatch(w)}
    known = {w for w in _LATIN.findall(names) if not _COMMON.fullmatch(w)}
    total += 2.0 * sum(any(_same_word(w, k) for w in words) for k in known)
    if total == 0 and _goods_in(text) & _goods_in(names):
        total = 1.5
    return total


def _same_word(a: str, b: str) -> bool:
    return a == b or a.rstrip("s") == b.rstrip("s") or (min(len(a), len(b)) >= 6 and slips(a, b, 1) <= 1)


@lru_cache(maxsize=2_048)  # one text meets every order of the customer
def _goods_in(text: str) -> frozenset[int]:
    """Which of the kinds of goods it names, by their numbers."""
    return frozenset(number for number, kind in enumerate(_SAME_GOODS) if any(_holds(text, word) for word in kind))


def _holds(text: str, word: str) -> bool:
    if word.isascii():
        return re.search(rf"\b{re.escape(word)}\b", text) is not None
    return (len(word) > 1 or word in _SINGLE) and word in text


def _longest_shared(run: str, text: str) -> int:
    best = 0
    for start in range(len(run)):
        end = start + best + 1
        while end <= len(run) and run[start:end] in text:
            best = end - start
            end += 1
    return best
