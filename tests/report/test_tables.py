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


def test_the_choice_names_the_runner_up_and_a_better_one_of_the_test() -> None:
    models = {name: {"ndcg@10": {"mean": value, "ci95": [0.0, 0.5]}} for name, value in
              (("a", 0.1), ("b", 0.3), ("c", 0.2), ("d", 0.05))}  # fmt: skip
    results = {"models": models, "best": "a", "validation": {"a": 0.4, "c": 0.2, "d": 0.3}}
    rows = tables.choice(results)
    assert [(name, valid, test.mean) for name, valid, test in rows] == [
        ("a", "0.4000", "0.1000"),
        ("d", "0.3000", "0.0500"),
        ("b", "–", "0.3000"),
    ]
    assert tables.choice({"models": models, "best": "a"}) == []
