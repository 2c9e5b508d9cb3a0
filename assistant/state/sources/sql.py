"""Live state from a database, read only: SQLite opened ``mode=ro``, PostgreSQL in read-only transactions."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, TextClause, create_engine, text
from sqlalchemy import exc as sa
from sqlalchemy.engine import make_url

from assistant.domain.state import UserState
from assistant.errors import ConfigurationError, SourceFailed
from assistant.state.sources.config import SqlConfig, sql_url
from assistant.state.sources.mapping import Found, take
from assistant.state.sources.result import as_state, must_be_live, must_be_usable
from assistant.state.sources.secrets import SecretRef

WORKERS = 4
MOST_WAITING = 256
_CONNECT_S = 2  # the shortest that libpq accepts


class _Call:
    """One fetch in a thread, which another thread can cut off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Any = None
        self.over = False

    def hold(self, connection: Any) -> None:
        """Let ``abort`` reach this driver connection. Raises SourceFailed when it came first."""
        with self._lock:
            if self.over:
                raise SourceFailed("the time was up before the database was reached")
            self._connection = connection

    def release(self) -> None:
        """The connection goes back to the pool: from now on it is somebody else's."""
        with self._lock:
            self._connection = None

    def abort(self) -> None:
        """End what runs on the connection at once, even where the server hangs."""
        with self._lock:
            self.over = True
            connection = self._connection
            if isinstance(connection, sqlite3.Connection):
                connection.interrupt()
            elif connection is not None:
                with suppress(OSError, AttributeError), socket.socket(fileno=os.dup(connection.fileno())) as line:
                    line.shutdown(socket.SHUT_RDWR)


class SqlSource:
    """A StateSource over configured SELECTs, run in one transaction each time.

    Raises SourceFailed; rows of other users are dropped and make the state partial.
    """

    def __init__(self, config: SqlConfig) -> None:
        """Raises ConfigurationError where the secret is absent or no URL. Nothing is connected yet."""
        self.config = config
        self._statements: tuple[TextClause, ...] = tuple(text(query.sql) for query in config.queries)
        self._engine = _engine(config)
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix=f"state-{config.name}")
        self._waiting = 0

    async def fetch(self, user_id: str, as_of: datetime | None = None) -> UserState:
        """What the database says of this user now."""
        must_be_live(as_of)
        must_be_usable(user_id)
        if self._waiting >= MOST_WAITING:
            raise SourceFailed("all of its connections are busy")
        call = _Call()
        self._waiting += 1
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._read, user_id, call)
        running.add_done_callback(self._finished)
        try:
            found = await asyncio.shield(running)
        except asyncio.CancelledError:
            call.abort()
            raise
        return as_state(found, user_id, datetime.now(UTC))

    async def close(self) -> None:
        """Give up the connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._engine.dispose)

    def _finished(self, running: asyncio.Future[Found]) -> None:
        self._waiting -= 1
        if not running.cancelled():
            running.exception()  # looked at, so that a fetch nobody waits for any more does not complain

    def _read(self, user_id: str, call: _Call) -> Found:
        found = Found()
        if call.over:
            return found
        try:
            with self._engine.connect() as connection:
                call.hold(connection.connection.driver_connection)
                try:
                    for query, statement in zip(self.config.queries, self._statements, strict=True):
                        result = connection.execute(statement, {"user_id": user_id})
                        rows: Sequence[Any] = result.mappings().fetchmany(self.config.row_limit + 1)
                        if len(rows) > self.config.row_limit:
                            found.say(f"{query.kind}: more than {self.config.row_limit} rows")
                        take(found, query, [dict(row) for row in rows[: self.config.row_limit]], user_id)
                        result.close()
                finally:
                    call.release()
        except sa.DataError as exc:  # "abc" asked of a numeric column: no fault of the database
            raise SourceFailed(f"the database cannot take this user's id: {_short(exc)}", counts=False) from exc
        except sa.TimeoutError as exc:
            raise SourceFailed("all of its connections are busy") from exc
        except (sa.OperationalError, sa.InterfaceError) as exc:
            raise SourceFailed(f"the database does not answer: {_short(exc)}", again=True) from exc
        except (sa.SQLAlchemyError, sqlite3.Error, ValueError, OverflowError) as exc:
            raise SourceFailed(f"the query failed: {_short(exc)}") from exc
        return found


def _engine(config: SqlConfig) -> Engine:
    if isinstance(config.url, SecretRef):
        try:
            raw = sql_url(config.url.read().get_secret_value())
        except ValueError as exc:
            raise ConfigurationError(f"state source {config.name}: the secret database URL {exc}") from None
    else:
        raw = sql_url(config.url)
    url = make_url(raw)
    pool: dict[str, Any] = {"pool_size": WORKERS, "max_overflow": 0, "pool_timeout": config.budget_ms / 1000}
    if url.get_backend_name() == "sqlite":
        return create_engine(url, creator=lambda: _open_sqlite(str(url.database), config.budget_ms / 1000), **pool)
    arguments = {
        "connect_timeout": _CONNECT_S,
        "application_name": "teachback",
        "options": f"-c default_transaction_read_only=on -c statement_timeout={max(1, round(config.budget_ms))}",
    }
    return create_engine(url, connect_args=arguments, pool_recycle=600, **pool)


def _open_sqlite(path: str, timeout_s: float) -> sqlite3.Connection:
    address = f"file:{quote(os.path.abspath(path))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=timeout_s, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _short(exc: Exception) -> str:
    """The driver's first line, without SQL and parameters."""
    cause = getattr(exc, "orig", None) or exc
    lines = str(cause).strip().splitlines()
    return f"{type(cause).__name__}: {lines[0][:160] if lines else ''}"
