"""User state in and out, and as of any moment."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import InputRejected
from assistant.ports import StateSource
from assistant.state.demo import HistoryStateSource
from assistant.state.records import loads_state, parse_state, state_as_json

RAW: dict[str, Any] = {
    "user_id": "u1",
    "as_of": "2026-11-22T12:00:00+08:00",
    "profile": {"tier": "gold"},
    "entities": [
        {
            "kind": "order",
            "id": "SQ1",
            "status": "paid",
            "title": "Kettle",
            "amount": "12.30",
            "currency": "CNY",
            "occurred_at": "2026-11-20T08:00:00+08:00",
            "due_at": None,
            "attributes": {"items": [{"name": "Kettle"}]},
        }
    ],
    "unavailable": ["refunds"],
}


def test_what_is_parsed_is_written_back_unchanged() -> None:
    state = parse_state(RAW)
    assert state.entities[0].amount == Decimal("12.30")
    assert str(state.entities[0].amount) == "12.30"
    assert state_as_json(state) == RAW
    assert parse_state(json.loads(json.dumps(state_as_json(state)))) == state


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"colour": 1}, 'unknown key "colour"'),
        ({"as_of": "2026-11-22T12:00:00"}, "no time zone"),
        ({"as_of": "soon"}, "not an RFC 3339 time"),
        ({"entities": [{"kind": "order", "id": "1", "status": "paid", "sum": 3}]}, 'unknown key "entities.0.sum"'),
        ({"entities": [{"kind": "order", "id": "1"}]}, 'key "entities.0.status" is missing'),
        ({"entities": [{"kind": "order", "id": "1", "status": "paid", "amount": 12.3}]}, "binary fraction"),
        ({"entities": [{"kind": "order", "id": "1", "status": "paid", "amount": "NaN"}]}, "finite"),
        ({"entities": [{"kind": "order", "id": "1", "status": "paid", "amount": "ten"}]}, "not a decimal number"),
        ({"entities": [{"kind": "", "id": "1", "status": "paid"}]}, "entities.0.kind"),
    ],
)
def test_wrong_records_are_rejected_by_name(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputRejected) as caught:
        parse_state({**RAW, **change})
    assert reason in str(caught.value)


def test_numbers_in_json_text_keep_every_digit() -> None:
    text = json.dumps(RAW).replace('"12.30"', "0.10")
    assert str(loads_state(text).entities[0].amount) == "0.10"
    with pytest.raises(InputRejected):
        loads_state("[1]")
    with pytest.raises(InputRejected):
        loads_state("{")


def _file(folder: Path) -> Path:
    user = {
        "user_id": "u1",
        "profile": {},
        "entities": [
            {
                "kind": "shipment",
                "id": "SF1",
                "attributes": {"last_scan": "signed for"},
                "history": [
                    {"at": "2026-11-20T08:00:00+08:00", "status": "created"},
                    {"at": "2026-11-21T08:00:00+08:00", "status": "delivered"},
                ],
            }
        ],
    }
    path = folder / "users.json"
    path.write_text(json.dumps({"u1": user}), "utf-8")
    return path


async def test_state_is_told_as_of_any_moment(tmp_path: Path) -> None:
    now = datetime.fromisoformat("2026-11-22T12:00:00+08:00")
    source: StateSource = HistoryStateSource(_file(tmp_path), lambda: now)
    shipment = (await source.fetch("u1")).entities[0]
    assert (shipment.status, shipment.attribute("status_since")) == ("delivered", "2026-11-21T08:00:00+08:00")
    assert shipment.attribute("last_scan") == "signed for"
    before = (await source.fetch("u1", now - timedelta(days=2))).entities[0]
    assert (before.status, before.attribute("last_scan")) == ("created", "")
    assert (await source.fetch("u1", now - timedelta(days=9))).entities == ()
    assert (await source.fetch("u1")).entities[0] == shipment


async def test_an_unknown_user_has_an_empty_state(tmp_path: Path) -> None:
    now = datetime.fromisoformat("2026-11-22T12:00:00+08:00")
    state = await HistoryStateSource(_file(tmp_path)).fetch("nobody", now)
    assert (state.user_id, state.as_of, state.entities) == ("nobody", now, ())


@pytest.mark.parametrize("text", ["[]", "{", '{"u": {"user_id": "u", "entitys": []}}', '{"u": 1}'])
def test_a_wrong_file_is_rejected(tmp_path: Path, text: str) -> None:
    path = tmp_path / "users.json"
    path.write_text(text, "utf-8")
    with pytest.raises(InputRejected):
        HistoryStateSource(path)
