"""Renders the demo store's plain files for the day it is built: date offsets become dates, histories become state."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from assistant.bootstrap import Service
from assistant.errors import ConfigurationError
from assistant.ports import Progress
from assistant.state.history import state_at
from assistant.text import language_of
from ingest.asked import learn_suggestions
from ingest.pipeline import Ingestion

SHOP_TIME = timezone(timedelta(hours=8))
_FIELD = re.compile(r"^@D(?P<days>[+-]\d+)?(?:T(?P<time>\d\d:\d\d(?::\d\d)?))?$")
_FRONT_FIELD = re.compile(r'"(@D[^"]*)"')
_IN_TEXT = re.compile(r"\{\{D(?P<days>[+-]\d+)?\}\}")


def render_demo(target: Path, today: date) -> Path:
    """Write ``articles/``, ``transcripts/`` and ``users.json`` below ``target`` as of ``today``; returns ``target``."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with as_file(files("ingest") / "samples") as samples:
        users = {
            path.stem: _fields(json.loads(path.read_text("utf-8")), today)
            for path in sorted((samples / "users").glob("*.json"))
        }
        (target / "users.json").write_text(json.dumps(users, ensure_ascii=False, indent=1), "utf-8")
        for path in sorted((samples / "articles").glob("*/*.md")):
            out = target / "articles" / path.parent.name / path.name
            out.parent.mkdir(parents=True, exist_ok=True)
            text = _FRONT_FIELD.sub(lambda m: f'"{_field(m[1], today)}"', path.read_text("utf-8"))
            out.write_text(_text(text, path.parent.name, today), "utf-8")
        (target / "transcripts").mkdir()
        for path in sorted((samples / "transcripts").glob("*.jsonl")):
            lines = [_transcript(json.loads(line), users, today) for line in path.read_text("utf-8").splitlines()]
            (target / "transcripts" / path.name).write_text("\n".join(lines) + "\n", "utf-8")
        _second_replies(samples, target, today)
    return target


def _second_replies(samples: Path, target: Path, today: date) -> None:
    replies: dict[str, list[str]] = {}
    for line in (samples / "second_replies.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        spoken = _text(record["reply"], language_of(record["reply"]), today)
        replies.setdefault(record["conversation_id"], []).append(spoken)
    (target / "second_replies.json").write_text(json.dumps(replies, ensure_ascii=False, indent=1), "utf-8")


def second_replies(folder: Path) -> dict[str, list[str]]:
    """What other agents would have replied, by conversation; empty where this is no demo store's folder."""
    path = folder / "second_replies.json"
    found: dict[str, list[str]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def _transcript(raw: dict[str, Any], users: dict[str, Any], today: date) -> str:
    locale = str(raw.get("locale", "zh"))
    record = _fields(raw, today)
    for turn in record["turns"]:
        turn["text"] = _text(turn["text"], locale, today)
    customer = users.get(record.get("customer_id", ""))
    if customer is not None:
        record["user_state"] = state_at(customer, datetime.fromisoformat(record["opened_at"]))
    return json.dumps(record, ensure_ascii=False)


def _fields(value: Any, today: date) -> Any:
    """Every string that is a date token, anywhere inside, as RFC 3339."""
    if isinstance(value, dict):
        return {key: _fields(item, today) for key, item in value.items()}
    if isinstance(value, list):
        return [_fields(item, today) for item in value]
    return _field(value, today) if isinstance(value, str) else value


def _field(value: str, today: date) -> str:
    match = _FIELD.match(value)
    if match is None:
        return value
    day = today + timedelta(days=int(match["days"] or 0))
    return datetime.combine(day, time.fromisoformat(match["time"] or "00:00"), SHOP_TIME).isoformat()


def _text(text: str, locale: str, today: date) -> str:
    def spoken(match: re.Match[str]) -> str:
        day = today + timedelta(days=int(match["days"] or 0))
        return f"{day.month}月{day.day}日" if locale.startswith("zh") else f"{day.day} {day:%B}"

    return _IN_TEXT.sub(spoken, text)


def build_demo(service: Service, workspace: str, *, rebuild: bool = False, progress: Progress | None = None) -> bool:
    """Render and ingest the demo store where the workspace has none or ``rebuild`` asks; True when it was built.

    A build that was killed is finished by the next one.
    """
    folder = service.demo_folder(workspace)
    done = folder / "built"
    if done.exists() and not rebuild:
        if not service.suggestions_file(workspace).exists():
            learn_suggestions(service, workspace, progress=progress)
        return False
    today = datetime.now(SHOP_TIME).date()
    render_demo(folder, today)
    job = Ingestion(service.records(workspace), service.keeper(workspace), service.clock.now)
    report = job.run([folder / "articles", folder / "transcripts"], progress=progress)
    if report.rejected:
        raise ConfigurationError(f"the demo store's own files are wrong: {report.rejected[0]}")
    learn_suggestions(service, workspace, progress=progress)
    done.write_text(today.isoformat(), encoding="utf-8")
    return True


_SITUATIONS = (
    ("payment", {"failed"}, "支付失败", "a failed payment"),
    ("shipment", {"delayed", "lost"}, "包裹延误", "a late parcel"),
    ("refund", {"requested", "approved", "received_by_warehouse"}, "退款处理中", "a refund under way"),
    ("ticket", {"open", "waiting_customer"}, "有未结工单", "an open ticket"),
    ("order", {"paid", "packed", "shipped", "pending_payment"}, "有进行中的订单", "open orders"),
    ("coupon", {"available"}, "有可用优惠券", "coupons"),
)


def situation(user: Mapping[str, Any], locale: str, now: datetime) -> str:
    """One line of what a demo user's state holds, for the picker."""
    entities = state_at(user, now)["entities"]
    found = [
        zh if locale == "zh" else en
        for kind, statuses, zh, en in _SITUATIONS
        if any(e["kind"] == kind and e.get("status") in statuses for e in entities)
    ]
    if not found:
        return "刚注册，还没有订单" if locale == "zh" else "registered, nothing bought yet"
    return "、".join(found[:3]) if locale == "zh" else ", ".join(found[:3])
