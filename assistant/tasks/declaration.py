"""Reads the YAML in which a shop declares its tasks; what is wrong is named with its key and line."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
from pydantic import TypeAdapter, ValidationError

from assistant.domain.task import Task, TaskSet
from assistant.errors import ConfigurationError, InputRejected
from assistant.yaml_lines import Document, NotReadable

_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_RESERVED = {"user_id"}


def demo_tasks() -> TaskSet:
    """The tasks of the demo shop."""
    return parse_tasks((files("assistant.demo_shop") / "tasks.yaml").read_text("utf-8"), "tasks.yaml")


def load_tasks(path: Path) -> TaskSet:
    """The tasks in this file. Raises ConfigurationError, naming file, line and key."""
    try:
        return parse_tasks(path.read_text("utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"TEACHBACK_TASKS: {path} cannot be read: {exc}") from exc
    except InputRejected as exc:
        raise ConfigurationError(f"TEACHBACK_TASKS: {exc}") from exc


def parse_tasks(text: str, source: str) -> TaskSet:
    """The tasks in this YAML text. Raises InputRejected."""
    try:
        document = Document(text, source)
    except NotReadable as exc:
        raise InputRejected(source, exc.reason, exc.line) from exc
    raw = document.data
    if not isinstance(raw, dict):
        raise InputRejected(source, "must be an object with the keys backend and tasks", 1)
    try:
        tasks = TypeAdapter(TaskSet).validate_python(raw)
    except ValidationError as exc:
        error = exc.errors(include_url=False)[0]
        place = [step for step in error["loc"] if isinstance(step, str | int)]
        name = ".".join(str(step) for step in place)
        reason = {
            "unexpected_keyword_argument": f'unknown key "{name}"',
            "missing": f'key "{name}" is missing',
        }.get(error["type"], f'"{name}": {error["msg"]}')
        raise InputRejected(source, reason, document.line(place)) from exc
    _check(tasks, source, document)
    return tasks


def tool_schema(task: Task) -> dict[str, Any]:
    """The parameters as one JSON schema, as a model's tool call must fit it; nothing is required at once."""
    return {
        "type": "object",
        "properties": {p.name: {**p.schema, "description": f"{p.label.en} / {p.label.zh}"} for p in task.parameters},
        "additionalProperties": False,
    }


def schema_problem(task: Task, parameters: Mapping[str, Any]) -> str | None:
    """What does not fit the task's schema, or None; formulated for logs, not for customers."""
    problems = jsonschema.Draft202012Validator(tool_schema(task)).iter_errors(dict(parameters))
    first = next(iter(problems), None)
    return None if first is None else f"{'.'.join(map(str, first.path)) or 'parameters'}: {first.message[:200]}"


def placeholders(text: str) -> set[str]:
    """The names in braces. Raises ValueError for a template that is none."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _check(tasks: TaskSet, source: str, document: Document) -> None:
    """What types alone do not say: names that refer to nothing, templates with unknown places, broken patterns."""

    def wrong(reason: str, *place: str | int) -> InputRejected:
        return InputRejected(source, reason, document.line(place))

    backend = tasks.backend.base_url
    if backend != "demo" and not re.fullmatch(r"https?://[^\s@]+", backend):
        raise wrong('"backend.base_url" must be http(s)://… without a password, or "demo"', "backend", "base_url")
    if not (0 < tasks.confirm_within_minutes <= 1440) or tasks.key_valid_hours <= 0 or tasks.backend.timeout_s <= 0:
        raise wrong("confirm_within_minutes must be 0–1440; key_valid_hours and timeout_s above 0")
    for header, template in tasks.backend.headers.items():
        _places(template, _RESERVED, lambda r, h=header: wrong(f"header {h}: {r}", "backend", "headers", h))
    seen: set[str] = set()
    for number, task in enumerate(tasks.tasks):
        here: tuple[str | int, ...] = ("tasks", number)
        if not _NAME.fullmatch(task.name) or task.name in seen:
            raise wrong(f'task name "{task.name}" must be unique, of a-z, 0-9 and _', *here, "name")
        seen.add(task.name)
        names = [p.name for p in task.parameters]
        if len(set(names)) < len(names) or not all(_NAME.fullmatch(n) and n not in _RESERVED for n in names):
            raise wrong(f"task {task.name}: parameter names must be unique, of a-z, 0-9 and _", *here, "parameters")
        _check_task(task, set(names), lambda reason, *place, h=here: wrong(reason, *h, *place))


def _check_task(task: Task, names: set[str], wrong: Any) -> None:
    if not task.examples:
        raise wrong(f"task {task.name}: give examples of how customers ask for it", "examples")
    if task.run_by == "staff" and not task.permission:
        raise wrong(f"task {task.name}: run_by staff needs the permission a person must hold")
    if task.run_by == "user" and (task.call is None or task.verify is None):
        raise wrong(f"task {task.name}: run_by user needs call and verify, so that its outcome can be read back")
    for number, parameter in enumerate(task.parameters):
        if parameter.source == "entity" and not parameter.kind:
            raise wrong(f"{task.name}.{parameter.name}: source entity needs a kind", "parameters", number)
        if parameter.source == "option" and not parameter.options:
            raise wrong(f"{task.name}.{parameter.name}: source option needs options", "parameters", number)
        if not set(parameter.unless) <= names:
            raise wrong(f"{task.name}.{parameter.name}: unless names no parameter", "parameters", number, "unless")
        try:
            jsonschema.Draft202012Validator.check_schema(parameter.schema)
        except jsonschema.SchemaError as exc:
            raise wrong(f"{task.name}.{parameter.name}: {exc.message}", "parameters", number, "schema") from exc
    for number, condition in enumerate(task.preconditions):
        place = ("preconditions", number)
        if bool(condition.of) == bool(condition.absent) or (condition.of and condition.of not in names):
            raise wrong(f"{task.name}: a precondition has either of (a parameter) or absent (a kind)", *place)
        if condition.otherwise == "staff" and not condition.permission:
            raise wrong(f"{task.name}: otherwise staff needs a permission", *place)
    for key in ("patterns", "not_patterns"):
        for number, pattern in enumerate(getattr(task, key)):
            try:
                re.compile(pattern)
            except re.error as exc:
                raise wrong(f"{task.name}: {key} is no regular expression: {exc}", key, number) from exc
    known = names | _RESERVED
    texts: list[tuple[str, str]] = [("done", task.done.zh), ("done", task.done.en)]
    texts += [("confirm", task.confirm.zh), ("confirm", task.confirm.en)]
    if task.call is not None:
        texts += [("call", task.call.path), *(("call", value) for value in task.call.json.values())]
        if not task.call.path.startswith("/"):
            raise wrong(f"{task.name}: the path of a call starts with /", "call")
    if task.verify is not None:
        texts += [("verify", value) for value in task.verify.where.values()]
    texts += [("preconditions", value) for c in task.preconditions for value in c.where.values()]
    for key, text in texts:
        _places(text, known, lambda reason, k=key: wrong(f"{task.name}.{k}: {reason}", k))


def _places(text: str, known: Iterable[str], wrong: Any) -> None:
    try:
        unknown = placeholders(text) - set(known)
    except ValueError as exc:
        raise wrong(f"{text!r} is no template: {exc}") from exc
    if unknown:
        raise wrong(f"{{{sorted(unknown)[0]}}} is no parameter")
