"""What people say of a reply or a conversation afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

RatingKind = Literal["thumb", "csat", "ces"]


@dataclass(frozen=True, slots=True)
class Rating:
    """``thumb`` is -1 or 1, ``csat`` 1–5, ``ces`` 1–7 (7 easiest); ``turn_seq`` names the rated turn, if one."""

    conversation_id: str
    kind: RatingKind
    value: int
    at: datetime
    turn_seq: int | None = None
    reason: str | None = None
