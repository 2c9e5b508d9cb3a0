"""Tasks: dialogs under way, runs with their idempotency keys, and a log that is only added to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "task_dialogs",
        sa.Column("workspace", sa.String(length=48), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=200), nullable=False),
        sa.Column("task", sa.String(length=48), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("asked", sa.String(length=48), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.String(length=32), nullable=False),
        sa.Column("offered_after", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("workspace", "conversation_id"),
    )
    op.create_table(
        "task_runs",
        sa.Column("workspace", sa.String(length=48), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("effect_key", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=200), nullable=False),
        sa.Column("task", sa.String(length=48), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("offer_id", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=64), nullable=False),
        sa.Column("reported", sa.Boolean(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("workspace", "id"),
    )
    op.create_index("ix_task_runs_key", "task_runs", ["workspace", "effect_key"], unique=True)
    op.create_index("ix_task_runs_conversation", "task_runs", ["workspace", "conversation_id"])
    op.create_index("ix_task_runs_next", "task_runs", ["next_at"])
    op.create_table(
        "task_log",
        sa.Column("workspace", sa.String(length=48), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("event", sa.String(length=24), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "seq"),
    )
    op.create_index("ix_task_log_run", "task_log", ["workspace", "run_id"])
    _protect_log()


def _protect_log() -> None:
    """The database itself refuses to change or to forget what is in the log."""
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        for what in ("update", "delete"):
            op.execute(
                f"create trigger task_log_no_{what} before {what} on task_log "
                "begin select raise(abort, 'the task log is only added to'); end"
            )
    elif dialect == "postgresql":
        op.execute(
            "create function task_log_keep() returns trigger language plpgsql as "
            "$$ begin raise exception 'the task log is only added to'; end $$"
        )
        op.execute(
            "create trigger task_log_keep before update or delete on task_log "
            "for each row execute function task_log_keep()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("drop trigger task_log_keep on task_log")
        op.execute("drop function task_log_keep()")
    op.drop_table("task_log")
    op.drop_table("task_runs")
    op.drop_table("task_dialogs")
