"""When a suggestion counts as what the user then asked; strict, since a lenient rule measures itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.domain.state import UserState
from assistant.state.answers.wording import item_names
from assistant.text import fold


@dataclass(frozen=True, slots=True)
class Offer:
    """A suggestion as it is compared: its matter, the articles that answer it, and its words."""

    intent: str | None
    articles: frozenset[str] = frozenset()
    text: str = ""


def same_matter(offer: Offer, intent: str, question: str, state: UserState | None) -> bool:
    """The same intent, and not about another of the user's products than the question names."""
    return offer.intent is not None and offer.intent == intent and not _other_product(offer.text, question, state)


def same_by_label(offer: Offer, labelled: frozenset[str] | None, question: str, state: UserState | None) -> bool | None:
    """What a careful reader's label says: an article in common, no other product. None where there is no label."""
    if labelled is None:
        return None
    return bool(offer.articles & labelled) and not _other_product(offer.text, question, state)


def _other_product(offered: str, question: str, state: UserState | None) -> bool:
    names = {name for order in (state.of_kind("order") if state is not None else ()) for name in item_names(order)}
    named = {name for name in names if name in offered}
    if not named:
        return False
    grams = _grams(question)
    asked = {name for name in names if _own_grams(name, names) & grams}
    return bool(asked) and not asked & named


def _own_grams(name: str, names: set[str]) -> set[str]:
    """Parts of the name that no other of the user's products shares."""
    others: set[str] = set().union(*(_grams(other) for other in names if other != name))
    return _grams(name) - others


def _grams(text: str) -> set[str]:
    folded = fold(text).casefold()
    return {*re.findall(r"(?=([\u3400-\u9fff]{2}))", folded), *re.findall(r"[a-z]{4,}", folded)}


def labelled_articles(
    labels: Mapping[str, Sequence[Mapping[str, object]]],
    conversation_id: str,
    turns: Sequence[int],
    twins: Mapping[str, str],
) -> frozenset[str] | None:
    """Articles of the labelled issue that holds these turns; None where no issue does."""
    for issue in labels.get(conversation_id, ()):
        own, articles = issue.get("customer_turns"), issue.get("article_ids")
        if isinstance(own, list) and isinstance(articles, list) and set(own) & set(turns):
            return frozenset(twins.get(str(a), str(a)) for a in articles)
    return None
