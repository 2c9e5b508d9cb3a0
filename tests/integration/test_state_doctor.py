"""`doctor` and `ask` with a file of state sources, as an operator meets them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from tests.integration.shop_servers import RETAIL_YAML, make_sqlite

ROWS: dict[str, list[tuple[Any, ...]]] = {
    "users": [("u-1", "Mia", "m@example.com"), ("u-2", "Theo", "t@example.com")],
    "orders": [("#W1000001", "u-1", "pending", "10.00", "Desk Lamp")],
    "parcels": [("900000000002", "#W2000002", "u-9", "in_transit")],
}


@contextmanager
def http_shop() -> Iterator[str]:
    """A server that knows no path; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_sqlite(tmp_path / "shop.db", ROWS)
    (tmp_path / "state.yaml").write_text(RETAIL_YAML.format(url="sqlite:///shop.db"), "utf-8")
    monkeypatch.setenv("TEACHBACK_STATE_SOURCES", str(tmp_path / "state.yaml"))
    monkeypatch.setenv("TEACHBACK_EMBEDDER", "hash")
    monkeypatch.setenv("TEACHBACK_STATE_BUDGET_MS", "10000")
    return tmp_path


def _finding() -> tuple[int, dict[str, Any]]:
    result = _run("doctor", "--json")
    (found,) = [f for f in json.loads(result.stdout)["findings"] if f["part"] == "live state"]
    return result.exit_code, found


def test_doctor_asks_every_source(folder: Path) -> None:
    code, found = _finding()
    assert (code, found["ok"]) == (0, True)
    assert "orders answer" in found["detail"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("FROM orders", "FROM oders", "no such table: oders"),
        ("shop.db", "missing.db", "unable to open database file"),
        ("        amount: total", "        amuont: total", "amuont: unknown key"),
        ("sqlite:///shop.db", "{secret: SHOP_DATABASE_URL}", "SHOP_DATABASE_URL is not set"),
    ],
)
def test_doctor_names_what_is_wrong_and_the_remedy(folder: Path, old: str, new: str, said: str) -> None:
    file = folder / "state.yaml"
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    code, found = _finding()
    assert (code, found["ok"]) == (2, False)
    assert said in found["detail"]
    assert "state-sources.md" in found["remedy"]


def test_ask_answers_from_the_source_and_says_who_is_unknown(folder: Path) -> None:
    known = json.loads(_run("ask", "Where is my order?", "--user", "u-1", "--json").stdout)
    assert known["state_used"] == ["#W1000001"]
    without = json.loads(_run("ask", "Where is my order?", "--user", "u-2", "--json").stdout)
    assert "can't find the account" not in without["text"]
    nobody = json.loads(_run("ask", "我的订单到哪了", "--user", "nobody", "--json").stdout)
    assert "找不到您当前登录的账户" in nobody["text"]


def test_doctor_shows_a_404_that_may_be_a_wrong_path(folder: Path) -> None:
    with http_shop() as base:
        (folder / "state.yaml").write_text(
            f"sources:\n  - name: orders\n    type: http\n    base_url: {base}\n    requests:\n"
            '      - {path: "/nowhere/{user_id}", kind: order, id: id}\n',
            "utf-8",
        )
        code, found = _finding()
    assert (code, found["ok"]) == (0, True)
    assert "answered 404" in found["detail"]
