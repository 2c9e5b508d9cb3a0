"""What the HTTP API takes and gives. Unknown keys are refused; the domain's dataclasses do not know HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from assistant.domain.conversation import Role
from assistant.domain.knowledge import Audience, Passage
from assistant.domain.live import Conversation, ConversationStatus
from assistant.domain.reply import Decision, Handoff
from assistant.domain.task import TaskStatus
from assistant.reply_record import handoff_details

MAX_TEXT = 4000


def _question_text(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("empty_text", "the text is empty")
    if any(0xD800 <= ord(c) <= 0xDFFF or c == "\0" for c in text):
        raise PydanticCustomError("broken_text", "the text holds half a character or NUL")
    if len(text) > MAX_TEXT:
        raise PydanticCustomError("text_too_long", "the text has more than 4000 characters")
    return text.strip()


QuestionText = Annotated[str, AfterValidator(_question_text), Field(description=f"1–{MAX_TEXT} characters.")]
Locale = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=32, examples=["zh-CN"])]
Page = Annotated[str, Field(max_length=2000, description="Address of the page the user is on.")]
Shown = Annotated[str, Field(max_length=200)]
UserId = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class Incoming(BaseModel):
    """Base of what is taken: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Outgoing(BaseModel):
    """Base of what is given."""

    model_config = ConfigDict(frozen=True)


class TokenIn(Incoming):
    """For whom the token is: a user of yours, or a visitor."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_id": "u-1001", "ttl_s": 900}, {"visitor": True}]})

    user_id: UserId | None = None
    visitor: bool = False
    ttl_s: int | None = Field(
        default=None, ge=1, le=86_400, description="Seconds; never above the service's own limit."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.visitor == (self.user_id is not None):
            raise PydanticCustomError("one_of", "give either user_id or visitor: true")
        return self


class TokenOut(Outgoing):
    """A token for ``Authorization: Bearer``."""

    token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9…"])
    expires_at: datetime
    user_id: str | None = Field(default=None, examples=["u-1001"])


class ConversationIn(Incoming):
    """How the user came. There is no user id here: it is the token's."""

    channel: str = Field(default="web", pattern=r"^[a-z0-9_.-]{1,32}$", examples=["web"])


class HandoffIn(Incoming):
    """What the customer makes of a transfer."""

    action: Literal["accept", "decline"]


class HandedTaskOut(Outgoing):
    """A task that only staff may do, filled in."""

    name: str = Field(examples=["cancel_order"])
    title: str
    parameters: dict[str, str]
    permission: str = Field(description="What a person must hold to do it.", examples=["parcel.intercept"])


class HandoffOut(Outgoing):
    """What is passed to a person."""

    reason: str = Field(examples=["customer_request"])
    summary: str = Field(examples=["用户要求人工处理订单 A1023 的退款。"])
    skill: str = Field(examples=["refund"])
    rule: str = Field(default="", examples=["asked_for_person"])
    issue: str = Field(default="", examples=["羽绒被退款还没到账"])
    tried: list[str] = []
    passages: list[str] = []
    state: list[str] = []
    question: str = ""
    mood: str = Field(default="", examples=["negative"])
    back_at: datetime | None = None
    task: HandedTaskOut | None = None

    @classmethod
    def of(cls, handoff: Handoff) -> Self:
        """The record's own fields."""
        details = handoff_details(handoff)
        return cls(reason=handoff.reason, summary=handoff.summary, skill=handoff.skill, **details)


class TurnOut(Outgoing):
    """One message; ``seq`` counts from 0. ``author_id`` is shown to staff only."""

    seq: int
    role: Role
    text: str
    at: datetime | None = None
    author_id: str | None = None


class TaskRowOut(Outgoing):
    """One line of what will be or was done."""

    label: str
    value: str


class TaskOut(Outgoing):
    """The task in hand. ``confirmation`` is there while a yes is awaited, until ``expires_at``; it is used once."""

    name: str = Field(examples=["change_address"])
    title: str
    status: TaskStatus
    parameters: dict[str, str]
    summary: list[TaskRowOut]
    missing: list[str]
    confirmation: str | None
    expires_at: datetime | None
    run_id: str | None
    undo: bool | None


class ConversationOut(Outgoing):
    """A conversation. ``token`` is there when a visitor opens one: it replaces the visitor's token.

    ``task`` is what still awaits the user's yes; only they are told it.
    """

    id: str = Field(examples=["c-5f1d"])
    user_id: str | None = None
    channel: str
    status: ConversationStatus
    opened_at: datetime
    turns: list[TurnOut] = []
    handoffs: list[HandoffOut] = []
    token: str | None = None
    task: TaskOut | None = None

    @classmethod
    def of(
        cls,
        conversation: Conversation,
        *,
        for_staff: bool = False,
        token: str | None = None,
        task: Mapping[str, Any] | None = None,
    ) -> Self:
        """As this caller may see it."""
        return cls(
            id=conversation.id,
            user_id=conversation.user_id,
            channel=conversation.channel,
            status=conversation.status,
            opened_at=conversation.opened_at,
            turns=[
                TurnOut(seq=seq, role=t.role, text=t.text, at=t.at, author_id=t.author_id if for_staff else None)
                for seq, t in enumerate(conversation.turns)
            ],
            handoffs=[HandoffOut.of(handoff) for handoff in conversation.handoffs],
            token=token,
            task=None if task is None else TaskOut(**task),
        )


