"""Many questions vote; few leave everything as it was."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from assistant.domain.knowledge import Article
from assistant.fusion import Features, Fusion
from assistant.llm.embedders import HashEmbedder
from assistant.query import Query
from assistant.throwaway import throwaway_retriever
from assistant.voting import VOTERS, votes
from ingest.pipeline import article_write

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_a_vote_is_a_share_of_the_nearest_questions() -> None:
    dense = np.array([0.90, 0.88, 0.88, 0.10], dtype=np.float32)
    shares = votes(np.array([0, 1, 1, 2]), 3, dense, np.zeros(4, dtype=np.float32))
    assert shares.sum() == pytest.approx(1.0)
    assert shares[1] > shares[0] > shares[2]  # two that are nearly as near outvote the nearest one


def test_only_the_nearest_vote_and_none_is_no_error() -> None:
    dense = np.concatenate([np.full(VOTERS, 0.9), np.full(500, 0.89)]).astype(np.float32)
    place = np.repeat([0, 1], [VOTERS, 500])
    assert votes(place, 2, dense, np.zeros_like(dense))[1] == 0
    assert votes(np.zeros(0, dtype=np.int64), 2, dense[:0], dense[:0]).tolist() == [0, 0]


def features(questions: float, vote: float) -> Features:
    column = np.ones(2, dtype=np.float32)
    return Features(
        chunk=np.array([0, 1]),
        document=np.array([0, 1]),
        body_dense=0.8 * column,
        body_lexical=0.2 * column,
        question_dense=np.array([0.9, 0.9], dtype=np.float32),
        question_lexical=0.5 * column,
        is_article=np.ones(2, dtype=np.bool_),
        foreign=np.zeros(2, dtype=np.bool_),
        questions=questions * column,
        vote=np.array([vote, 1 - vote], dtype=np.float32),
    )


@pytest.mark.parametrize("questions", [0.0, 1.0, 6.0])
def test_few_questions_do_not_vote(questions: float) -> None:
    raw = Fusion().raw(features(questions, 0.9))
    assert raw[0] == raw[1] == Fusion(vote_weight=0.0, question_trust=1e9).raw(features(questions, 0.9))[0]


def test_many_questions_vote_and_more_of_them_weigh_more() -> None:
    leads = [np.subtract(*Fusion().raw(features(count, 0.9))) for count in (7, 20, 130)]
    assert 0 < leads[0] < leads[1] < leads[2] < Fusion().vote_weight


def test_an_article_with_many_questions_is_found_by_what_most_of_them_say() -> None:
    parcel = tuple(f"where is my parcel number {n} it has not arrived" for n in range(12))
    card = tuple(f"my card number {n} was charged twice" for n in range(12))
    stray = ("where is my parcel charge",)
    articles = [
        Article("parcel", "Parcels", "About parcels.", "en", questions=parcel),
        Article("card", "Cards", "About cards.", "en", questions=(*card, *stray)),
    ]
    writes = [article_write(article, "", "") for article in articles]
    retriever = throwaway_retriever(
        [c for w in writes for c in w.chunks], [e for w in writes for e in w.entries], HashEmbedder()
    )
    found = retriever.search(Query("where is my parcel it has not arrived"), now=NOW).best
    assert found is not None
    assert found.document_id == "parcel"
