"""The contrastive loss against a slow reference, and what may not count as a negative."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.embed.contrastive import Negatives, contrastive_loss

BASIS = torch.eye(3)


def unit(rows: int, dim: int, seed: int) -> torch.Tensor:
    drawn = torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(drawn, dim=1)


def slow(pictures, texts, scale, more, symmetric):
    """Pair by pair, candidate by candidate."""

    def term(own, others):
        top = math.exp(scale * own)
        rest = sum(math.exp(more.hardness * cos) * math.exp(scale * cos) for cos in others)
        return -math.log(top / (top + rest))

    n, forth, back = len(pictures), 0.0, 0.0
    for i in range(n):
        rivals = [j for j in range(n) if j != i and (more.same is None or not more.same[i, j])]
        wrong = []
        if more.hard is not None:
            held = range(more.hard.shape[1])
            wrong = [
                float(pictures[i] @ more.hard[i, h])
                for h in held
                if more.held is None or more.held[i, h]
            ]
        own = float(pictures[i] @ texts[i])
        forth += term(own, [float(pictures[i] @ texts[j]) for j in rivals] + wrong)
        back += term(own, [float(pictures[j] @ texts[i]) for j in rivals])
    return (forth + back) / 2 / n if symmetric else forth / n


def test_three_pairs_by_hand():
    """Pictures e1, e2, e3; the first two texts are swapped, s = 2."""
    texts = BASIS[[1, 0, 2]]
    wrong = math.log(math.exp(0) + math.exp(2) + math.exp(0)) - 0
    right = math.log(2 * math.exp(0) + math.exp(2)) - 2
    expected = (2 * wrong + right) / 3
    assert float(contrastive_loss(BASIS, texts, 2.0)) == pytest.approx(expected, abs=1e-6)


@given(st.integers(1, 6), st.integers(0, 2), st.sampled_from([0.0, 1.5]), st.integers(0, 99))
def test_equals_the_slow_reference(rows, wrong, hardness, seed):
    pictures, texts = unit(rows, 5, seed), unit(rows, 5, seed + 1)
    drawn = torch.rand(rows, rows, generator=torch.Generator().manual_seed(seed)) < 0.3
    hard = unit(rows * wrong, 5, seed + 2).view(rows, wrong, 5) if wrong else None
    held = torch.arange(rows * wrong).view(rows, wrong) % 3 > 0 if wrong else None
    more = Negatives(drawn | drawn.T, hard, held, hardness)
    for symmetric in (True, False):
        fast = contrastive_loss(pictures, texts, 4.0, more, symmetric)
        assert float(fast) == pytest.approx(slow(pictures, texts, 4.0, more, symmetric), abs=1e-5)


def test_one_pair_costs_nothing():
    assert float(contrastive_loss(unit(1, 4, 0), unit(1, 4, 1), 20.0)) == 0


def test_swapping_sides_changes_nothing():
    pictures, texts = unit(5, 8, 0), unit(5, 8, 1)
    there, back = contrastive_loss(pictures, texts, 20.0), contrastive_loss(texts, pictures, 20.0)
    assert float(there) == pytest.approx(float(back), abs=1e-6)


def test_wrong_texts_count_from_pictures_to_texts_alone():
    pictures, texts = unit(3, 4, 0), unit(3, 4, 1)
    more = Negatives(hard=unit(6, 4, 2).view(3, 2, 4))
    one_way = contrastive_loss(pictures, texts, 5.0, more, symmetric=False)
    plain = contrastive_loss(pictures, texts, 5.0, symmetric=False)
    back = 2 * contrastive_loss(pictures, texts, 5.0) - plain
    both = contrastive_loss(pictures, texts, 5.0, more)
    assert float(one_way) > float(plain)
    assert float(both) == pytest.approx(float(one_way + back) / 2, abs=1e-6)


def test_no_gradient_goes_through_the_weight_of_a_negative():
    """With α the gradient is that of the loss whose weights are constants."""
    pictures, texts = unit(4, 6, 0).requires_grad_(), unit(4, 6, 1)
    loss = contrastive_loss(pictures, texts, 3.0, Negatives(hardness=2.0), symmetric=False)
    (ours,) = torch.autograd.grad(loss, pictures)
    cosines = pictures @ texts.T
    weights = (2.0 * cosines).exp().detach().fill_diagonal_(1.0)
    top = (3.0 * cosines).exp()
    by_hand = (-(top.diagonal() / (weights * top).sum(1)).log()).mean()
    (known,) = torch.autograd.grad(by_hand, pictures)
    assert torch.allclose(ours, known, atol=1e-6)


def test_half_precision_vectors_are_compared_in_full():
    pictures, texts = unit(8, 16, 0), unit(8, 16, 1)
    rounded = [one.bfloat16() for one in (pictures, texts)]
    loss = contrastive_loss(*rounded, 20.0)
    assert loss.dtype == torch.float32
    full = contrastive_loss(*(one.float() for one in rounded), 20.0)
    assert float(loss) == float(full)


def test_a_pair_with_all_others_masked_costs_nothing():
    same = torch.ones(3, 3, dtype=torch.bool)
    assert float(contrastive_loss(BASIS, BASIS[[1, 2, 0]], 9.0, Negatives(same))) == 0


@given(st.integers(2, 7), st.integers(0, 99), st.booleans())
@settings(max_examples=30, deadline=None)
def test_the_order_of_pairs_does_not_matter(rows, seed, symmetric):
    pictures, texts = unit(rows, 5, seed), unit(rows, 5, seed + 1)
    drawn = torch.rand(rows, rows, generator=torch.Generator().manual_seed(seed)) < 0.3
    same, hard = drawn | drawn.T, unit(rows * 2, 5, seed + 2).view(rows, 2, 5)
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed + 3))
    first = contrastive_loss(pictures, texts, 7.0, Negatives(same, hard, None, 0.5), symmetric)
    moved = Negatives(same[order][:, order], hard[order], None, 0.5)
    again = contrastive_loss(pictures[order], texts[order], 7.0, moved, symmetric)
    assert float(first) == pytest.approx(float(again), abs=1e-5)


@given(st.integers(1, 6), st.integers(0, 99), st.floats(0.1, 100))
@settings(max_examples=30, deadline=None)
def test_no_loss_is_below_nothing_and_turning_all_vectors_changes_none(rows, seed, scale):
    pictures, texts = unit(rows, 4, seed), unit(rows, 4, seed + 1)
    turn, _ = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(seed)))
    loss = float(contrastive_loss(pictures, texts, scale))
    assert loss >= 0 and math.isfinite(loss)
    turned = float(contrastive_loss(pictures @ turn, texts @ turn, scale))
    assert turned == pytest.approx(loss, abs=1e-3)


@given(st.integers(2, 6), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_masking_more_never_costs_more(rows, seed):
    pictures, texts = unit(rows, 5, seed), unit(rows, 5, seed + 1)
    drawn = torch.rand(rows, rows, generator=torch.Generator().manual_seed(seed))
    losses = [
        float(contrastive_loss(pictures, texts, 9.0, Negatives(drawn + drawn.T < limit)))
        for limit in (0.0, 0.5, 1.0, 1.5, 3.0)
    ]
    assert all(after <= before + 1e-6 for before, after in pairwise(losses)) and losses[-1] == 0


def test_hardness_of_nothing_is_plain_and_more_of_it_costs_more():
    pictures, texts = unit(6, 5, 0).abs(), unit(6, 5, 1).abs()
    costs = [
        float(contrastive_loss(pictures, texts, 5.0, Negatives(hardness=a))) for a in (0, 1, 3)
    ]
    assert costs[0] == float(contrastive_loss(pictures, texts, 5.0))
    assert costs[0] < costs[1] < costs[2]


def test_pairs_that_are_masked_pull_on_nothing():
    pictures, texts = unit(2, 4, 0).requires_grad_(), unit(2, 4, 1).requires_grad_()
    loss = contrastive_loss(pictures, texts, 5.0, Negatives(torch.ones(2, 2).bool(), hardness=1.0))
    for gradient in torch.autograd.grad(loss, (pictures, texts)):
        assert not gradient.any()


def test_large_scales_stay_finite():
    pictures = unit(4, 3, 0).requires_grad_()
    loss = contrastive_loss(pictures, -pictures, 100.0, Negatives(hardness=50.0))
    (gradient,) = torch.autograd.grad(loss, pictures)
    assert loss.isfinite() and gradient.isfinite().all()
