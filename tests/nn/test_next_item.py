"""What next-item models share: losses that ask for what they need, and the tables."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.data.batches import Batch, NextItemBatches, last
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.nn.next_item import IdModel, NextItemModel
from tastemaker.nn.next_item_shape import NextItemConfig
from tastemaker.nn.view import WHOLE, Pass, View


@dataclass(frozen=True)
class MeanConfig(NextItemConfig):
    """No option of its own."""


class Mean(IdModel):
    """State = mean of the inputs so far: the least model that keeps the contract."""

    def read(self, batch: Batch, view: View = WHOLE, vectors: Tensor | None = None) -> Pass:
        x = self.inputs(batch, vectors).cumsum(1)
        counts = torch.arange(1, x.shape[1] + 1)[:, None]
        return view.passed(view.pick(x / counts * batch.valid[..., None]), [], batch)


def rows(*histories: list[int]) -> Contexts:
    offsets = np.cumsum([0, *map(len, histories)])
    flat = [code for one in histories for code in one]
    return Contexts(np.arange(len(histories)), offsets, np.array(flat, np.int32))


def test_losses_ask_for_what_they_need() -> None:
    model = Mean(MeanConfig(dim=4, loss="sampled"), 20)
    for asked in (model.loss, model.competitors):
        with pytest.raises(ValueError, match="targets"):
            asked(last(rows([1, 2]), 8))
    (batch,) = NextItemBatches(rows([1, 2, 3]), history=8, tokens=64).epoch(0)
    with pytest.raises(ValueError, match="negatives"):
        model.loss(batch)


def test_a_model_must_say_how_it_reads() -> None:
    with pytest.raises(TypeError, match="read"):
        NextItemModel(MeanConfig(), 20)  # type: ignore[abstract]


def test_the_loss_suits_the_catalogue_unless_it_is_named() -> None:
    assert Mean(MeanConfig(dim=4), 20).config.loss == "softmax"
    assert Mean(MeanConfig(dim=4, loss="gbce"), 20).config.loss == "gbce"


def test_batches_are_as_the_model_wants_them() -> None:
    train = rows([1, 2, 3, 4, 5], [6, 7])
    full = Mean(MeanConfig(dim=4, history=3), 8).batches(train, 2)
    assert (full.history, full.tokens, full.negatives, full.popular) == (3, 6, 0, False)
    wanted = MeanConfig(dim=4, loss="sampled", negatives=9, drawn="popular")
    drawn = Mean(wanted, 8).batches(train, 2, seed=5)
    assert (drawn.history, drawn.tokens, drawn.negatives, drawn.popular) == (50, 100, 9, True)
    assert drawn.seed == 5


def test_scores_are_products_with_the_unscaled_table() -> None:
    torch.manual_seed(0)
    model = Mean(MeanConfig(dim=8, dropout=0.0), 20).eval()
    want = model.encode(last(rows([1, 2, 3]), 8)) @ model.items.weight[1:].T
    torch.testing.assert_close(model.score(rows([1, 2, 3])), want)
    assert model.item_vectors().shape == (20, 8)
    assert model.items.weight[0].abs().max() == 0


def test_the_state_of_an_empty_history_is_zero() -> None:
    model = Mean(MeanConfig(dim=8), 20).eval()
    assert model.encode(last(rows([], [1]), 8))[0].abs().max() == 0


def test_the_loss_is_a_share_of_the_whole_step() -> None:
    torch.manual_seed(0)
    model = Mean(MeanConfig(dim=8, dropout=0.0), 20)
    histories = [list(range(n, n + 5)) for n in range(1, 9)]
    (batch,) = NextItemBatches(rows(*histories), history=8, tokens=64).epoch(0)
    parts = [model(batch.shard(rank, 2)) for rank in range(2)]
    torch.testing.assert_close(sum(parts), model(batch))


def test_a_grown_model_knows_what_it_knew_bit_for_bit() -> None:
    torch.manual_seed(0)
    model = Mean(MeanConfig(dim=4, history=8), 20).eval()
    grown = model.grown(Ground(25))
    old, new = model.state_dict(), grown.state_dict()
    assert new["items.weight"].shape == (26, 4)
    assert torch.equal(new["items.weight"][:21], old["items.weight"])
    assert all(torch.equal(new[name], old[name]) for name in old if name != "items.weight")
    batch = last(rows([1, 2, 3], [20]), 8)
    assert torch.equal(grown.encode(batch), model.encode(batch))
    assert torch.allclose(grown.score(rows([1, 2]))[:, :20], model.score(rows([1, 2])))
    assert not grown.training and model.grown(Ground(20)).train().grown(Ground(20)).training


def test_new_items_begin_as_those_of_a_fresh_model_and_learn() -> None:
    torch.manual_seed(0)
    model = Mean(MeanConfig(dim=64, history=8), 20)
    with torch.no_grad():
        model.items.weight.mul_(100)
    grown = model.grown(Ground(500))
    fresh = grown.items.weight.detach()[21:]
    assert 0.015 < float(fresh.std()) < 0.025
    assert not torch.equal(fresh[0], fresh[1])
    (batch,) = NextItemBatches(rows([1, 400, 3]), history=8, tokens=64).epoch(0)
    grown.loss(batch).backward()
    assert grown.items.weight.grad is not None and grown.items.weight.grad[400].any()
    assert model.items.weight.grad is None


def test_a_model_does_not_shrink() -> None:
    with pytest.raises(ValueError, match="fewer"):
        Mean(MeanConfig(dim=4), 20).grown(Ground(19))
