"""The two public shops as a business would have them: tables in a database, JSON behind a small HTTP server."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

SCHEMA = (
    "CREATE TABLE users (user_id TEXT PRIMARY KEY, first_name TEXT, email TEXT)",
    "CREATE TABLE orders (order_id TEXT PRIMARY KEY, user_id TEXT, status TEXT, total NUMERIC(12,2), products TEXT)",
    "CREATE TABLE parcels (tracking_id TEXT, order_id TEXT, user_id TEXT, status TEXT)",
)
RETAIL_YAML = """\
sources:
  - name: orders
    type: sql
    url: {url}
    cache_s: 0
    budget_ms: 5000
    queries:
      - sql: SELECT user_id, first_name FROM users WHERE user_id = :user_id
        kind: profile
        attributes: {{name: first_name}}
      - sql: SELECT * FROM orders WHERE user_id = :user_id ORDER BY order_id
        kind: order
        id: order_id
        status: status
        statuses: {{processed: shipped}}
        title: products
        amount: total
        currency: USD
      - sql: SELECT * FROM parcels WHERE user_id = :user_id
        kind: shipment
        id: tracking_id
        status: status
        attributes: {{order_id: order_id}}
"""
ECOM_YAML = """\
sources:
  - name: orders
    type: http
    base_url: {base}
    cache_s: 0
    budget_ms: 5000
    auth: {{secret: SHOP_TOKEN}}
    requests:
      - path: /users/{{user_id}}
        kind: profile
        user_id: 用户ID
        attributes: {{name: 用户姓名}}
        not_found: empty
      - path: /users/{{user_id}}/orders
        items: values(@)
        kind: order
        user_id: 用户ID
        id: 订单ID
        status: 订单状态
        title: 商品名称
        amount: 订单总金额
        currency: CNY
        not_found: empty
  - name: shipments
    type: http
    base_url: {base}
    cache_s: 0
    budget_ms: 5000
    auth: {{secret: SHOP_TOKEN}}
    requests:
      - path: /users/{{user_id}}/logistics
        items: data
        response_user_id: user
        paging: {{style: next_link, next: next, max_pages: 10}}
        kind: shipment
        id: 物流单号
        status: 物流轨迹[-1].状态 || 物流轨迹[-1].status
        due_at: 预计送达时间
        timezone: Asia/Shanghai
        attributes: {{order_id: 订单ID, carrier: 物流公司}}
        not_found: empty
"""
TOKEN = "s3cret-token"


def retail_rows(shared: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of the three tables. What is sent is ``shipped``, or ``delivered`` once the order is."""
    raw = json.loads((shared / "tau2-retail" / "db.json").read_text("utf-8"))
    orders, parcels = [], []
    for order in raw["orders"].values():
        paid = next(p["amount"] for p in order["payment_history"] if p["transaction_type"] == "payment")
        names = ", ".join(item["name"] for item in order["items"])
        orders.append((order["order_id"], order["user_id"], order["status"], str(paid), names))
        for sent in order["fulfillments"]:
            status = "delivered" if order["status"] == "delivered" else "in_transit"
            parcels += [(number, order["order_id"], order["user_id"], status) for number in sent["tracking_id"]]
    users = [(u["user_id"], u["name"]["first_name"], u["email"]) for u in raw["users"].values()]
    return {"users": users, "orders": orders, "parcels": parcels}


def make_sqlite(path: Path, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    """The tables in a SQLite file."""
    with sqlite3.connect(path) as connection:
        for statement in SCHEMA:
            connection.execute(statement)
        for table, values in rows.items():
            marks = ",".join("?" * len(values[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
    connection.close()


class EcomShop:
    """ecom-bench as its shop would serve it: by user, with a token, the parcels two a page."""

    def __init__(self, shared: Path) -> None:
        folder = shared / "ecom-bench" / "data"

        def read(name: str) -> Any:
            return json.loads((folder / name).read_text("utf-8"))

        (self.orders,) = (users for shops in read("orders.json").values() for users in shops.values())
        (self.ways,) = (users for shops in read("logistics.json").values() for users in shops.values())
        (self.products,) = (goods for shops in read("products.json").values() for goods in shops.values())
        self.users: dict[str, Any] = read("users_info.json")
        self.asked: list[tuple[str, str]] = []

    def answer(self, path: str, query: str) -> Any:
        """The body for a path, None where there is nothing."""
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if len(parts) < 2 or parts[0] != "users" or parts[1] not in self.users:
            return None
        user = parts[1]
        if parts[2:] == ["orders"]:
            return {key: {**order, "商品名称": self.names(order)} for key, order in self.orders.get(user, {}).items()}
        if parts[2:] == ["logistics"]:
            ways = [{"订单ID": key, **way} for key, way in self.ways.get(user, {}).items()]
            start = int(query.removeprefix("from=") or 0)
            following = f"{path}?from={start + 2}" if start + 2 < len(ways) else None
            return {"user": user, "data": ways[start : start + 2], "next": following}
        return self.users[user] if len(parts) == 2 else None

    def names(self, order: dict[str, Any]) -> list[str]:
        """The names of an order's goods."""
        return [self.products[item["商品ID"]]["商品名称"] for item in order["订单商品列表"]]


@contextmanager
def serving(shop: EcomShop) -> Iterator[str]:
    """The shop on a port of its own; the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            shop.asked.append((parts.path, self.headers.get("Authorization", "")))
            found = shop.answer(parts.path, parts.query)
            allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            body = json.dumps(found if allowed else {"error": "who?"}, ensure_ascii=False).encode()
            self.send_response(401 if not allowed else 404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
