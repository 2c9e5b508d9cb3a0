"""Every error as application/problem+json (RFC 9457), said in the caller's language and in one place."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from assistant import errors

log = logging.getLogger(__name__)

Language = Literal["zh", "en"]
PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its slug in ``type``, its status, and title and detail in both languages."""

    slug: str
    status: int
    title: Mapping[Language, str]
    detail: Mapping[Language, str]

    @property
    def uri(self) -> str:
        """The stable identifier that a client compares."""
        return f"urn:teachback:problem:{self.slug}"


def _kind(slug: str, status: int, en: tuple[str, str], zh: tuple[str, str]) -> Kind:
    return Kind(slug, status, {"en": en[0], "zh": zh[0]}, {"en": en[1], "zh": zh[1]})


_ALL = (
    _kind("bad-request", 400, ("Bad request", "The request could not be read."), ("请求有误", "无法读取这个请求。")),
    _kind(
        "unauthenticated",
        401,
        ("Not signed in", "Send a valid API key or token as “Authorization: Bearer …”."),
        ("未登录", "请在 Authorization: Bearer … 中提供有效的 API 密钥或令牌。"),
    ),
    _kind(
        "not-permitted",
        403,
        ("Not permitted", "This credential may not do that."),
        ("没有权限", "当前凭证不能执行此操作。"),
    ),
    _kind("not-found", 404, ("Not found", "There is no such thing here."), ("未找到", "这里没有您要找的内容。")),
    _kind(
        "method-not-allowed",
        405,
        ("Method not allowed", "This address does not take that method."),
        ("方法不允许", "此地址不支持该请求方法。"),
    ),
    _kind(
        "conversation-closed",
        409,
        ("Conversation closed", "This conversation is closed; please open a new one."),
        ("会话已结束", "这个会话已经结束，请开启新的会话。"),
    ),
    _kind(
        "draft-settled",
        409,
        ("Draft already decided", "Another decision on this draft is recorded already; read the conversation."),
        ("草稿已处理", "这份草稿已有另外的处理结果，请先查看会话。"),
    ),
    _kind(
        "conflict",
        409,
        ("Not possible now", "Its state has changed or does not allow this; please look at it again."),
        ("当前无法执行", "它的状态已变化或不允许此操作，请重新查看。"),
    ),
    _kind("too-large", 413, ("Too large", "The request is too large."), ("内容过大", "请求内容过大。")),
    _kind(
        "invalid",
        422,
        ("Invalid input", "Some of the input is not valid; see errors."),
        ("输入有误", "部分输入不符合要求，详见 errors。"),
    ),
    _kind(
        "empty-text",
        422,
        ("Nothing written yet", "Please write your question first, then send it."),
        ("还没有内容", "请先写下您的问题，再发送给我们。"),
    ),
    _kind(
        "text-too-long",
        422,
        ("Text too long", "Please keep it under 4,000 characters; you can send it in several messages."),
        ("内容太长", "请控制在 4000 字以内，也可以分几条发送。"),
    ),
    _kind(
        "too-many-requests",
        429,
        ("Too many requests", "Please wait a moment and try again."),
        ("请求过于频繁", "请稍等片刻再试。"),
    ),
    _kind(
        "internal",
        500,
        ("Something went wrong", "We could not finish this. Please try again; if it stays, quote the reference."),
        ("出了点问题", "暂时无法完成，请重试；如仍有问题，请告诉我们编号。"),
    ),
    _kind(
        "unavailable",
        503,
        ("Not available now", "A part of the service is not available. Please try again shortly."),
        ("暂时不可用", "部分服务暂不可用，请稍后再试。"),
    ),
)
KINDS: Mapping[str, Kind] = {kind.slug: kind for kind in _ALL}
_BY_STATUS: Mapping[int, Kind] = {kind.status: kind for kind in reversed(_ALL)} | {422: KINDS["invalid"]}

# The first match counts, so that a subclass comes before its parent.
_BY_ERROR: Sequence[tuple[type[errors.TeachbackError], str]] = (
    (errors.NotFound, "not-found"),
    (errors.NotPermitted, "not-permitted"),
    (errors.Conflict, "conflict"),
    (errors.InputRejected, "invalid"),
    (errors.ConfigurationError, "unavailable"),
    (errors.EmbeddingFailed, "unavailable"),
    (errors.RerankingFailed, "unavailable"),
    (errors.IndexUnavailable, "unavailable"),
    (errors.ModelUnavailable, "unavailable"),
    (errors.StateUnavailable, "unavailable"),
    (errors.ToolFailed, "unavailable"),
)


