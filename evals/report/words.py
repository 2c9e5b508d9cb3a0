"""Every word of the report, in both languages; a test holds the two to the same keys."""

from __future__ import annotations

from typing import Literal

from evals.report.words_en import EN
from evals.report.words_zh import ZH

Locale = Literal["zh", "en"]

WORDS: dict[Locale, dict[str, str]] = {"zh": ZH, "en": EN}
