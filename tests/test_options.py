"""What the commands can be asked."""

import pytest

from tastemaker.errors import BadInput
from tastemaker.options import RecommendOptions, RunOptions


def test_defaults_need_nothing() -> None:
    options = RunOptions()
    assert (options.data, options.model, options.split) == (
        "movielens-small", "sasrec", "leave-one-out",
    )  # fmt: skip


def test_boosts_are_groups_with_weights() -> None:
    options = RecommendOptions("r", "u", boost=("Comedy=0.3", "A=b=-2"))
    assert options.boosts() == {"Comedy": 0.3, "A=b": -2.0}


@pytest.mark.parametrize(
    "text", ["Comedy", "=1", "Comedy=", "Comedy=x", "Comedy=nan", "Comedy=1e9"]
)
def test_what_is_no_boost(text: str) -> None:
    with pytest.raises(BadInput, match="is not a boost"):
        RecommendOptions("r", "u", boost=(text,)).boosts()
