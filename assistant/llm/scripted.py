"""A chat model that plays prepared replies: the shipped test double, a real ChatModel rather than a mock."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence

from assistant.ports import ChatDelta, ChatMessage, ToolCall, ToolSpec

ScriptedReply = str | Sequence[str | Exception]


class RepliesExhausted(AssertionError):
    """More calls were made than replies were scripted; no caller may take this for a model failure."""


class ScriptedChat:
    """Plays ``replies`` in order, one a call: a text, or its pieces, where an exception is raised when it is reached.

    ``calls`` holds the messages of every call. ``tool_calls`` are played by ``call_tool`` in the same way; once they
    are used up it proposes nothing, as a model that sees no use for a tool.
    """

    def __init__(
        self,
        replies: Iterable[ScriptedReply] = (),
        *,
        name: str = "scripted",
        usage: Mapping[str, int] | None = None,
        tool_calls: Iterable[ToolCall | Exception | None] = (),
    ) -> None:
        self._replies = deque([reply] if isinstance(reply, str) else list(reply) for reply in replies)
        self._name = name
        self._usage = dict(usage or {})
        self.calls: list[tuple[ChatMessage, ...]] = []
        self._tool_calls = deque(tool_calls)
        self.tool_requests: list[tuple[tuple[ChatMessage, ...], tuple[ToolSpec, ...]]] = []

    @property
    def name(self) -> str:
        """The name given."""
        return self._name

    @property
    def remaining(self) -> int:
        """How many replies have not been asked for."""
        return len(self._replies)

    async def stream(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[ChatDelta, None]:
        """The next reply's pieces, then one empty delta with the usage; RepliesExhausted when there is none."""
        self.calls.append(tuple(messages))
        if not self._replies:
            raise RepliesExhausted(f"Call {len(self.calls)} to {self._name}, but every scripted reply was used.")
        for piece in self._replies.popleft():
            if isinstance(piece, Exception):
                raise piece
            yield ChatDelta(piece)
        yield ChatDelta(usage=self._usage)

    async def call_tool(
        self,
        messages: Sequence[ChatMessage],
        tools: Sequence[ToolSpec],
        *,
        told: Callable[[Mapping[str, int]], None] | None = None,
    ) -> ToolCall | None:
        """The next scripted call; an exception among them is raised."""
        self.tool_requests.append((tuple(messages), tuple(tools)))
        planned = self._tool_calls.popleft() if self._tool_calls else None
        if isinstance(planned, Exception):
            raise planned
        if told is not None:
            told(self._usage)
        return planned
