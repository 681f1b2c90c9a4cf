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


def test_nothing_is_gained_where_nothing_is_known(fit: VideoFit) -> None:
    """A factor that did not vary changes no error, so nothing more of it is wanted."""
    points = sixty(planted("add"))
    factors = points.x.copy()
    factors[:, 1] = 8
    law = fit_law(replace(points, x=factors), VideoFitConfig("add", 8, 4))
    changes = spend_more(law, VideoCost(), np.array([2.8e9, 8, 49]), 1e6)
    assert not changes[:, 1].any() and (changes[:, [0, 2]] < 0).all()
    assert wanted(changes) in ("parameters", "tokens")
    assert wanted(np.zeros((3, 3))) == "none"


@pytest.mark.parametrize("cost", [VideoCost(), VideoCost(0), VideoCost(1e10, 1024, 1e8)])
def test_whatever_seeing_costs_a_tenth_more_is_a_tenth(fit: VideoFit, cost: VideoCost) -> None:
    """Found again from the change alone: no spending of another size changes the error so."""
    x = GRID[20]
    changes = spend_more(fit.law, cost, x, 5e5)
    here = fit.law.refits(x[None], 5e5)[:, 0]
    for k in (0, 2):
        there = x.copy()
        there[k] = (1.1 * cost.flops(x) - cost.vision(x)) * x[k] / (2 * x.prod())
        assert cost.flops(there) == pytest.approx(1.1 * cost.flops(x))
        assert changes[:, k] == pytest.approx(fit.law.refits(there[None], 5e5)[:, 0] - here)


def test_a_band_holds_nine_in_ten_and_its_median() -> None:
    values = np.random.default_rng(0).permutation(np.arange(101.0))
    told = banded(values)
    assert told == {"median": 50.0, "interval90": [5.0, 95.0]}
    assert banded(-values) == {"median": -50.0, "interval90": [-95.0, -5.0]}
    assert banded(np.array([3.0])) == {"median": 3.0, "interval90": [3.0, 3.0]}
