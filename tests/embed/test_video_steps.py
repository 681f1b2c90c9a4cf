"""What a little more changes, and where that comes from."""

from dataclasses import replace

import numpy as np
import pytest

from tastemaker.embed.video_budget import VideoFitConfig, fit_law
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_file import VideoFit
from tastemaker.embed.video_steps import PUBLISHED, banded, move_with_data, spend_more, wanted
from tests.embed.surfaces import GRID, planted, sixty


def test_a_tenth_more_is_spent_on_one_factor_alone(fit: VideoFit) -> None:
    x, cost = GRID[50], VideoCost()
    language = 2 * x.prod()
    larger = 1 + 0.1 * cost.flops(x) / language
    there = np.array([x * [larger, 1, 1], x * [1, 1.1, 1], x * [1, 1, larger]])
    assert cost.flops(there) == pytest.approx(1.1 * cost.flops(x))
    wanted_change = fit.law.refits(there, 1e6) - fit.law.refits(x[None], 1e6)
    assert spend_more(fit.law, cost, x, 1e6) == pytest.approx(wanted_change)


def test_what_lowers_the_error_most_is_wanted() -> None:
    assert wanted(np.array([[-0.1, -0.3, 0.2], [-0.1, -0.2, 0.2]])) == "frames"
    assert wanted(np.array([[0.1, 0.3, 0.2]])) == "none"
    assert banded(np.array([1.0, 2.0, 3.0]))["median"] == 2


def test_how_sizes_move_comes_from_the_fit_where_n_varied(fit: VideoFit) -> None:
    source, moved = move_with_data(fit, 15e12, 1e6)
    assert source == "your fit"
    for one in moved.values():
        assert one["interval90"][0] <= one["median"] <= one["interval90"][1]
    points = sixty(planted())
    same = points.of(points.n == 1e6)
    law = fit_law(same, VideoFitConfig("add", 10, 5))
    told = move_with_data(replace(fit, laws={"all": law}), 15e12, 1e6)
    assert told == ("literature", {name: {"median": value} for name, value in PUBLISHED.items()})
    assert move_with_data(fit, 1e12, 1e6)[0] == "literature"
