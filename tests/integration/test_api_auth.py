"""Who may do what over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.integration.fake_desk import Served

ASK = {"text": "退款多久到账"}


@pytest.fixture
def served() -> Served:
    return Served()


async def test_without_a_credential_every_operation_but_the_probes_says_401(served: Served) -> None:
    open_to_all = {"/api/v1/health", "/api/v1/ready"}
    async with served.client() as client:
        for path, operations in served.app.openapi()["paths"].items():
            for method in operations:
                url = path.replace("{conversation_id}", "c-1")
                answer = await client.request(method, url, json={} if method == "post" else None)
                expected = 200 if path in open_to_all else 401
                assert answer.status_code == expected, (method, path, answer.text)


@pytest.mark.parametrize("credential", ["tbk_0123456789abcdef_" + "0" * 64, "tbk_x", "nonsense", "a.b.c"])
async def test_a_wrong_credential_is_401_with_the_scheme(served: Served, credential: str) -> None:
    async with served.client(credential) as client:
        answer = await client.get("/api/v1/suggestions")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["type"] == "urn:teachback:problem:unauthenticated"


async def test_a_wrong_credential_is_refused_even_where_none_is_needed(served: Served) -> None:
    async with served.client("nonsense") as client:
        assert (await client.get("/api/v1/ready")).status_code == 401


async def test_a_revoked_key_is_401(served: Served) -> None:
    text = served.key("agent")
    (key,) = served.keys.keys("default")
    served.keys.revoke("default", key.id)
    async with served.client(text) as client:
        assert (await client.get("/api/v1/suggestions")).status_code == 401


async def test_an_expired_token_is_401(served: Served) -> None:
    async with served.client(served.token()) as client:
        assert (await client.get("/api/v1/suggestions")).status_code == 200
        served.now += timedelta(hours=1)
        assert (await client.get("/api/v1/suggestions")).status_code == 401


async def test_a_tampered_token_is_401(served: Served) -> None:
    head, body, signature = served.token("u-1").split(".")
    other = served.token("u-2").split(".")[1]
    async with served.client(f"{head}.{other}.{signature}") as client:
        assert (await client.get("/api/v1/suggestions")).status_code == 401
    async with served.client(f"{head}.{body}.") as client:
        assert (await client.get("/api/v1/suggestions")).status_code == 401


async def test_a_service_key_mints_a_token_that_works(served: Served) -> None:
    async with served.client(served.key("service")) as client:
        answer = await client.post("/api/v1/tokens", json={"user_id": "u-9", "ttl_s": 60})
    assert answer.status_code == 201
    assert answer.json()["expires_at"] == "2026-03-02T09:31:00Z"
    async with served.client(answer.json()["token"]) as client:
        opened = await client.post("/api/v1/conversations", json={})
    assert opened.json()["user_id"] == "u-9"


@pytest.mark.parametrize("role", ["agent", "manager"])
async def test_other_keys_and_users_mint_no_tokens(served: Served, role: str) -> None:
    for credential in (served.key(role), served.token()):  # type: ignore[arg-type]
        async with served.client(credential) as client:
            answer = await client.post("/api/v1/tokens", json={"user_id": "u-9"})
        assert answer.status_code == 403


@pytest.mark.parametrize("body", [{}, {"user_id": "u-1", "visitor": True}, {"user_id": ""}, {"user_id": " "}])
async def test_a_token_is_for_a_user_or_for_a_visitor(served: Served, body: dict[str, object]) -> None:
    async with served.client(served.key("service")) as client:
        assert (await client.post("/api/v1/tokens", json=body)).status_code == 422


@pytest.mark.parametrize("role", ["service", "agent", "manager"])
async def test_keys_do_not_speak_as_users(served: Served, role: str) -> None:
    conversation = await served.conversation_of("u-1")
    async with served.client(served.key(role)) as client:  # type: ignore[arg-type]
        assert (await client.post("/api/v1/conversations", json={})).status_code == 403
        assert (await client.post(f"/api/v1/conversations/{conversation}/messages", json=ASK)).status_code == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/conversations", {"user_id": "u-2"}),
        ("/api/v1/conversations/{id}/messages", {"text": "你好", "user_id": "u-2"}),
        ("/api/v1/conversations/{id}/ratings", {"kind": "thumb", "value": 1, "user_id": "u-2"}),
    ],
)
async def test_a_user_id_in_a_body_is_an_unknown_key(served: Served, path: str, body: dict[str, object]) -> None:
    conversation = await served.conversation_of("u-1")
    async with served.client(served.token("u-1")) as client:
        answer = await client.post(path.replace("{id}", conversation), json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["user_id"]
    assert served.desk().asked == []


async def test_another_users_conversation_does_not_exist(served: Served) -> None:
    conversation = await served.conversation_of("u-1")
    for credential in (served.token("u-2"), served.token(None), served.key("service")):
        async with served.client(credential) as client:
            assert (await client.get(f"/api/v1/conversations/{conversation}")).status_code == 404
    async with served.client(served.token("u-2")) as client:
        url = f"/api/v1/conversations/{conversation}"
        assert (await client.post(f"{url}/messages", json=ASK)).status_code == 404
        assert (await client.post(f"{url}/ratings", json={"kind": "csat", "value": 5})).status_code == 404
    assert served.desk().asked == []
    assert served.desk().ratings == []


async def test_staff_read_every_conversation_of_their_workspace_only(served: Served) -> None:
    conversation = await served.conversation_of("u-1", "red")
    async with served.client(served.key("agent", "red")) as client:
        assert (await client.get(f"/api/v1/conversations/{conversation}")).status_code == 200
    for credential in (served.key("manager", "blue"), served.token("u-1", "blue")):
        async with served.client(credential) as client:
            assert (await client.get(f"/api/v1/conversations/{conversation}")).status_code == 404


async def test_a_visitor_holds_the_conversation_they_opened_and_no_other(served: Served) -> None:
    async with served.client(served.key("service")) as client:
        first = (await client.post("/api/v1/tokens", json={"visitor": True})).json()["token"]
    async with served.client(first) as client:
        opened = (await client.post("/api/v1/conversations")).json()
        url = f"/api/v1/conversations/{opened['id']}"
        assert opened["user_id"] is None
        assert (await client.get(url)).status_code == 404
    async with served.client(opened["token"]) as client:
        assert (await client.get(url)).status_code == 200
        assert (await client.post(f"{url}/messages", json=ASK)).status_code == 200
        other = await served.conversation_of(None)
        assert (await client.get(f"/api/v1/conversations/{other}")).status_code == 404


async def test_a_conversation_opened_by_a_user_gives_no_token(served: Served) -> None:
    async with served.client(served.token("u-1")) as client:
        assert (await client.post("/api/v1/conversations")).json()["token"] is None


async def test_only_agents_and_managers_find_internal_knowledge(served: Served) -> None:
    for credential, expected in (
        (served.token(), False),
        (served.token(None), False),
        (served.key("service"), False),
        (served.key("agent"), True),
        (served.key("manager"), True),
    ):
        async with served.client(credential) as client:
            answer = await client.get("/api/v1/search", params={"q": "退款加急", "k": 5})
        assert ("QUARTZ" in answer.text) is expected
