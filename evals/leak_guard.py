"""Keeps a case from being answered with its own answer: finds what to hide, and proves afterwards that it was hidden.

Three ways an answer leaks: the case's own conversation is in the knowledge; a copy of it is (an export ingested twice
under another id, the same customer telling the same again); somebody wrote its resolution up as an article.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from assistant.domain.knowledge import Chunk, DocumentKind
from assistant.domain.reply import Reply
from assistant.errors import TeachbackError
from assistant.text import fold
from evals.cases import ReplyCase
from evals.knowledge_view import Knowledge, known_from, source_key

_SIZE = 6  # characters of a shingle: two people who say the same thing share few of them
_FEWEST = 12  # distinctive shingles below which nothing can be told
_SHARED_BY = 2  # conversations a shingle may stand in and still belong to one of them (itself and one copy)
_COPY, _SAME_CUSTOMER, _DERIVED, _RECITED = 0.5, 0.3, 0.5, 0.5  # shares of a case's distinctive shingles


class LeakFound(TeachbackError):
    """A reply rests on something that was hidden from its case: the run proves nothing and is stopped."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What one case may not see, as source keys by reason: ``own``, ``copy`` or ``derived``."""

    own: frozenset[str]
    copies: frozenset[str]
    derived: frozenset[str]

    @property
    def keys(self) -> frozenset[str]:
        """All of them."""
        return self.own | self.copies | self.derived


class LeakGuard:
    """Knows for each case what in the knowledge is its own conversation, a copy of it, or made from it.

    A shingle is distinctive of a case where it stands in its human reply and in the resolutions of at most two
    conversations; a phrase that agents paste everywhere belongs to no case. A resolution of another conversation is a
    copy when it holds half of the case's distinctive shingles, or 0.3 of them and is of the same customer. An article
    is derived when it holds half of them, unless it was last changed before the case: then the agent quoted it. An
    article that says which conversations it was written from is derived for their cases, whatever it holds.
    """

    def __init__(
        self,
        cases: Sequence[ReplyCase],
        knowledge: Knowledge,
        customers: Mapping[str, str] | None = None,
        written_from: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """``customers`` is conversation → customer, ``written_from`` article → conversations, where known."""
        self._customers = dict(customers or {})
        self._written_from = {article: frozenset(told) for article, told in (written_from or {}).items()}
        self._pieces: dict[str, frozenset[str]] = {}
        self._chunks: dict[str, list[Chunk]] = defaultdict(list)
        questions: dict[str, list[str]] = defaultdict(list)
        for entry in knowledge.entries:
            questions[entry.chunk_id].append(entry.text)
        for chunk in knowledge.chunks:
            self._chunks[source_key(chunk.kind, chunk.document_id, chunk.conversation_id)].append(chunk)
        for key, chunks in self._chunks.items():
            self._pieces[key] = shingles("\n".join(t for c in chunks for t in (c.title, c.text, *questions[c.id])))
        self._holders: dict[str, set[str]] = defaultdict(set)
        for key, held in self._pieces.items():
            for shingle in held:
                self._holders[shingle].add(key)
        self._conversations = {key for key, chunks in self._chunks.items() if chunks[0].kind is DocumentKind.RESOLUTION}
        said: dict[str, set[str]] = defaultdict(set)
        for case in cases:
            said[case.conversation_id].update(shingles("\n".join(case.references[:1])))
        self._told = Counter(shingle for held in said.values() for shingle in held)
        self._hidden = {case.case_id: self._find(case) for case in cases}

    def on(
        self,
        cases: Sequence[ReplyCase],
        knowledge: Knowledge,
        written_from: Mapping[str, Collection[str]] | None = None,
    ) -> LeakGuard:
        """A guard of the same customers over other knowledge, which may hold articles written from conversations."""
        return LeakGuard(cases, knowledge, self._customers, {**self._written_from, **(written_from or {})})

    def marked(self, case: ReplyCase) -> bool:
        """Whether an article says that it was written from this case's conversation, or from a copy of it."""
        hidden = self._hidden[case.case_id]
        return any(told & (hidden.own | hidden.copies) for told in self._written_from.values())

    def hidden(self, case: ReplyCase) -> Hidden:
        """What this case may not see."""
        return self._hidden[case.case_id]

    def pieces(self, keys: frozenset[str]) -> int:
        """How many chunks of the knowledge stand behind these keys."""
        return sum(len(self._chunks.get(key, ())) for key in keys)

    def check(self, case: ReplyCase, reply: Reply) -> None:
        """Raises LeakFound when anything the reply was given or cites comes from what was hidden."""
        keys = self._hidden[case.case_id].keys
        for passage in reply.passages:
            if source_key(passage.kind, passage.document_id, passage.conversation_id) in keys:
                raise LeakFound(f"case {case.case_id} was given {passage.document_id}, which is hidden from it")
        for citation in reply.citations:
            found = f"\0{citation.article_id}" if citation.article_id is not None else citation.conversation_id
            if found in keys:
                raise LeakFound(f"case {case.case_id} cites {citation.title!r}, which is hidden from it")

    def recites(self, case: ReplyCase, reply: Reply) -> bool:
        """Whether the reply holds half of what is distinctive of the case's human reply and stands in nothing it saw.

        A reply can only know such words by a way that the other checks do not see.
        """
        own = self._distinctive(case)
        if len(own) < _FEWEST:
            return False
        seen = "\n".join((*(p.text for p in reply.passages), *(c.quote for c in reply.citations)))
        unseen = own - shingles(seen) - shingles("\n".join(turn.text for turn in case.turns))
        return len(unseen) >= _FEWEST and len(unseen & shingles(reply.text)) >= _RECITED * len(unseen)

    def _find(self, case: ReplyCase) -> Hidden:
        own = frozenset({case.conversation_id})
        distinctive = self._distinctive(case)
        if len(distinctive) < _FEWEST:
            return Hidden(own, frozenset(), self._written(own))
        shares = Counter(key for shingle in distinctive for key in self._holders.get(shingle, ()))
        copies, derived = set(), set()
        customer = self._customers.get(case.conversation_id)
        for key, count in shares.items():
            share = count / len(distinctive)
            if key in own:
                continue
            if key in self._conversations:
                same = customer is not None and self._customers.get(key) == customer
                if share >= (_SAME_CUSTOMER if same else _COPY):
                    copies.add(key)
            elif share >= _DERIVED and not self._was_known(key, case):
                derived.add(key)
        return Hidden(own, frozenset(copies), frozenset(derived) | self._written(own | copies))

    def _written(self, conversations: Collection[str]) -> frozenset[str]:
        """Source keys of the articles that were written from any of these."""
        return frozenset(f"\0{a}" for a, told in self._written_from.items() if told & set(conversations))

    def _distinctive(self, case: ReplyCase) -> frozenset[str]:
        said = shingles("\n".join(case.references[:1]))
        return frozenset(
            s
            for s in said
            if self._told[s] <= _SHARED_BY and len(self._holders.get(s, set()) & self._conversations) <= _SHARED_BY
        )

    def _was_known(self, key: str, case: ReplyCase) -> bool:
        moments = [known_from(chunk) for chunk in self._chunks[key]]
        return case.at is not None and all(moment is not None and moment <= case.at for moment in moments)


def shingles(text: str) -> frozenset[str]:
    """Character 6-grams of the folded text without punctuation."""
    plain = re.sub(r"[\W_]+", "", fold(text).casefold())
    return frozenset(plain[i : i + _SIZE] for i in range(max(0, len(plain) - _SIZE + 1)))
