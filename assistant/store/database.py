"""Opens the records database and brings its schema up to date."""

from __future__ import annotations

from importlib.resources import as_file, files

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from assistant.errors import ConfigurationError

SCHEMA_HEAD = "0006"


def open_database(url: str) -> Engine:
    """An engine whose schema is current.

    Raises ConfigurationError when the database cannot be reached or was written by a newer Teachback.
    """
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    engine = create_engine(url, pool_pre_ping=not sqlite, connect_args={"timeout": 30} if sqlite else {})
    if sqlite:
        event.listen(engine, "connect", _sqlite_pragmas)
    try:
        current = _schema_version(engine)
        if current != SCHEMA_HEAD:
            migrate(engine)
    except SQLAlchemyError as exc:
        raise ConfigurationError(
            f"the records database {parsed.render_as_string(hide_password=True)} cannot be opened: "
            f"{exc.__cause__ or exc}"
        ) from exc
    return engine


def migrate(engine: Engine) -> None:
    """Run the numbered migrations up to ``SCHEMA_HEAD``."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    with as_file(files("assistant.store") / "migrations") as folder, engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, SCHEMA_HEAD)
        except CommandError as exc:
            raise ConfigurationError(
                f"the records database was written by another version of Teachback ({exc}); upgrade Teachback"
            ) from exc


def _schema_version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("select version_num from alembic_version")).scalar()


def _sqlite_pragmas(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # DB-API connections have no common type
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
        cursor.execute(f"pragma {pragma}")
    cursor.close()
