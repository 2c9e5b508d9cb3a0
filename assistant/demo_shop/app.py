"""The demo shop's HTTP interface. It checks ownership and status itself: a caller's word is never enough."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from assistant.demo_shop.store import OFFERS, Answer, Change, ShopStore
from assistant.domain.state import Entity, UserState
from assistant.ports import StateSource

_MAX_BODY = 16_384
Acted = tuple[Answer, Change | None]


def create_shop(store: ShopStore, users: StateSource) -> Starlette:
    """The application. ``users`` gives a user's state without the changes of ``store``, which are put over it here."""
    shop = _Shop(store, users)
    return Starlette(
        routes=[
            Route("/orders/{order}/address", shop.change_address, methods=["POST"]),
            Route("/orders/{order}/cancel", shop.cancel, methods=["POST"]),
            Route("/orders/{order}/invoice", shop.invoice, methods=["POST"]),
            Route("/coupon-offers", shop.offers, methods=["GET"]),
            Route("/coupon-offers/{offer}/claim", shop.claim, methods=["POST"]),
        ]
    )


class _Shop:
    def __init__(self, store: ShopStore, users: StateSource) -> None:
        self._store = store
        self._users = users

    async def change_address(self, request: Request) -> JSONResponse:
        def act(order: Entity, body: dict[str, Any], key: str) -> Acted:
            address = body.get("address")
            if not isinstance(address, str) or not 6 <= len(address) <= 200:
                return _refused(400, "bad_address"), None
            if order.status not in ("pending_payment", "paid"):
                return _refused(409, "wrong_status"), None
            return (200, {"order": order.id, "address": address}), Change("address", order.id, {"address": address})

        return await self._on_order(request, act)

    async def cancel(self, request: Request) -> JSONResponse:
        def act(order: Entity, body: dict[str, Any], key: str) -> Acted:
            if order.status not in ("pending_payment", "paid"):
                return _refused(409, "wrong_status"), None
            data: dict[str, Any] = {"reason": "cancelled by the customer"}
            if order.status == "paid" and order.amount is not None:
                data |= {"refund": f"RF9{_digits(key)}", "amount": str(order.amount)}
            return (200, {"order": order.id, "status": "cancelled"}), Change("cancelled", order.id, data)

        return await self._on_order(request, act)

    async def invoice(self, request: Request) -> JSONResponse:
        def act(order: Entity, body: dict[str, Any], key: str) -> Acted:
            title = body.get("title")
            if not isinstance(title, str) or not 2 <= len(title) <= 100:
                return _refused(400, "bad_title"), None
            if order.status not in ("delivered", "completed"):
                return _refused(409, "wrong_status"), None
            if any(c.kind == "invoice" and c.subject == order.id for c, _ in self._store.changes(_user(request))):
                return _refused(409, "exists"), None
            data = {"id": f"FP9{_digits(key)}", "order_id": order.id, "amount": str(order.amount or 0), "title": title}
            data |= {name: str(body[name]) for name in ("tax_number", "email") if body.get(name)}
            return (201, {"invoice": data["id"]}), Change("invoice", order.id, data)

        return await self._on_order(request, act)

    async def offers(self, request: Request) -> JSONResponse:
        done = {
            c.subject for c, _ in await asyncio.to_thread(self._store.changes, _user(request)) if c.kind == "coupon"
        }
        english = request.headers.get("accept-language", "zh").startswith("en")
        return JSONResponse(
            {"items": [{"id": o.id, "title": o.en if english else o.zh} for o in OFFERS if o.id not in done]}
        )

    async def claim(self, request: Request) -> JSONResponse:
        user, offer_id = _user(request), request.path_params["offer"]
        english = request.headers.get("accept-language", "zh").startswith("en")

        def act(state: UserState, body: dict[str, Any], key: str) -> Acted:
            offer = next((o for o in OFFERS if o.id == offer_id), None)
            if offer is None:
                return _refused(404, "not_offered"), None
            if any(c.kind == "coupon" and c.subject == offer.id for c, _ in self._store.changes(user)):
                return _refused(409, "claimed"), None
            data = {
                "id": f"CP9{_digits(key)}",
                "title": offer.en if english else offer.zh,
                "amount": offer.amount,
                "threshold": offer.threshold,
                "days": offer.days,
            }
            return (201, {"coupon": data["id"]}), Change("coupon", offer.id, data)

        return await self._once(request, act)

    async def _on_order(self, request: Request, act: Callable[[Entity, dict[str, Any], str], Acted]) -> JSONResponse:
        order_id = request.path_params["order"]

        def checked(state: UserState, body: dict[str, Any], key: str) -> Acted:
            order = next((e for e in state.of_kind("order") if e.id == order_id), None)
            if order is None:
                return _refused(404, "no_such_order"), None
            return act(order, body, key)

        return await self._once(request, checked)

    async def _once(self, request: Request, act: Callable[[UserState, dict[str, Any], str], Acted]) -> JSONResponse:
        key, user = request.headers.get("idempotency-key", ""), _user(request)
        raw = await request.body()
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            body = None
        if not key or not user or not isinstance(body, dict) or len(raw) > _MAX_BODY:
            status, answer = _refused(400, "bad_request")
            return JSONResponse(answer, status)
        state = await self._users.fetch(user)
        described = json.dumps([request.url.path, body], sort_keys=True, ensure_ascii=False)
        status, answer = await asyncio.to_thread(
            self._store.once, key, user, described, lambda: act(self._store.overlay(state, whole=True), body, key)
        )
        return JSONResponse(answer, status)


def _user(request: Request) -> str:
    return request.headers.get("x-user-id", "")


def _refused(status: int, code: str) -> Answer:
    return status, {"code": code}


def _digits(key: str) -> str:
    """Eight digits for the id of what a request makes; the same for the same key."""
    return f"{int(hashlib.sha256(key.encode()).hexdigest(), 16) % 10**8:08d}"
