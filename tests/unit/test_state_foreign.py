"""The same rules on other shops' data: other ids, other statuses, no dates."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from assistant.domain.state import UserState
from assistant.state.answers import answer_from_state
from assistant.state.records import parse_state

DATA = Path(__file__).parents[3] / "shared" / "data"
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
pytestmark = pytest.mark.data


def _state(user_id: str, entities: list[dict[str, Any]]) -> UserState:
    return parse_state({"user_id": user_id, "as_of": NOW.isoformat(), "entities": entities})


def _retail(limit: int) -> list[UserState]:
    path = DATA / "tau2-retail" / "db.json"
    if not path.exists():
        pytest.skip("the public data is not at hand")
    raw = json.loads(path.read_text("utf-8"))
    states = []
    for user_id, user in list(raw["users"].items())[:limit]:
        entities = []
        for order in (raw["orders"][key] for key in user["orders"]):
            tracking = [number for sent in order["fulfillments"] for number in sent["tracking_id"]]
            names = [item["name"] for item in order["items"]]
            entities.append(
                {
                    "kind": "order",
                    "id": order["order_id"],
                    "status": order["status"],
                    "title": ", ".join(names),
                    "amount": str(order["payment_history"][0]["amount"]),
                    "currency": "USD",
                    "attributes": {"items": [{"name": n} for n in names], "tracking_no": "".join(tracking[:1])},
                }
            )
        states.append(_state(user_id, entities))
    return states


def _ecom() -> list[UserState]:
    folder = DATA / "ecom-bench" / "data"
    if not folder.exists():
        pytest.skip("the public data is not at hand")
    (shops,) = json.loads((folder / "orders.json").read_text("utf-8")).values()
    (logistics,) = json.loads((folder / "logistics.json").read_text("utf-8")).values()
    states = []
    for shop, users in shops.items():
        for user_id, orders in users.items():
            entities: list[dict[str, Any]] = []
            for order_id, order in orders.items():
                entities.append(
                    {
                        "kind": "order",
                        "id": order_id,
                        "status": order["订单状态"],
                        "amount": str(order["订单总金额"]),
                        "currency": "CNY",
                    }
                )
                way = logistics.get(shop, {}).get(user_id, {}).get(order_id)
                if way and way["物流轨迹"]:
                    entities.append(
                        {
                            "kind": "shipment",
                            "id": way["物流单号"],
                            "status": way["物流轨迹"][-1].get("状态", ""),
                            "attributes": {"order_id": order_id, "carrier": way["物流公司"]},
                        }
                    )
            states.append(_state(user_id, entities))
    return states


def test_every_retail_order_is_found_by_its_number_in_both_languages() -> None:
    states = _retail(40)
    assert sum(len(s.entities) for s in states) >= 40
    for state in states:
        for order in state.entities:
            for locale, question in (("en", f"Where is my order {order.id}?"), ("zh", f"我的订单 {order.id} 到哪了")):
                answer = answer_from_state(question, state, locale=locale, now=NOW)  # type: ignore[arg-type]
                assert answer is not None
                assert answer.decision == "answer"
                assert order.id in answer.used
                assert order.id in answer.text
                others = {e.id for e in state.entities} - {order.id}
                assert not any(other in answer.text for other in others)


def test_another_users_order_is_never_shown() -> None:
    states = _retail(40)
    for mine, theirs in pairwise(states):
        for order in theirs.entities:
            answer = answer_from_state(f"Where is my order {order.id}?", mine, locale="en", now=NOW)
            assert answer is not None
            assert (answer.topic, answer.used) == ("not_yours", ())
            assert order.title not in answer.text


def test_chinese_orders_by_number() -> None:
    found = 0
    for state in _ecom():
        for order in state.of_kind("order"):
            for locale, question in (("zh", f"订单{order.id}到哪里了"), ("en", f"Where is my order {order.id}?")):
                answer = answer_from_state(question, state, locale=locale, now=NOW)  # type: ignore[arg-type]
                assert answer is not None, question
                assert order.id in answer.used, (question, answer)
                found += 1
    assert found >= 40
