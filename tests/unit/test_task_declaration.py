"""Declared tasks: a wrong declaration names its key and line; conditions are never true by accident."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from assistant.bootstrap import build
from assistant.domain.state import Entity, UserState
from assistant.domain.task import Verify
from assistant.errors import ConfigurationError, InputRejected
from assistant.settings import Settings
from assistant.tasks.conditions import first_unmet, is_done
from assistant.tasks.declaration import demo_tasks, load_tasks, parse_tasks, schema_problem

NOW = datetime(2026, 3, 2, tzinfo=UTC)
GOOD = """
backend: {base_url: "https://shop.example", secrets: {Authorization: SHOP_TOKEN}}
tasks:
  - name: stop
    title: {zh: 停, en: Stop}
    description: {zh: 停, en: Stop}
    run_by: user
    parameters:
      - {name: order, label: {zh: 单, en: Order}, ask: {zh: 哪个, en: Which}, source: entity, kind: order}
    call: {method: POST, path: "/orders/{order}/stop"}
    verify: {kind: order, where: {id: "{order}", status: stopped}}
    confirm: {zh: 停, en: Stop}
    done: {zh: "停了 {order}", en: "Stopped {order}"}
    examples: [停一下]
"""


def test_a_good_declaration_and_the_demos_own_are_read() -> None:
    assert parse_tasks(GOOD, "t.yaml").tasks[0].name == "stop"
    assert {t.name for t in demo_tasks().tasks} >= {"change_address", "cancel_order", "request_invoice", "claim_coupon"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("run_by: user", "run_by: user\n    colour: red", r"t\.yaml:8: unknown key \"tasks\.0\.colour\""),
        ("    run_by: user\n", "", r"\"tasks\.0\.run_by\" is missing"),
        ("run_by: user", "run_by: nobody", r"t\.yaml:7: \"tasks\.0\.run_by\""),
        ('"/orders/{order}/stop"', '"/orders/{oder}/stop"', r"t\.yaml:10: stop\.call: \{oder\} is no parameter"),
        ('"停了 {order}"', '"停了 {order"', "is no template"),
        ('    verify: {kind: order, where: {id: "{order}", status: stopped}}\n', "", "needs call and verify"),
        ("name: stop", "name: Stop It", "must be unique, of a-z"),
        ("https://shop.example", "https://me:secret@shop.example", "without a password"),
        ("examples: [停一下]", "examples: []", "give examples"),
        ("examples: [停一下]", "examples: [停一下]\n    patterns: ['(']", "no regular expression"),
        ("source: entity, kind: order", "source: entity", "needs a kind"),
        ("run_by: user", "run_by: staff", "needs the permission"),
        ("run_by: user", "run_by: [", "is not YAML"),
    ],
)
def test_a_wrong_declaration_names_its_key_and_line(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(InputRejected, match=said):
        parse_tasks(GOOD.replace(old, new, 1), "t.yaml")


def test_a_missing_file_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="TEACHBACK_TASKS"):
        load_tasks(tmp_path / "none.yaml")


def test_preconditions_hold_only_where_the_state_says_so() -> None:
    task = demo_tasks().task("cancel_order")
    assert task is not None

    def unmet(status: str, amount: str | None = "10.00") -> str | None:
        order = Entity("order", "SQ1", status, amount=None if amount is None else Decimal(amount), occurred_at=NOW)
        found = first_unmet(task, {"order": "SQ1"}, UserState("u", NOW, {}, (order,)), NOW)
        return None if found is None else f"{found.otherwise}:{found.permission}"

    assert unmet("paid") is None
    assert unmet("Paid") is None
    assert unmet("cancelled") == "refuse:"
    assert unmet("delivered") == "refuse:"
    assert unmet("shipped") == "staff:parcel.intercept"
    assert unmet("a status nobody knows") == "staff:parcel.intercept"
    assert unmet("paid", "2000.01") == "staff:order.cancel_large"
    assert unmet("paid", None) == "staff:order.cancel_large"
    assert first_unmet(task, {"order": "SQ2"}, UserState("u", NOW), NOW) is not None
    assert first_unmet(task, {}, UserState("u", NOW), NOW) is None


def test_read_back_wants_every_field_and_an_entity_that_is_there() -> None:
    verify = Verify("order", {"id": "{order}", "attributes.address": "{address}"})
    order = Entity("order", "SQ1", "paid", attributes={"address": "A road 1"})
    state = UserState("u", NOW, {}, (order,))
    assert is_done(verify, {"order": "sq1", "address": "A road 1"}, state)
    assert not is_done(verify, {"order": "SQ1", "address": "B road 2"}, state)
    assert not is_done(verify, {"order": "SQ1", "address": ""}, state)
    assert not is_done(verify, {"order": "SQ1", "address": "A road 1"}, replace(state, entities=()))


def test_a_tool_call_must_fit_the_schema() -> None:
    task = demo_tasks().task("request_invoice")
    assert task is not None
    assert schema_problem(task, {"tax_number": "91330100MA2B0XKQ7P"}) is None
    assert "tax_number" in str(schema_problem(task, {"tax_number": "123"}))
    assert schema_problem(task, {"price": "0"}) is not None
    assert schema_problem(task, {"order": 5}) is not None


def test_each_workspace_has_its_own_file_or_no_tasks_and_none_without_live_state(tmp_path: Path) -> None:
    shipped = (files("assistant.demo_shop") / "tasks.yaml").read_text("utf-8")
    (tmp_path / "north.yaml").write_text(shipped, encoding="utf-8")
    each = Path(f"{tmp_path}/{{workspace}}.yaml")
    service = build(Settings(data_dir=tmp_path / "data", embedder="hash", tasks=each))
    assert service.task_set("north") is not None
    assert service.task_set("south") is None
    assert service.task_desk("south", None) is None
    assert service.task_desk("north", None) is None  # nothing could be read back
    service.close()
    missing = build(Settings(data_dir=tmp_path / "data", embedder="hash", tasks=tmp_path / "gone.yaml"))
    with pytest.raises(ConfigurationError, match="TEACHBACK_TASKS"):
        missing.task_set("north")
    missing.close()
