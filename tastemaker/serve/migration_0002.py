"""Migration 0002: tables of experiments: their splits, who was exposed, what was shown to whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables; what is there stays as it is."""
    op.create_table(
        "experiments",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("arms", sa.Text, nullable=False),
        sa.Column("declared", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", "arms", name="splits_of_an_experiment"),
    )
    op.create_table(
        "exposures",
        sa.Column("experiment", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("arm", sa.Text, nullable=False),
        sa.Column("known", sa.Boolean, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("first_time", sa.BigInteger, nullable=False),
        sa.Column("last_time", sa.BigInteger, nullable=False),
        sa.Column("answers", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "experiment", "user_id", "arm", "known", name="exposures_of_an_experiment"
        ),
    )
    op.create_index("exposures_of_a_user", "exposures", ["user_id"])
    op.create_table(
        "shown_items",
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("experiment", sa.Text, nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("first_time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "experiment", "item_id", name="items_shown_to_a_user"),
    )
