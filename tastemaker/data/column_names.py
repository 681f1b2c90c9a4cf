"""What columns are called, here and elsewhere: a missing one is looked for under other names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

COLUMNS = ("user_id", "item_id", "timestamp", "event", "value", "row", "split")
"""Columns of a log that are read; the first three are required."""

SYNONYMS: dict[str, tuple[str, ...]] = {
    "user_id": (
        "user", "uid", "customer_id", "visitor_id", "session_id", "reviewer_id", "member_id",
        "account_id", "client_id", "cust_id", "customer_unique_id", "customer", "user_name",
        "profile_name", "reviewer", "session", "basket_id", "invoice_no", "invoice", "order_id",
        "transaction_id",
    ),
    "item_id": (
        "item", "iid", "movie_id", "product_id", "parent_asin", "asin", "object_id", "book_id",
        "isbn", "track_id", "song_id", "article_id", "business_id", "stock_code", "sku",
        "product_code", "product", "app_id", "game_id", "game", "game_title", "artist_id",
        "anime_id", "recipe_id", "video_id", "news_id", "show_id", "film_id", "beer_id",
        "venue_id", "place_id", "restaurant_id", "hotel_id", "course_id", "joke_id", "content_id",
        "track_name", "song", "track", "artist_name", "artist", "book", "movie", "app",
    ),
    "timestamp": (
        "time", "ts", "date", "datetime", "created_at", "unix_review_time", "event_time",
        "interaction_time", "unix_timestamp", "timestamp_ms", "unixtime", "click_time",
        "purchase_date", "purchase_time", "order_date", "order_purchase_timestamp", "invoice_date",
        "transaction_date", "event_date", "review_date", "review_time", "rating_date", "rated_at",
        "played_at", "watched_at", "date_added", "t_dat",
    ),
}  # fmt: skip
"""Other names of the required columns, the likeliest first."""

MEANT = {
    "value": (
        "rating", "ratings", "score", "stars", "overall", "book_rating", "star_rating",
        "user_rating", "review_rating",
    ),
    "event": (
        "event_type", "event_name", "action", "action_type", "behavior_type", "behavior_name",
        "behavior", "behaviour", "interaction_type",
    ),
}  # fmt: skip
"""Other names of optional columns, which nothing asks for and so would be missed in silence."""


def unread(columns: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Column that is not read → the optional one that it is likely meant to be.

    Args:
        columns: Those of the file.
        taken: Those of them that are read.
    """
    columns, taken = list(columns), set(taken)
    plain = {_plain(column): column for column in columns if column not in taken}
    return {
        plain[word]: name
        for name, words in MEANT.items()
        if name not in columns
        for word in map(_plain, words)
        if word in plain
    }


def missing_column_fix(name: str, columns: Iterable[str], also: Sequence[str] = ()) -> str:
    """What to do about a missing column: rename the likely one, or add it.

    Case, underscores and dashes make no difference, so `userId` is `user_id`.
    """
    columns = list(columns)
    plain = {_plain(column): column for column in reversed(columns)}
    words = [name, *also, *SYNONYMS.get(name, ())]
    likely = [plain[_plain(word)] for word in words if _plain(word) in plain]
    spoken_for = {_plain(word) for other in SYNONYMS if other != name for word in _words(other)}
    free = {key: column for key, column in plain.items() if key not in spoken_for}
    likely += [free[key] for key in difflib.get_close_matches(_plain(name), free, n=1, cutoff=0.7)]
    if likely:
        return f"Rename column {likely[0]!r} to {name!r}."
    return f"Add it; the table has: {', '.join(columns) or 'no columns'}."


def has_log_columns(columns: Iterable[str]) -> bool:
    """Whether a table could be a log: a user and an item column under any of their names."""
    plain = {_plain(column) for column in columns}
    return all(any(_plain(w) in plain for w in _words(name)) for name in ("user_id", "item_id"))


def is_known(column: str) -> bool:
    """Whether a word is a column name of a log or a catalogue rather than a value."""
    named = {_plain(word) for name in SYNONYMS for word in _words(name)}
    return _plain(column) in named | {*COLUMNS, "title", "categories", "rating", "itemid", "id"}


def _words(name: str) -> tuple[str, ...]:
    return (name, *SYNONYMS[name])


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
