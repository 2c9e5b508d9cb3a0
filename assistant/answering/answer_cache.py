"""Remembers what the model wrote to a question that anybody may ask, so that asking it again costs no model call.

The key is the prompt itself, with the question in the form that ways of putting it share: passages are looked up for
every question, so an answer is found only while the same passages with the same words would be given to the same model.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from unicodedata import normalize

from assistant.answering.making import Making
from assistant.domain.conversation import Turn
from assistant.generation import Generated
from assistant.guardrails import classify
from assistant.text import fold, simplify

_HAN = r"\u3400-\u9fff"
_SPACE_BY_HAN = re.compile(rf"(?<=[{_HAN}]) | (?=[{_HAN}])")
_END = re.compile(
    r"(?:[ ,.!?;~。…]|(?:谢谢|多谢|感谢)(?:您|你|啦|了)?|(?<=[\u3400-\u9fff])[啊呀呢哦噢哈嘛]"
    r"|\b(?:thanks?(?: you)?(?: so much| a lot)?|please|pls))+$"
)
_START = re.compile(
    r"^(?:[ ,.!。~]|您好|你好|在吗\?*|请问(?:一下)?|(?:我)?想(?:请)?问(?:一下|下)|麻烦问(?:一下|下)"
    r"|\b(?:hi|hello|hey(?: there)?|excuse me|please|pls|good (?:morning|afternoon|evening))\b)+"
)


def normal_form(text: str) -> str:
    """The question without case, width, script, spaces beside Chinese, and the courtesies around it.

    Nothing inside is dropped: not a comma (不，能退吗 is not 不能退吗), not a sign of a figure, not a particle that may
    carry tense. Courtesies alone stay as they are.
    """
    said = _SPACE_BY_HAN.sub("", fold(text).casefold().replace("’", "'"))
    bare = _END.sub("", _START.sub("", said))
    return bare or said


def traditional(text: str) -> bool:
    """Whether the text is in Traditional characters, in which it is then answered."""
    plain = normalize("NFKC", text)
    return simplify(plain) != plain


def for_anybody(making: Making) -> bool:
    """Whether the reply can rest on passages alone: no state, nothing missing, and only courtesies said before."""
    return (
        making.state is None
        and not making.degraded
        and not making.ask_sign_in
        and making.state_answer() is None
        and _only_courtesies(making.question.history)
    )


def _only_courtesies(history: Sequence[Turn]) -> bool:
    said = [turn for turn in history if turn.role == "customer"]
    polite = all(classify(turn.text, "zh").kind in ("small_talk", "thanks") for turn in said)
    return polite and all(turn.role in ("customer", "assistant", "system") for turn in history)


class AnswerCache:
    """Answers of one workspace in one process, the least recently used leave first. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, Generated] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def first(self, keys: Sequence[str]) -> Generated | None:
        """The answer under the first of these keys that has one."""
        with self._lock:
            known = next((key for key in keys if key in self._kept), None)
            if known is None:
                return None
            self._kept.move_to_end(known)
            return self._kept[known]

    def put(self, key: str, answer: Generated) -> None:
        """Keep an answer."""
        with self._lock:
            self._kept[key] = answer
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
