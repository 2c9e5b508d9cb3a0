"""What reading a file yields: a valid record with its place, so that a duplicate can name the first one."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.domain.conversation import Transcript
from assistant.domain.knowledge import Article


@dataclass(frozen=True, slots=True)
class SourceItem:
    """A valid record. ``line`` is the line (or the row of a sheet) where it begins, None where the file is the record.

    ``encoding`` is how the file was decoded; anything but ``utf-8`` is worth a word to the user.
    """

    record: Article | Transcript
    source: str
    line: int | None = None
    encoding: str = "utf-8"

    @property
    def place(self) -> str:
        """``file:line``, or the file alone."""
        return self.source if self.line is None else f"{self.source}:{self.line}"
