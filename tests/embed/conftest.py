"""One fit that tests of planning share."""

import numpy as np
import pytest

from tastemaker.embed.video_budget import VideoFitConfig, fit_law
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_file import VideoFit
from tests.embed.surfaces import GRID, planted, sixty


@pytest.fixture(scope="session")
def fit() -> VideoFit:
    law = fit_law(sixty(planted()), VideoFitConfig(starts=30, refits=20))
    axes = tuple(tuple(np.unique(GRID[:, k]).tolist()) for k in range(3))
    return VideoFit({"all tasks": law}, VideoCost(), axes, {})
