"""The model in a file, read again when another process has learnt anew."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from assistant.suggesting.model import IntentModel, load_model

LOOK_AGAIN_S = 2.0


class LiveModel:
    """Calling it gives the current model, or None where nothing has been learnt. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._stamp: tuple[int, int] | None = None
        self._model: IntentModel | None = None

    def __call__(self) -> IntentModel | None:
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
                    self._model = load_model(self._path) if stamp is not None else None
            return self._model
