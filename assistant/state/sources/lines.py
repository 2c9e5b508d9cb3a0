"""YAML with the line of every key, so that a mistake in a configuration is reported where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from assistant.errors import ConfigurationError

MOST_BYTES = 1_000_000
_MERGE = "tag:yaml.org,2002:merge"


class Document:
    """A parsed YAML file: plain ``data``, and ``line`` for a path into it."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigurationError where it cannot be read, is no YAML, or has a key twice."""
        self.path = path
        try:
            text = path.read_bytes()[: MOST_BYTES + 1].decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigurationError(f"{path}: cannot be read: {exc}") from exc
        if len(text) > MOST_BYTES:
            raise ConfigurationError(f"{path}: is longer than {MOST_BYTES:,} bytes")
        try:
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
            self._check(self._root, set())
            self.data: object = yaml.safe_load(text)
        except yaml.MarkedYAMLError as exc:
            line = exc.problem_mark.line + 1 if exc.problem_mark else 1
            raise ConfigurationError(f"{path}:{line}: is not YAML: {exc.problem or exc.context}") from exc
        except (yaml.YAMLError, RecursionError, ValueError) as exc:
            raise ConfigurationError(f"{path}: is not YAML: {exc}") from exc

    def line(self, location: Sequence[str | int]) -> int:
        """The line (from 1) of the key or item at ``location``; steps that are not in the file are passed over."""
        node, found = self._root, 1
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

    def _check(self, node: yaml.Node | None, above: set[int]) -> None:
        if node is None or isinstance(node, yaml.ScalarNode):
            return
        if id(node) in above:
            raise ConfigurationError(f"{self.path}:{node.start_mark.line + 1}: an anchor holds itself")
        inside = above | {id(node)}
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self._check(item, inside)
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen and key.tag != _MERGE:
                    line = key.start_mark.line + 1
                    raise ConfigurationError(f"{self.path}:{line}: the key {key.value!r} is there twice")
                seen.add(str(key.value))
                self._check(value, inside)
