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


@pytest.mark.parametrize(
    ("columns", "renamed"),
    [
        ("InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country",
         "CustomerID StockCode InvoiceDate"),
        ("Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country",
         "Customer ID,StockCode,InvoiceDate"),
        ("timestamp visitorid event itemid transactionid", "visitorid itemid timestamp"),
        ("event_time event_type product_id category_id brand price user_id user_session",
         "user_id product_id event_time"),
        ("customer_id product_id purchase_date", "customer_id product_id purchase_date"),
        ("review_id user_id business_id stars useful date text", "user_id business_id date"),
        ("user_id book_id rating date_added", "user_id book_id date_added"),
        ("app_id helpful funny date is_recommended hours user_id review_id",
         "user_id app_id date"),
        ("userID artistID timestamp", "userID artistID timestamp"),
        ("t_dat customer_id article_id price sales_channel_id", "customer_id article_id t_dat"),
        ("CustId Rating Date MovieId", "CustId MovieId Date"),
        ("order_id product_id add_to_cart_order order_date", "order_id product_id order_date"),
    ],
)  # fmt: skip
def test_headers_of_public_logs_have_a_ready_rename(columns: str, renamed: str) -> None:
    separator = "," if "," in columns else None
    header = columns.split(separator)
    names = ("user_id", "item_id", "timestamp")
    for name, column in zip(names, renamed.split(separator), strict=True):
        if column != name:
            assert missing_column_fix(name, header) == f"Rename column {column!r} to {name!r}."
    assert has_log_columns(header)
