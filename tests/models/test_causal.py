"""What is kept of what was read stands in for reading it again, wherever padding is."""

import pytest
import torch

from tastemaker.models.causal import Past, Prompt, branch, parts_of, read
from tests.models.small_causal import DIM, prompts, small


@torch.no_grad()
@pytest.mark.parametrize("cut", [1, 3, 6])
def test_reading_in_parts_is_reading_at_once(cut: int) -> None:
    body, x = small().body, torch.randn(2, 7, DIM)
    valid = torch.ones(2, 7, dtype=torch.bool)
    whole, all_read = read(body, x, valid)
    first, past = read(body, x[:, :cut], valid[:, :cut])
    rest, past = read(body, x[:, cut:], valid[:, cut:], past)
    torch.testing.assert_close(torch.cat([first, rest], 1), whole, rtol=0, atol=1e-5)
    assert past.places.tolist() == all_read.places.tolist() == [7, 7]
    plain = body(inputs_embeds=x, use_cache=False).last_hidden_state
    torch.testing.assert_close(whole, plain, rtol=0, atol=1e-5)


@torch.no_grad()
def test_padding_on_either_side_or_between_makes_no_difference() -> None:
    body, x = small().body, torch.randn(1, 5, DIM)
    bare, _ = read(body, x, torch.ones(1, 5, dtype=torch.bool))
    for columns in ([0, 1, 2, 3, 4], [3, 4, 5, 6, 7], [0, 2, 3, 6, 7]):
        spread, valid = torch.randn(1, 8, DIM), torch.zeros(1, 8, dtype=torch.bool)
        spread[:, columns], valid[:, columns] = x, True
        states, past = read(body, spread, valid)
        torch.testing.assert_close(states[:, columns], bare, rtol=0, atol=1e-5)
        more = torch.randn(1, 2, DIM, generator=torch.Generator().manual_seed(1))
        after, _ = read(body, more, torch.ones(1, 2, dtype=torch.bool), past)
        joined, _ = read(body, torch.cat([x, more], 1), torch.ones(1, 7, dtype=torch.bool))
        torch.testing.assert_close(after, joined[:, 5:], rtol=0, atol=1e-5)


@torch.no_grad()
def test_branches_do_not_see_each_other() -> None:
    body, x = small().body, torch.randn(1, 4, DIM)
    _, past = read(body, x, torch.ones(1, 4, dtype=torch.bool))
    ways = torch.randn(1, 3, DIM)
    reads = torch.cat([torch.ones(3, 4), torch.eye(3)], 1).bool()[None]
    states, _ = branch(body, ways, torch.full((1, 3), 4), reads, past.layers)
    for way in range(3):
        alone = torch.cat([x, ways[:, way : way + 1]], 1)
        want, _ = read(body, alone, torch.ones(1, 5, dtype=torch.bool))
        torch.testing.assert_close(states[:, way], want[:, 4], rtol=0, atol=1e-5)


@torch.no_grad()
def test_prompts_are_answered_some_at_a_time() -> None:
    model = small()
    whole = prompts(model, (3, 1, 5))
    parts = [*parts_of(whole, 2)]
    assert [len(part.state) for part in parts] == [2, 1]
    assert torch.equal(torch.cat([part.state for part in parts]), whole.state)
    (only,) = parts_of(whole, 8)
    assert torch.equal(only.past.valid, whole.past.valid)
    assert torch.equal(parts[1].past.layers[0][0], whole.past.layers[0][0][2:])
    assert [*parts_of(Prompt(Past([], whole.past.valid[:0]), whole.state[:0]), 2)] == []
