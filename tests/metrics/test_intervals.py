"""Bootstrap intervals against explicit resampling and known answers."""

import json
import math

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.metrics import intervals as module
from tastemaker.metrics.beyond_accuracy import personalisation
from tastemaker.metrics.intervals import bucketed, interval, intervals, resampled_means


def test_weighted_means_equal_explicit_resampling() -> None:
    values = np.random.default_rng(0).normal(size=(37, 3))
    draws = np.random.default_rng(4).integers(0, 37, (50, 37), dtype=np.uint32)
    explicit = np.stack([values[picks].mean(0) for picks in draws])
    np.testing.assert_allclose(resampled_means(values, 4, 50), explicit, rtol=0, atol=1e-12)


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(23, 2))
    whole = resampled_means(values, 1, 101)
    for cells in (1, 23 * 7, 23 * 101):
        monkeypatch.setattr(module, "CELLS", cells)
        np.testing.assert_allclose(resampled_means(values, 1, 101), whole, rtol=0, atol=1e-12)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).random(200)
    assert interval(values) == interval(values)
    assert interval(values).ci95 != interval(values, seed=1).ci95


def test_the_ends_cut_off_a_fortieth_of_the_resampled_means_on_either_side() -> None:
    values = np.random.default_rng(0).normal(size=37)
    means = np.sort(resampled_means(values[:, None], 5, 4_001)[:, 0])
    assert interval(values, 5, 4_001).ci95 == pytest.approx((means[100], means[3_900]), abs=1e-12)


def test_many_metrics_share_their_resamples() -> None:
    rng = np.random.default_rng(0)
    values = {name: rng.random(80) for name in "abc"}
    together = intervals(values, resamples=500)
    for name, one in values.items():
        alone = interval(one, resamples=500)
        assert together[name].mean == pytest.approx(one.mean())
        assert together[name].ci95 == pytest.approx(alone.ci95, abs=1e-12)
    assert intervals({}) == {}


def test_coverage_of_the_interval() -> None:
    # One pass: 1,000 data sets of n = 500 are the columns, so they share resamples, not data.
    draws = np.random.default_rng(0).normal(3.0, 2.0, (500, 1000))
    found = intervals({str(at): draws[:, at] for at in range(1000)}, resamples=1500)
    inside = np.mean([one.ci95[0] <= 3.0 <= one.ci95[1] for one in found.values()])
    assert 0.93 <= inside <= 0.97


def test_seeds_are_averaged_within_users() -> None:
    values = np.random.default_rng(0).random((3, 50))
    found = interval(values)
    assert found.ci95 == interval(values.mean(0)).ci95
    assert (found.users, found.seeds) == (50, 3)
    assert found.seed_sd == pytest.approx(values.mean(1).std(ddof=1))
    assert interval(values[0]).seed_sd == 0.0
    stored = json.loads(json.dumps(found.to_json()))
    assert stored["mean"] == found.mean and stored["ci95"] == list(found.ci95)


def test_personalisation_counts_stay_those_of_all_users() -> None:
    rng = np.random.default_rng(0)
    lists = np.stack([rng.permutation(30)[:5] + 1 for _ in range(40)]).astype(np.int32)
    apart = personalisation(lists, 30)
    low, high = interval(apart, resamples=2000).ci95
    assert low < apart.mean() < high
    picks = rng.integers(0, 40, 40)
    faked = personalisation(lists[picks], 30).mean()
    assert faked < apart[picks].mean(), "lists drawn twice overlap with themselves"


@pytest.mark.parametrize("bad", [[], [[]], [1.0, math.nan], [math.inf], np.zeros((2, 2, 2))])
def test_values_without_a_mean_are_refused(bad: object) -> None:
    with pytest.raises(BadInput):
        interval(bad)  # type: ignore[arg-type]


def test_arrays_of_other_users_are_refused() -> None:
    with pytest.raises(BadInput):
        intervals({"a": np.zeros(5), "b": np.zeros(6)})


def test_buckets() -> None:
    values = {"a": np.array([1.0, 0.0, 0.5, 1.0]), "b": np.zeros(4)}
    labels = np.array(["long", "short", "long", "long"])
    short, long = bucketed(values, labels, ["short", "none", "long"])
    assert (short["bucket"], short["n"]) == ("short", 1)
    assert (long["bucket"], long["n"]) == ("long", 3)
    assert short["models"]["a"]["ci95"] == [0.0, 0.0]
    assert long["models"]["a"]["mean"] == pytest.approx(2.5 / 3)
    low, high = long["models"]["a"]["ci95"]
    assert 0.5 <= low < 2.5 / 3 < high <= 1.0
