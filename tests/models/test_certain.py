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
