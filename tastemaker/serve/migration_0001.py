"""Migration 0001: the first tables."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables of an empty database, and give it an identity."""
    op.create_table(
        "events",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("list_id", sa.Text),
        sa.Column("rank", sa.Integer),
        sa.UniqueConstraint("event_id", name="events_of_one_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_of_a_user", "events", ["user_id", "time", "number"])
    op.create_table(
        "hidden_items",
        sa.Column("item_id", sa.Text, primary_key=True),
        sa.Column("until", sa.BigInteger),
    )
    op.create_table(
        "erased_users",
        sa.Column("user_hash", sa.LargeBinary, primary_key=True),
        sa.Column("time", sa.BigInteger, nullable=False),
    )
    _user_states()
    about = op.create_table(
        "about",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.bulk_insert(about, [{"name": "identity", "value": str(uuid.uuid4())}])


def _user_states() -> None:
    op.create_table(
        "user_states",
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("end_time", sa.BigInteger),
        sa.Column("times", sa.LargeBinary),
        sa.Column("prefix", sa.LargeBinary, nullable=False),
        sa.Column("numbers", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("model", "user_id", name="states_of_a_model"),
    )
    op.create_index("states_of_a_user", "user_states", ["user_id"])
