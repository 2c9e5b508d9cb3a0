"""A real HTTP server that speaks the OpenAI protocol and judges by rule, or fails on purpose where a case says so.

It reads the input at the prompt's end as a model would. A text with a mark such as ``[[500]]`` gets that fault.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

COURTESY = re.compile(r"抱歉|稍等|核实|sorry|bear with|look into")
MARK = re.compile(r"\[\[([a-z0-9_]+)\]\]")


class JudgeServer:
    """``with JudgeServer() as server: server.url``; ``bodies`` are the requests it got, ``faults`` counts by kind."""

    def __init__(self, *, no_schema: bool = False) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.faults: Counter[str] = Counter()
        self.running = self.most_running = 0
        self._no_schema = no_schema
        app = FastAPI()
        app.post("/v1/chat/completions")(self._complete)
        app.get("/v1/models")(lambda: {"data": []})
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> JudgeServer:
        sock = self._server.config.bind_socket()
        self.url = f"http://127.0.0.1:{sock.getsockname()[1]}/v1"
        self._thread = threading.Thread(target=self._server.run, args=([sock],), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    async def _complete(self, request: Request) -> Response:
        body = await request.json()
        self.bodies.append(body)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(0.005)
            if self._no_schema and "response_format" in body:
                return _error(400, "response_format is not supported by this server")
            prompt = body["messages"][0]["content"]
            given = _given(prompt)
            fault = next((m[1] for m in MARK.finditer(json.dumps(given, ensure_ascii=False))), None)
            if fault is not None:
                self.faults[fault] += 1
                return await self._fault(fault)
            return _says(json.dumps(verdict(given), ensure_ascii=False))
        finally:
            self.running -= 1

    async def _fault(self, fault: str) -> Response:
        if fault.isdigit():
            return _error(int(fault), "as asked")
        if fault == "hang":
            await asyncio.sleep(30)
        if fault == "recovers":  # rate-limited once, then right
            if self.faults[fault] == 1:
                return _error(429, "slow down", {"retry-after": "0"})
            return _says('{"rating": 4}')
        if fault == "refuse":
            return _says(None, refusal="I cannot judge this.")
        if fault == "cut":
            return _says('{"rating": ', finish="length")
        return _says(
            {
                "nojson": "评分：很好",
                "truncated": '{"rating": 4, "reason": "因为',
                "types": '{"rating": "四分"}',
                "scale": '{"rating": 3}',
                "nan": '{"rating": NaN}',
                "empty": "",
                "list": "[4]",
                "fenced": '<think>想一想 {"rating": 0}</think>好的：\n```json\n{"rating": 4}\n```',
                "fewer": '{"claims": ["一", "二"], "statements": []}',
            }[fault]
        )


def verdict(given: dict[str, Any]) -> dict[str, Any]:
    """The right answer, by a rule: a sentence holds where the other text contains it."""
    if "response" in given:
        return {"claims": _sentences(given["response"])}
    if "statements" in given:
        context = given["context"]
        return {
            "statements": [
                {"statement": s, "reason": "按原文", "verdict": int(s in context)} for s in given["statements"]
            ]
        }
    if "user_answer" in given:
        said, wanted = set(_sentences(given["user_answer"])), set(_sentences(given["reference_answer"]))
        return {"rating": 4 if said == wanted else 2 if said & wanted else 0}
    sentences = _sentences(given["answer"])
    if "context" not in given:
        return {"statements": sentences}
    if given["_recall"]:
        return {
            "classifications": [
                {"statement": s, "reason": "按原文", "attributed": int(s in given["context"])} for s in sentences
            ]
        }
    return {"reason": "按原文", "verdict": int(any(s in given["context"] for s in sentences))}


def _sentences(text: str) -> list[str]:
    parts = (part.strip() for part in re.split(r"[。！？!?\n]|\. ", text))
    return [part for part in parts if part and not COURTESY.search(part)]


def _given(prompt: str) -> dict[str, Any]:
    start = max(prompt.rfind("\n输入："), prompt.rfind("\ninput: "))
    given, _ = json.JSONDecoder().raw_decode(prompt, prompt.index("{", start))
    assert isinstance(given, dict)
    return {**given, "_recall": '"classifications"' in prompt[:start]}


def _says(text: str | None, *, finish: str = "stop", refusal: str | None = None) -> Response:
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return JSONResponse(
        {
            "id": "x",
            "object": "chat.completion",
            "created": 0,
            "model": "rule",
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        }
    )


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"message": message, "type": "x", "param": None}}, status, headers)
