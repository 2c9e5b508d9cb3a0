"""Where a value is found in a row or a JSON item: a column's name, or a JMESPath expression."""

from __future__ import annotations

import re
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|\w+""")


class Expression:
    """A compiled expression. Names outside ASCII need no quotes: ``物流轨迹[-1].状态`` is read as JMESPath."""

    def __init__(self, text: str) -> None:
        """Raises ValueError where it is no JMESPath."""
        self.text = text
        self._compiled: ParsedResult = _compile(text)

    def of(self, item: Any) -> Any:
        """The value in this item, None where there is none; a key with exactly this name comes first."""
        if isinstance(item, dict) and self.text in item:
            return item[self.text]
        try:
            return self._compiled.search(item)
        except (JMESPathError, TypeError, AttributeError, RecursionError):
            return None


def _compile(text: str) -> ParsedResult:
    quoted = _QUOTED.sub(lambda m: m.group() if m.group().isascii() or m[0][0] in "'\"`" else f'"{m.group()}"', text)
    try:
        return jmespath.compile(quoted)
    except JMESPathError as exc:
        reason = str(exc).split("\n", 1)[0]
        raise ValueError(f"{text!r} is neither a name nor JMESPath: {reason}") from None
