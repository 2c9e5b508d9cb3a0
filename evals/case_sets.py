"""Builds sets of reply cases: out of transcripts, without near-copies, split by time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from assistant.domain.conversation import Transcript, Turn
from assistant.text import fold
from evals.answer_metrics.sentences import content_sentences
from evals.cases import ReplyCase, asked_by
from ingest.transcripts import carries_information, issues

_SHINGLE = 4


def cases_from_transcripts(
    transcripts: Iterable[Transcript], second_replies: Mapping[str, Sequence[str]] | None = None
) -> list[ReplyCase]:
    """A case for each issue that a human answered, in conversations moved to a human and in human ones alike.

    The case ends with the last customer turn before the agent's first informative turn on the issue; all turns up to
    there are kept as they were, courtesies and system lines included, for that is what a live draft is made from. Its
    reference is the agent's run of informative turns from there to the customer's next informative turn, across
    issues. Greetings, calls to wait and questions for a detail are no replies where one follows, so a case may hold
    them among its turns. Conversations that ended unresolved are in: their replies were still what a person said.
    The id is ``<conversation_id>-<index of the customer turn>``.

    ``second_replies`` (conversation → what other agents would have said to the main issue) become further references
    of that conversation's case whose own reference they share most with.
    """
    made: list[ReplyCase] = []
    for transcript in transcripts:
        of_conversation = _cases_of(transcript)
        for second in (second_replies or {}).get(transcript.conversation_id, ()):
            if of_conversation:
                nearest = max(range(len(of_conversation)), key=lambda i: _overlap(second, of_conversation[i]))
                case = of_conversation[nearest]
                of_conversation[nearest] = replace(case, references=(*case.references, second))
        made.extend(of_conversation)
    return made


def _cases_of(transcript: Transcript) -> list[ReplyCase]:
    turns = transcript.turns
    answers = sorted({i for issue in issues(transcript) for i in issue.answer if _informs(turns[i])})
    firsts = sorted(_first_reply(transcript, issue.answer) for issue in issues(transcript))
    cases: list[ReplyCase] = []
    covered = last = -1
    for first in firsts:
        asked = next((i for i in range(first - 1, -1, -1) if turns[i].role == "customer"), None)
        if first <= covered or asked is None or asked == last:
            continue
        later = (
            i for i in range(first + 1, len(turns)) if turns[i].role == "customer" and carries_information(turns[i])
        )
        end = next(later, len(turns))
        run = [index for index in answers if first <= index < end] or [first]
        covered, last = run[-1], asked
        at = turns[asked].at or transcript.opened_at
        cases.append(
            ReplyCase(
                case_id=f"{transcript.conversation_id}-{asked}",
                conversation_id=transcript.conversation_id,
                turns=turns[: asked + 1],
                references=("\n".join(turns[index].text.strip() for index in run),),
                locale=transcript.locale,
                transferred=transcript.handoff is not None,
                at=at,
                user_state=transcript.user_state,
                article_ids=transcript.resolution.article_ids if transcript.resolution else (),
                channel=transcript.channel,
            )
        )
    return cases


def _first_reply(transcript: Transcript, answer: Sequence[int]) -> int:
    """The first turn that replies: neither a promise to look nor a bare question, where a later one does."""
    replies = (
        i for i in answer if _informs(transcript.turns[i]) and not _BARE_QUESTION.fullmatch(transcript.turns[i].text)
    )
    return next(replies, answer[0])


def _informs(turn: Turn) -> bool:
    return bool(content_sentences(turn.text))


_BARE_QUESTION = re.compile(r"[^。.!！?？；;]*(?:[,，。!！][^。.!！?？；;\d]{0,25})?[?？]\s*")


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """The cases left, and for each one dropped the id of the case it repeats."""

    cases: tuple[ReplyCase, ...]
    repeats: Mapping[str, str]


def without_near_copies(cases: Sequence[ReplyCase], threshold: float = 0.85) -> Deduplicated:
    """The cases without those whose customer turns and reference nearly repeat an earlier case's.

    Nearness is the Jaccard similarity of character 4-grams with digits folded together, so that another order number
    makes no other case; exact, with prefix filtering (Bayardo, Ma & Srikant 2007) instead of all pairs.
    """
    shingles = [_shingles(_asked(case) + "\n" + (case.references[0] if case.references else "")) for case in cases]
    frequency = Counter(s for each in shingles for s in each)
    holders: dict[str, list[int]] = {}
    kept: list[ReplyCase] = []
    repeats: dict[str, str] = {}
    for index, case in enumerate(cases):
        rare_first = sorted(shingles[index], key=lambda s: (frequency[s], s))
        prefix = rare_first[: len(rare_first) - int(-(-threshold * len(rare_first) // 1)) + 1]
        candidates = sorted({other for s in prefix for other in holders.get(s, ())})
        same = next((o for o in candidates if _jaccard(shingles[index], shingles[o]) >= threshold), None)
        if same is not None:
            repeats[case.case_id] = cases[same].case_id
            continue
        kept.append(case)
        for shingle in prefix:
            holders.setdefault(shingle, []).append(index)
    return Deduplicated(tuple(kept), repeats)


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """Cases before and from a moment on; ``undated`` can stand on neither side."""

    earlier: tuple[ReplyCase, ...]
    later: tuple[ReplyCase, ...]
    undated: tuple[ReplyCase, ...]


def split_by_time(cases: Sequence[ReplyCase], moment: datetime) -> TimeSplit:
    """Whole conversations by their first case's time, so that none is on both sides."""
    began: dict[str, datetime] = {}
    for case in cases:
        if case.at is not None:
            began[case.conversation_id] = min(case.at, began.get(case.conversation_id, case.at))
    dated = [case for case in cases if case.conversation_id in began]
    return TimeSplit(
        earlier=tuple(case for case in dated if began[case.conversation_id] < moment),
        later=tuple(case for case in dated if began[case.conversation_id] >= moment),
        undated=tuple(case for case in cases if case.conversation_id not in began),
    )


def _asked(case: ReplyCase) -> str:
    return asked_by(case, most=1_000)


def _shingles(text: str) -> frozenset[str]:
    plain = re.sub(r"\d+", "0", re.sub(r"[\W_]+", "", fold(text).casefold()))
    return frozenset(plain[i : i + _SHINGLE] for i in range(max(1, len(plain) - _SHINGLE + 1)))


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b)


def _overlap(text: str, case: ReplyCase) -> float:
    words, own = _shingles_of(text), _shingles_of(case.references[0])
    return len(words & own) / (len(words) * len(own)) ** 0.5 if words and own else 0.0


def _shingles_of(text: str) -> frozenset[str]:
    plain = re.sub(r"[\W_]+", "", fold(text).casefold())
    return frozenset(plain[i : i + 2] for i in range(max(0, len(plain) - 1)))
