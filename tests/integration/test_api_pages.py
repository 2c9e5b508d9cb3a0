"""The chat page, its files and the demo."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from api.demo import DemoStore, DemoUser
from tests.integration.fake_desk import Served

DEMO = DemoStore("demo", (DemoUser("u-1", "林晓", "gold", "zh", "退款未到账", "Refund not there"),))
STATIC = Path(str(files("api") / "static"))
PAGES = Path(str(files("api") / "pages"))
SCRIPTS = sorted(STATIC.glob("*.js"))
OURS = sorted(path for folder in (STATIC, PAGES) for path in folder.iterdir())


async def test_the_page_is_served_with_a_policy_that_allows_only_our_own_files() -> None:
    async with Served().client() as client:
        answer = await client.get("/")
    assert answer.status_code == 200
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_only_the_page_may_be_framed_and_only_by_configured_sites() -> None:
    async with Served(allowed_origins=["https://shop.test"]).client() as client:
        page = (await client.get("/")).headers["content-security-policy"]
        docs = (await client.get("/docs")).headers["content-security-policy"]
        data = (await client.get("/api/v1/health")).headers["content-security-policy"]
    assert page.endswith("frame-ancestors 'self' https://shop.test")
    assert docs.endswith("frame-ancestors 'none'")
    assert data.endswith("frame-ancestors 'none'")


async def test_every_file_that_the_page_names_is_there() -> None:
    async with Served().client() as client:
        html = (await client.get("/")).text + (await client.get("/docs")).text
        html += (await client.get("/desk")).text + (await client.get("/knowledge")).text
        named = set(re.findall(r'(?:src|href)="(/[^"]*)"', html))
        assert {"/static/chat.css", "/static/chat.js", "/static/mark.svg"} <= named
        for script in SCRIPTS:
            found = re.findall(r'from "\./([^"]+)"', script.read_text("utf-8"))
            named |= {f"/static/{name}" for name in found}
        for path in named:
            assert (await client.get(path)).status_code == 200, path


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_no_file_loads_or_names_anything_outside(path: Path) -> None:
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]{2,}", text) == []
    assert "@import" not in text


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_no_file_needs_what_the_policy_forbids(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)
    if path.suffix == ".html":
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", text)


def _words(language: str) -> set[str]:
    found: set[str] = set()
    for name in ("i18n.js", "words_desk.js"):
        source = (STATIC / name).read_text("utf-8")
        block = source.split(f"  {language}: {{", 1)[1].split("\n  },", 1)[0]
        found |= set(re.findall(r"(?:^|[\s,])(\w+): \"", re.sub(r'(?<=: )"(?:[^"\\]|\\.)*"', '"', block)))
    return found


def test_both_languages_have_the_same_words_and_every_used_one() -> None:
    assert _words("zh") == _words("en")
    pages = "".join((PAGES / f"{name}.html").read_text("utf-8") for name in ("chat", "desk", "knowledge"))
    used = set(re.findall(r'data-i18n(?:-label|-placeholder)?="(\w+)"', pages))
    for script in SCRIPTS:
        text = script.read_text("utf-8")
        used |= set(re.findall(r'\bt\("(\w+)"', text)) | set(re.findall(r'\bsaid\("\w+", "(\w+)"', text))
    assert len(used) > 40
    assert used <= _words("zh")


def test_every_handoff_reason_has_its_words() -> None:
    from assistant.domain.reply import HANDOFF_REASONS

    assert {f"reason_{reason}" for reason in HANDOFF_REASONS} <= _words("zh")


async def test_the_demo_is_not_there_unless_given() -> None:
    async with Served().client() as client:
        assert (await client.get("/demo/users")).status_code == 404
        assert (await client.post("/demo/session", json={"user_id": None})).status_code == 404


async def test_the_demo_lists_its_users_and_gives_tokens_of_its_workspace_only_for_them() -> None:
    served = Served(demo=DEMO)
    async with served.client() as client:
        (user,) = (await client.get("/demo/users")).json()["users"]
        assert user["situation"] == "退款未到账"
        session = await client.post("/demo/session", json={"user_id": "u-1"})
        assert session.status_code == 201
        visitor = await client.post("/demo/session", json={"user_id": None})
        assert (await client.post("/demo/session", json={"user_id": "u-2"})).status_code == 404
        assert (await client.post("/demo/session", json={})).status_code == 422
    assert served.tokens.verify(session.json()["token"]).workspace == "demo"
    assert served.tokens.verify(session.json()["token"]).user_id == "u-1"
    assert served.tokens.verify(visitor.json()["token"]).user_id is None


def test_the_demo_is_marked_in_the_openapi_document() -> None:
    document = Served(demo=DEMO).app.openapi()
    for path in ("/demo/users", "/demo/session"):
        for operation in document["paths"][path].values():
            assert operation["summary"].startswith("DEMO ONLY")
    assert "demo" not in json.dumps(Served().app.openapi()["paths"])
