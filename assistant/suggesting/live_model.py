"""The model in a file, read again when another process has learnt anew."""

from __future__ import annotations

from pathlib import Path

from assistant.live_file import LiveFile
from assistant.suggesting.model import IntentModel, load_model


class LiveModel(LiveFile[IntentModel]):
    """Calling it gives the current model, or None where nothing has been learnt. Thread-safe."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, load_model)
