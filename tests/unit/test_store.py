"""The schema, the records' change log, and BM25 against a worked example."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from assistant.domain.knowledge import Article
from assistant.errors import ConfigurationError
from assistant.store.database import open_database
from assistant.store.lexical import K1, B, build_postings
from assistant.store.records import KnowledgeRecords
from assistant.store.tables import metadata
from assistant.text import Segmenter
from ingest.pipeline import article_write, content_hash

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def write(article_id: str, body: str) -> object:
    article = Article(id=article_id, title=f"About {article_id}", body=body, locale="en")
    return article_write(article, content_hash(article), "file")


def test_migrations_lead_to_the_schema_that_the_code_uses(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_database_of_a_newer_version_is_a_clear_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    open_database(url).dispose()
    with create_engine(url).begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="another version of Teachback"):
        open_database(url)


def test_a_changed_document_keeps_its_old_versions(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    records = KnowledgeRecords(engine, "blue")
    records.write([write("x", "One.")], now=NOW)  # type: ignore[list-item]
    records.write([write("x", "Two.")], now=NOW)  # type: ignore[list-item]
    records.remove(article_ids=["x"], now=NOW)
    with engine.connect() as connection:
        rows = connection.execute(text("select version, removed_at from document_versions order by version")).all()
    assert [row.version for row in rows] == [1, 2]
    assert all(row.removed_at is not None for row in rows)
    assert records.counts()["entries"] == 0


def test_no_workspace_reads_what_another_wrote(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    blue, red = KnowledgeRecords(engine, "blue"), KnowledgeRecords(engine, "red")
    blue.write([write("x", "One.")], now=NOW)  # type: ignore[list-item]
    red.remove(article_ids=["x"], now=NOW)
    assert blue.counts()["articles"] == 1
    assert red.counts() == {"articles": 0, "transcripts": 0, "resolutions": 0, "chunks": 0, "entries": 0}
    assert red.chunks([chunk.id for chunk in blue.all_chunks()]) == {}


def test_bm25_as_worked_by_hand() -> None:
    postings = build_postings(["red shoe", "red hat hat"], ["body", "body"], Segmenter())
    # every Latin word is indexed twice (see Segmenter), so lengths are 4 and 6, and their mean is 5
    idf = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    shoe = idf * 1 * (K1 + 1) / (1 + K1 * (1 - B + B * 4 / 5))
    coverage = postings.coverage(["shoe", "#shoe"])
    assert coverage == pytest.approx([2 * shoe / (2 * idf * (K1 + 1)), 0.0], rel=1e-5)


def test_a_question_in_another_language_covers_nothing() -> None:
    segmenter = Segmenter()
    postings = build_postings(["退款多久到账", "运费谁来承担"], ["body", "body"], segmenter)
    assert postings.coverage(segmenter.terms("When will I get my refund?")).max() == 0.0
    assert np.argmax(postings.coverage(segmenter.terms("退款什么时候到账"))) == 0


def test_traditional_full_width_and_case_do_not_matter() -> None:
    segmenter = Segmenter()
    assert set(segmenter.terms("退貨運費")) == set(segmenter.terms("退货运费"))
    assert segmenter.terms("ＳＱ２０８７ Wi-Fi") == segmenter.terms("sq2087 WI-FI")
