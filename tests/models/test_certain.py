"""Beams are doubled until the first items are those of the full ranking."""

import numpy as np
import pytest
import torch

from tastemaker.models import certain
from tastemaker.models.beam_search import beam_search
from tastemaker.models.certain import certain_search
from tastemaker.models.full_ranking import blocks_of, full_ranking
from tastemaker.models.trie import Trie
from tests.models.small_causal import prompts, small, titles


@pytest.mark.parametrize("most", [0, 8, 512])
def test_the_first_items_are_those_of_the_full_ranking(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certain, "MOST", most)
    sequences = np.unique(np.random.default_rng(4).integers(0, 6, (120, 3)), axis=0)
    trie, more = Trie.of(sequences), 0
    for seed in range(3):
        model = small(seed)
        prompt, blocks = prompts(model), blocks_of(trie)
        scores = full_ranking(model, trie, prompt, blocks, 0.0)
        best, order = scores.sort(dim=1, descending=True)
        named = certain_search(model, trie, prompt, blocks, 4, 3)
        assert named.items.shape == (3, 4) and (named.certain >= 3).all()
        assert torch.equal(named.items[:, :3], order[:, :3])
        torch.testing.assert_close(named.scores[:, :3], best[:, :3], rtol=0, atol=2e-5)
        plain = beam_search(model, trie, prompt, 4, 4, 0.0)
        more += int((plain.certain < 3).sum())
        for row in (plain.certain >= 3).nonzero()[:, 0]:
            assert torch.equal(plain.items[row], named.items[row])
    assert more > 0  # beams alone were not enough


def test_a_catalogue_of_fewer_items_is_named_in_whole() -> None:
    model, trie = small(), Trie.of(titles(2, 12))
    named = certain_search(model, trie, prompts(model), blocks_of(trie), 20, 15)
    assert ((named.items >= 0).sum(1) == 12).all()


@pytest.mark.parametrize("seed", range(6))
def test_ragged_titles_and_twins_stand_as_in_the_full_ranking(seed: int) -> None:
    rng = np.random.default_rng(seed)
    trie, model = Trie.of(titles(seed, int(rng.integers(8, 40)))), small(seed)
    prompt, blocks = prompts(model), blocks_of(trie)
    scores = full_ranking(model, trie, prompt, blocks, 0.0)
    best, order = scores.sort(dim=1, descending=True, stable=True)
    for beams in (1, 3, 7):
        wanted = int(rng.integers(1, beams + 1))
        named = certain_search(model, trie, prompt, blocks, beams, wanted)
        assert named.items.shape == named.scores.shape == (3, beams)
        assert torch.equal(named.items[:, :wanted], order[:, :wanted])
        # Of items with one sequence the full ranking takes the later ones a little lower.
        torch.testing.assert_close(named.scores[:, :wanted], best[:, :wanted], rtol=0, atol=1e-4)
        # What is beyond the certain ones is in order, and no item is named twice.
        assert (named.scores.diff(dim=1) <= 0).all()
        for row in named.items.tolist():
            known = [item for item in row if item >= 0]
            assert len(known) == len(set(known)) and max(known) < trie.num_items


def test_what_is_certain_is_so_of_every_number_of_beams() -> None:
    sequences = np.unique(np.random.default_rng(1).integers(0, 5, (60, 3)), axis=0)
    trie, model = Trie.of(sequences), small(2)
    prompt = prompts(model)
    order = full_ranking(model, trie, prompt, blocks_of(trie), 0.0).argsort(descending=True)
    sure = []
    for beams in (1, 2, 4, 8, 16, len(sequences)):
        named = beam_search(model, trie, prompt, beams, beams, 0.0)
        for row, count in enumerate(named.certain.tolist()):
            assert torch.equal(named.items[row, :count], order[row, :count])
        sure.append(int(named.certain.sum()))
    assert sure[0] < sure[-1] == 3 * len(sequences)


def test_one_item_is_certain_at_once() -> None:
    model = small()
    for trie in (Trie.of(np.array([[3, 1, 2]])), Trie.of(np.array([[4]]))):
        named = certain_search(model, trie, prompts(model), blocks_of(trie), 5, 5)
        assert named.items.tolist() == [[0, -1, -1, -1, -1]] * 3
        assert torch.isfinite(named.scores[:, 0]).all()
        assert (named.scores[:, 1:] == -torch.inf).all()
