"""Requests are read strictly."""

import pytest
from pydantic import ValidationError

from tastemaker.serve.schemas import EventIn, RecommendIn, RecommendQuery, refusals

EVENT = {"event_id": "e", "user_id": 7, "item_id": "i", "time": 1}


def test_ids_are_texts_or_whole_numbers() -> None:
    assert EventIn.model_validate(EVENT).user_id == "7"
    for wrong in (True, 7.0, None, ["7"], {}):
        with pytest.raises(ValidationError):
            EventIn.model_validate({**EVENT, "user_id": wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"time": -1},
        {"time": "1"},
        {"time": float("nan")},
        {"rank": 0},
        {"value": float("inf")},
        {"extra": 1},
    ],
)
def test_events_are_refused_for_what_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EventIn.model_validate({**EVENT, **wrong})


def test_defaults_are_not_shared_and_queries_read_text() -> None:
    one, other = (RecommendIn.model_validate({"history": []}) for _ in range(2))
    assert one.filter is not other.filter and one.filter.available
    assert RecommendQuery.model_validate({"k": "3", "availability": "any"}).k == 3
    for wrong in ({"k": "0"}, {"k": "x"}, {"kk": "1"}, {"diversify": "nan"}):
        with pytest.raises(ValidationError):
            RecommendQuery.model_validate(wrong)
    assert set(refusals(401, 422)) == {401, 422}
