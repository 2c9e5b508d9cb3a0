"""The parts of a handoff record as data, and when a customer turned the transfer down"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("handoffs", sa.Column("details", sa.JSON(), nullable=True))
    op.add_column("handoffs", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("handoffs", "withdrawn_at")
    op.drop_column("handoffs", "details")
