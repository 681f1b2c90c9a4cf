"""Options of a benchmark that would be idle are refused."""

import pytest

from tastemaker.commands.gistbench_options import (
    GistRunOptions,
    MakeDatasetOptions,
    ValidateOptions,
)
from tastemaker.errors import BadInput


def test_a_model_is_needed_and_judges_have_no_options_without_one() -> None:
    with pytest.raises(BadInput, match="model"):
        GistRunOptions("planted")
    with pytest.raises(BadInput, match="judge"):
        GistRunOptions("planted", "echo", repeats=3)
    with pytest.raises(BadInput, match="judge"):
        GistRunOptions("planted", "echo", judge_url="http://x")
    assert GistRunOptions("planted", "echo", "truth", repeats=3).mode == "strict"


def test_a_place_to_write_and_a_survey_are_needed() -> None:
    with pytest.raises(BadInput, match="folder"):
        MakeDatasetOptions("planted")
    with pytest.raises(BadInput, match="survey"):
        ValidateOptions("planted")
    for above in ("high", "nan", "inf"):
        with pytest.raises(BadInput, match="rating"):
            ValidateOptions("planted", "x.csv", above)
    assert ValidateOptions("planted", "x.csv", "3").above == "3"