class MessageIn(Incoming):
    """What the user wrote."""

    text: QuestionText = Field(examples=["我的退款什么时候到账？"])
    page: Page | None = None
    shown_suggestions: Annotated[tuple[Shown, ...], Field(max_length=10)] = Field(
        default=(), description="Suggested questions the user saw before this message; kept to measure them."
    )
    locale: Locale | None = None
    confirmation: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{24}$",
        description="Of the task card whose confirm button was pressed. The text must be an explicit yes as well.",
    )


class CitationOut(Outgoing):
    """A passage that the reply rests on; names its article or the conversation it was learnt from."""

    passage_id: str = Field(examples=["9b1e77c0"])
    title: str = Field(examples=["退款多久到账"])
    quote: str = Field(examples=["银行卡退款 1–3 个工作日到账。"])
    article_id: str | None = Field(default=None, examples=["refund-time"])
    conversation_id: str | None = None


class PromptOut(Outgoing):
    """Which prompt wrote the reply."""

    name: str
    sha256: str


class UsageOut(Outgoing):
    """Tokens that the chat model took for one reply, every attempt counted; ``cost`` is null where no price is set."""

    prompt_tokens: int
    completion_tokens: int
    calls: int
    estimated: bool = Field(description="For at least one call the server gave no count.")
    cost: float | None


class ReplyOut(Outgoing):
    """One reply as ``reply_record`` writes it; here it is only documented. ``degraded`` names each step down."""

    text: str = Field(examples=["银行卡退款一般 1–3 个工作日到账。"])
    decision: Decision
    confidence: float = Field(ge=0, le=1)
    citations: list[CitationOut]
    handoff: HandoffOut | None
    state_used: list[str] = Field(examples=[["A1023"]])
    suggested_questions: list[str]
    conversation_id: str
    trace_id: str
    model: str | None
    prompt: PromptOut | None
    timings_ms: dict[str, float] = Field(examples=[{"retrieve": 18.2, "generate": 640.0}])
    degraded: list[str] = []
    task: TaskOut | None = None
    usage: UsageOut | None = None
    cached: bool = Field(default=False, description="The model wrote it for the same question earlier.")


class PassageOut(Outgoing):
    """A ranked passage; ``score`` is 0–1, higher is better."""

    passage_id: str
    article_id: str | None
    conversation_id: str | None
    title: str
    heading: str
    text: str
    score: float
    locale: str
    audience: Audience
    url: str | None
    updated_at: datetime | None

    @classmethod
    def of(cls, passage: Passage) -> Self:
        """What the outside sees of a passage."""
        return cls(
            passage_id=passage.id,
            article_id=passage.article_id,
            conversation_id=passage.conversation_id,
            title=passage.title,
            heading=passage.heading,
            text=passage.text,
            score=passage.score,
            locale=passage.locale,
            audience=passage.audience,
            url=passage.url,
            updated_at=passage.updated_at,
        )


class SearchOut(Outgoing):
    """Passages, best first."""

    passages: list[PassageOut]


class SuggestionsOut(Outgoing):
    """Questions that this user will probably ask, most likely first."""

    questions: list[str] = Field(examples=[["我的退款什么时候到账？", "怎么修改收货地址？"]])


_RATING_VALUES = {"thumb": (-1, 1), "csat": (1, 2, 3, 4, 5), "ces": (1, 2, 3, 4, 5, 6, 7)}


class RatingIn(Incoming):
    """``thumb`` is -1 or 1 on a reply, ``csat`` 1–5 and ``ces`` 1–7 (7 easiest) on the conversation."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "thumb", "value": -1, "turn_seq": 1, "reason": "没有说到账时间"}]}
    )

    kind: Literal["thumb", "csat", "ces"]
    value: int = Field(strict=True)
    turn_seq: int | None = Field(
        default=None, ge=0, description="The rated turn's seq, as GET of the conversation says."
    )
    reason: str | None = Field(default=None, max_length=1000)

    @model_validator(mode="after")
    def _on_its_scale(self) -> Self:
        if self.value not in _RATING_VALUES[self.kind]:
            raise PydanticCustomError("scale", "the value is not on the scale of this kind")
        return self


class HealthOut(Outgoing):
    """The process answers."""

    status: Literal["ok"] = "ok"


class ReadyOut(Outgoing):
    """Part → ``ok`` or what is wrong; without a staff key only ``unavailable``."""

    ready: bool
    parts: dict[str, str] = Field(examples=[{"records": "ok", "vector_index": "ok"}])


class ProblemField(Outgoing):
    """One input that is wrong."""

    field: str
    message: str


class ProblemOut(Outgoing):
    """RFC 9457 problem details; ``instance`` is the trace id to quote."""

    type: str = Field(examples=["urn:teachback:problem:not-found"])
    title: str
    status: int
    detail: str
    instance: str
    errors: list[ProblemField] | None = None
