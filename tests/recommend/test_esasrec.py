"""eSASRec: exact to its definition, with its two limits, and the contract of every model."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tastemaker.data.batches import NextItemBatches, last
from tastemaker.data.contexts import Contexts
from tastemaker.nn.view import ALL
from tastemaker.recommend.esasrec import ESASRec, ESASRecConfig, LiGR
from tests.contracts import ITEMS, RecommenderContract, TrainableContract, some_contexts

SMALL = ESASRecConfig(
    dim=16, layers=2, heads=2, dropout=0.0, history=8, loss="softmax", negatives=5
)


class TestESASRec(RecommenderContract, TrainableContract):
    """The contract of every recommender and of every trainable model."""

    def build(self, num_items: int, seed: int = 0) -> ESASRec:
        torch.manual_seed(seed)
        return ESASRec(SMALL, num_items).eval()


def layer(gates: float | None = None) -> LiGR:
    """One layer in float64; `gates` fixes both biases and zeroes the gates' weights."""
    torch.manual_seed(0)
    found = LiGR(SMALL).double().eval()
    if gates is not None:
        for gate in (found.attention_gate, found.ffn_gate):
            torch.nn.init.zeros_(gate.weight)
            torch.nn.init.constant_(gate.bias, gates)
    return found


def slow(block: LiGR, x: Tensor) -> Tensor:
    """The equations of one layer for one history (N, D), with explicit loops."""
    z, dim, heads = block.attention_norm(x), x.shape[1], block.attention.heads
    q, (k, v) = block.attention.query(z), block.attention.key_value(z).chunk(2, -1)
    mixed = torch.zeros_like(x)
    for head in range(heads):
        cut = slice(head * dim // heads, (head + 1) * dim // heads)
        for i in range(len(x)):
            shares = torch.softmax(k[: i + 1, cut] @ q[i, cut] / (dim // heads) ** 0.5, 0)
            mixed[i, cut] = shares @ v[: i + 1, cut]
    x = x + torch.sigmoid(block.attention_gate(x)) * block.attention.out(mixed)
    wa, wb = block.widen.weight.chunk(2, 0)
    z = block.ffn_norm(x)
    inner = F.silu(z @ wa.T) * (z @ wb.T)
    return x + torch.sigmoid(block.ffn_gate(x)) * (inner @ block.narrow.weight.T)


@torch.no_grad()
def test_a_layer_equals_a_slow_float64_reference() -> None:
    block, x = layer(), torch.randn(2, 6, 16, dtype=torch.float64)
    want = torch.stack([slow(block, row) for row in x])
    assert (block(x, ALL)[0] - want).abs().max() < 1e-10


@torch.no_grad()
def test_open_gates_are_the_ungated_block_and_closed_ones_the_identity() -> None:
    x = torch.randn(2, 6, 16, dtype=torch.float64)
    block = layer(30.0)
    z = block.attention_norm(x)
    a = x + block.attention(z, block.attention.keys_values(z))
    torch.testing.assert_close(
        block(x, ALL)[0], a + block.feed(block.ffn_norm(a)), rtol=0, atol=1e-9
    )
    torch.testing.assert_close(layer(-30.0)(x, ALL)[0], x, rtol=0, atol=1e-9)


def test_the_inner_width_is_four_times_the_outer_without_bias() -> None:
    block = layer()
    assert block.widen.weight.shape == (2 * 4 * 16, 16)
    assert block.narrow.weight.shape == (16, 4 * 16)
    assert block.widen.bias is None
    assert block.narrow.bias is None


def test_the_gate_reads_the_stream_before_normalisation() -> None:
    block = layer()
    x = torch.randn(1, 3, 16, dtype=torch.float64)
    with torch.no_grad():
        block.attention_norm.weight.zero_()  # attention now reads a constant
        block.attention_norm.bias.zero_()
        block.attention.out.bias.fill_(1.0)
        block.ffn_gate.weight.zero_()
        block.ffn_gate.bias.fill_(-60.0)
        gained = block(x, ALL)[0] - x
        nothing = torch.zeros_like(x)
        value = block.attention(nothing, block.attention.keys_values(nothing))
        want = torch.sigmoid(block.attention_gate(x)) * value
    torch.testing.assert_close(gained, want, rtol=0, atol=1e-9)


@pytest.mark.parametrize("loss", ["softmax", "sampled", "gbce"])
def test_gradient_reaches_every_parameter_and_the_padding_row_stays_zero(loss: str) -> None:
    torch.manual_seed(0)
    model = ESASRec(replace(SMALL, loss=loss), ITEMS)  # type: ignore[arg-type]
    rows = some_contexts()
    (batch, *_) = NextItemBatches(rows, 8, 400, negatives=model.config.sampled).epoch(0)
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)
    for _ in range(2):
        optimizer.zero_grad()
        model(batch).backward()
        optimizer.step()
    assert model.items.weight[0].abs().max() == 0
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@torch.no_grad()
def test_a_batch_of_empty_histories_is_finite() -> None:
    model = TestESASRec().build(ITEMS)
    assert torch.isfinite(model.score(Contexts.single([]))).all()
    assert model.encode(last(Contexts.single([]), 8)).abs().max() == 0
