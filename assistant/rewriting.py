"""A follow-up as one standalone question, by the chat model; where it fails or makes things up the rule stands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import prompts
from assistant.domain.conversation import Turn
from assistant.errors import ModelUnavailable
from assistant.figures import figures
from assistant.followup import LONGEST, LOOK_BACK
from assistant.generation import as_conversation, as_data, closing
from assistant.metering import TokenMeter
from assistant.ports import ChatMessage, ChatModel
from assistant.settings import Settings
from assistant.text import language_of

_log = logging.getLogger(__name__)


class QuestionRewriter:
    """Asks the model within ``timeout_s``; one call for each question that has a conversation before it."""

    def __init__(self, model: ChatModel, timeout_s: float) -> None:
        self._model = model
        self._timeout_s = timeout_s
        self._prompt = prompts.load("rewrite")

    async def rewrite(self, question: str, history: Sequence[Turn], meter: TokenMeter) -> str | None:
        """The question on its own; None where the model failed, was slow, or wrote what nobody had said.

        What nobody had said is a figure that stands neither in the question nor in the turns shown, words in another
        language, or more than a question.
        """
        shown = [turn for turn in history if turn.role != "system"][-LOOK_BACK:]
        rendered = self._prompt.messages(conversation=as_conversation(shown), question=as_data(question))
        messages = [ChatMessage(each.role, each.content) for each in rendered]
        call, written = meter.call(messages), ""
        try:
            async with asyncio.timeout(self._timeout_s), closing(self._model.stream(messages)) as deltas:
                async for delta in deltas:
                    written += delta.text
                    call.hear(delta.text, delta.usage)
        except (ModelUnavailable, TimeoutError) as exc:
            _log.warning("the question is searched as it stands: %s", exc or "the model took too long")
            return None
        made = written.strip().strip("\"'“”「」").strip()
        return made if _faithful(made, question, shown) else None


def rewriter_for(model: ChatModel | None, settings: Settings) -> QuestionRewriter | None:
    """A rewriter where a model is configured and the settings ask for it."""
    if model is None or not settings.rewrite_questions:
        return None
    return QuestionRewriter(model, settings.rewrite_timeout_s)


def _faithful(made: str, question: str, shown: Sequence[Turn]) -> bool:
    if not made or "\n" in made or len(made) > max(LONGEST, 2 * len(question)):
        return False
    said = "\n".join([*(turn.text for turn in shown), question])
    known = {figure.number for figure in figures(said)}
    return language_of(made) == language_of(question) and all(f.number in known for f in figures(made))
