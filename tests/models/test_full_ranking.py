"""Every item is scored as by a pass of its own."""

import numpy as np
import pytest
import torch

from tastemaker.models.full_ranking import blocks_of, full_ranking
from tastemaker.models.trie import Trie
from tests.models.small_causal import one_by_one, prompts, small, titles


@pytest.mark.parametrize("most", [1, 7, 100])
def test_scores_are_those_of_passes_one_by_one(most: int) -> None:
    model, sequences = small(), titles()
    trie, prompt = Trie.of(sequences), prompts(model)
    scores = full_ranking(model, trie, prompt, blocks_of(trie, most), 0.0)
    want = one_by_one(model, sequences)
    torch.testing.assert_close(scores, want, rtol=0, atol=2e-5)
    divided = full_ranking(model, trie, prompt, blocks_of(trie, most), 1.0)
    lengths = torch.from_numpy((sequences >= 0).sum(1))
    torch.testing.assert_close(divided, want / lengths, rtol=0, atol=2e-5)


def test_probabilities_of_all_that_can_be_said_sum_to_less_than_one() -> None:
    model = small()
    every = np.stack(np.meshgrid(range(12), range(12), indexing="ij"), -1).reshape(-1, 2)
    trie, prompt = Trie.of(every), prompts(model)
    scores = full_ranking(model, trie, prompt, blocks_of(trie), 0.0)
    torch.testing.assert_close(scores.exp().sum(1), torch.ones(3), rtol=0, atol=1e-5)
    few = Trie.of(every[::3])
    part = full_ranking(model, few, prompt, blocks_of(few), 0.0)
    torch.testing.assert_close(part, scores[:, ::3], rtol=0, atol=1e-5)
    assert (part.exp().sum(1) < 0.9).all()


def test_twins_are_ranked_in_the_order_asked_for() -> None:
    model, sequences = small(), np.array([[1, 11]] * 50 + [[2, 11]])
    order = np.random.default_rng(0).permutation(51)
    trie, prompt = Trie.of(sequences, order=order), prompts(model)
    scores = full_ranking(model, trie, prompt, blocks_of(trie), 1.0)
    twins = scores[:, :50].argsort(dim=1, descending=True)
    assert twins.tolist() == [np.argsort(order[:50]).tolist()] * 3
    assert (scores[:, :50].max(1).values - scores[:, :50].min(1).values).max() < 1e-4


def test_one_item_needs_no_beginning_but_the_prompt() -> None:
    model = small()
    trie, prompt = Trie.of([[3]]), prompts(model)
    scores = full_ranking(model, trie, prompt, blocks_of(trie))
    want = model.logits(prompt.state).log_softmax(-1)[:, [3]]
    torch.testing.assert_close(scores, want)
