"""A derived file that another process may write anew: read again when it has changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

LOOK_AGAIN_S = 2.0
T = TypeVar("T")


class LiveFile(Generic[T]):
    """Calling it gives what ``load`` makes of the file as it is now, or None where there is none. Thread-safe."""

    def __init__(self, path: Path, load: Callable[[Path], T | None]) -> None:
        self._path = path
        self._load = load
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._stamp: tuple[int, int] | None = None
        self._held: T | None = None

    def __call__(self) -> T | None:
        """The file's age is looked at now and then, not on every call."""
        with self._lock:
            if time.monotonic() - self._looked_at >= LOOK_AGAIN_S:
                self._looked_at = time.monotonic()
                try:
                    status = self._path.stat()
                    stamp: tuple[int, int] | None = (status.st_mtime_ns, status.st_size)
                except OSError:
                    stamp = None
                if stamp != self._stamp:
                    self._stamp = stamp
                    self._held = self._load(self._path) if stamp is not None else None
            return self._held
