"""What the judge is asked about, and its verdicts; the port between the evaluation and the vendor's metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

METRICS = ("answer_accuracy", "factual_correctness", "faithfulness", "context_precision", "context_recall")
OF_THE_REPLY = ("answer_accuracy", "factual_correctness", "faithfulness")  # the others judge retrieval by the reference
UNSCORED = {
    "no_reply": "there was no reply to judge",
    "no_reference": "the case has no human reply",
    "no_contexts": "nothing was retrieved for the reply",
    "no_claims": "the judge found no claim in the human's reply",
    "no_statements": "the judge found no statement in the reply",
    "leak": "the reply recites what its case may not see",
    "empty": "the judge answered nothing",
    "not_json": "the judge's answer was not JSON",
    "wrong_form": "the judge's answer had missing keys or wrong types",
    "off_scale": "the judge's answer was not on the scale",
    "verdicts_missing": "the judge did not answer every statement",
    "refused": "the judge refused",
    "cut_off": "the judge's answer was cut off at its longest",
    "timeout": "the judge did not answer in time",
    "rate_limited": "the judge's endpoint said: too many requests",
    "server_error": "the judge's endpoint failed",
    "no_connection": "there was no connection to the judge",
    "not_authorised": "the judge's endpoint refused the key",
    "not_found": "the judge's endpoint does not know the model",
    "rejected": "the judge's endpoint rejected the request",
    "not_the_protocol": "the judge's endpoint does not speak the protocol",
    "gave_up": "the judge had failed too often in a row and was not asked any more",
    "failed": "the judge failed",
    "not_finite": "the metric gave no finite number",
}


@dataclass(frozen=True, slots=True)
class JudgeInput:
    """One reply to be judged. ``passages`` are the retrieved texts in order, ``state`` what else it may rest on."""

    question: str
    reply: str
    reference: str
    passages: tuple[str, ...] = ()
    state: str = ""
    locale: str = "zh"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A metric's value 0–1, higher is better; or None and the reason, a key of ``UNSCORED``."""

    value: float | None
    unscored: str | None = None


class Panel(Protocol):
    """Metrics that a judge model decides."""

    @property
    def prompts(self) -> Mapping[str, str]:
        """Prompt name with its language → SHA-256 of all that is said to the judge beside the case."""
        ...

    async def judge(self, metric: str, given: JudgeInput) -> Verdict:
        """One metric of one reply; never raises for what the judge does wrong."""
        ...
