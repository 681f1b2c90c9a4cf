"""The blend: a weighted sum of what each part says on a common scale."""

import numpy as np
import pytest
import torch

from tastemaker.data.contexts import Contexts
from tastemaker.recommend.blend import Blend, LogMarkov, LogSoftmax, parts_of
from tastemaker.recommend.counting import Markov, Popularity
from tests.contracts import ITEMS, some_contexts
from tests.recommend.fixed_scores import Fixed


def test_models_that_a_run_lacks_are_no_parts() -> None:
    one = Fixed(np.zeros((3, 4)))
    have = {"popularity": one, "markov-last-5": one, "ease": one, "item-knn": one}
    assert list(parts_of("mine", one, have)) == ["mine", "markov-last-5", "ease"]
    del have["popularity"]
    assert list(parts_of("mine", one, have)) == ["mine", "ease"]
    assert list(parts_of("mine", one, {})) == ["mine"]


def test_scores_are_the_weighted_sum() -> None:
    rng = np.random.default_rng(0)
    parts = {name: Fixed(rng.normal(size=(3, 60))) for name in ("first", "second", "noise")}
    rows = Contexts(np.array([1, 2]), np.array([0, 1, 2]), np.array([1, 2], np.int32))
    blend = Blend(parts, {"first": 2.0, "second": 0.0, "noise": 0.5})
    want = 2 * parts["first"].score(rows) + 0.5 * parts["noise"].score(rows)
    torch.testing.assert_close(blend.score(rows), want)
    with pytest.raises(ValueError, match="above 0"):
        Blend(parts, {"first": 0.0}).score(rows)


def test_parts_are_brought_to_a_common_scale() -> None:
    train, rows = some_contexts(20, seed=1), some_contexts(5, seed=2)
    markov, popular = Markov.fit(train, ITEMS), Popularity.fit(train, ITEMS)
    counts = popular.score(rows)
    want = torch.log(markov.score(rows) + 0.02 * counts / counts.sum(1, keepdim=True) + 1e-12)
    torch.testing.assert_close(LogMarkov(markov, popular).score(rows), want)
    chances = LogSoftmax(markov).score(rows).exp().sum(1)
    torch.testing.assert_close(chances, torch.ones(5))


def test_a_part_of_weight_0_is_not_asked() -> None:
    class Silent(Fixed):
        def score(self, contexts: Contexts) -> torch.Tensor:
            raise AssertionError("asked for nothing")

    rows, table = some_contexts(5, seed=2), np.ones((5, ITEMS))
    blend = Blend({"idle": Silent(table), "works": Fixed(table)}, {"idle": 0.0, "works": 2.0})
    assert (blend.score(rows) == 2).all()


def test_what_markov_never_saw_is_ordered_by_popularity() -> None:
    train = Contexts(np.arange(3), np.array([0, 2, 4, 5]), np.array([1, 2, 3, 2, 3], np.int32))
    markov, popular = Markov.fit(train, 4), Popularity.fit(train, 4)
    empty = Contexts(np.array([0]), np.array([0, 0]), np.empty(0, np.int32))
    scores = LogMarkov(markov, popular).score(empty)[0]
    assert torch.isfinite(scores).all()
    assert scores[1] == scores[2] > scores[0] > scores[3]
