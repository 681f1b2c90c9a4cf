"""A silo as a client, and how good a model is for each."""

import numpy as np
import pytest
import torch

from tastemaker.data.batches import Batch
from tastemaker.data.contexts import Contexts
from tastemaker.data.queries import Queries
from tastemaker.errors import BadInput
from tastemaker.federate.silo_data import SiloData, across
from tests.federate.items import ITEMS, model, walks


def test_what_was_seen_is_counted_up_to_a_limit() -> None:
    federated, train = model(), walks(30)
    seen = SiloData(train, federated, most=8).seen()
    (counts,) = seen.values()
    assert set(seen) == federated.by_row
    exact = np.bincount(train.items, minlength=ITEMS + 1)
    assert exact.max() > 8
    assert counts.tolist() == np.minimum(exact, 8).tolist()
    assert counts.dtype == torch.int64


def test_examples_are_the_targets_of_an_epoch() -> None:
    data = SiloData(walks(30), model())
    steps = list(data.batches(4, 7).epoch(0))
    assert len(steps) > 1
    assert data.examples == sum(step.target_count for step in steps) == len(walks(30).items) - 30


def test_a_silo_without_events_has_no_examples() -> None:
    data = SiloData(walks(3).slice(0, 0), model())
    assert data.examples == 0
    assert list(data.batches(4, 0).epoch(0)) == []


def test_steps_depend_on_the_seed() -> None:
    data = SiloData(walks(30), model())

    def order(seed: int) -> list[list[int]]:
        found: list[list[int]] = []
        for step in data.batches(4, seed).epoch(0):
            assert isinstance(step, Batch)
            found += step.items.tolist()
        return found

    assert order(1) == order(1) != order(2)


class Fixed(torch.nn.Module):
    """Ranks item 1 first, then 2, and so on, whoever asks."""

    def score(self, contexts: Contexts) -> torch.Tensor:
        return -torch.arange(40.0).expand(len(contexts), 40)


def asked(*targets: int) -> Queries:
    past = Contexts(
        np.arange(len(targets)), np.arange(len(targets) + 1), np.full(len(targets), 40, np.int32)
    )
    return Queries(past, np.array(targets, np.int32), np.arange(len(targets) + 1))


def test_silos_count_alike_and_the_worst_is_told() -> None:
    told = across({"a": asked(1, 2, 30, 31), "b": asked(10), "c": asked()})(Fixed())
    assert told["accuracy"] == pytest.approx((0.5 + 1) / 2)
    assert told["worst_client"] == 0.5
    gains = (1 + 1 / np.log2(3)) / 4, 1 / np.log2(11)
    assert told["ndcg@10"] == pytest.approx(sum(gains) / 2)
    assert told["worst_ndcg@10"] == pytest.approx(min(gains))


def test_only_candidates_are_ranked() -> None:
    allowed = np.arange(40) >= 20
    assert across({"a": asked(30)}, allowed)(Fixed())["accuracy"] == 1
    assert across({"a": asked(31)}, allowed)(Fixed())["accuracy"] == 0


def test_nobody_to_ask_is_refused() -> None:
    with pytest.raises(BadInput):
        across({"a": asked()})
