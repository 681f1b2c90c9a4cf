"""Light heads: exactly the blocks they are asked for, and the state itself at the start."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tastemaker.errors import BadInput
from tastemaker.nn.heads import Blocks, Heads

COMPOSITIONS = ("hierarchical", "multiplicative", "additive")


def grown(axes: tuple[int, ...], composition: str, dim: int = 6, seed: int = 0) -> Heads:
    """Heads whose every number has moved away from zero, in double precision."""
    torch.manual_seed(seed)
    heads = Heads(dim, axes, composition).double()  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in heads.parameters():
            parameter.normal_(std=0.5)
    return heads


def drawn(axes: tuple[int, ...], rows: int = 200, dim: int = 6) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    codes = torch.stack([torch.randint(0, size, (rows,)) for size in axes], 1)
    return torch.randn(rows, dim, dtype=torch.float64), codes


def block(blocks: Blocks, number: int, h: Tensor) -> Tensor:
    return h + F.silu(blocks.weight[number] @ h + blocks.bias[number])


def by_hand(heads: Heads, h: Tensor, codes: list[int]) -> list[Tensor]:
    """The equations, one head at a time."""
    first, *rest = heads.blocks
    if heads.composition == "additive":
        return [block(blocks, code, h) for blocks, code in zip(heads.blocks, codes, strict=True)]
    flat = codes[0]
    if heads.composition == "multiplicative":
        for size, code in zip(heads.axes[1:], codes[1:], strict=True):
            flat = flat * size + code
        return [block(first, flat, h)]
    z = block(first, flat, h)
    for axis, blocks in enumerate(rest, start=1):
        flat = flat * heads.axes[axis] + codes[axis]
        z = block(blocks, flat, z + heads.shifts[axis - 1][codes[axis]])
    return [z]


def asked(heads: Heads, states: Tensor, codes: Tensor) -> list[Tensor]:
    """(T, D) of each row's head; where each axis has heads of its own, for every axis."""
    if heads.composition != "additive":
        return [heads(states, codes)]
    axes = range(len(heads.axes))
    return [heads(states, codes[:, axis : axis + 1], axis) for axis in axes]


@pytest.mark.parametrize("axes", [(1,), (5,), (3, 2), (2, 3, 2)])
@pytest.mark.parametrize("composition", COMPOSITIONS)
def test_every_head_is_its_equation(composition: str, axes: tuple[int, ...]) -> None:
    heads, (states, codes) = grown(axes, composition), drawn(axes)
    outs = asked(heads, states, codes)
    for row in range(0, 200, 17):
        want = by_hand(heads, states[row], codes[row].tolist())
        for got, one in zip(outs, want, strict=True):
            torch.testing.assert_close(got[row], one, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("axes", [(4,), (3, 2), (2, 3, 2)])
@pytest.mark.parametrize("composition", COMPOSITIONS)
def test_all_heads_at_once_are_the_heads_one_by_one(
    composition: str, axes: tuple[int, ...]
) -> None:
    heads, (states, _) = grown(axes, composition), drawn(axes)
    every = heads.every(states[:5])
    assert every.shape == (5, heads.count, 6)
    grid = torch.cartesian_prod(*(torch.arange(size) for size in axes)).view(-1, len(axes))
    for head, codes in enumerate(grid):
        outs = asked(heads, states[:5], codes.expand(5, -1))
        if composition != "additive":
            torch.testing.assert_close(every[:, head], outs[0])
            continue
        for axis, code in enumerate(codes.tolist()):
            torch.testing.assert_close(every[:, sum(axes[:axis]) + code], outs[axis])


@pytest.mark.parametrize("composition", COMPOSITIONS)
def test_fresh_heads_are_the_state_itself(composition: str) -> None:
    heads, (states, codes) = Heads(6, (3, 2), composition).double(), drawn((3, 2))  # type: ignore[arg-type]
    for out in asked(heads, states, codes):
        assert torch.equal(out, states)
    assert torch.equal(heads.every(states), states[:, None].expand(-1, heads.count, -1))


@pytest.mark.parametrize("composition", COMPOSITIONS)
def test_heads_that_no_row_asks_for_have_no_gradient(composition: str) -> None:
    heads, (states, codes) = grown((4, 2), composition), drawn((4, 2))
    codes[:, 0] = 1 + codes[:, 0] % 2  # groups 0 and 3 have no row
    states.requires_grad_()
    torch.stack(asked(heads, states, codes)).square().sum().backward()
    assert states.grad is not None and states.grad.abs().sum() > 0
    grad = heads.blocks[0].weight.grad.flatten(1).abs().sum(1)
    reached = grad.view(4, -1).sum(1) > 0
    assert reached.tolist() == [False, True, True, False]
    assert all(torch.isfinite(p.grad).all() for p in heads.parameters())


@pytest.mark.parametrize("composition", COMPOSITIONS)
def test_no_row_at_all_is_no_fault(composition: str) -> None:
    heads, (states, codes) = grown((3, 2), composition), drawn((3, 2))
    for out in asked(heads, states[:0], codes[:0]):
        assert out.shape == (0, 6)
    assert heads.every(states[:0]).shape == (0, heads.count, 6)


def test_parameters_are_as_many_as_the_equations_have() -> None:
    def count(composition: str) -> int:
        heads = Heads(8, (5, 2), composition)  # type: ignore[arg-type]
        return sum(parameter.numel() for parameter in heads.parameters())

    own = 8 * 8 + 8
    assert count("multiplicative") == 10 * own
    assert count("additive") == 7 * own
    assert count("hierarchical") == 5 * own + 2 * 8 + 10 * own


@pytest.mark.parametrize("axes", [(), (0,), (3, 0)])
def test_heads_without_a_group_are_refused(axes: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="at least one group"):
        Heads(4, axes, "additive")


@pytest.mark.parametrize("composition", COMPOSITIONS)
def test_heads_of_more_groups_are_those_of_before_and_the_state_itself(composition: str) -> None:
    few, (states, codes) = grown((3, 2, 2), composition), drawn((3, 2, 2))
    more = Heads(6, (5, 3, 2), composition).double()  # type: ignore[arg-type]
    more.take(few)
    for before, now in zip(asked(few, states, codes), asked(more, states, codes), strict=True):
        assert torch.equal(now, before)
    fresh = asked(more, states, codes % 2 + torch.tensor([3, 0, 0]))
    if composition == "additive":
        assert torch.equal(fresh[0], states)
    assert all(torch.isfinite(out).all() for out in fresh)
