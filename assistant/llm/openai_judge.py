"""Asks a judge at an OpenAI-compatible endpoint for JSON, as fast as it allows, and gives up a server that is gone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Protocol

from assistant.errors import ModelUnavailable
from assistant.llm.openai_client import Completion, RequestRejected
from assistant.ports import JudgeAnswer

PATIENCE = 8  # failures in a row, after which the server counts as gone: a dead one must not cost hours of timeouts
_THOUGHT = re.compile(r"\A.*?</think>|\A\s*<think>.*\Z", re.DOTALL)


class WholeCompletions(Protocol):
    """What is used of ``openai_client.ChatClient``."""

    endpoint: str

    async def complete(self, body: Mapping[str, object]) -> Completion:
        """One completion."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class OpenAIJudge:
    """A JudgeModel. ``concurrency`` requests at a time, at most ``requests_per_minute`` begun in a minute."""

    def __init__(
        self,
        client: WholeCompletions,
        model: str,
        *,
        timeout_s: float = 60.0,
        max_tokens: int = 2000,
        concurrency: int = 4,
        requests_per_minute: int | None = None,
    ) -> None:
        self._client = client
        self._model = model
        self._timeout_s = timeout_s
        self._room = asyncio.Semaphore(concurrency)
        self._apart_s = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._next_at = 0.0
        self._failed = 0
        self._options: dict[str, object] = {"temperature": 0, "max_tokens": max_tokens}
        # from the strictest way to ask for JSON to none at all; servers differ, and a refused way is not tried again
        self._ways = ["json_schema", "json_object", "text"]

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model

    @property
    def endpoint(self) -> str:
        """Where it is, without secrets."""
        return self._client.endpoint

    async def answer(self, prompt: str, schema: Mapping[str, object]) -> JudgeAnswer:
        """The answer without reasoning. Raises ModelUnavailable: refusals and answers cut off are failures too."""
        async with self._room:
            if self._failed >= PATIENCE:
                raise _failure(f"{self.endpoint} failed {PATIENCE} times in a row; it is not asked again", "gave_up")
            await self._wait_turn()
            try:
                completion = await self._complete(prompt, schema)
            except ModelUnavailable:
                self._failed += 1
                raise
        self._failed = 0
        if completion.refusal is not None or completion.finish_reason == "content_filter":
            raise _failure(f"{self._model} refused to judge", "refused")
        if completion.finish_reason == "length":
            raise _failure(f"{self._model}'s verdict was cut off (TEACHBACK_JUDGE_MAX_TOKENS)", "cut_off")
        return JudgeAnswer(_THOUGHT.sub("", completion.text), completion.usage)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _complete(self, prompt: str, schema: Mapping[str, object]) -> Completion:
        while True:
            way, options = self._ways[0], dict(self._options)
            body = {
                "model": self._model,
                "messages": [{"role": "user", "content": prompt}],
                **options,
                **_format(way, schema),
            }
            try:
                # the client's own bound is on each wait for bytes; this one is on the whole, retries included
                async with asyncio.timeout(3 * self._timeout_s):
                    return await self._client.complete(body)
            except TimeoutError as exc:
                raise _failure(f"{self.endpoint} gave no verdict in {3 * self._timeout_s:g} s", "timeout") from exc
            except RequestRejected as exc:
                if not self._adapt(way, options, exc):
                    raise

    def _adapt(self, way: str, options: Mapping[str, object], exc: RequestRejected) -> bool:
        """Leave out what the server rejects, once for all later requests; False where nothing is left to leave out."""
        detail = exc.detail.casefold()
        if exc.status == 404:
            return False
        if self._ways[0] != way or self._options != options:
            return True  # a request made at the same time has found it out already
        if "max_completion_tokens" in detail and "max_tokens" in self._options:
            self._options["max_completion_tokens"] = self._options.pop("max_tokens")
        elif "temperature" in detail and "temperature" in self._options:
            del self._options["temperature"]
        elif len(self._ways) > 1 and any(w in detail for w in ("response_format", "schema", "json", "grammar")):
            del self._ways[0]
        else:
            return False
        return True

    async def _wait_turn(self) -> None:
        if not self._apart_s:
            return
        now = asyncio.get_running_loop().time()
        start = max(now, self._next_at)
        self._next_at = start + self._apart_s
        await asyncio.sleep(start - now)


def _format(way: str, schema: Mapping[str, object]) -> dict[str, object]:
    if way == "json_schema":
        return {"response_format": {"type": way, "json_schema": {"name": "verdict", "schema": dict(schema)}}}
    return {} if way == "text" else {"response_format": {"type": way}}


def _failure(message: str, reason: str) -> ModelUnavailable:
    failure = ModelUnavailable(message)
    failure.reason = reason
    return failure
