"""Counting models against their definitions by brute force, and their values on ML-1M."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tastemaker.data.contexts import Contexts
from tastemaker.data.datasets import load
from tastemaker.data.splits import leave_one_out
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.recommend.counting import COUNTING, CoOccurrence, ItemKNN, Markov, MarkovFirst
from tastemaker.recommend.saved_tensors import Saved
from tests.contracts import ITEMS, CountingContract, some_contexts

TRAIN = some_contexts(rows=25, seed=9)


def rows_of(contexts: Contexts) -> list[list[int]]:
    return [contexts.slice(b, b + 1).items.tolist() for b in range(len(contexts))]


def adjacent() -> np.ndarray:
    counts = np.zeros((ITEMS, ITEMS))
    for row in rows_of(TRAIN):
        for a, b in zip(row, row[1:], strict=False):
            counts[a - 1, b - 1] += 1
    return counts


def popularity() -> np.ndarray:
    return np.bincount(TRAIN.items, minlength=ITEMS + 1)[1:].astype(float)


@pytest.mark.parametrize("name", COUNTING, scope="class")
class TestEveryCountingModel(CountingContract):
    """The contract of every counting model."""

    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        self.name = name


def test_popularity_counts_events() -> None:
    scores = COUNTING["popularity"].fit(TRAIN, ITEMS).score(some_contexts(3))
    assert torch.equal(scores[0], torch.from_numpy(popularity()).float())
    assert torch.equal(scores[0], scores[2])


def test_markov_is_the_recipe_of_the_specification() -> None:
    transitions, fitted = adjacent(), Markov.fit(TRAIN, ITEMS)
    contexts = some_contexts(8, seed=3)
    scores = fitted.score(contexts)
    for b, row in enumerate(rows_of(contexts)):
        want = 1e-9 * popularity()
        for k, item in enumerate(row[::-1][:5]):
            counts = transitions[item - 1]
            want += 0.7**k * counts / (counts.sum() + 10)
        np.testing.assert_allclose(scores[b], want, rtol=1e-6, atol=1e-12)


def test_first_order_markov_reads_the_newest_item_only() -> None:
    contexts = some_contexts(8, seed=3)
    scores = MarkovFirst.fit(TRAIN, ITEMS).score(contexts)
    for b, row in enumerate(rows_of(contexts)):
        want = adjacent()[row[-1] - 1] + 1e-6 * popularity()
        np.testing.assert_allclose(scores[b], want, rtol=1e-6)


def test_co_occurrence_by_brute_force() -> None:
    counts = np.zeros((ITEMS, ITEMS))
    for row in rows_of(TRAIN):
        for at, a in enumerate(row):
            for b in row[at + 1 : at + 6]:
                counts[a - 1, b - 1] += 1
    seen = np.maximum(popularity(), 1)
    contexts = some_contexts(8, seed=4)
    scores = CoOccurrence.fit(TRAIN, ITEMS).score(contexts)
    for b, row in enumerate(rows_of(contexts)):
        want = 1e-9 * popularity()
        for back, x in enumerate(row[::-1]):
            want += 0.8**back * counts[x - 1] / np.sqrt(seen[x - 1] * seen)
        np.testing.assert_allclose(scores[b], want, rtol=1e-5, atol=1e-9)


def test_item_neighbours_by_brute_force() -> None:
    chosen = np.zeros((len(TRAIN), ITEMS))
    for user, row in enumerate(rows_of(TRAIN)):
        chosen[user, np.array(row) - 1] = 1
    norms = np.sqrt(np.maximum(chosen.sum(0), 1))
    cosine = (chosen.T @ chosen) / norms[:, None] / norms[None, :]
    np.fill_diagonal(cosine, 0)
    for item in range(ITEMS):
        cosine[item, cosine[item] < np.sort(cosine[item])[-5]] = 0
    contexts = some_contexts(4, seed=5)
    scores = ItemKNN.fit(TRAIN, ITEMS, neighbours=5).score(contexts)
    for b, row in enumerate(rows_of(contexts)):
        weights = np.bincount(row, minlength=ITEMS + 1)[1:]
        np.testing.assert_allclose(scores[b], cosine @ weights + 1e-9 * popularity(), atol=1e-6)


@pytest.mark.parametrize("name", COUNTING)
def test_every_knob_changes_the_scores_and_is_saved(name: str) -> None:
    plain = COUNTING[name].fit(TRAIN, ITEMS)
    contexts = some_contexts(8, seed=7)
    for knob, (default, *others) in COUNTING[name].KNOBS.items():
        assert torch.equal(COUNTING[name].fit(TRAIN, ITEMS, **{knob: default}).score(contexts),
                           plain.score(contexts))  # fmt: skip
        turned = [COUNTING[name].fit(TRAIN, ITEMS, **{knob: value}) for value in others]
        for model in turned:
            again = COUNTING[name].from_tensors(Saved(model.tensors(), ITEMS))
            assert torch.equal(again.score(contexts), model.score(contexts))
        changed = [not torch.equal(m.score(contexts), plain.score(contexts)) for m in turned]
        assert any(changed) or not others


@pytest.mark.parametrize("name", COUNTING)
def test_fitting_twice_gives_the_same_bytes_and_saving_keeps_them(name: str) -> None:
    one, two = COUNTING[name].fit(TRAIN, ITEMS), COUNTING[name].fit(TRAIN, ITEMS)
    assert one.tensors().keys() == two.tensors().keys()
    for key, array in one.tensors().items():
        assert array.tobytes() == two.tensors()[key].tobytes()
    again = COUNTING[name].from_tensors(Saved(one.tensors(), ITEMS))
    assert torch.equal(again.score(some_contexts()), one.score(some_contexts()))


@pytest.mark.parametrize("name", COUNTING)
def test_fitting_and_scoring_leave_the_log_alone(name: str) -> None:
    contexts = some_contexts(seed=6)
    before = contexts.items.copy(), contexts.offsets.copy()
    COUNTING[name].fit(contexts, ITEMS).score(contexts)
    assert np.array_equal(before[0], contexts.items)
    assert np.array_equal(before[1], contexts.offsets)


@pytest.mark.parametrize("name", COUNTING)
def test_an_empty_history_of_an_unknown_user_is_answered(name: str) -> None:
    scores = COUNTING[name].fit(TRAIN, ITEMS).score(Contexts.single([]))
    assert scores.shape == (1, ITEMS)
    assert torch.isfinite(scores).all()
    if name not in ("ease",):
        order = torch.from_numpy(popularity())
        assert scores[0].argmax() == order.argmax()


@pytest.mark.parametrize(
    ("through", "hr", "ndcg"), [("train", 0.2469, 0.1428), ("valid", 0.2469, 0.1433)]
)
def test_markov_on_ml_1m_has_the_values_measured_before(
    shared_data: Path, through: Any, hr: float, ndcg: float
) -> None:
    if not (shared_data / "ml-1m").is_dir():
        pytest.skip("ml-1m is not in the folder of real data")
    cuts = leave_one_out(load(shared_data / "ml-1m").interactions)
    assert cuts.interactions.num_items == 3416
    fitted = Markov.fit(cuts.train(through), 3416)
    found = evaluate(fitted, cuts.queries("test"), EvalOptions((10,)))
    assert found.mean("hr@10") == pytest.approx(hr, abs=5e-4)
    assert found.mean("ndcg@10") == pytest.approx(ndcg, abs=5e-4)
