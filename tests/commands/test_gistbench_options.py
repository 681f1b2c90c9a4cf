"""Options of a benchmark that would be idle are refused."""

import pytest

from tastemaker.commands.gistbench_options import GistRunOptions
from tastemaker.errors import BadInput


def test_a_model_is_needed_and_judges_have_no_options_without_one() -> None:
    with pytest.raises(BadInput, match="model"):
        GistRunOptions("planted")
    with pytest.raises(BadInput, match="judge"):
        GistRunOptions("planted", "echo", repeats=3)
    with pytest.raises(BadInput, match="judge"):
        GistRunOptions("planted", "echo", judge_url="http://x")
    assert GistRunOptions("planted", "echo", "truth", repeats=3).mode == "strict"
