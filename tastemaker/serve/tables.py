"""Tables of the store: what happened, what is hidden, who was erased, experiments, caches.

The newest shape of all migrations together (a test compares them). Times are microseconds since
1970, UTC: they sort as they happened, and both databases keep them exactly.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only what is called INTEGER there; it has 64 bits in both."""

events = Table(
    "events",
    metadata,
    # Never given twice, also where the newest events were erased: who reads on from a number
    # would else pass over what took the place.
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("value", Double),
    Column("received", BigInteger, nullable=False),
    Column("list_id", Text),
    Column("rank", Integer),
    UniqueConstraint("event_id", name="events_of_one_id"),
    Index("events_of_a_user", "user_id", "time", "number"),
    sqlite_autoincrement=True,
)

hidden = Table(
    "hidden_items",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("until", BigInteger),
)
"""`until` NULL: for good."""

erased = Table(
    "erased_users",
    metadata,
    Column("user_hash", LargeBinary, primary_key=True),
    Column("time", BigInteger, nullable=False),
)
"""What is left of an erased user is the sha256 of the id: events up to `time` do not come back."""

user_states = Table(
    "user_states",
    metadata,
    Column("model", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("end_time", BigInteger),
    Column("times", LargeBinary),
    Column("prefix", LargeBinary, nullable=False),
    Column("numbers", LargeBinary, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    PrimaryKeyConstraint("model", "user_id", name="states_of_a_model"),
    Index("states_of_a_user", "user_id"),
)

experiments = Table(
    "experiments",
    metadata,
    Column("name", Text, nullable=False),
    Column("arms", Text, nullable=False),
    Column("declared", BigInteger, nullable=False),
    PrimaryKeyConstraint("name", "arms", name="splits_of_an_experiment"),
)
"""Every split that an experiment ever had, and when it was last declared."""

exposures = Table(
    "exposures",
    metadata,
    Column("experiment", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("arm", Text, nullable=False),
    Column("known", Boolean, nullable=False),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("first_time", BigInteger, nullable=False),
    Column("last_time", BigInteger, nullable=False),
    Column("answers", BigInteger, nullable=False),
    PrimaryKeyConstraint(
        "experiment", "user_id", "arm", "known", name="exposures_of_an_experiment"
    ),
    Index("exposures_of_a_user", "user_id"),
)
"""`known`: the arm's model answered; else nothing was known of the user, and what is popular did.
`model` and `version` are those of the first answer."""

shown = Table(
    "shown_items",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("experiment", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("first_time", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "experiment", "item_id", name="items_shown_to_a_user"),
)
"""What an experiment's arm showed to a user of whom something was known."""

about = Table(
    "about",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""What is true of this database: its `identity`, which no other has."""
