"""Amounts, dates and names as they are written in a reply; exact, and in the time zone of the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from assistant.domain.state import Entity, UserState
from assistant.state.answers.model import Locale

STALE_AFTER = timedelta(minutes=10)
_MONTHS = (
    "",
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_UNITS = {
    "CNY": ("{} 元", "CNY {}"),
    "USD": ("{} 美元", "${}"),
    "EUR": ("{} 欧元", "€{}"),
    "GBP": ("{} 英镑", "£{}"),
    "HKD": ("{} 港元", "HK${}"),
}
_SOURCES = {
    "orders": ("订单", "orders"),
    "payments": ("付款", "payments"),
    "shipments": ("物流", "deliveries"),
    "logistics": ("物流", "deliveries"),
    "refunds": ("退款", "refunds"),
    "coupons": ("优惠券", "coupons"),
    "tickets": ("售后单", "tickets"),
    "profile": ("会员资料", "profile"),
    "account": ("账户", "the account"),
    "accounts": ("账户", "the account"),
    "invoices": ("发票", "invoices"),
    "subscriptions": ("订阅", "subscriptions"),
    "warranties": ("保修", "warranties"),
}
_REASONS = {
    "limit_exceeded": ("超出限额", "over the limit"),
    "insufficient_funds": ("余额不足", "not enough money on the account"),
    "card_limit": ("超出银行卡限额", "over the card's limit"),
    "bank_risk_control": ("银行风控拦截", "stopped by the bank's risk control"),
    "risk_control": ("银行风控拦截", "stopped by the bank's risk control"),
    "expired": ("超时未付款", "not paid in time"),
    "card_expired": ("银行卡已过期", "the card has expired"),
    "bank_declined": ("银行拒绝", "declined by the bank"),
    "timeout": ("付款超时", "timed out"),
}
_METHODS = {
    "alipay": ("支付宝", "Alipay"),
    "wechat": ("微信支付", "WeChat Pay"),
    "bank_card": ("银行卡", "bank card"),
    "credit_card": ("信用卡", "credit card"),
    "unionpay_card": ("银联卡", "UnionPay card"),
    "wechat_pay": ("微信支付", "WeChat Pay"),
    "unionpay": ("银联", "UnionPay"),
    "huabei": ("花呗", "Huabei"),
    "gift_card": ("礼品卡", "gift card"),
    "corporate_transfer": ("对公转账", "bank transfer"),
    "paypal": ("PayPal", "PayPal"),
    "balance": ("账户余额", "account balance"),
}


def money(amount: Decimal | None, currency: str | None, locale: Locale) -> str:
    """``349.00 元`` or ``CNY 349.00``; every digit kept; empty without an amount."""
    if amount is None:
        return ""
    zh, en = _UNITS.get(currency or "", ("{} " + (currency or ""), (currency or "") + " {}"))
    return (zh if locale == "zh" else en).format(f"{amount:f}").strip()


def day(moment: datetime, now: datetime, locale: Locale) -> str:
    """``11月25日`` or ``25 November``, with the year when it is not this one."""
    other_year = moment.year != now.astimezone(moment.tzinfo).year
    if locale == "zh":
        return (f"{moment.year}年" if other_year else "") + f"{moment.month}月{moment.day}日"
    return f"{moment.day} {_MONTHS[moment.month]}" + (f" {moment.year}" if other_year else "")


def day_and_time(moment: datetime, now: datetime, locale: Locale) -> str:
    """``11月25日 14:30`` or ``25 November 14:30``."""
    return f"{day(moment, now, locale)} {moment:%H:%M}"


def deadline(moment: datetime, now: datetime, locale: Locale) -> str:
    """A day with its time; only the day at its last minute or midnight, where the time says no more."""
    last_minute = (moment.hour, moment.minute) in ((23, 59), (0, 0))
    return day(moment, now, locale) if last_minute else day_and_time(moment, now, locale)


def method(raw: str, locale: Locale) -> str:
    """The way of payment in plain words; as it is where it is not known."""
    return _known(_METHODS, raw, locale)


def failure_reason(raw: str, locale: Locale) -> str:
    """Why a payment failed in plain words; as it is where it is not known."""
    return _known(_REASONS, raw, locale)


def _known(words: Mapping[str, tuple[str, str]], raw: str, locale: Locale) -> str:
    key = raw.casefold().replace(" ", "_")
    zh, en = words.get(key) or next((pair for pair in words.values() if raw == pair[0]), (raw, raw))
    return zh if locale == "zh" else en


def title(entity: Entity) -> str:
    """What the user calls it: its title, else the names of its items, else its id."""
    return entity.title or "、".join(item_names(entity)) or entity.id


def item_names(entity: Entity) -> list[str]:
    """Names of the products in the entity's attributes."""
    items = entity.attributes.get("items")
    if not isinstance(items, list):
        return []
    return [str(item["name"]) for item in items if isinstance(item, dict) and item.get("name")]


def moment_of(entity: Entity, name: str) -> datetime | None:
    """An attribute that holds an aware time; None where it is absent or something else."""
    try:
        moment = datetime.fromisoformat(entity.attribute(name))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def join(parts: Iterable[str], locale: Locale) -> str:
    """Sentences of one reply, the empty ones left out."""
    return ("" if locale == "zh" else " ").join(part for part in parts if part)


def caveats(state: UserState, now: datetime, locale: Locale) -> str:
    """How old the data is when it is older than ten minutes, what is older than the rest, and what is missing."""
    notes = []
    if now - state.as_of > STALE_AFTER:
        when = day_and_time(state.as_of, now, locale)
        notes.append(f"以上为截至 {when} 的数据。" if locale == "zh" else f"This is as of {when}.")
    for report in state.sources:
        if report.outcome == "stale" and report.as_of is not None:
            called = _called(report.name, report.labels, locale)
            age = _age(now - report.as_of, locale)
            notes.append(f"{called}信息是 {age}前读到的。" if locale == "zh" else f"The {called} are as of {age} ago.")
    return join([*notes, missing_note(state, locale)], locale)


def missing_note(state: UserState, locale: Locale) -> str:
    """Which sources did not answer, or not wholly, in the user's language; empty where all did."""
    if not state.unavailable:
        return ""
    labels = {report.name: report.labels for report in state.sources}
    listed = [_called(name, labels.get(name, {}), locale) for name in dict.fromkeys(state.unavailable)]
    if locale == "zh":
        return f"暂时查不到{'、'.join(listed)}信息，所以可能不完整。"
    return f"I can't look up {' or '.join(listed)} just now, so this may be incomplete."


def _called(name: str, labels: Mapping[str, str], locale: Locale) -> str:
    zh, en = _SOURCES.get(name.casefold(), (name, name))
    return labels.get(locale) or (zh if locale == "zh" else en)


def _age(age: timedelta, locale: Locale) -> str:
    minutes = max(0, round(age.total_seconds() / 60))
    for size, zh, en in ((1440, "天", "day"), (60, "小时", "hour"), (1, "分钟", "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {zh}" if locale == "zh" else f"{count} {en}{'s' if count > 1 else ''}"
    return "不到 1 分钟" if locale == "zh" else "less than a minute"
