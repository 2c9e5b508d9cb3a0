"""The retail shop in a real PostgreSQL: right for every user, never written to, and a hung server frees its threads."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError

from assistant.errors import SourceFailed
from assistant.state.sources.build import build_sources
from assistant.state.sources.composite import CompositeSource
from assistant.state.sources.config import load_config
from assistant.state.sources.sql import WORKERS, SqlSource
from tests.integration.postgres_server import postgres
from tests.integration.shop_questions import retail_questions
from tests.integration.shop_servers import RETAIL_YAML, SCHEMA, retail_rows
from tests.integration.test_state_shops import wrong_answers

pytestmark = pytest.mark.e2e
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    if not SHARED.is_dir():
        pytest.skip("the public data sets (../shared/data) are not at hand")
    with postgres() as url:
        with psycopg.connect(url) as connection:
            for statement in SCHEMA:
                connection.execute(statement)  # type: ignore[arg-type]
            for table, rows in retail_rows(SHARED).items():
                marks = ",".join(["%s"] * len(rows[0]))
                connection.cursor().executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # type: ignore[arg-type]
            connection.execute("CREATE TABLE pages (user_id bigint, id int)")
            connection.execute("CREATE VIEW slow AS SELECT 'u-1' AS user_id, pg_sleep(20)::text AS id")
        yield url


@pytest.fixture
def folder(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHOP_DATABASE_URL", database)
    return tmp_path


def _source(folder: Path, table: str, budget_ms: int = 250) -> SqlSource:
    (folder / "state.yaml").write_text(
        "sources:\n  - name: orders\n    type: sql\n    url: {secret: SHOP_DATABASE_URL}\n"
        f"    budget_ms: {budget_ms}\n    queries:\n"
        f"      - {{sql: 'SELECT * FROM {table} WHERE user_id = :user_id', kind: order, id: id}}\n",
        "utf-8",
    )
    (config,) = load_config(folder / "state.yaml").sources
    return SqlSource(config)  # type: ignore[arg-type]


@pytest.fixture
async def retail(folder: Path) -> AsyncIterator[CompositeSource]:
    (folder / "state.yaml").write_text(RETAIL_YAML.format(url="{secret: SHOP_DATABASE_URL}"), "utf-8")
    source = build_sources(folder / "state.yaml", 10.0)
    yield source
    await source.close()


async def test_every_retail_user_in_postgresql(retail: CompositeSource) -> None:
    asked, wrong = await wrong_answers(retail, retail_questions(SHARED))
    print(f"retail in PostgreSQL: {asked.total() - len(wrong)} of {asked.total()} right")
    assert asked.total() > 4_000
    assert not wrong, "\n".join(wrong[:10])


async def test_the_database_itself_refuses_to_be_written(retail: CompositeSource) -> None:
    inner = retail.sources[0]._inner
    assert isinstance(inner, SqlSource)
    with inner._engine.connect() as connection, pytest.raises(InternalError, match="read-only"):
        connection.execute(text("DELETE FROM orders"))


async def test_a_slow_query_is_ended_by_the_server(folder: Path) -> None:
    source = _source(folder, "slow")
    with pytest.raises(SourceFailed, match="statement timeout"):
        await source.fetch("u-1")
    await source.close()


async def test_an_id_that_the_column_cannot_hold_is_no_fault_of_the_database(folder: Path) -> None:
    source = _source(folder, "pages")
    assert (await source.fetch("7")).entities == ()
    with pytest.raises(SourceFailed) as caught:
        await source.fetch("zoë'; --")
    assert not caught.value.counts
    await source.close()


async def test_a_frozen_server_does_not_use_the_threads_up(folder: Path) -> None:
    """Every connection in the pool hangs; once given up, new ones answer at once."""
    (folder / "state.yaml").write_text(
        RETAIL_YAML.format(url="{secret: SHOP_DATABASE_URL}").replace("budget_ms: 5000", "budget_ms: 400"), "utf-8"
    )
    source = build_sources(folder / "state.yaml", 1.0)
    inner = source.sources[0]._inner
    assert isinstance(inner, SqlSource)
    with inner._engine.connect() as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    os.kill(backend, signal.SIGSTOP)
    try:
        assert (await source.fetch("james_li_5688")).unavailable == ("orders",)
        for _ in range(2 * WORKERS):  # the frozen connection is gone; a new one may need more than the first budget
            state = await source.fetch("james_li_5688")
        assert state.unavailable == ()
        assert state.entities
    finally:
        os.kill(backend, signal.SIGCONT)
        await source.close()
