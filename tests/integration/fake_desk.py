"""A small real desk in memory, for tests of the HTTP API and for looking at the chat page.

It has a few articles and a few users; what it replies follows from words in the question (see ``_SCENES``).
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from api.app import ApiLimits, DemoStore, create_app
from assistant.domain.conversation import Turn
from assistant.domain.feedback import Rating
from assistant.domain.knowledge import Audience, DocumentKind, Passage
from assistant.domain.live import (
    Conversation,
    Question,
    ReplyDelta,
    ReplyDone,
    ReplyEvent,
    ReplyReset,
    ReplyStarted,
)
from assistant.domain.reply import Citation, Handoff, PromptRef, Reply
from assistant.errors import ModelUnavailable, NotFound
from assistant.keys import KeyRole, KeyStore, TokenIssuer
from assistant.settings import Settings
from assistant.store.tables import metadata

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

ARTICLES = (
    Passage(
        "p-refund",
        "refund-time",
        DocumentKind.ARTICLE,
        "退款多久到账",
        "到账时间",
        "银行卡退款 1–3 个工作日到账；余额与零钱即时到账。节假日顺延。",
        0.91,
        "zh",
    ),
    Passage(
        "p-refund-en",
        "refund-time-en",
        DocumentKind.ARTICLE,
        "How long a refund takes",
        "Timing",
        "Card refunds arrive within 1–3 business days; wallet refunds arrive at once.",
        0.88,
        "en",
    ),
    Passage(
        "p-internal",
        "refund-override",
        DocumentKind.ARTICLE,
        "退款加急（内部）",
        "",
        "QUARTZ：主管可在后台加急退款。",
        0.4,
        "zh",
        audience="internal",
    ),
)

_ANSWER_ZH = """订单 **A1023** 的退款已于 3 月 1 日发起，预计 **3 月 4 日前**到账[1]。

| 退回方式 | 到账时间 |
| --- | --- |
| 余额、零钱 | 即时 |
| 银行卡 | 1–3 个工作日 |

您可以这样查看进度：

1. 打开「我的订单」，选择 A1023
2. 点「退款详情」
3. 如超过 3 个工作日仍未到账，在这里告诉我，我来转人工核实"""

_ANSWER_EN = """The refund for order **A1023** was sent on 1 March and should arrive **by 4 March** [1].

| Refunded to | Arrives |
| --- | --- |
| Wallet | at once |
| Bank card | 1–3 business days |

To follow it:

