"""Renders the demo store's plain files for the day it is built: date offsets become dates, histories become state."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date, datetime, time, timedelta, timezone
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from assistant.state.history import state_at

SHOP_TIME = timezone(timedelta(hours=8))
_FIELD = re.compile(r"^@D(?P<days>[+-]\d+)?(?:T(?P<time>\d\d:\d\d(?::\d\d)?))?$")
_FRONT_FIELD = re.compile(r'"(@D[^"]*)"')
_IN_TEXT = re.compile(r"\{\{D(?P<days>[+-]\d+)?\}\}")


def render_demo(target: Path, today: date) -> Path:
    """Write ``articles/``, ``transcripts/`` and ``users.json`` below ``target`` as of ``today``; returns ``target``."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with as_file(files("ingest") / "samples") as samples:
        users = {path.stem: _fields(json.loads(path.read_text("utf-8")), today) for path in sorted((samples / "users").glob("*.json"))}
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
    return target


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
