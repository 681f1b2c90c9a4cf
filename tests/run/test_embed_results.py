"""What is told of a training, and what should be known before it is believed."""

from copy import deepcopy
from typing import Any

import pytest

pytest.importorskip("transformers", reason="transformers is not installed")

from tastemaker.run.embed_results import warnings_of

RESULTS: dict[str, Any] = {
    "model": {"chats": True},
    "data": {
        "test": 100, "dropped": 0, "doubles": {"texts": 0, "pictures": 0},
        "cut": {"texts": 0, "captions": 0},
    },
    "cafe": {"alpha_con": 1.0, "alpha_lm": 1.0, "mask_equal": True},
    "after": {"t2i_recall@1": {"mean": 0.5, "ci95": [0.4, 0.6]}},
    "chance": {"t2i_recall@1": 0.01},
}  # fmt: skip


def changed(path: str, value: object) -> dict[str, Any]:
    results = deepcopy(RESULTS)
    *places, last = path.split(".")
    holder = results
    for place in places:
        holder = holder[place]
    holder[last] = value
    return results


def test_nothing_is_said_where_nothing_is_doubtful() -> None:
    assert warnings_of(RESULTS) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("model.chats", False, "no chat template"),
        ("data.test", 9, "9 items"),
        ("data.dropped", 1, "1 bad row was left out"),
        ("data.doubles.texts", 4, "4 items share a text"),
        ("data.doubles.pictures", 2, "2 items share a picture"),
        ("data.cut.texts", 1, "1 text was longer"),
        ("data.cut.captions", 3, "3 captions were longer"),
        ("cafe.alpha_lm", 0.0, "Captions were not learned"),
        ("cafe.alpha_con", 0.0, "Vectors were not learned"),
        ("after.t2i_recall@1", {"mean": 0.02, "ci95": [0.0, 0.05]}, "chance"),
    ],
)
def test_what_is_doubtful_is_said(path: str, value: object, said: str) -> None:
    (told,) = warnings_of(changed(path, value))
    assert said in told


def test_equal_texts_count_as_wrong_where_they_are_not_masked() -> None:
    results = changed("data.doubles.texts", 4)
    results["cafe"]["mask_equal"] = False
    assert "count as wrong" in warnings_of(results)[0]
