"""Sections of the report as values."""

from tastemaker.report import sections


def test_the_head_names_the_best_model_and_its_figures() -> None:
    results = {
        "best": "b",
        "data": {"name": "logs"},
        "models": {"b": {"ndcg@10": {"mean": 0.1234, "ci95": [0.1, 0.2]}}},
        "why": "It won.",
        "warnings": ["Small."],
        "split": {"test_users": 1234},
    }
    head = sections.head(results)
    assert (head["best"], head["data"], head["why"]) == ("b", "logs", "It won.")
    assert head["figures"][0][:2] == ("NDCG@10", "0.1234")
    assert (head["users"], head["warnings"]) == ("1,234 test users", ["Small."])


def test_nothing_known_shows_nothing() -> None:
    assert sections.head({})["figures"] == []
    assert sections.examples({}) == []
    assert sections.buckets({}) == []
