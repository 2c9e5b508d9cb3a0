"""Says which of the two languages a text is in, where a record does not."""

from __future__ import annotations

import re

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


def detect_locale(text: str) -> str:
    """``zh`` or ``en``. Chinese with English product names is ``zh``; text without letters of either is ``zh``."""
    han = len(_HAN.findall(text))
    words = len(_LATIN_WORD.findall(text))
    if han == 0:
        return "en" if words else "zh"
    return "zh" if han >= words else "en"