1. Open *My orders* and choose A1023
2. Tap *Refund details*
3. If it has not arrived after three business days, tell me here and I will pass it to a person"""


@dataclass
class FakeDesk:
    """One workspace in memory. ``pause_s`` lies between pieces; ``begun`` and ``stopped`` tell
    that a reply was begun, and that one was given up."""

    workspace: str = "default"
    pause_s: float = 0.0
    parts: dict[str, str] = field(default_factory=lambda: {"records": "ok", "vector_index": "ok"})
    ratings: list[Rating] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def open_conversation(self, *, user_id: str | None, channel: str) -> Conversation:
        """A new conversation."""
        conversation = Conversation(f"c-{self.workspace}-{next(self._ids)}", user_id, channel, "open", NOW)
        self.conversations[conversation.id] = conversation
        return conversation

    async def conversation(self, conversation_id: str) -> Conversation:
        """The conversation. Raises NotFound."""
        try:
            return self.conversations[conversation_id]
        except KeyError:
            raise NotFound(f"no conversation {conversation_id}") from None

    async def pending_task(self, conversation: Conversation) -> Mapping[str, Any] | None:
        """None: this desk does no tasks."""
        return None

    async def reply_events(self, question: Question) -> AsyncIterator[ReplyEvent]:
        """The reply to ``question``, in pieces of eight characters."""
        self.asked.append(question)
        self.begun.set()
        trace_id = f"t-{len(self.asked)}"
        try:
            yield ReplyStarted(question.conversation_id, trace_id)
            await asyncio.sleep(self.pause_s * 12)
            if "故障" in question.text or "crash" in question.text:
                yield ReplyDelta("正在为您查")
                raise ZeroDivisionError("secret innards")
            if "模型" in question.text:
                raise ModelUnavailable("secret endpoint refused")
            if "永远" in question.text:
                yield ReplyDelta("请稍")
                await asyncio.sleep(3600)
            if "重来" in question.text:
                yield ReplyDelta("编造的")
                yield ReplyReset("not_grounded")
            reply = self._reply(question, trace_id)
            for start in range(0, len(reply.text), 8):
                yield ReplyDelta(reply.text[start : start + 8])
                await asyncio.sleep(self.pause_s)
            self._record(question, reply)
            yield ReplyDone(reply)
        except (asyncio.CancelledError, GeneratorExit):
            self.stopped.set()
            raise

    async def search(self, text: str, *, k: int, audience: Audience) -> list[Passage]:
        """Passages that share a character with ``text``."""
        open_to = [p for p in ARTICLES if audience == "internal" or p.audience == "public"]
        return [p for p in open_to if set(text) & set(p.title + p.text)][:k]

    async def suggestions(self, *, user_id: str | None, locale: str | None, page: str | None) -> tuple[str, ...]:
        """Two from state for a known user, and two that everyone asks."""
        if (locale or "zh").startswith("en"):
            own: tuple[str, ...] = ("When will my refund for A1023 arrive?",) if user_id else ()
            return (*own, "How do I change my address?", "I want to talk to a person")
        own = ("订单 A1023 的退款什么时候到账？",) if user_id else ()
        return (*own, "怎么修改收货地址？", "发票抬头能改吗？", "我要找人工客服")

    async def decline_handoff(self, conversation_id: str) -> Conversation:
        """Open again, without the handoff."""
        kept = replace(await self.conversation(conversation_id), status="open", handoffs=())
        self.conversations[conversation_id] = kept
        return kept

    async def rate(self, rating: Rating) -> None:
        """Keep it."""
        self.ratings.append(rating)

    async def readiness(self) -> dict[str, str]:
        """As the test set it."""
        return self.parts

    async def close(self) -> None:
        """Remember it."""
        self.closed = True

    def _record(self, question: Question, reply: Reply) -> None:
        conversation = self.conversations[question.conversation_id]
        turns = (*conversation.turns, Turn("customer", question.text, NOW), Turn("assistant", reply.text, NOW))
        handoffs = (*conversation.handoffs, *((reply.handoff,) if reply.handoff else ()))
        status = "handed_off" if reply.handoff else conversation.status
        self.conversations[conversation.id] = replace(conversation, turns=turns, handoffs=handoffs, status=status)

    def _reply(self, question: Question, trace_id: str) -> Reply:
        english = not any("\u4e00" <= char <= "\u9fff" for char in question.text)
        usual = Reply(
            text=_ANSWER_EN if english else _ANSWER_ZH,
            decision="answer",
            confidence=0.86,
            conversation_id=question.conversation_id,
            trace_id=trace_id,
            citations=(_citation(ARTICLES[1 if english else 0]),),
            state_used=("A1023", "R-77120") if question.user_id else (),
            suggested_questions=("Can it go to my wallet instead?", "How do I change my address?")
            if english
            else ("可以改退到微信零钱吗？", "怎么修改收货地址？"),
            model="scripted",
            prompt=PromptRef("answer", "4be0" * 16),
            timings_ms={"state": 12.4, "retrieve": 18.2, "generate": 640.0, "ground": 3.1},
        )
        text = question.text
        if "人工" in text or "person" in text:
            summary = (
                "The customer asks for a person about the refund of order A1023 (¥239.00, sent on 1 March)."
                if english
                else "用户要求人工客服，事由为订单 A1023 的退款（¥239.00，3 月 1 日发起，尚未到账）。"
            )
            said = (
                "I am passing you to a colleague, who can see our conversation already."
                if english
                else "好的，已为您转接人工客服。同事已能看到我们的对话，您不用重复说明。"
            )
            return replace(
                usual,
                text=said,
                decision="handoff",
                confidence=0.97,
                citations=(),
                handoff=Handoff("customer_request", summary, "refund"),
                suggested_questions=(),
            )
        if "地址" in text or "address" in text:
            ask = "Which order is it about?" if english else "您想改哪一笔订单的地址呢？已发货的订单需要联系快递改派。"
            offers = ("A1023", "A1044") if english else ("改订单 A1023 的地址", "改订单 A1044 的地址")
            return replace(
                usual, text=ask, decision="clarify", confidence=0.44, citations=(), suggested_questions=offers
            )
        if "发票" in text:
            return replace(
                usual,
                text="未报销的电子发票可以在订单详情里换开。",
                model=None,
                prompt=None,
                degraded=("llm", "vector_index"),
                confidence=0.61,
            )
        return usual


def _citation(passage: Passage) -> Citation:
    return Citation(passage.id, passage.title, passage.text, article_id=passage.article_id)


class Served:
    """The real app over fake desks of any workspace, with real keys and tokens and a clock that a test can move."""

    def __init__(self, *, demo: DemoStore | None = None, heartbeat_s: float = 10.0, **settings: Any) -> None:
        self.now = NOW
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        metadata.create_all(engine)
        self.keys = KeyStore(engine, now=lambda: self.now)
        self.tokens = TokenIssuer("s" * 32, ttl_s=3600, now=lambda: self.now)
        self.desks: dict[str, FakeDesk] = {}
        self.app = create_app(
            desks=self.desk,
            keys=self.keys,
            tokens=self.tokens,
            settings=Settings(**settings),
            demo=demo,
            limits=ApiLimits(heartbeat_s=heartbeat_s),
        )

    def desk(self, workspace: str = "default") -> FakeDesk:
        """The desk of this workspace."""
        return self.desks.setdefault(workspace, FakeDesk(workspace))

    def token(self, user_id: str | None = "u-1", workspace: str = "default") -> str:
        """An end user's token."""
        return self.tokens.issue(workspace, user_id).text

    def key(self, role: KeyRole, workspace: str = "default") -> str:
        """A new API key."""
        return self.keys.issue(workspace, role, "test").text

    def client(self, credential: str | None = None, **headers: str) -> httpx.AsyncClient:
        """A client that sends this credential. Errors inside the app come back as answers."""
        if credential is not None:
            headers["Authorization"] = f"Bearer {credential}"
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)

    async def conversation_of(self, user_id: str | None, workspace: str = "default") -> str:
        """The id of a new conversation of this user."""
        return (await self.desk(workspace).open_conversation(user_id=user_id, channel="web")).id


def events_of(text: str) -> list[tuple[str, dict[str, Any]]]:
    """(event, data) pairs of a stream; comments are left out."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = [line for line in block.split("\n") if not line.startswith(":")]
        if lines:
            found.append((lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))))
    return found
