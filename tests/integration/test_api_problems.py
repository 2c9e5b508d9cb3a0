"""Errors, guards, probes and the OpenAPI document."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.exceptions import HTTPException

from api.problems import language_of, problem_of
from assistant import errors
from tests.integration.fake_desk import Served


@pytest.fixture
def served() -> Served:
    return Served()


def _is_problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "instance"} <= set(body)
    assert body["status"] == status
    assert body["instance"] == answer.headers["x-trace-id"]
    return body


async def test_what_the_framework_refuses_is_a_problem_too(served: Served) -> None:
    async with served.client(served.token()) as client:
        _is_problem(await client.get("/api/v1/nothing"), 404)
        _is_problem(await client.get("/static/nothing.js"), 404)
        answer = await client.delete("/api/v1/suggestions")
        _is_problem(answer, 405)
        assert answer.headers["allow"] == "GET"
        broken = await client.post(
            "/api/v1/conversations", content=b"{broken", headers={"Content-Type": "application/json"}
        )
        _is_problem(broken, 422)


async def test_a_large_body_is_413_whether_announced_or_not(served: Served) -> None:
    async def pieces() -> Any:
        for _ in range(70):
            yield b" " * 1024

    async with served.client(served.token()) as client:
        _is_problem(await client.post("/api/v1/conversations", content=b" " * 70_000), 413)
        headers = {"Content-Type": "application/json"}
        _is_problem(await client.post("/api/v1/conversations", content=pieces(), headers=headers), 413)


async def test_an_unexpected_error_tells_nothing_and_leaves_a_trace(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(**_: object) -> None:
        raise ZeroDivisionError("secret innards")

    served.desk().suggestions = broken  # type: ignore[assignment, method-assign]
    async with served.client(served.token(), **{"Accept-Language": "en"}) as client:
        answer = await client.get("/api/v1/suggestions")
    body = _is_problem(answer, 500)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert body["instance"] in caplog.text
    assert "secret innards" in caplog.text


async def test_a_workspace_that_cannot_be_opened_is_503_and_tried_again() -> None:
    served = Served()
    state = served.app.state.desks
    opened: list[str] = []

    def desk_for(workspace: str) -> Any:
        opened.append(workspace)
        if len(opened) == 1:
            raise errors.WorkspaceLocked("secret path")
        return served.desk(workspace)

    state._desk_for = desk_for
    async with served.client(served.token()) as client:
        answer = await client.get("/api/v1/suggestions")
        _is_problem(answer, 503)
        assert "secret" not in answer.text
        assert (await client.get("/api/v1/suggestions")).status_code == 200
        assert (await client.get("/api/v1/suggestions")).status_code == 200
    assert opened == ["default", "default"]


@pytest.mark.parametrize(
    ("exc", "slug"),
    [
        (errors.NotFound("x"), "not-found"),
        (errors.NotPermitted("x"), "not-permitted"),
        (errors.InputRejected("a.jsonl", "bad", 3), "invalid"),
        (errors.WorkspaceLocked("x"), "unavailable"),
        (errors.EmbeddingFailed("x"), "unavailable"),
        (errors.IndexUnavailable("x"), "unavailable"),
        (errors.ModelUnavailable("x"), "unavailable"),
        (errors.StateUnavailable("x"), "unavailable"),
        (errors.TeachbackError("x"), "internal"),
        (ValueError("x"), "internal"),
        (HTTPException(429), "too-many-requests"),
        (HTTPException(418), "bad-request"),
        (HTTPException(502), "internal"),
    ],
)
def test_every_error_has_its_problem(exc: Exception, slug: str) -> None:
    assert problem_of(exc).kind.slug == slug


def test_every_error_class_is_mapped() -> None:
    def below(parent: type[errors.TeachbackError]) -> set[type[errors.TeachbackError]]:
        found = {parent}.union(*(below(child) for child in parent.__subclasses__()))
        return {e for e in found if e.__module__.startswith("assistant")}  # the evaluation's own never reach HTTP

    for error_type in below(errors.TeachbackError) - {errors.TeachbackError}:
        if error_type is errors.InputRejected:
            exc: errors.TeachbackError = errors.InputRejected("file", "reason")
        else:
            exc = error_type.__new__(error_type)  # only its class matters; some need arguments of their own
            exc.args = ("x",)
        assert problem_of(exc).kind.slug != "internal", error_type


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh"),
        ("*", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("en;q=0.2, zh;q=0.7", "zh"),
        ("fr, en;q=oops", "zh"),
        ("fr, en;q=0.1", "en"),
    ],
)
def test_the_language_follows_the_header_and_is_chinese_in_doubt(header: str | None, language: str) -> None:
    assert language_of(header) == language


async def test_probes(served: Served) -> None:
    async with served.client() as client, served.client(served.key("manager")) as staff:
        assert (await client.get("/api/v1/health")).json() == {"status": "ok"}
        assert (await client.get("/api/v1/ready")).json()["ready"] is True
        served.desk().parts["vector_index"] = "cannot reach 10.0.0.7"
        answer = await client.get("/api/v1/ready")
        assert answer.status_code == 503
        assert answer.json() == {"ready": False, "parts": {"vector_index": "unavailable"}}
        assert (await staff.get("/api/v1/ready")).json()["parts"] == {"vector_index": "cannot reach 10.0.0.7"}


async def test_desks_are_closed_when_the_app_stops(served: Served) -> None:
    async with served.app.router.lifespan_context(served.app), served.client(served.token()) as client:
        await client.get("/api/v1/suggestions")
    assert served.desk().closed


def test_every_operation_has_a_summary_an_example_and_its_errors() -> None:
    document = Served().app.openapi()
    assert "ProblemOut" in document["components"]["schemas"]
    assert not any("demo" in path for path in document["paths"])
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            assert operation["tags"], where
            good = [r for status, r in operation["responses"].items() if status.startswith("2")]
            assert all("example" in c for r in good for c in r.get("content", {}).values()), where
            for status, response in operation["responses"].items():
                if not status.startswith("2") and path != "/api/v1/ready":
                    assert set(response["content"]) == {"application/problem+json"}, (where, status)
            if path not in ("/api/v1/health", "/api/v1/ready"):
                takes = operation.get("parameters") or operation.get("requestBody")
                assert ({"401", "422"} if takes else {"401"}) <= set(operation["responses"]), where


async def test_cors_only_for_the_configured_sites() -> None:
    served = Served(allowed_origins=["https://shop.test"])
    async with served.client(served.token()) as client:
        for origin, allowed in (("https://shop.test", True), ("https://evil.test", False)):
            answer = await client.get("/api/v1/suggestions", headers={"Origin": origin})
            assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
            failed = await client.get("/api/v1/nothing", headers={"Origin": origin})
            assert ("access-control-allow-origin" in failed.headers) is allowed
    async with Served().client() as client:
        answer = await client.get("/api/v1/health", headers={"Origin": "https://shop.test"})
    assert "access-control-allow-origin" not in answer.headers
