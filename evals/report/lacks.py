"""What is missing for a gap, by cause, in words that a knowledge manager can act on; from the experiments' evidence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from assistant.handoff import asks_for_person
from evals.answer_metrics.actions import actions
from evals.cases import ReplyCase
from evals.loop.drafts import draft_for
from evals.loop.gaps import Gap, one_line
from evals.report.pieces import clean
from evals.root_causes import Cause, Diagnosis
from ingest.transcripts import carries_information

_RULES, _QUESTION, _SENTENCE = 200, 60, 70
_NUMBERS = re.compile(r"[A-Za-z]*\d{5,}")  # of orders and parcels: long, and they tell nothing of the matter


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing to do: ``word`` names the sentence in the report's words, ``values`` fill it.

    ``kinds`` are names of data or actions, ``clashes`` (human's, knowledge's) as in the evidence, both still to be put
    into the report's language; ``past`` is a conversation that holds the answer where no article does.
    """

    word: str
    cases: int
    values: Mapping[str, str] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    clashes: tuple[tuple[str, str], ...] = ()
    past: str | None = None


def lacks_of(
    gap: Gap,
    cases: Mapping[str, ReplyCase],
    diagnoses: Sequence[Diagnosis],
    titles: Mapping[str, str],
    quoted: Mapping[str, str],
    now: datetime,
    most: int = 3,
) -> list[Lack]:
    """At most ``most`` lacks, that of most cases first; ``titles`` of articles, ``quoted`` by case what was cited."""
    own = [d for d in diagnoses if d.case_id in set(gap.case_ids) and d.case_id in cases]
    causes = Counter(d.cause for d in own).most_common(most)
    return [_lack(cause, gap, [d for d in own if d.cause is cause], cases, titles, quoted, now) for cause, _ in causes]


def telling(case: ReplyCase) -> str:
    """What the customer said that says most: the longest of the last turns that do not ask for a person."""
    said = [turn for turn in case.turns if turn.role == "customer"][-4:]
    open_questions = [t.text for t in said if carries_information(t) and not asks_for_person(t.text)]
    return max(open_questions, key=lambda text: len(_NUMBERS.sub("", text)), default=case.question)


def _lack(
    cause: Cause,
    gap: Gap,
    own: Sequence[Diagnosis],
    cases: Mapping[str, ReplyCase],
    titles: Mapping[str, str],
    quoted: Mapping[str, str],
    now: datetime,
) -> Lack:
    members = [cases[d.case_id] for d in own]
    plain = Lack(f"lack_{cause.value}", len(own))
    match cause:
        case Cause.KNOWLEDGE_MISSING:
            ids = tuple(d.case_id for d in own)
            draft = draft_for(replace(gap, case_ids=ids), cases, now)
            if draft is None:
                return replace(plain, word="lack_no_rule")
            return replace(plain, values={"what": clean(" ".join(draft.article.body.split()), _RULES)})
        case Cause.KNOWLEDGE_STALE:
            return _stale(plain, own, titles, quoted)
        case Cause.RETRIEVAL_MISSED | Cause.ANSWER_DID_NOT_SOLVE:
            title, past = _commonest([d.evidence.get("passage") or {} for d in own], titles)
            held = [d for d in own if _holds(d.evidence.get("passage") or {}, title, titles)] or own
            asked = one_line(
                clean(max((telling(cases[d.case_id]) for d in held), key=lambda text: len(_NUMBERS.sub("", text)))),
                _QUESTION,
            )
            word = plain.word + ("_past" if past else "")
            return replace(plain, word=word, values={"article": title, "asked": asked}, past=past)
        case Cause.STATE_NEEDED:
            values = (str(value).split(" ")[0] for d in own for value in d.evidence.get("held_values", ()))
            kinds = tuple(dict.fromkeys(values))
            return replace(plain, word=plain.word if kinds else "lack_records", kinds=kinds)
        case Cause.ACTION_NEEDED:
            done = Counter(act for case in members for act in actions(case.references[0]) if " " not in act)
            kinds = tuple(act for act, _ in done.most_common(3))
            return replace(plain, word=plain.word if kinds else "lack_staff", kinds=kinds)
        case _:
            return plain


def _stale(plain: Lack, own: Sequence[Diagnosis], titles: Mapping[str, str], quoted: Mapping[str, str]) -> Lack:
    for diagnosis in own:
        rival = diagnosis.evidence.get("rival")
        if rival:
            name = str(rival["document_id"])
            found = tuple((_short(a), _short(b)) for a, b in rival["pairs"][:2])
            return replace(plain, values={"article": titles.get(name, name)}, clashes=found)
    for diagnosis in own:
        clashes = diagnosis.evidence.get("quoted")
        if clashes:
            found = tuple((_short(a), _short(b)) for a, b in clashes[:2])
            title = quoted.get(diagnosis.case_id, "")
            return replace(plain, word="lack_quoted", values={"article": title}, clashes=found)
    title, _ = _commonest([d.evidence.get("passage") or {} for d in own], titles)
    return replace(plain, word="lack_changed", values={"article": title})


def _commonest(passages: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> tuple[str, str | None]:
    """(title, the conversation where it is no article) of the passage that most cases have; articles first."""
    articles = Counter(str(p["document_id"]) for p in passages if p.get("kind") == "article")
    if articles:
        name = articles.most_common(1)[0][0]
        return titles.get(name, name), None
    others = Counter(str(p["document_id"]) for p in passages if p.get("document_id"))
    if not others:
        return "", None
    name = others.most_common(1)[0][0]
    return name, name.split("/")[0]


def _holds(passage: Mapping[str, Any], title: str, titles: Mapping[str, str]) -> bool:
    name = str(passage.get("document_id", ""))
    return title in (name, titles.get(name))


def _short(text: str) -> str:
    return one_line(clean(text), _SENTENCE)
