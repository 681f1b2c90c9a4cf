"""What may be asked of video budgets is checked before anything is read."""

from typing import get_args, get_type_hints

import pytest

from tastemaker.commands.video_options import Form, VideoFitOptions
from tastemaker.embed.video_budget import VideoFitConfig
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_forms import FORMS
from tastemaker.errors import BadInput


def test_no_runs_are_refused() -> None:
    with pytest.raises(BadInput) as refused:
        VideoFitOptions()
    assert refused.value.where == "--points"


def test_options_are_those_of_the_fit_with_its_defaults() -> None:
    options = vars(VideoFitOptions("runs.csv"))
    for config in (VideoFitConfig(), VideoCost()):
        assert vars(config).items() <= options.items()
    assert get_args(Form) == FORMS
    assert get_type_hints(VideoFitOptions)["form"] == get_type_hints(VideoFitConfig)["form"]
