"""Attention against loops in float64, gradients against finite differences, and its bounds."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tastemaker.nn import attention
from tastemaker.nn.attention import SelfAttention, pointwise_attention, pointwise_newest
from tastemaker.nn.view import LayerView

Parts = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


def parts(batch: int = 3, heads: int = 2, length: int = 7, width: int = 4) -> Parts:
    """Random q, k, v, position bias, time weights and buckets, in float64."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    q, k = normal(batch, heads, length, width), normal(batch, heads, length, width)
    v = normal(batch, heads, length, width + 1)
    buckets = torch.randint(0, 5, (batch, length, length), generator=generator)
    return q, k, v, normal(length, length), normal(5), buckets


def slow(found: Parts, divisor: float, with_time: bool = True) -> Tensor:
    """The formula, one query and one key at a time."""
    q, k, v, position, weights, buckets = found
    out = torch.zeros(*q.shape[:3], v.shape[3], dtype=q.dtype)
    for b in range(q.shape[0]):
        for h in range(q.shape[1]):
            for i in range(q.shape[2]):
                for j in range(i + 1):
                    score = q[b, h, i] @ k[b, h, j] + position[i, j]
                    if with_time:
                        score = score + weights[buckets[b, i, j]]
                    out[b, h, i] += F.silu(score) / divisor * v[b, h, j]
    return out


@pytest.mark.parametrize(("scores", "queries"), [(2**18, 64), (30, 3), (1, 1)])
def test_pointwise_attention_equals_a_slow_float64_reference(
    scores: int, queries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "_SCORES", scores)
    monkeypatch.setattr(attention, "_QUERIES", queries)
    found = parts()
    assert (
        pointwise_attention(found[:3], *found[3:], 11.0) - slow(found, 11.0)
    ).abs().max() < 1e-10
    without = pointwise_attention(found[:3], *found[3:5], None, 11.0)
    assert (without - slow(found, 11.0, with_time=False)).abs().max() < 1e-10


