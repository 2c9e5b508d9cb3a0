"""Keeps a source that is down from being asked again and again; see decision 15 for why it is our own."""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 5
PAUSE_S = 10.0


class Breaker:
    """Opens after ``failures`` in a row; after ``pause_s`` it lets one call through, whose end decides.

    For one event loop. ``clock`` is monotonic, in seconds.
    """

    def __init__(
        self, failures: int = FAILURES, pause_s: float = PAUSE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = failures
        self._pause = pause_s
        self._clock = clock
        self._failed = 0
        self._since = 0.0
        self._trying = False

    @property
    def open(self) -> bool:
        """Whether calls are held back, the one trial apart."""
        return self._failed >= self._most

    def allows(self) -> bool:
        """Whether to call now. When it was open this takes the one trial: say ``done`` or ``failed`` or ``dropped``."""
        if not self.open:
            return True
        if self._trying or self._clock() - self._since < self._pause:
            return False
        self._trying = True
        return True

    def done(self) -> None:
        """The call succeeded."""
        self._failed, self._trying = 0, False

    def failed(self) -> None:
        """The call failed, in a way that speaks against the source."""
        self._failed, self._trying, self._since = self._failed + 1, False, self._clock()

    def dropped(self) -> None:
        """The call ended without telling anything about the source."""
        self._trying = False
