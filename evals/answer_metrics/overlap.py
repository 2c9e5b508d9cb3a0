"""BLEU and chrF, reported only so that figures can be set beside those of others.

On real after-sales replies one constant courtesy beats the nearest old reply on BLEU: no decision rests on these.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W_]+|[^\w\s]")


def corpus_bleu(replies: Sequence[str], references: Sequence[Sequence[str]]) -> float | None:
    """BLEU-4 of the corpus, 0–1, without smoothing (Papineni et al. 2002), Chinese by character; None for no replies.

    Raises ValueError where the two are not of one length.
    """
    if not replies:
        return None
    matched, total = [0] * 4, [0] * 4
    reply_length = reference_length = 0
    for reply, accepted in zip(replies, references, strict=True):
        tokens = _tokens(reply)
        lists = [_tokens(reference) for reference in accepted]
        reply_length += len(tokens)
        reference_length += min((len(r) for r in lists), key=lambda n: (abs(n - len(tokens)), n), default=0)
        for order in range(1, 5):
            have = _ngrams(tokens, order)
            allowed: Counter[tuple[str, ...]] = Counter()
            for reference in lists:
                allowed |= _ngrams(reference, order)
            matched[order - 1] += sum((have & allowed).values())
            total[order - 1] += sum(have.values())
    if not all(matched):
        return 0.0
    precision = sum(math.log(m / t) for m, t in zip(matched, total, strict=True)) / 4
    return math.exp(min(0.0, 1 - reference_length / reply_length) + precision)


def chrf(reply: str, references: Sequence[str]) -> float:
    """chrF2 0–1 against the best of the references: character 1- to 6-grams without white space (Popović 2015)."""
    return max((_chrf(reply, reference) for reference in references), default=0.0)


def _chrf(reply: str, reference: str) -> float:
    said, wanted = re.sub(r"\s", "", reply), re.sub(r"\s", "", reference)
    precisions, recalls = [], []
    for order in range(1, 7):
        have, want = _pieces(said, order), _pieces(wanted, order)
        if have and want:
            shared = sum(min(count, want[piece]) for piece, count in have.items() if piece in want)
            precisions.append(shared / sum(have.values()))
            recalls.append(shared / sum(want.values()))
    if not precisions:
        return 0.0
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return 5 * precision * recall / (4 * precision + recall) if precision + recall else 0.0


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.casefold())


def _ngrams(items: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(items[i : i + order]) for i in range(len(items) - order + 1))


def _pieces(text: str, order: int) -> Counter[str]:
    return Counter([text[i : i + order] for i in range(len(text) - order + 1)])
