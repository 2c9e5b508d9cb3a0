"""Statuses in plain words and what they mean for an order's way; a status nobody knows is shown as it is."""

from __future__ import annotations

from assistant.domain.state import Entity
from assistant.state.answers.model import Locale

# status: (zh, en, phase). Phases: unpaid, before (paid, not shipped), moving, late, lost, open, done, failed, off.
_ANY = {
    "pending_payment": ("待付款", "awaiting payment", "unpaid"),
    "unpaid": ("待付款", "awaiting payment", "unpaid"),
    "paid": ("已付款，等待发货", "paid, not shipped yet", "before"),
    "pending": ("待处理", "pending", "before"),
    "confirmed": ("已确认", "confirmed", "before"),
    "processing": ("处理中", "being processed", "before"),
    "processed": ("已处理", "processed", "open"),
    "packed": ("已打包，等待发货", "packed, not shipped yet", "before"),
    "shipped": ("已发货", "shipped", "moving"),
    "created": ("已建运单，等待快递揽收", "label created, waiting for the carrier to collect it", "moving"),
    "picked_up": ("已揽收", "collected by the carrier", "moving"),
    "in_transit": ("运输中", "in transit", "moving"),
    "out_for_delivery": ("派送中", "out for delivery", "moving"),
    "ready_for_pickup": ("待自提", "ready for pick-up", "moving"),
    "delayed": ("延误", "delayed", "late"),
    "lost": ("已判定丢失", "lost", "lost"),
    "delivered": ("已签收", "delivered", "done"),
    "completed": ("已完成", "completed", "done"),
    "returned": ("已退回", "returned to the sender", "off"),
    "return_requested": ("已申请退货", "return requested", "open"),
    "exchange_requested": ("已申请换货", "exchange requested", "open"),
    "cancelled": ("已取消", "cancelled", "off"),
    "failed": ("失败", "failed", "failed"),
    "succeeded": ("成功", "successful", "done"),
    "refunded": ("已退款", "refunded", "done"),
    "requested": ("已申请，待审核", "requested, waiting for review", "open"),
    "approved": ("已同意", "approved", "open"),
    "received_by_warehouse": ("仓库已收到退货，正在处理", "return received by the warehouse, being processed", "open"),
    "rejected": ("未通过", "declined", "failed"),
    "available": ("可用", "available", "open"),
    "used": ("已使用", "used", "off"),
    "expired": ("已过期", "expired", "off"),
    "open": ("处理中", "being worked on", "open"),
    "waiting_customer": ("等待您补充信息", "waiting for your reply", "open"),
    "resolved": ("已解决", "resolved", "done"),
    "closed": ("已关闭", "closed", "done"),
    "active": ("有效", "active", "open"),
    "paused": ("已暂停", "paused", "open"),
    "issued": ("已开具", "issued", "done"),
}
_OF_KIND = {
    ("payment", "pending"): ("处理中，尚未确认", "still being processed", "open"),
    ("payment", "paid"): ("成功", "successful", "done"),
    ("refund", "pending"): ("处理中", "being processed", "open"),
    ("ticket", "pending"): ("处理中", "being worked on", "open"),
    ("shipment", "pending"): ("等待揽收", "waiting to be collected", "moving"),
    ("refund", "approved"): ("已同意，等待退货或打款", "approved, waiting for the return or the payout", "open"),
    ("warranty", "active"): ("保修期内", "under warranty", "open"),
    ("subscription", "active"): ("进行中", "active", "open"),
}
# Other systems' words for the same thing.
_SAME = {
    "canceled": "cancelled",
    "cancel": "cancelled",
    "success": "succeeded",
    "successful": "succeeded",
    "declined": "failed",
    "transit": "in_transit",
    "dispatched": "shipped",
    "awaiting_payment": "pending_payment",
    "return requested": "return_requested",
    "待付款": "pending_payment",
    "待支付": "pending_payment",
    "未付款": "pending_payment",
    "已付款": "paid",
    "已支付": "paid",
    "待发货": "paid",
    "处理中": "processing",
    "已打包": "packed",
    "已发货": "shipped",
    "已出库": "shipped",
    "已创建": "created",
    "已揽收": "picked_up",
    "运输中": "in_transit",
    "派送中": "out_for_delivery",
    "配送中": "out_for_delivery",
    "已签收": "delivered",
    "已送达": "delivered",
    "已收货": "delivered",
    "已完成": "completed",
    "已取消": "cancelled",
    "已退款": "refunded",
    "已使用": "used",
    "已过期": "expired",
    "已解决": "resolved",
}
KIND_WORDS = {
    "order": ("订单", "order"),
    "payment": ("付款", "payment"),
    "shipment": ("包裹", "parcel"),
    "refund": ("退款", "refund"),
    "coupon": ("优惠券", "coupon"),
    "ticket": ("售后单", "ticket"),
    "subscription": ("订阅", "subscription"),
    "warranty": ("保修", "warranty"),
    "invoice": ("发票", "invoice"),
}
NOT_SHIPPED = frozenset({"unpaid", "before"})
ON_THE_WAY = frozenset({"moving", "late", "lost", "open"})
OVER = frozenset({"done", "off"})


def phase(entity: Entity) -> str:
    """Where the entity stands; ``open`` for a status that is not known."""
    return _row(entity)[2]


def status_word(entity: Entity, locale: Locale) -> str:
    """The status in plain words; as it is where it is not known."""
    zh, en, _ = _row(entity)
    return zh if locale == "zh" else en


def status_key(entity: Entity) -> str:
    """The status in this product's own vocabulary, or as it is, in lower case."""
    key = "_".join(entity.status.casefold().replace("-", " ").split())
    return _SAME.get(key, key)


def kind_word(kind: str, locale: Locale) -> str:
    """The kind of an entity in plain words."""
    return KIND_WORDS.get(kind, (kind, kind))[0 if locale == "zh" else 1]


def _row(entity: Entity) -> tuple[str, str, str]:
    key = status_key(entity)
    shown = entity.status or "?"
    return _OF_KIND.get((entity.kind, key)) or _ANY.get(key) or (shown, shown, "open")
