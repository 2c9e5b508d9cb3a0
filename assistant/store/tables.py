"""The SQL schema: the truth from which both indexes are derived. Every table carries its workspace."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData()


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in and out, kept as UTC; SQLite would drop the offset."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a naive value is taken as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """As aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _workspace() -> Column[str]:
    return Column("workspace", String(48), primary_key=True)


workspaces = Table(
    "workspaces",
    metadata,
    Column("name", String(48), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    _workspace(),
    Column("kind", String(16), primary_key=True),
    Column("id", String(512), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("canonical", JSON, nullable=False),
    Column("source", Text, nullable=False),
    Column("ingested_at", UtcDateTime, nullable=False),
)

document_versions = Table(
    "document_versions",
    metadata,
    _workspace(),
    Column("kind", String(16), primary_key=True),
    Column("id", String(512), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("content_hash", String(64), nullable=False),
    Column("canonical", JSON, nullable=True),
    Column("ingested_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime, nullable=True),
)

transcripts = Table(
    "transcripts",
    metadata,
    _workspace(),
    Column("id", String(512), primary_key=True),
    Column("content_hash", String(64), nullable=False),
    Column("canonical", JSON, nullable=False),
    Column("source", Text, nullable=False),
    Column("transferred", Boolean, nullable=False),
    Column("opened_at", UtcDateTime, nullable=True),
    Column("ingested_at", UtcDateTime, nullable=False),
)

chunks = Table(
    "chunks",
    metadata,
    _workspace(),
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("document_id", String(512), nullable=False),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("heading", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("locale", String(16), nullable=False),
    Column("audience", String(16), nullable=False),
    Column("valid_from", UtcDateTime, nullable=True),
    Column("valid_until", UtcDateTime, nullable=True),
    Column("updated_at", UtcDateTime, nullable=True),
    Column("url", Text, nullable=True),
    Column("conversation_id", String(512), nullable=True),
    Index("ix_chunks_document", "workspace", "kind", "document_id"),
)

entries = Table(
    "entries",
    metadata,
    _workspace(),
    Column("id", String(64), primary_key=True),
    Column("chunk_id", String(64), nullable=False),
    Column("field", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_entries_chunk", "workspace", "chunk_id"),
)

vectors = Table(
    "vectors",
    metadata,
    _workspace(),
    Column("fingerprint", String(200), primary_key=True),
    Column("entry_id", String(64), primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)

index_state = Table(
    "index_state",
    metadata,
    _workspace(),
    Column("fingerprint", String(200), nullable=True),
    Column("generation", Integer, nullable=False),
    Column("dirty", Boolean, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    _workspace(),
    Column("id", String(64), primary_key=True),
    Column("user_id", String(200), nullable=True),
    Column("channel", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
)

turns = Table(
    "turns",
    metadata,
    _workspace(),
    Column("conversation_id", String(64), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("role", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("author_id", String(200), nullable=True),
    Column("reply", JSON, nullable=True),
)

handoffs = Table(
    "handoffs",
    metadata,
    _workspace(),
    Column("id", String(64), primary_key=True),
    Column("conversation_id", String(64), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("summary", Text, nullable=False),
    Column("skill", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("details", JSON, nullable=True),
    Column("withdrawn_at", UtcDateTime, nullable=True),
    Index("ix_handoffs_conversation", "workspace", "conversation_id"),
)

resolutions = Table(
    "resolutions",
    metadata,
    _workspace(),
    Column("conversation_id", String(64), primary_key=True),
    Column("summary", Text, nullable=False),
    Column("article_ids", JSON, nullable=False),
    Column("by", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

ratings = Table(
    "ratings",
    metadata,
    _workspace(),
    Column("id", String(64), primary_key=True),
    Column("conversation_id", String(64), nullable=False),
    Column("turn_seq", Integer, nullable=True),
    Column("kind", String(16), nullable=False),
    Column("value", Float, nullable=False),
    Column("reason", Text, nullable=True),
    Column("at", UtcDateTime, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    _workspace(),
    Column("id", String(64), primary_key=True),
    Column("conversation_id", String(64), nullable=False),
    Column("turn_seq", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("reply", JSON, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", String(200), nullable=False),
    Column("verdict", String(16), nullable=True),
    Column("sent", Text, nullable=True),
    Column("reason", Text, nullable=True),
    Column("settled_at", UtcDateTime, nullable=True),
    Column("settled_by", String(200), nullable=True),
    Index("ix_drafts_conversation", "workspace", "conversation_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("workspace", String(48), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("label", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime, nullable=True),
)

task_dialogs = Table(
    "task_dialogs",
    metadata,
    _workspace(),
    Column("conversation_id", String(64), primary_key=True),
    Column("user_id", String(200), nullable=False),
    Column("task", String(48), nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("asked", String(48), nullable=False),
    Column("misses", Integer, nullable=False),
    Column("offer_id", String(32), nullable=False),
    Column("offered_after", Integer, nullable=False),
    Column("expires_at", UtcDateTime, nullable=True),
)

task_runs = Table(
    "task_runs",
    metadata,
    _workspace(),
    Column("id", String(32), primary_key=True),
    Column("effect_key", String(64), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("user_id", String(200), nullable=False),
    Column("task", String(48), nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("locale", String(16), nullable=False),
    Column("offer_id", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", String(64), nullable=False),
    Column("reported", Boolean, nullable=False),
    Column("confirmed_at", UtcDateTime, nullable=False),
    Column("leased_until", UtcDateTime, nullable=True),
    Column("next_at", UtcDateTime, nullable=True),
    Index("ix_task_runs_key", "workspace", "effect_key", unique=True),
    Index("ix_task_runs_conversation", "workspace", "conversation_id"),
    Index("ix_task_runs_next", "next_at"),
)

# Only ever added to: triggers refuse an update or a delete. It holds hashes of values, never the values themselves.
task_log = Table(
    "task_log",
    metadata,
    _workspace(),
    Column("seq", Integer, primary_key=True),
    Column("run_id", String(32), nullable=False),
    Column("event", String(24), nullable=False),
    Column("detail", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("sha256", String(64), nullable=False),
    Index("ix_task_log_run", "workspace", "run_id"),
)

review_items = Table(
    "review_items",
    metadata,
    _workspace(),
    Column("id", String(64), primary_key=True),
    Column("gap_id", String(64), nullable=False),
    Column("gap_name", Text, nullable=False),
    Column("article", JSON, nullable=False),
    Column("written_from", JSON, nullable=False),
    Column("drafted_by", String(200), nullable=False),
    Column("status", String(16), nullable=False),
    Column("prediction", JSON, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("touched_at", UtcDateTime, nullable=False),
    Index("ix_review_items_gap", "workspace", "gap_id"),
)

review_events = Table(
    "review_events",
    metadata,
    _workspace(),
    Column("item_id", String(64), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("action", String(16), nullable=False),
    Column("who", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("note", Text, nullable=False),
    Column("article", JSON, nullable=True),
)

article_flags = Table(
    "article_flags",
    metadata,
    _workspace(),
    Column("id", String(64), primary_key=True),
    Column("article_id", String(512), nullable=False),
    Column("reason", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("who", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime, nullable=True),
    Column("settled_by", String(200), nullable=True),
    Index("ix_article_flags_article", "workspace", "article_id"),
)
