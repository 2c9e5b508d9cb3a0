"""Verdicts already paid for, in one SQLite file a workspace: a run cut off or repeated costs nothing."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from assistant.errors import ConfigurationError


class VerdictCache:
    """Keys are hashes of judge, form and prompt; values are the judge's checked answers. Thread- and process-safe."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file. Raises ConfigurationError where that fails."""
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("CREATE TABLE IF NOT EXISTS verdicts (key TEXT PRIMARY KEY, answer TEXT NOT NULL)")
        except (OSError, sqlite3.Error) as exc:
            raise ConfigurationError(
                f"the verdict cache {path} cannot be used ({exc}); delete it: it is a cache"
            ) from exc

    def get(self, key: str) -> str | None:
        """The answer kept under this key, or None."""
        with self._lock:
            row = self._db.execute("SELECT answer FROM verdicts WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, answer: str) -> None:
        """Keep the answer; it survives a kill from here on."""
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?)", (key, answer))

    def close(self) -> None:
        """Close the file."""
        self._db.close()
