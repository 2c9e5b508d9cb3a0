"""Prompts as validated data: Markdown templates with declared variables, shared parts, and a hash of what was said.

A template starts with a YAML front matter (``name``, ``description``, ``variables``). ``{{ variable }}`` is replaced
once, so a value that looks like a template stays the text it is; ``{{> part }}`` includes a shared part when the
template is loaded. ``<!-- role: system -->`` starts a message. There is no other syntax and no logic.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml

__all__ = ["Prompt", "PromptError", "PromptMessage", "load", "names", "parse"]

PromptRole = Literal["system", "user"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FRONT = re.compile(r"\A---\n(?P<front>.*?)\n---\n(?P<body>.*)\Z", re.DOTALL)
_VARIABLE = re.compile(r"\{\{ ([a-z][a-z0-9_]*) \}\}")
_INCLUDE = re.compile(r"^\{\{> ([a-z][a-z0-9_]*) \}\}$", re.MULTILINE)
_ROLE = re.compile(r"^<!-- role: (system|user) -->\n", re.MULTILINE)
_KEYS = {"name", "description", "variables"}
_PART = "part_"


class PromptError(Exception):
    """A template is malformed or missing, or was rendered with the wrong variables."""


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One rendered message of a prompt."""

    role: PromptRole
    content: str


@dataclass(frozen=True, slots=True)
class _FrontMatter:
    description: str
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A loaded template; ``sha256`` is over ``text``, with the parts included and the variables still open."""

    name: str
    text: str
    variables: tuple[str, ...]
    sha256: str
    description: str = ""

    def render(self, **values: str) -> str:
        """The text with every variable filled in; PromptError names those missing, unknown or not text."""
        self._check(values)
        return _fill(self.text, values)

    def messages(self, **values: str) -> tuple[PromptMessage, ...]:
        """The same, cut into messages at the template's own role marks, never at one inside a value."""
        self._check(values)
        cut = _ROLE.split(self.text)
        if len(cut) == 1:
            return (PromptMessage("user", _fill(cut[0].strip(), values)),)
        return tuple(
            PromptMessage("system" if role == "system" else "user", _fill(body.strip(), values))
            for role, body in zip(cut[1::2], cut[2::2], strict=True)
        )

    def _check(self, values: Mapping[str, str]) -> None:
        wrong = [
            f"{fault} {', '.join(sorted(found))}"
            for fault, found in (
                ("missing", set(self.variables) - set(values)),
                ("unknown", set(values) - set(self.variables)),
                ("not text:", {name for name, value in values.items() if not isinstance(value, str)}),
            )
            if found
        ]
        if wrong:
            raise PromptError(f"Prompt {self.name!r}: {'; '.join(wrong)}.")


def names() -> tuple[str, ...]:
    """All templates there are, without the shared parts."""
    found = (item.name.removesuffix(".md") for item in files(__name__).iterdir() if item.name.endswith(".md"))
    return tuple(sorted(name for name in found if not name.startswith(_PART)))


@cache
def load(name: str) -> Prompt:
    """The template of that name; PromptError says what is wrong with it. The result is shared."""
    return parse(name, _read(name))


def parse(name: str, source: str) -> Prompt:
    """A template from its source; PromptError says what is wrong with it."""
    front, body = _split(name, source)
    text = _INCLUDE.sub(lambda match: _part(match.group(1)).strip("\n"), body).strip("\n") + "\n"
    declared = front.variables
    used = set(_VARIABLE.findall(text))
    leftover = _VARIABLE.sub("", text)
    if "{{" in leftover or "}}" in leftover:
        raise PromptError(
            f"Prompt {name!r}: only '{{{{ variable }}}}', and '{{{{> part }}}}' on its own line, are known."
        )
    if used != set(declared):
        raise PromptError(
            f"Prompt {name!r}: declared but unused: {sorted(set(declared) - used)}; "
            f"used but undeclared: {sorted(used - set(declared))}."
        )
    cut = _ROLE.split(text)
    if len(cut) > 1 and cut[0].strip():
        raise PromptError(f"Prompt {name!r}: text before the first role mark belongs to no message.")
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Prompt(name, text, declared, digest, front.description)


def _part(name: str) -> str:
    """The body of a shared part; a part has its own front matter and includes no other."""
    _, body = _split(_PART + name, _read(_PART + name))
    if _INCLUDE.search(body):
        raise PromptError(f"Prompt part {name!r} includes another part; one level is enough.")
    return body


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values[match.group(1)], text)


def _read(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise PromptError(f"{name!r} is not a prompt's name.")
    try:
        return (files(__name__) / f"{name}.md").read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise PromptError(f"There is no prompt {name!r}; there are: {', '.join(names())}.") from exc


def _split(name: str, source: str) -> tuple[_FrontMatter, str]:
    match = _FRONT.match(source.replace("\r\n", "\n"))
    if match is None:
        raise PromptError(f"Prompt {name!r} has no front matter between two lines of '---'.")
    try:
        raw = yaml.safe_load(match["front"])
    except yaml.YAMLError as exc:
        raise PromptError(f"Prompt {name!r}: its front matter is not YAML: {exc}") from exc
    if not isinstance(raw, dict) or set(raw) != _KEYS:
        raise PromptError(f"Prompt {name!r}: its front matter must have exactly {', '.join(sorted(_KEYS))}.")
    if raw["name"] != name:
        raise PromptError(f"Prompt {name!r} calls itself {raw['name']!r}.")
    variables = raw["variables"]
    if not isinstance(variables, list) or not all(isinstance(v, str) and _NAME.fullmatch(v) for v in variables):
        raise PromptError(f"Prompt {name!r}: variables must be a list of names like `question`.")
    if len(set(variables)) != len(variables):
        raise PromptError(f"Prompt {name!r}: a variable is declared twice.")
    return _FrontMatter(str(raw["description"]), tuple(variables)), match["body"]
