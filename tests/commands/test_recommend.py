"""What `recommend` shows."""

import pytest

from tastemaker.commands.recommend import RecommendOptions, show_answer
from tastemaker.errors import BadInput


def test_answers_show_history_beside_recommendations(capsys: pytest.CaptureFixture[str]) -> None:
    items = [{"title": "One [red]"}, {"title": "Two"}]
    found = {
        "user": "7",
        "history": ("Old",),
        "items": items,
        "reason": "Because.",
        "complete": False,
    }
    show_answer(found)
    out = capsys.readouterr().out
    assert "User 7" in out
    assert out.index("Old") < out.index("One [red]") < out.index("Two") < out.index("Because.")
    assert "Only 2 items" in out


def test_boosts_are_groups_with_weights() -> None:
    options = RecommendOptions("r", "u", boost=("Comedy=0.3", "A=b=-2"))
    assert options.boosts() == {"Comedy": 0.3, "A=b": -2.0}


@pytest.mark.parametrize(
    "text", ["Comedy", "=1", "Comedy=", "Comedy=x", "Comedy=nan", "Comedy=1e9"]
)
def test_what_is_no_boost(text: str) -> None:
    with pytest.raises(BadInput, match="is not a boost"):
        RecommendOptions("r", "u", boost=(text,)).boosts()
