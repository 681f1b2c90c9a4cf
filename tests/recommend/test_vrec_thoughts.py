"""A thought is attention of the newest state over what came before, wherever padding is."""

import pytest
import torch
from torch import Tensor

from tastemaker.recommend.vrec_thoughts import ThoughtLayer, rotated, turns_of

DIM = 8


def written_out(layer: ThoughtLayer, states: Tensor, newest: int = 0) -> Tensor:
    """The formula, for one row (N, D) without padding."""
    count = len(states)
    query, keys, values = layer.query(states[-1]), layer.key(states), layer.value(states)

    def turned(x: Tensor, place: int) -> Tensor:
        out = torch.zeros(DIM)
        for i in range(DIM // 2):
            angle = torch.tensor(place * 1000 ** (-2 * i / DIM))
            a, b = x[i], x[i + DIM // 2]
            out[i] = a * angle.cos() - b * angle.sin()
            out[i + DIM // 2] = a * angle.sin() + b * angle.cos()
        return out

    first = max(0, count - newest) if newest else 0
    scores = torch.stack(
        [turned(query, count - 1) @ turned(keys[c], c) / DIM**0.5 for c in range(first, count)]
    )
    return scores.softmax(0) @ values[first:]


@torch.no_grad()
@pytest.mark.parametrize("newest", [0, 3, 50])
def test_thoughts_are_the_formula_in_one_pass_or_in_parts(newest: int) -> None:
    torch.manual_seed(0)
    layer, states = ThoughtLayer(DIM, newest), torch.randn(7, DIM)
    want = written_out(layer, states, newest)
    whole, _ = layer(states[None], torch.ones(1, 7, dtype=torch.bool))
    torch.testing.assert_close(whole[0], want, rtol=0, atol=1e-5)
    _, memory = layer(states[None, :5], torch.ones(1, 5, dtype=torch.bool))
    for column in (5, 6):
        new = states[None, column : column + 1]
        thought, memory = layer(new, torch.ones(1, 1, dtype=torch.bool), memory)
    torch.testing.assert_close(thought[0], want, rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("columns", [[0, 1, 2, 3], [4, 5, 6, 7], [1, 2, 5, 6]])
def test_padding_makes_no_difference_even_if_it_is_no_number(columns: list[int]) -> None:
    torch.manual_seed(0)
    layer, states = ThoughtLayer(DIM), torch.randn(4, DIM)
    spread, valid = torch.full((1, 8, DIM), torch.inf), torch.zeros(1, 8, dtype=torch.bool)
    spread[:, columns], valid[:, columns] = states, True
    thought, _ = layer(spread, valid)
    torch.testing.assert_close(thought[0], written_out(layer, states), rtol=0, atol=1e-5)


def test_turning_keeps_lengths_and_differences_of_places() -> None:
    x, y = torch.randn(1, 1, DIM), torch.randn(1, 1, DIM)
    products = []
    for shift in (0, 11):
        a = rotated(x, turns_of(torch.tensor([[3 + shift]]), DIM))
        products.append(float((a * rotated(y, turns_of(torch.tensor([[7 + shift]]), DIM))).sum()))
        assert float(a.norm()) == pytest.approx(float(x.norm()), rel=1e-5)
    assert products[0] == pytest.approx(products[1], abs=1e-4)
    assert torch.equal(rotated(x, turns_of(torch.zeros(1, 1, dtype=torch.long), DIM)), x)
