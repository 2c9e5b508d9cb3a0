"""YAML with the line of every key, so that a mistake in a configuration is reported where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from assistant.errors import ConfigurationError

MOST_BYTES = 1_000_000
_MERGE = "tag:yaml.org,2002:merge"


class NotReadable(ConfigurationError):
    """The text is no YAML, holds a key twice or cannot be read; ``reason`` is without its place, ``line`` from 1."""

    def __init__(self, source: str, reason: str, line: int | None = None) -> None:
        super().__init__(f"{source}:{line}: {reason}" if line is not None else f"{source}: {reason}")
        self.reason = reason
        self.line = line


class Document:
    """A parsed YAML text: plain ``data``, and ``line`` for a path into it. ``source`` names it in messages."""

    def __init__(self, text: str, source: str) -> None:
        """Raises NotReadable where it is no YAML, has a key twice or is too long."""
        self.source = source
        if len(text) > MOST_BYTES:
            raise NotReadable(source, f"is longer than {MOST_BYTES:,} bytes")
        try:
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
            self._check(self._root, frozenset())
            self.data: object = yaml.safe_load(text)
        except yaml.MarkedYAMLError as exc:
            line = exc.problem_mark.line + 1 if exc.problem_mark else 1
            raise NotReadable(source, f"is not YAML: {exc.problem or exc.context}", line) from exc
        except (yaml.YAMLError, RecursionError, ValueError) as exc:
            raise NotReadable(source, f"is not YAML: {exc}") from exc

    def line(self, location: Sequence[str | int]) -> int:
        """The line (from 1) of the key or item at ``location``; steps that are not in the text are passed over."""
        node, found = self._root, 1 if self._root is None else self._root.start_mark.line + 1
        for step in location:
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == str(step):
                        node, found = value, key.start_mark.line + 1
                        break
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                found = node.start_mark.line + 1
        return found

    def _check(self, node: yaml.Node | None, above: frozenset[int]) -> None:
        if node is None or isinstance(node, yaml.ScalarNode):
            return
        if id(node) in above:
            raise NotReadable(self.source, "an anchor holds itself", node.start_mark.line + 1)
        inside = above | {id(node)}
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self._check(item, inside)
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen and key.tag != _MERGE:
                    raise NotReadable(self.source, f"the key {key.value!r} is there twice", key.start_mark.line + 1)
                seen.add(str(key.value))
                self._check(value, inside)


def read(path: Path) -> Document:
    """The YAML file at ``path``, in UTF-8. Raises NotReadable."""
    try:
        text = path.read_bytes()[: MOST_BYTES + 1].decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise NotReadable(str(path), f"cannot be read: {exc}") from exc
    return Document(text, str(path))
