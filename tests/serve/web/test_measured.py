"""The measured models of a run, for a table."""

from tastemaker.serve.opened import Opened
from tastemaker.serve.web.measured import Value, measured

RESULTS = {
    "models": {
        "a": {"ndcg@10": {"mean": 0.1, "ci95": [0.05, 0.15], "users": 7}},
        "b": {"ndcg@10": {"mean": 0.3, "ci95": None}, "novelty@10": {"mean": 10.0}},
        "c": {"ndcg@10": {"mean": float("nan")}},
        "d": {},
    },
    "comparisons": [
        {"a": "b", "b": "a", "difference": 0.2, "ci95": [0.1, 0.3]},
        {"a": "a", "b": "c", "difference": 0.1, "ci95": None},
    ],
}


def test_the_best_come_first_and_the_served_one_is_marked() -> None:
    rows = measured(RESULTS, "b")
    assert [row.name for row in rows] == ["b", "a", "c", "d"]
    assert [row.served for row in rows] == [True, False, False, False]
    best, second, broken, empty = rows
    assert best.first == (None, 0.3, None) and best.values[0].between == ""
    assert best.values[-1].shown == "10.00"
    assert second.first == (0.05, 0.1, 0.15) and second.users == 7
    assert second.values[0].between == "0.0500 to 0.1500"
    assert second.behind == Value("0.2000", "0.1000 to 0.3000")
    assert best.behind is None and broken.behind is None
    assert broken.first is None and empty.values[0].shown == "–"


def test_a_run_without_measures_has_no_rows(opened: Opened) -> None:
    assert measured({}, "a") == []
    rows = measured(opened.saved.results, opened.model)
    assert {row.name for row in rows} == set(opened.saved.results["models"])