@pytest.mark.parametrize("per_row", [False, True])
@pytest.mark.parametrize(("scores", "tile"), [(2**18, 64), (30, 3), (1, 1)])
@pytest.mark.parametrize("asking", [1, 2, 5])
def test_fewer_queries_than_keys_are_the_newest_of_them(
    asking: int, scores: int, tile: int, per_row: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    q, k, v, position, weights, buckets = parts()
    if per_row:
        position = position.expand(len(q), -1, -1)
    square = [t.clone().requires_grad_() for t in (q, k, v, position, weights)]
    whole = pointwise_attention((square[0], square[1], square[2]), *square[3:], buckets, 5.0)
    whole[:, :, -asking:].square().sum().backward()

    monkeypatch.setattr(attention, "_SCORES", scores)
    monkeypatch.setattr(attention, "_QUERIES", tile)
    newest = (q[:, :, -asking:], k, v, position[..., -asking:, :], weights)
    leaves = [t.clone().requires_grad_() for t in newest]
    late = buckets[:, -asking:]
    some = pointwise_attention((leaves[0], leaves[1], leaves[2]), *leaves[3:], late, 5.0)
    some.square().sum().backward()

    torch.testing.assert_close(some, whole[:, :, -asking:])
    expected = [t.grad for t in square]
    assert expected[0] is not None and expected[3] is not None
    expected[0], expected[3] = expected[0][:, :, -asking:], expected[3][..., -asking:, :]
    for leaf, grad in zip(leaves, expected, strict=True):
        torch.testing.assert_close(leaf.grad, grad)


def test_shapes_that_do_not_fit_are_refused() -> None:
    q, k, v, position, weights, buckets = parts()
    few = k[:, :, :3], v[:, :, :3]
    with pytest.raises(ValueError, match="7 queries are more than the 3 keys"):
        pointwise_attention((q, *few), position[:, :3], weights, buckets[..., :3], 5.0)
    late = q[:, :, -2:]
    with pytest.raises(ValueError, match="position_bias"):
        pointwise_attention((late, k, v), position, weights, buckets[:, -2:], 5.0)
    with pytest.raises(ValueError, match="buckets"):
        pointwise_attention((late, k, v), position[-2:], weights, buckets, 5.0)
    with pytest.raises(ValueError, match="allow"):
        pointwise_attention((q, k, v), position, weights, None, 5.0, position[1:] > 0)


@pytest.mark.parametrize("queries", [64, 2])
@pytest.mark.parametrize("per_row", [False, True])
def test_gradients_equal_finite_differences(
    queries: int, per_row: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "_QUERIES", queries)
    q, k, v, position, weights, buckets = parts(2, 2, 4, 2)
    if per_row:
        position = torch.stack([position, position.flip(0)])
    leaves = [t.requires_grad_() for t in (q, k, v, position, weights)]

    def run(*inputs: Tensor) -> Tensor:
        return pointwise_attention(inputs[:3], *inputs[3:], buckets, 3.0)  # type: ignore[arg-type]

    assert torch.autograd.gradcheck(run, leaves)


def test_doubling_the_divisor_halves_and_zero_biases_are_no_biases() -> None:
    q, k, v, position, weights, buckets = parts()
    none = torch.zeros_like(position)
    whole = pointwise_attention((q, k, v), position, weights, buckets, 8.0)
    half = pointwise_attention((q, k, v), position, weights, buckets, 16.0)
    torch.testing.assert_close(half * 2, whole)
    silent = pointwise_attention((q, k, v), none, torch.zeros_like(weights), buckets, 8.0)
    bare = pointwise_attention((q, k, v), none, weights, None, 8.0)
    torch.testing.assert_close(silent, bare)


def test_no_query_reads_a_later_key() -> None:
    q, k, v, position, weights, buckets = parts()
    before = pointwise_attention((q, k, v), position, weights, buckets, 8.0)
    k[:, :, 4:], v[:, :, 4:] = 9.0, 9.0
    after = pointwise_attention((q, k, v), position, weights, buckets, 8.0)
    assert torch.equal(before[:, :, :4], after[:, :, :4])
    assert not torch.equal(before[:, :, 4:], after[:, :, 4:])


@torch.no_grad()
def test_self_attention_equals_a_slow_float64_reference() -> None:
    torch.manual_seed(0)
    module = SelfAttention(8, 2, 0.0).double().eval()
    x, other = torch.randn(2, 5, 8, dtype=torch.float64), torch.randn(2, 5, 8, dtype=torch.float64)
    q, (k, v) = module.query(x), module.key_value(other).chunk(2, -1)
    mixed = torch.zeros_like(x)
    for b in range(2):
        for cut in (slice(0, 4), slice(4, 8)):
            for i in range(5):
                shares = torch.softmax(k[b, : i + 1, cut] @ q[b, i, cut] / 2.0, 0)
                mixed[b, i, cut] = shares @ v[b, : i + 1, cut]
    assert (module(x, module.keys_values(other)) - module.out(mixed)).abs().max() < 1e-10


@torch.no_grad()
@pytest.mark.parametrize("asking", [1, 3])
def test_fewer_asking_positions_are_the_newest_of_those_read(asking: int) -> None:
    torch.manual_seed(0)
    module = SelfAttention(8, 2, 0.0).double().eval()
    x, other = torch.randn(2, 5, 8, dtype=torch.float64), torch.randn(2, 5, 8, dtype=torch.float64)
    read = module.keys_values(other)
    whole = module(x, read)
    torch.testing.assert_close(module(x[:, -asking:], read), whole[:, -asking:])
    with pytest.raises(ValueError, match="5 queries are more than the 4 keys"):
        module(x, module.keys_values(other[:, :4]))
    with pytest.raises(ValueError, match="2 queries a row"):
        module(x[:, -2:], read, LayerView(torch.tensor([4, 4])))


@torch.no_grad()
def test_who_may_read_nothing_reads_zero() -> None:
    module = SelfAttention(8, 2, 0.0).eval()
    x, allow = torch.randn(2, 5, 8), torch.ones(5, 5, dtype=torch.bool)
    allow[3] = False
    mixed = module(x, module.keys_values(x), LayerView(allow=allow))
    torch.testing.assert_close(mixed[:, 3], module.out.bias.expand(2, -1))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("per_row", [False, True])
def test_pairs_that_are_not_allowed_weigh_exactly_nothing(kind: torch.dtype, per_row: bool) -> None:
    q, k, v, position, weights, buckets = (t.to(kind) for t in parts())
    buckets, allow = buckets.long(), torch.ones(7, 7, dtype=torch.bool)
    allow[3:, 1] = False
    if per_row:
        allow = allow.expand(len(q), -1, -1)
    leaves = [t.clone().requires_grad_() for t in (q, k, v, position, weights)]
    some = pointwise_attention((leaves[0], leaves[1], leaves[2]), *leaves[3:], buckets, 5.0, allow)
    some[:, :, 3:].sum().backward()
    for leaf in leaves[1:3]:
        assert leaf.grad is not None
        assert leaf.grad[:, :, 1].abs().max() == 0 and leaf.grad[:, :, 2].abs().max() > 0
    assert leaves[3].grad is not None
    assert leaves[3].grad[3:, 1].abs().max() == 0 and torch.isfinite(leaves[3].grad).all()
    gone = v.clone()
    gone[:, :, 1] = 99.0
    late = pointwise_attention((q, k, gone), position, weights, buckets, 5.0, allow)
    assert torch.equal(late[:, :, 3:], some[:, :, 3:])
    mask = allow[-1:].expand(len(q), 1, 7) if not per_row else allow[:, -1:]
    bias = position[-1:] + weights[buckets[:, -1:]]
    one = pointwise_newest((q[:, :, -1:], k, v), bias, mask, 5.0)
    torch.testing.assert_close(
        one, some[:, :, -1:], rtol=2e-2 if kind.itemsize == 2 else 1e-5, atol=1e-2
    )
