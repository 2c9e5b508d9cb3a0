"""Which half of a data set something belongs to: what is read while rules are made is not what is reported."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

Half = Literal["A", "B"]


def half_of(name: str) -> Half:
    """``A`` (to fit on) or ``B`` (to report on), by a hash of the name: the same in every run."""
    return "B" if sha256(name.encode()).digest()[0] % 2 else "A"
