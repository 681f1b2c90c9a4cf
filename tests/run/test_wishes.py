"""A request's wishes are checked in one place, whoever asks."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from tastemaker.errors import BadInput
from tastemaker.run.wishes import Wishes, id_of, undialled, unreasoned, weights


@pytest.mark.parametrize("value", ["7", 7, np.int32(7), np.uint64(7), np.str_("7")])
def test_a_whole_number_is_the_id_written_with_it(value: Any) -> None:
    assert id_of(value) == "7"
    assert type(id_of(value)) is str


@pytest.mark.parametrize("value", [None, True, np.True_, 7.0, np.float32(7), b"7", ["7"], np.nan])
def test_what_is_no_id(value: Any) -> None:
    with pytest.raises(BadInput, match="is no id"):
        id_of(value)
    with pytest.raises(BadInput, match="is no id"):
        Wishes(deny=[value])


@pytest.mark.parametrize("k", [0, -3, True, 2.0, "2", None, float("nan")])
def test_k_is_a_whole_number_from_1(k: Any) -> None:
    with pytest.raises(BadInput, match="k = "):
        Wishes(k=k)


@pytest.mark.parametrize("offset", [-1, 0.5, None])
def test_an_offset_is_a_whole_number_from_0(offset: Any) -> None:
    with pytest.raises(BadInput, match="offset = "):
        Wishes(offset=offset)


def test_values_are_kept_in_their_plain_form() -> None:
    wishes = Wishes(
        k=np.int64(3), boost={"A": np.float32(0.5)}, allow=np.array([7, 8]), deny=pl.Series(["x"])
    )
    assert (wishes.k, wishes.boost, wishes.allow, wishes.deny) == (
        3,
        {"A": 0.5},
        ("7", "8"),
        ("x",),
    )
    assert Wishes().allow is None


def test_the_least_and_the_most_that_can_be_wished() -> None:
    plain = Wishes()
    assert (plain.k, plain.offset, plain.boost, plain.only, plain.deny) == (10, 0, {}, (), ())
    edge = Wishes(k=1, offset=0, boost={"A": 100, "B": -100.0}, allow=[])
    assert (edge.k, edge.offset, edge.boost, edge.allow) == (1, 0, {"A": 100, "B": -100}, ())
    assert weights(["A=100", "B=-100"]) == edge.boost
    with pytest.raises(BadInput):
        weights(["A=100.5"])


@pytest.mark.parametrize(
    "weight", [float("nan"), float("inf"), 101, 10**400, -1e9, True, "1", None]
)
def test_weights_are_finite_numbers(weight: Any) -> None:
    with pytest.raises(BadInput, match="not a boost"):
        Wishes(boost={"Comedy": weight})


@pytest.mark.parametrize("name", ["only", "allow", "deny"])
def test_one_text_is_no_list(name: str) -> None:
    with pytest.raises(BadInput, match="one text"):
        Wishes(**{name: "Comedy"})  # type: ignore[arg-type]


def test_boosts_are_groups_with_weights() -> None:
    assert weights(["Comedy=0.3", "A=b=-2"]) == {"Comedy": 0.3, "A=b": -2.0}


@pytest.mark.parametrize(
    "text", ["Comedy", "=1", "Comedy=", "Comedy=x", "Comedy=nan", "Comedy=1e9"]
)
def test_what_is_no_boost(text: str) -> None:
    with pytest.raises(BadInput, match="is not a boost"):
        weights([text])


def test_a_group_is_boosted_once() -> None:
    with pytest.raises(BadInput, match="twice"):
        weights(["Comedy=1", "Comedy=2"])


@pytest.mark.parametrize("value", [0, 1, 0.25, np.float32(0.5), None])
def test_a_relevance_is_a_number_from_0_to_1(value: Any) -> None:
    kept = Wishes(relevance=value).relevance
    assert kept == value
    assert kept is None or type(kept) is float


def test_a_relevance_of_minus_nothing_is_nothing() -> None:
    assert str(Wishes(relevance=-0.0).relevance) == "0.0"


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf"), 10**400, True, "1"])
def test_what_is_no_relevance(value: Any) -> None:
    with pytest.raises(BadInput, match="relevance = "):
        Wishes(relevance=value)


def test_a_dial_is_for_items_alone() -> None:
    wishes = Wishes(3, deny=["i1"])
    assert undialled(wishes) is wishes
    for relevance in (0, 0.5, 1):
        with pytest.raises(BadInput) as caught:
            undialled(Wishes(3, relevance=relevance))
        assert caught.value.where == "--relevance"


@pytest.mark.parametrize("relevance", [-0.1, 1.1, True, "0.5", np.nan])
def test_a_relevance_is_a_share(relevance: Any) -> None:
    with pytest.raises(BadInput, match="relevance = "):
        Wishes(relevance=relevance)


@pytest.mark.parametrize("value", [-0.1, 1.1, True, "0.5", np.nan, None])
def test_a_diversity_is_a_share(value: Any) -> None:
    with pytest.raises(BadInput, match="diversify = "):
        Wishes(diversify=value)


def test_one_item_alone_cannot_lie_apart() -> None:
    assert Wishes(1, diversify=0).diversify == 0.0
    assert Wishes(1, 1, diversify=0.5).diversify == Wishes(2, diversify=0.5).diversify == 0.5
    with pytest.raises(BadInput) as caught:
        Wishes(1, diversify=0.5)
    assert caught.value.where == "--diversify"


@pytest.mark.parametrize("value", [1, "yes", None])
def test_reasons_are_wanted_or_not(value: Any) -> None:
    with pytest.raises(BadInput, match="because = "):
        Wishes(because=value)


def test_reasons_are_for_one_user() -> None:
    plain = Wishes(3)
    assert unreasoned(plain) is plain
    with pytest.raises(BadInput):
        unreasoned(Wishes(3, because=True))


def test_hidden_items_are_ids() -> None:
    assert Wishes(hidden=[7, "x"]).hidden == ("7", "x")
    for hidden in ("x", [None]):
        with pytest.raises(BadInput):
            Wishes(hidden=hidden)  # type: ignore[arg-type]
