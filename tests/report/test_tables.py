"""Rows of the report's tables: every number is the one of the results, missing ones say so."""

from tastemaker.report import tables


def test_missing_parts_are_empty() -> None:
    assert tables.part({}, "data") == {}
    assert tables.part({"data": [1]}, "data") == {}
    assert tables.listed({"warnings": None}, "warnings") == []
    assert tables.comparisons({}) == []
    assert tables.estimates({}) == []


def test_models_keep_their_names_and_count() -> None:
    models = {name: {"ndcg@10": {"mean": value, "ci95": [0.0, 0.5]}} for name, value in
              (("a", 0.1), ("b", 0.3), ("c", 0.2))}  # fmt: skip
    assert sorted(tables.ordered(models)) == ["a", "b", "c"]
    rows = str(tables.accuracy(models, "b"))
    assert all(shown in rows for shown in ("0.1000", "0.3000", "0.2000"))
