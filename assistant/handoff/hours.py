"""When people are at work, so that nobody is promised a colleague who has gone home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_LOOK_AHEAD = 366


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Spans by weekday (0 is Monday), local to ``zone``; one that ends at midnight ends at ``time.max``.

    On ``holidays`` nobody is there.
    """

    zone: ZoneInfo
    weekly: Mapping[int, tuple[tuple[time, time], ...]]
    holidays: frozenset[date] = frozenset()

    def is_open(self, at: datetime) -> bool:
        """Whether people are at work at this (aware) moment."""
        local = at.astimezone(self.zone)
        return any(start <= local.time() < end for start, end in self._spans(local.date()))

    def back_at(self, at: datetime) -> datetime | None:
        """When people are back, in the local zone: ``at`` itself while open, None if not within a year."""
        local = at.astimezone(self.zone)
        if self.is_open(at):
            return local
        for ahead in range(_LOOK_AHEAD):
            day = local.date() + timedelta(days=ahead)
            for start, _ in sorted(self._spans(day)):
                opening = datetime.combine(day, start, self.zone)
                if opening > local:
                    return opening
        return None

    def _spans(self, day: date) -> tuple[tuple[time, time], ...]:
        return () if day in self.holidays else self.weekly.get(day.weekday(), ())
