"""Which task a customer asks for, by declared patterns and by nearness to declared examples, without any model.

The patterns and examples say what it is about; ``speech`` says whether it is asked for, asked about, or told.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from assistant.domain.task import Task, TaskSet, Words
from assistant.errors import EmbeddingFailed
from assistant.ports import Embedder, Vectors
from assistant.state.answers.identifiers import find_ids
from assistant.state.answers.normalise import normalise
from assistant.tasks.speech import act_of
from assistant.text import Segmenter, has_han

_log = logging.getLogger(__name__)
# Cosines of the bundled embedder, set by hand; not fitted to tests/data/task_utterances.jsonl, which measures them.
NEAR = 0.90
MARGIN = 0.01
SLACK = 0.04
# Words of any request, whatever it is about: "sent wrong, please change it" is near "typed wrong, please change it".
_ANY_REQUEST = (
    "我 你 您 们 的 了 吗 呢 吧 啊 是 有 没 不 要 想 能 可 以 给 帮 忙 麻 烦 请 问 把 被 让 到 去 来 在 和 还 "
    "再 就 都 也 多 少 好 这 那 一 下 个 张 单 件 双 次 第 二 怎 么 什 哪 里 几 久 后 前 现 昨 今 明 天 上 订 "
    "货 东 西 商 品 客 服 改 换 更 修 成 错 写 填 拍 发 买 申 处 理 办 弄 坏 晚 时 间 号 新 点 用 帮我 麻烦 "
    "可以 这个 那个 订单 商品 东西 修改 更换 更改 换成 改成 写错 填错 下单 申请 处理 怎么 什么 哪里 以后 现在 "
    "昨天 今天 上次 一下 一个 一张 "
    "i me my we you your it its this that the a an of for to in on at by from with and or is are be was do "
    "does did don not no please can could would will want need like get got give make have has had order item "
    "thing product last yesterday today now after before instead anymore there here where how what when which "
    "wrong change fix correct update put send help one new again off"
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """``request``: the customer wants ``task`` done; ``question``: asks about it, so it may be offered."""

    task: Task
    intent: Literal["request", "question"]
    score: float
    by: Literal["patterns", "examples", "both"]


class Recogniser:
    """Knows the tasks of one workspace. The examples are embedded once and kept in ``cache``; thread-safe."""

    def __init__(self, tasks: TaskSet, embedder: Embedder | None, cache: Path | None = None) -> None:
        self._tasks = tasks.tasks
        self._embedder = embedder
        self._cache = cache
        self._lock = threading.Lock()
        self._vectors: Vectors | None = None
        self._wanted = [[re.compile(p) for p in task.patterns] for task in self._tasks]
        self._excluded = [[re.compile(p) for p in task.not_patterns] for task in self._tasks]
        self._topics = [_topics(task) for task in self._tasks]
        self._labels: list[tuple[int, str]] = []
        self._texts: list[str] = []
        for number, task in enumerate(self._tasks):
            for kind, texts in (("request", task.examples), ("question", task.questions), ("none", task.not_examples)):
                self._labels += [(number, kind)] * len(texts)
                self._texts += [normalise(text) for text in texts]

    def recognise(self, text: str) -> Recognised | None:
        """The task that the text asks for or about, or None. Blocking: may embed the text once."""
        said = normalise(find_ids(text, None).rest)
        act = act_of(text)
        if act == "other" or len(said.strip()) < 2:
            return None
        by_pattern = self._by_pattern(said)
        near = self._nearest(said)
        if near is not None and by_pattern is not None and near[0] is not by_pattern and near[2] < 0.97:
            near = None
        if by_pattern is not None:
            # an example that looks alike and is no request counts against a bare match of words
            if near is not None and near[1] == "none" and (near[2] >= NEAR + 0.02 or act == "question"):
                return None
            intent: Literal["request", "question"] = "request" if act == "request" else "question"
            return Recognised(by_pattern, intent, 0.95 if near else 0.9, "both" if near else "patterns")
        if near is None or near[1] == "none" or near[2] < NEAR or not self._on_topic(said, near[0]):
            return None
        intent = "request" if act == "request" and near[1] == "request" else "question"
        return Recognised(near[0], intent, round(min(1.0, near[2]), 3), "examples")

    def may_be(self, text: str) -> bool:
        """Whether a model is worth asking: the text is near some task, if not near enough for these rules."""
        near = self._nearest(normalise(find_ids(text, None).rest), among=self._tasks)
        return near is not None and near[1] != "none" and near[2] >= NEAR - SLACK

    def warm(self) -> None:
        """Embed the examples now rather than when the first customer writes."""
        self._examples()

    def _by_pattern(self, said: str) -> Task | None:
        found = [
            task
            for task, wanted, excluded in zip(self._tasks, self._wanted, self._excluded, strict=True)
            if any(p.search(said) for p in wanted) and not any(p.search(said) for p in excluded)
        ]
        if len(found) < 2:
            return found[0] if found else None
        near = self._nearest(said, among=found)
        return near[0] if near is not None else found[0]

    def _on_topic(self, said: str, task: Task) -> bool:
        """Whether the text says what the task is about, and not only that something is to be changed or done."""
        return not self._topics[self._tasks.index(task)].isdisjoint(_words(said))

    def _nearest(self, said: str, among: Sequence[Task] | None = None) -> tuple[Task, str, float] | None:
        """(task, kind, cosine) of the nearest example; None where the margin to the next other label is too small."""
        examples = self._examples()
        if examples is None or self._embedder is None:
            return None
        try:
            vector = self._embedder.embed_queries([said])[0]
        except EmbeddingFailed:
            return None
        cosines = examples @ vector
        best: dict[tuple[int, str], float] = {}
        for label, cosine in zip(self._labels, cosines.tolist(), strict=True):
            if among is None or self._tasks[label[0]] in among:
                best[label] = max(cosine, best.get(label, -1.0))
        ranked = sorted(best.items(), key=lambda item: -item[1])
        (number, kind), score = ranked[0]
        if among is None and len(ranked) > 1:
            other = next((s for (n, k), s in ranked[1:] if n != number or (k == "none") != (kind == "none")), -1.0)
            if score - other < MARGIN:
                return None
        return self._tasks[number], kind, score

    def _examples(self) -> Vectors | None:
        if self._embedder is None or not self._texts:
            return None
        with self._lock:
            if self._vectors is None:
                self._vectors = self._kept()
            return self._vectors

    def _kept(self) -> Vectors | None:
        assert self._embedder is not None
        told = "\n".join([self._embedder.fingerprint, *self._texts])
        path = None
        if self._cache is not None:
            path = self._cache / f"examples-{hashlib.sha256(told.encode()).hexdigest()[:16]}.npy"
            try:
                vectors: Vectors = np.load(path)
                if vectors.shape == (len(self._texts), self._embedder.dimensions):
                    return vectors
            except (OSError, ValueError):
                pass  # not kept yet, or cut off by a kill: made anew below
        try:
            vectors = self._embedder.embed_queries(self._texts)
        except EmbeddingFailed as exc:
            _log.warning("task examples could not be embedded, patterns alone are used: %s", exc)
            return None
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                beside = path.with_suffix(".new.npy")
                np.save(beside, vectors)
                beside.replace(path)
            except OSError as exc:
                _log.warning("task examples could not be kept in %s: %s", path, exc)
        return vectors


def _topics(task: Task) -> frozenset[str]:
    """The words that the task's own texts have in common: in two of them at least."""
    texts = (*_both(task.title), *_both(task.description), *task.examples, *task.questions)
    counted = Counter(word for text in texts for word in _words(text))
    return frozenset(word for word, count in counted.items() if count >= 2)


def _both(words: Words) -> tuple[str, str]:
    return words.zh, words.en


def _words(text: str) -> frozenset[str]:
    """Words, and of Chinese the characters too: 免邮券 and 优惠券 share one."""
    terms = {term for term in Segmenter().terms(text) if not term.startswith("#")}
    return frozenset(terms.union(*(term for term in terms if has_han(term)))) - _any_request()


@cache
def _any_request() -> frozenset[str]:
    return frozenset(term for word in _ANY_REQUEST.split() for term in Segmenter().terms(word))
