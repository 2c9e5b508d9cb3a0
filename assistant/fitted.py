"""What was fitted to one workspace: fusion weights, calibration, and a light change of the question's vector."""

from __future__ import annotations

import json
import logging
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.fusion import Fusion, Support

FORMAT = 1
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Adapter:
    """The vector to search with is ``matrix @ question + shift``, normalised; (d, d) and (d,)."""

    matrix: NDArray[np.float32]
    shift: NDArray[np.float32]

    def apply(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same shape, (d,) or (n, d), rows of length 1."""
        moved = vectors @ self.matrix.T + self.shift
        length = np.linalg.norm(moved, axis=-1, keepdims=True)
        return np.asarray(moved / np.maximum(length, 1e-9), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What retrieval uses in place of its defaults. ``record`` is the comparison that it was kept by.

    It belongs to the vectors of one embedder, which ``fingerprint`` names.
    """

    fingerprint: str
    fusion: Fusion
    adapter: Adapter | None = None
    record: Mapping[str, Any] = field(default_factory=dict)

    def adapted(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The question's vector or vectors as retrieval searches with them."""
        return vectors if self.adapter is None else self.adapter.apply(vectors)


def save_fitted(fitted: Fitted, path: Path) -> None:
    """Write the file whole or not at all; a running service takes it up within seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "format": FORMAT,
        "fingerprint": fitted.fingerprint,
        "fusion": asdict(fitted.fusion),
        "record": dict(fitted.record),
    }
    columns: dict[str, Any] = {"told": np.frombuffer(json.dumps(told, ensure_ascii=False).encode(), dtype=np.uint8)}
    if fitted.adapter is not None:
        columns |= {"matrix": fitted.adapter.matrix, "shift": fitted.adapter.shift}
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        np.savez(file, **columns)
    os.replace(beside, path)


def load_fitted(path: Path, fingerprint: str | None = None) -> Fitted | None:
    """The fit in this file; None where there is none, it is not readable, or it is of another embedder (logged)."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            told = json.loads(held["told"].tobytes())
            if told["format"] != FORMAT:
                raise ValueError(f"format {told['format']}")
            adapter = Adapter(held["matrix"], held["shift"]) if "matrix" in held.files else None
        weights = dict(told["fusion"])
        support = Support(**_numbers(weights.pop("support"), Support))
        fusion = Fusion(**_numbers(weights, Fusion), support=support)
        fitted = Fitted(told["fingerprint"], fusion, adapter, told["record"])
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as exc:
        _log.warning("the fit %s cannot be used, the defaults hold: %s; `teachback fit` makes it anew", path, exc)
        return None
    if fingerprint is not None and fitted.fingerprint != fingerprint:
        _log.warning("the fit %s is of embedder %s; the defaults hold until `teachback fit`", path, fitted.fingerprint)
        return None
    return fitted


def _numbers(given: Mapping[str, Any], of: type) -> dict[str, float]:
    known = {each.name for each in fields(of)}
    made = {name: float(value) for name, value in given.items()}
    if set(made) - known or not all(np.isfinite(value) for value in made.values()):
        raise ValueError(f"unknown or infinite weights: {sorted(set(made) - known)}")
    return made
