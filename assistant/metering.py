"""Counts what the chat model took for one reply, failed attempts too, and what that costs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.domain.reply import TokenUsage

if TYPE_CHECKING:
    from assistant.ports import ChatMessage

_WIDE = re.compile(r"[\u1100-\uffdc]")
_A_MESSAGE = 4  # tokens that a chat template puts around a message


def estimated_tokens(text: str) -> int:
    """A cautious estimate, without a tokenizer: one a wide character, one for three others."""
    wide = len(_WIDE.findall(text))
    return wide + math.ceil((len(text) - wide) / 3)


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a million tokens sent to the model and written by it, in whatever currency the operator counts."""

    sent: float
    written: float

    @staticmethod
    def of(sent: float | None, written: float | None) -> Prices | None:
        """None unless both are known: half a price would be half a cost."""
        return None if sent is None or written is None else Prices(sent, written)


class ModelCall:
    """One call: what was heard of it, and the server's own count where it comes."""

    def __init__(self, sent: int) -> None:
        self._sent = sent
        self._heard = ""
        self._told: Mapping[str, int] = {}

    def hear(self, text: str, usage: Mapping[str, int] | None = None) -> None:
        """Text that came, and the count that came with it."""
        self._heard += text
        self.told(usage or {})

    def told(self, usage: Mapping[str, int]) -> None:
        """The server's count; of several the last holds."""
        self._told = usage or self._told

    def counted(self) -> tuple[int, int, bool]:
        """(tokens sent, tokens written, whether either is an estimate).

        Of a call that failed before its first word nobody knows whether it was read: no tokens, and an estimate.
        """
        sent, written = self._told.get("prompt_tokens"), self._told.get("completion_tokens")
        if sent is not None and written is not None:
            return sent, written, False
        if not self._heard and sent is None:
            return 0, 0, True
        return (
            self._sent if sent is None else sent,
            estimated_tokens(self._heard) if written is None else written,
            True,
        )


class TokenMeter:
    """The calls made for one reply."""

    def __init__(self) -> None:
        self._calls: list[ModelCall] = []

    def call(self, messages: Sequence[ChatMessage]) -> ModelCall:
        """One call that starts now; what is heard of it counts, until it ends, fails or is left."""
        call = ModelCall(sum(estimated_tokens(m.content) + _A_MESSAGE for m in messages))
        self._calls.append(call)
        return call

    def usage(self, prices: Prices | None) -> TokenUsage | None:
        """The sum of all calls; None where there was none. Costs need prices."""
        if not self._calls:
            return None
        counted = [call.counted() for call in self._calls]
        sent, written = sum(c[0] for c in counted), sum(c[1] for c in counted)
        cost = None if prices is None else round((sent * prices.sent + written * prices.written) / 1_000_000, 8)
        return TokenUsage(sent, written, len(counted), any(c[2] for c in counted), cost)


@dataclass(frozen=True, slots=True)
class Spent:
    """What many replies took together; ``cost`` is that of the ``priced`` ones, None where none has a price.

    ``cached`` replies came from the answer cache; they took nothing and are not among ``replies``.
    """

    replies: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: int = 0
    priced: int = 0
    cost: float | None = None
    cached: int = 0


def spent(usages: Iterable[TokenUsage], *, cached: int = 0) -> Spent:
    """The sum; ``estimated`` counts the replies with an estimate among their counts."""
    each = list(usages)
    costs = [u.cost for u in each if u.cost is not None]
    return Spent(
        len(each),
        sum(u.calls for u in each),
        sum(u.prompt_tokens for u in each),
        sum(u.completion_tokens for u in each),
        sum(u.estimated for u in each),
        len(costs),
        math.fsum(costs) if costs else None,
        cached,
    )
