"""A passage says of its chunk all that the two have in common."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

from assistant.domain.knowledge import Chunk, DocumentKind, Passage

CHUNK = Chunk(
    id="c",
    document_id="refund",
    kind=DocumentKind.RESOLUTION,
    position=3,
    title="退款",
    heading="退款 > 到账",
    text="退款一般三个工作日到账。",
    locale="zh",
    audience="internal",
    valid_from=datetime(2025, 1, 1, tzinfo=UTC),
    valid_until=datetime(2027, 1, 1, tzinfo=UTC),
    updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    url="https://shop.example/refund",
    conversation_id="conv-1",
)


def test_a_passage_has_every_field_that_it_shares_with_its_chunk() -> None:
    passage = Passage.of(CHUNK, 0.5, dense=0.4, lexical=0.3)
    shared = {f.name for f in fields(Chunk)} & {f.name for f in fields(Passage)}
    assert {name: getattr(passage, name) for name in shared} == {name: getattr(CHUNK, name) for name in shared}
    assert (passage.score, passage.dense, passage.lexical, passage.matched) == (0.5, 0.4, 0.3, "")
    assert None not in {getattr(CHUNK, name) for name in shared}
