"""Beams name items of the catalogue alone, and with enough of them all items in their order."""

import numpy as np
import pytest
import torch

from tastemaker.errors import BadInput
from tastemaker.models.beam_search import beam_search
from tastemaker.models.full_ranking import blocks_of, full_ranking
from tastemaker.models.trie import Trie
from tests.models.small_causal import one_by_one, prompts, small, titles


@pytest.mark.parametrize("penalty", [0.0, 1.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_as_many_beams_as_items_are_the_full_ranking(seed: int, penalty: float) -> None:
    model, sequences = small(seed), titles(seed)
    trie, prompt = Trie.of(sequences), prompts(model)
    named = beam_search(model, trie, prompt, 30, 30, penalty)
    scores = full_ranking(model, trie, prompt, blocks_of(trie, 8), penalty)
    best, order = scores.sort(dim=1, descending=True, stable=True)
    assert torch.equal(named.items, order)
    torch.testing.assert_close(named.scores, best, rtol=0, atol=2e-5)


def test_few_beams_are_the_plain_algorithm() -> None:
    """The same search written out for one prompt, with a full pass for each beginning."""
    model, sequences = small(), np.unique(np.random.default_rng(3).integers(0, 5, (60, 3)), axis=0)
    trie, prompt = Trie.of(sequences), prompts(model)
    named = beam_search(model, trie, prompt, 4, 4, 0.0)
    for row in range(3):
        kept: list[tuple[int, ...]] = [()]
        for depth in range(1, 4):
            ways = {tuple(s[:depth]) for s in sequences.tolist() if tuple(s[: depth - 1]) in kept}
            listed = sorted(ways)
            scores = one_by_one(model, np.array(listed))[row]
            kept = [listed[n] for n in scores.argsort(descending=True)[:4]]
        found = [tuple(sequences[item].tolist()) for item in named.items[row]]
        assert found == kept


@pytest.mark.parametrize("beams", [1, 2, 5, 200])
def test_nothing_but_items_is_ever_named(beams: int) -> None:
    model, sequences = small(), titles(2, 12)
    trie, prompt = Trie.of(sequences), prompts(model)
    items, scores, _ = beam_search(model, trie, prompt, beams, beams)
    there = items >= 0
    assert there.any(1).all()
    assert torch.equal(there, torch.isfinite(scores))
    assert (items[there] < 12).all()
    for row, kept in zip(items, there, strict=True):
        assert len(set(row[kept].tolist())) == int(kept.sum())
    if beams == 200:
        assert (there.sum(1) == 12).all() and items.shape == (3, 200)


def test_a_prompt_alone_is_answered_as_in_company() -> None:
    model, trie = small(), Trie.of(titles())
    together = beam_search(model, trie, prompts(model), 5, 5)
    for row in range(3):
        named = beam_search(model, trie, prompts(model).rows(torch.tensor([row])), 5, 5)
        assert torch.equal(named.items[0], together.items[row])
        torch.testing.assert_close(named.scores[0], together.scores[row], rtol=0, atol=1e-5)


def test_what_the_vocabulary_wants_elsewhere_does_not_count() -> None:
    """The likeliest tokens lead nowhere; what is left of beams are the only two items."""
    model = small()
    prompt = prompts(model)
    likely = model.logits(prompt.state).sum(0).argsort()
    sequences = np.array([[int(likely[0]), 3], [int(likely[1]), 4]])
    named = beam_search(model, Trie.of(sequences), prompt, 10, 10)
    assert [sorted(row[:2].tolist()) for row in named.items] == [[0, 1]] * 3
    assert (named.items[:, 2:] == -1).all()


def test_fewer_beams_than_items_wanted_are_refused() -> None:
    model, trie = small(), Trie.of([[1], [2]])
    for beams, k in ((10, 20), (0, 0), (5, 0)):
        with pytest.raises(BadInput):
            beam_search(model, trie, prompts(model), beams, k)


def test_what_is_surely_the_likeliest_is() -> None:
    sequences = np.unique(np.random.default_rng(4).integers(0, 6, (120, 3)), axis=0)
    trie, sure = Trie.of(sequences), 0
    for seed in range(3):
        model = small(seed)
        prompt = prompts(model)
        order = full_ranking(model, trie, prompt, blocks_of(trie), 0.0).argsort(1, descending=True)
        for beams in (3, 8, 20):
            named = beam_search(model, trie, prompt, beams, beams, 0.0)
            certain = named.certain.tolist()
            sure += sum(certain)
            for row, count in enumerate(certain):
                assert torch.equal(named.items[row, :count], order[row, :count])
    assert 20 < sure < 3 * 3 * (3 + 8 + 20)
    all_kept = beam_search(model, trie, prompt, len(sequences), 5, 0.0)
    assert (all_kept.dropped == -torch.inf).all() and (all_kept.certain == 5).all()
