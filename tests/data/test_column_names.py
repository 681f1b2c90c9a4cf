"""Missing columns are found under the names that people give them."""

import pytest

from tastemaker.data.column_names import has_log_columns, is_known, missing_column_fix


@pytest.mark.parametrize(
    ("name", "columns", "renamed"),
    [
        ("user_id", ["userId", "movieId", "ts"], "userId"),
        ("item_id", ["userId", "movieId", "ts"], "movieId"),
        ("timestamp", ["userId", "movieId", "ts"], "ts"),
        ("user_id", ["session_id", "product_id"], "session_id"),
        ("item_id", ["session_id", "product_id"], "product_id"),
        ("user_id", ["User-ID", "Book ID"], "User-ID"),
        ("item_id", ["User-ID", "Book ID"], "Book ID"),
        ("timestamp", ["unixReviewTime"], "unixReviewTime"),
        ("item_id", ["itme_id"], "itme_id"),
    ],
)
def test_likely_columns_are_named(name: str, columns: list[str], renamed: str) -> None:
    assert repr(renamed) in missing_column_fix(name, columns)


def test_a_column_that_is_another_one_is_not_offered() -> None:
    fix = missing_column_fix("item_id", ["userId", "weight"])
    assert "Rename" not in fix
    assert "userId, weight" in fix


def test_columns_of_a_log() -> None:
    assert has_log_columns(["visitorid", "itemid", "event"])
    assert not has_log_columns(["item_id", "title"])
    assert is_known("Movie_ID")
    assert not is_known("196")
