"""One question to the judge: from the cache or from the model, and in either case checked before anyone counts it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from assistant.errors import ModelUnavailable
from assistant.ports import JudgeModel
from evals.judge.cache import VerdictCache

ATTEMPTS = 2  # a malformed answer is asked for once more; a third time has never been seen to help
_Answer = TypeVar("_Answer", bound=BaseModel)


class Unjudged(Exception):
    """The judge gave no usable answer; ``reason`` is one word, to count by."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


@dataclass(slots=True)
class Usage:
    """What judging took: answers asked of the model, taken from the cache, thrown away as malformed, and tokens.

    ``untold`` counts answers for which the server named no tokens, so that a sum of 0 is not read as free.
    """

    requests: int = 0
    cached: int = 0
    malformed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    untold: int = 0


class Bench:
    """Asks the judge for answers of a given form."""

    def __init__(self, judge: JudgeModel, cache: VerdictCache | None = None) -> None:
        self._judge = judge
        self._cache = cache
        self.usage = Usage()
        self.last_failure: str | None = None

    async def ask(self, prompt: str, form: type[_Answer], fault: Callable[[_Answer], str | None]) -> _Answer:
        """An answer of this form in which ``fault`` finds nothing wrong. Raises Unjudged.

        Only such answers are kept in the cache, under judge, form and the whole prompt; so what failed is asked again
        by the next run, and what did not costs nothing.
        """
        schema = form.model_json_schema()
        key = self._key(prompt, schema)
        kept = self._cache.get(key) if self._cache is not None else None
        if kept is not None:
            try:
                answer = form.model_validate_json(kept)
            except ValidationError:
                pass  # written by another version of the form; asked anew
            else:
                if fault(answer) is None:
                    self.usage.cached += 1
                    return answer
        failure = Unjudged("malformed")
        for _ in range(ATTEMPTS):
            try:
                given = await self._judge.answer(prompt, schema)
            except ModelUnavailable as exc:
                self.usage.requests += exc.reason != "gave_up"
                if exc.reason != "gave_up" or self.last_failure is None:
                    self.last_failure = str(exc)
                raise Unjudged(exc.reason, str(exc)) from exc
            self._count(given.usage)
            try:
                answer = _read(given.text, form, fault)
            except Unjudged as exc:
                self.usage.malformed += 1
                failure = exc
                continue
            if self._cache is not None:
                self._cache.put(key, answer.model_dump_json())
            return answer
        raise failure

    def _key(self, prompt: str, schema: dict[str, object]) -> str:
        parts = [self._judge.endpoint, self._judge.name, json.dumps(schema, sort_keys=True), prompt]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _count(self, usage: object) -> None:
        self.usage.requests += 1
        counted = usage if isinstance(usage, dict) else {}
        self.usage.tokens_in += counted.get("prompt_tokens", 0)
        self.usage.tokens_out += counted.get("completion_tokens", 0)
        self.usage.untold += not counted


def _read(text: str, form: type[_Answer], fault: Callable[[_Answer], str | None]) -> _Answer:
    """The first JSON object in the text as this form: fences and words around it are forgiven, its content is not."""
    start = text.find("{")
    if start < 0:
        raise Unjudged("not_json" if text.strip() else "empty")
    try:
        value, _ = json.JSONDecoder().raw_decode(text, start)
    except (json.JSONDecodeError, RecursionError) as exc:
        raise Unjudged("not_json") from exc
    try:
        answer = form.model_validate(value)
    except ValidationError as exc:
        raise Unjudged("wrong_form") from exc
    wrong = fault(answer)
    if wrong is not None:
        raise Unjudged(wrong)
    return answer
