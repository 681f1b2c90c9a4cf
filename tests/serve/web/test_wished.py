"""What is wished of a list on a page."""

import pytest
from pydantic import ValidationError

from tastemaker.serve.web.wished import MODERATE, Wished


def test_fields_that_were_left_alone_say_nothing() -> None:
    wished = Wished(model="", boost="", only="")
    assert wished.query() == "" and not wished.steered
    wishes = wished.wishes(5)
    assert (wishes.k, dict(wishes.boost), list(wishes.only)) == (5, {}, [])


def test_a_boost_has_a_moderate_weight_where_none_is_dialled() -> None:
    assert dict(Wished(boost="Odd").wishes(5).boost) == {"Odd": MODERATE}
    assert dict(Wished(boost="Odd", weight=-0.3).wishes(5).boost) == {"Odd": -0.3}
    assert dict(Wished(boost="Odd", weight=0).wishes(5).boost) == {}


def test_the_query_says_the_same_again() -> None:
    wished = Wished(model="ease", boost="A & B", weight=0.3, only="Odd", diversify=0.5)
    said = "?model=ease&boost=A+%26+B&weight=0.3&only=Odd&diversify=0.5"
    assert wished.query() == said and wished.steered
    assert wished.query(model="", added="e 1").endswith("&diversify=0.5&added=e+1")
    assert wished.query(boost="", weight="", only="", diversify="") == "?model=ease"


@pytest.mark.parametrize("wrong", [{"weight": 9}, {"weight": "nan"}, {"diversify": 2}, {"x": 1}])
def test_what_cannot_be_dialled_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Wished.model_validate(wrong)
