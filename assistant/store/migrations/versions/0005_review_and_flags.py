"""Drafted articles under review, their history, and flags on articles"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "review_items",
        sa.Column("workspace", sa.String(length=48), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("gap_id", sa.String(length=64), nullable=False),
        sa.Column("gap_name", sa.Text(), nullable=False),
        sa.Column("article", sa.JSON(), nullable=False),
        sa.Column("written_from", sa.JSON(), nullable=False),
        sa.Column("drafted_by", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("prediction", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "id"),
    )
    with op.batch_alter_table("review_items", schema=None) as batch_op:
        batch_op.create_index("ix_review_items_gap", ["workspace", "gap_id"], unique=False)
    op.create_table(
        "review_events",
        sa.Column("workspace", sa.String(length=48), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("article", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("workspace", "item_id", "seq"),
    )
    op.create_table(
        "article_flags",
        sa.Column("workspace", sa.String(length=48), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("article_id", sa.String(length=512), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("workspace", "id"),
    )
    with op.batch_alter_table("article_flags", schema=None) as batch_op:
        batch_op.create_index("ix_article_flags_article", ["workspace", "article_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("article_flags", schema=None) as batch_op:
        batch_op.drop_index("ix_article_flags_article")
    op.drop_table("article_flags")
    op.drop_table("review_events")
    with op.batch_alter_table("review_items", schema=None) as batch_op:
        batch_op.drop_index("ix_review_items_gap")
    op.drop_table("review_items")
