"""Questions on every user of the two shops, and what is right, worked out from the raw files without any mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.shop_servers import EcomShop


@dataclass(frozen=True, slots=True)
class Asking:
    """One question of one user: every text in ``all_of`` must be in the reply, none of ``none_of`` may."""

    about: str
    user_id: str
    locale: str
    text: str
    all_of: tuple[str, ...]
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    decision: str = "answer"


# What each raw status may be called in a reply; the reply's own words are not looked up in the product.
RETAIL_WORDS = {
    "pending": (("pending", "not shipped"), ("待处理",)),
    "processed": (("shipped", "in transit"), ("已发货", "运输中")),
    "delivered": (("delivered",), ("已签收",)),
    "cancelled": (("cancelled",), ("已取消",)),
}
OPEN_RETAIL = ("pending", "processed")


def retail_questions(shared: Path) -> Iterator[Asking]:
    """English and, on the same orders, Chinese questions: amount, status, parcel, item; and "where is my order"."""
    raw = json.loads((shared / "tau2-retail" / "db.json").read_text("utf-8"))
    for user_id, user in raw["users"].items():
        orders = [raw["orders"][key] for key in user["orders"]]
        ids = {order["order_id"] for order in orders}
        for order in orders:
            key = order["order_id"]
            others = tuple(ids - {key})
            amount = f"{order['payment_history'][0]['amount']:.2f}"
            en, zh = RETAIL_WORDS[order["status"]]
            item = order["items"][0]["name"]
            numbers = tuple(n for sent in order["fulfillments"] for n in sent["tracking_id"])
            yield Asking("amount", user_id, "en", f"What is the total of my order {key}?", (key, amount), (), others)
            yield Asking("status", user_id, "en", f"What is the status of order {key}?", (key, item), en, others)
            yield Asking("mixed", user_id, "zh", f"我的 order {key} 现在什么状态，多少钱", (key, amount), zh, others)
            if numbers and order["status"] != "cancelled":
                yield Asking("parcel", user_id, "en", f"Where is my order {key}?", (key, *numbers), en, others)
                yield Asking("by parcel", user_id, "en", f"Where is my parcel {numbers[0]}?", (key,), en, others)
        under_way = [order["order_id"] for order in orders if order["status"] in OPEN_RETAIL]
        if len(under_way) > 1:
            # at most five are listed
            shown = tuple(under_way) if len(under_way) <= 5 else ()
            yield Asking("which", user_id, "en", "Where is my order?", shown, tuple(under_way), (), "clarify")
            yield Asking("which", user_id, "zh", "我的订单到哪了？", shown, tuple(under_way), (), "clarify")
        elif len(under_way) == 1:
            yield Asking("the one", user_id, "en", "Where is my order?", tuple(under_way))
        elif not orders:
            yield Asking("none", user_id, "en", "Where is my order?", (), ("no order", "no parcel"))


ECOM_WORDS = {
    "已付款": (("已付款",), ("paid",)),
    "处理中": (("处理中",), ("being processed",)),
    "已发货": (("已发货",), ("shipped",)),
    "运输中": (("运输中",), ("in transit",)),
    "已签收": (("已签收",), ("delivered",)),
    "已送达": (("已签收", "已送达"), ("delivered",)),
    "已退货": (("已退货", "已退回"), ("returned",)),
    "已创建": (("已建运单", "已创建"), ("label created",)),
    "已揽收": (("已揽收",), ("collected",)),
    "派送中": (("派送中",), ("out for delivery",)),
    "已出库": (("已发货", "已出库"), ("shipped",)),
}
ECOM_OPEN = ("已付款", "处理中", "已发货", "运输中")


def ecom_questions(shop: EcomShop) -> Iterator[Asking]:
    """Chinese and mixed questions on every order, and "my order" of every user."""
    for user_id in shop.users:
        orders = shop.orders.get(user_id, {})
        for key, order in orders.items():
            others = tuple(set(orders) - {key})
            amount = f"{order['订单总金额']}"
            zh, _ = ECOM_WORDS[order["订单状态"]]
            item = shop.names(order)[0]
            yield Asking("amount", user_id, "zh", f"订单{key}多少钱？", (key, amount), (), others)
            yield Asking("status", user_id, "zh", f"帮我查下订单 {key} 的状态", (key, item[:20]), (), others)
            yield Asking("mixed", user_id, "en", f"What is the status of 订单 {key}?", (key, amount), (), others)
            way = shop.ways.get(user_id, {}).get(key)
            if way is not None:
                trace = way["物流轨迹"][-1]
                words = ECOM_WORDS[trace.get("状态") or trace["status"]][0] + zh
                yield Asking("parcel", user_id, "zh", f"我的订单{key}到哪里了", (key, way["物流单号"]), words, others)
            else:
                yield Asking("parcel", user_id, "zh", f"我的订单{key}到哪里了", (key,), zh, others)
        ways = shop.ways.get(user_id, {})
        arrived = {k for k, way in ways.items() if way["物流轨迹"][-1].get("状态", "已签收") in ("已签收", "已送达")}
        under_way = [k for k, order in orders.items() if order["订单状态"] in ECOM_OPEN and k not in arrived]
        # the order list does not hold three orders whose parcels are known: the customer waits for those too
        under_way += [way["物流单号"] for k, way in ways.items() if k not in orders and k not in arrived]
        if len(under_way) > 1:
            yield Asking("which", user_id, "zh", "我的订单到哪了", tuple(under_way[:5]), (), (), "clarify")
        elif len(under_way) == 1:
            yield Asking("the one", user_id, "zh", "我的订单到哪了", tuple(under_way))
        elif not orders:
            yield Asking("none", user_id, "zh", "我的订单到哪了", (), ("没有看到",))