class Problem(Exception):
    """An error that a route wants told as it is. ``slug`` is one of ``KINDS``; ``detail`` replaces the usual one."""

    def __init__(
        self,
        slug: str,
        detail: str | None = None,
        *,
        fields: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(slug)
        self.kind = KINDS[slug]
        self.detail = detail
        self.fields = tuple(fields)
        self.headers = dict(headers or {})
        if self.kind.status == 401:
            self.headers.setdefault("WWW-Authenticate", "Bearer")


def language_of(accept_language: str | None) -> Language:
    """``en`` when English outweighs Chinese in the header, else ``zh``: Chinese is the house's first language."""
    weights: dict[str, float] = {}
    for part in (accept_language or "").split(","):
        tag, _, quality = part.strip().lower().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        base = tag.split("-")[0]
        weights[base] = max(weights.get(base, 0.0), weight)
    return "en" if weights.get("en", 0.0) > weights.get("zh", 0.0) else "zh"


def problem_of(exc: Exception) -> Problem:
    """What the outside may know of this exception; everything else about it goes to the log only."""
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, HTTPException):
        kind = _BY_STATUS.get(exc.status_code) or _BY_STATUS[500 if exc.status_code >= 500 else 400]
        return Problem(kind.slug, headers=exc.headers)
    if isinstance(exc, RequestValidationError):
        return _invalid(exc)
    for error_type, slug in _BY_ERROR:
        if isinstance(exc, error_type):
            told = exc.reason if isinstance(exc, errors.InputRejected) else None
            return Problem(slug, str(exc) if isinstance(exc, errors.Conflict) else told)
    return Problem("internal")


def problem_body(problem: Problem, language: Language, trace_id: str) -> dict[str, Any]:
    """The problem document; ``instance`` is the trace id under which the log knows the rest."""
    body: dict[str, Any] = {
        "type": problem.kind.uri,
        "title": problem.kind.title[language],
        "status": problem.kind.status,
        "detail": problem.detail or problem.kind.detail[language],
        "instance": trace_id,
    }
    if problem.fields:
        body["errors"] = list(problem.fields)
    return body


def log_problem(exc: Exception, problem: Problem, trace_id: str) -> None:
    """Keep the cause of what is told only vaguely outside."""
    if problem.kind.status >= 500:
        log.error("%s: %s", trace_id, problem.kind.slug, exc_info=exc)


def problem_response(request: Request, exc: Exception) -> Response:
    """The answer to a failed request."""
    problem = problem_of(exc)
    trace_id = trace_id_of(request)
    log_problem(exc, problem, trace_id)
    body = problem_body(problem, language_of(request.headers.get("accept-language")), trace_id)
    return JSONResponse(body, problem.kind.status, headers=problem.headers, media_type=PROBLEM_TYPE)


def trace_id_of(request: Request) -> str:
    """The id that the guard gave this request."""
    return str(request.scope.get("teachback.trace_id", ""))


def add_problem_handlers(app: FastAPI) -> None:
    """Map every exception class that the framework distinguishes; the guard catches the rest."""
    for exception in (Problem, HTTPException, RequestValidationError, errors.TeachbackError):
        app.add_exception_handler(exception, problem_response)


def _invalid(exc: RequestValidationError) -> Problem:
    found = exc.errors()
    for error in found:
        if error["type"] in ("empty_text", "text_too_long"):
            return Problem(str(error["type"]).replace("_", "-"))
    # "loc" and "msg" only: "input" would repeat whatever was sent.
    return Problem(
        "invalid", fields=[{"field": ".".join(str(p) for p in e["loc"][1:]), "message": str(e["msg"])} for e in found]
    )


def documented(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI ``responses`` for these problems, each with an example."""
    responses: dict[int | str, dict[str, Any]] = {}
    for slug in slugs:
        kind = KINDS[slug]
        content = responses.setdefault(
            kind.status,
            {
                "description": kind.title["en"],
                "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}, "examples": {}}},
            },
        )
        example = problem_body(Problem(slug), "en", "6f1c0d8e5b7a4d0c9f3e2a1b4c5d6e7f")
        content["content"][PROBLEM_TYPE]["examples"][slug] = {"value": example}
    return responses
