"""SASRec: exact to its definition, blind to the future, indifferent to padding and company."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.data.batches import Batch, NextItemBatches, last
from tastemaker.data.contexts import Contexts
from tastemaker.data.interactions import Interactions
from tastemaker.data.splits import leave_one_out
from tastemaker.errors import BadInput
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tests.contracts import RecommenderContract, TrainableContract

SMALL = SASRecConfig(dim=16, layers=2, heads=2, inner=32, dropout=0.0, history=8)


class TestSASRec(RecommenderContract, TrainableContract):
    """The contract of every recommender and of every trainable model."""

    def build(self, num_items: int, seed: int = 0) -> SASRec:
        torch.manual_seed(seed)
        return SASRec(SMALL, num_items).eval()


class TestQueryNorm(RecommenderContract, TrainableContract):
    """The paper's own order of normalisation keeps the same contract."""

    def build(self, num_items: int, seed: int = 0) -> SASRec:
        torch.manual_seed(seed)
        return SASRec(replace(SMALL, norm="query"), num_items).eval()


def contexts(*rows: list[int]) -> Contexts:
    offsets = np.cumsum([0, *map(len, rows)])
    items = np.array([code for row in rows for code in row], np.int32)
    return Contexts(np.arange(len(rows)), offsets, items)


def slow_states(model: SASRec, items: list[int]) -> Tensor:
    """States of one history by the formulas, in float64, with explicit loops over heads."""
    model = model.double()
    n, d, heads = len(items), model.config.dim, model.config.heads
    x = model.items.weight[items] * d**0.5 + model.positions.weight[:n]
    for block in model.layers:
        z = block.attention_norm(x)
        own = block.attention
        q, (k, v) = own.query(z), own.key_value(z).chunk(2, -1)
        mixed = torch.zeros_like(x)
        for h in range(heads):
            cut = slice(h * d // heads, (h + 1) * d // heads)
            for i in range(n):
                scores = (k[: i + 1, cut] @ q[i, cut]) / (d // heads) ** 0.5
                mixed[i, cut] = torch.softmax(scores, 0) @ v[: i + 1, cut]
        a = x + own.out(mixed)
        x = a + block.narrow(torch.relu(block.widen(block.ffn_norm(a))))
    return model.final_norm(x)


@torch.no_grad()
def test_states_equal_a_slow_float64_reference() -> None:
    torch.manual_seed(0)
    model = SASRec(SMALL, 20).eval().double()
    for table in (model.items, model.positions):
        torch.nn.init.normal_(table.weight)
    items = [3, 9, 9, 1, 20]
    fast = model.states(last(contexts(items), 8))[0]
    assert (fast - slow_states(model, items)).abs().max() < 1e-10


def test_scores_are_products_with_the_unscaled_table() -> None:
    torch.manual_seed(0)
    model = SASRec(SMALL, 20).eval()
    rows = contexts([1, 2, 3])
    want = model.encode(last(rows, 8)) @ model.items.weight[1:].T
    torch.testing.assert_close(model.score(rows), want)
    assert model.item_vectors().shape == (20, 16)


def test_histories_longer_than_the_window_keep_the_newest() -> None:
    torch.manual_seed(0)
    model = SASRec(SMALL, 20).eval()
    long = [int(i) for i in np.random.default_rng(0).integers(1, 21, 50)]
    torch.testing.assert_close(model.score(contexts(long)), model.score(contexts(long[-8:])))


def test_a_batch_of_empty_histories_is_finite() -> None:
    model = SASRec(SMALL, 20).eval()
    assert torch.isfinite(model.score(contexts([], []))).all()
    mixed = model.score(contexts([], [4, 5]))
    torch.testing.assert_close(mixed[1:], model.score(contexts([4, 5])))


def test_the_padding_row_stays_zero_and_every_other_parameter_learns() -> None:
    torch.manual_seed(0)
    model = SASRec(SMALL, 20)
    rows = contexts(list(range(1, 10)), list(range(12, 21)))
    (batch,) = NextItemBatches(rows, history=8, tokens=64).epoch(0)
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)
    for _ in range(3):
        optimizer.zero_grad()
        model(batch).backward()
        optimizer.step()
    assert model.items.weight[0].abs().max() == 0
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("loss", ["softmax", "sampled", "gbce"])
def test_one_layer_memorises_a_cycle(loss: str) -> None:
    log = Interactions.from_sequences({f"u{n}": list("abcabcabcabc"[n % 3 :]) for n in range(6)})
    torch.manual_seed(0)
    config = replace(SMALL, layers=1, loss=loss, negatives=2)  # type: ignore[arg-type]
    model = SASRec(config, log.num_items)
    cuts = leave_one_out(log)
    batches = NextItemBatches(cuts.train(), history=8, tokens=64, negatives=config.sampled)
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)
    for epoch in range(60):
        for batch in batches.epoch(epoch):
            optimizer.zero_grad()
            model(batch).backward()
            optimizer.step()
    queries = cuts.queries("test")
    best = model.eval().score(queries.contexts).argmax(1) + 1
    assert best.tolist() == queries.target_items.tolist()


def test_losses_ask_for_what_they_need() -> None:
    model = SASRec(replace(SMALL, loss="sampled"), 20)
    with pytest.raises(ValueError, match="targets"):
        model.loss(last(contexts([1, 2]), 8))
    (batch,) = NextItemBatches(contexts([1, 2, 3]), history=8, tokens=64).epoch(0)
    with pytest.raises(ValueError, match="negatives"):
        model.loss(batch)


@pytest.mark.parametrize(
    "wrong",
    [{"dim": 0}, {"heads": 3}, {"layers": 0}, {"dropout": 1.0}, {"history": 0}, {"negatives": -1}],
)
def test_shapes_that_cannot_be_built(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput, match=next(iter(wrong))):
        SASRecConfig(**wrong)  # type: ignore[arg-type]


def test_bf16_autocast_trains_and_scores_in_float32() -> None:
    torch.manual_seed(0)
    model = SASRec(SMALL, 20)
    (batch,) = NextItemBatches(contexts(list(range(1, 10))), history=8, tokens=64).epoch(0)
    with torch.autocast("cpu", torch.bfloat16):
        loss = model(batch)
    loss.backward()
    assert loss.dtype == torch.float32
    assert abs(loss.item() - model(batch).item()) < 0.05
    with torch.autocast("cpu", torch.bfloat16):
        assert model.score(contexts([1, 2])).dtype == torch.float32


def test_batches_travel_to_a_device() -> None:
    batch: Batch = last(contexts([1, 2]), 8).to(torch.device("meta"))
    assert batch.items.device.type == batch.valid.device.type == "meta"
