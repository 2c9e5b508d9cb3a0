"""Replays reply cases through the assistant, with a guard that no case sees its own conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.answering import Answerer
from assistant.domain.reply import Reply
from assistant.errors import TeachbackError
from assistant.ports import Progress
from evals.cases import Prediction, ReplyCase


class LeakFound(TeachbackError):
    """A reply rests on the case's own conversation: the run proves nothing and is stopped."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Replies by case id, and how many pieces of each case's own conversation the guard kept out of its sight."""

    replies: Mapping[str, Reply]
    hidden: Mapping[str, int]

    def predictions(self) -> list[Prediction]:
        """The replies as predictions, in order."""
        return [
            Prediction(key, reply.text, reply.decision, reply.confidence, reply.citations)
            for key, reply in self.replies.items()
        ]


async def replay(
    cases: Sequence[ReplyCase],
    answerer: Answerer,
    own_pieces: Mapping[str, int],
    progress: Progress | None = None,
) -> Replay:
    """Draft a reply to each case. Raises LeakFound when a reply cites or retrieved the case's own conversation.

    ``own_pieces`` is how many indexed pieces come from each conversation.
    """
    replies: dict[str, Reply] = {}
    for number, case in enumerate(cases, 1):
        reply = await answerer.draft(
            case.turns, state=case.user_state, locale=case.locale, exclude=frozenset({case.conversation_id})
        )
        check_leak(case, reply)
        replies[case.case_id] = reply
        if progress is not None:
            progress.advance("replaying", number, len(cases))
    return Replay(replies, {case.case_id: own_pieces.get(case.conversation_id, 0) for case in cases})


def check_leak(case: ReplyCase, reply: Reply) -> None:
    """Raises LeakFound when anything the reply rests on comes from the case's own conversation."""
    seen = {p.conversation_id for p in reply.passages} | {c.conversation_id for c in reply.citations}
    if case.conversation_id in seen:
        raise LeakFound(f"case {case.case_id} saw its own conversation {case.conversation_id}; the run was stopped")
