"""Beams until the first items are certain: exactly those of the full ranking, for less work.

A beginning is never less likely than what it goes on to, so an item that is likelier than all that
beams let go is surely in its place (`Named.certain`). Prompts whose first items are not are asked
again with twice the beams, and at last by the full ranking.
"""

from __future__ import annotations

import torch

from tastemaker.models.beam_search import Named, beam_search
from tastemaker.models.causal import Causal, Prompt
from tastemaker.models.full_ranking import Block, full_ranking
from tastemaker.models.trie import Trie

MOST = 512
"""Beams at most; more take as long as the full ranking, and more memory."""
_VALUES = 2**24
"""Log probabilities of a prompt's beams that are held at once, at most."""


@torch.no_grad()
def certain_search(
    model: Causal, trie: Trie, prompt: Prompt, blocks: list[Block], beams: int, certain: int
) -> Named:
    """As many items as beams at first, of which the first are certain; by log probabilities.

    Args:
        model: What speaks.
        trie: What may be said.
        prompt: What is answered, B rows.
        blocks: What `blocks_of` makes of the trie.
        beams: Beams at first, K.
        certain: First items that are to be certain, at most K; fewer where there are fewer items.
    """
    named = beam_search(model, trie, prompt, beams, beams, 0.0)
    wanted, width = min(certain, trie.num_items), beams
    most = min(MOST, _VALUES // model.log_probs(prompt.state[:1]).shape[-1])
    while len(unsure := (named.certain < wanted).nonzero()[:, 0]):
        width *= 2
        rows = prompt.rows(unsure)
        if width <= most:
            again = beam_search(model, trie, rows, width, beams, 0.0)
        else:
            scores = full_ranking(model, trie, rows, blocks, 0.0)
            best, items = scores.sort(dim=1, descending=True, stable=True)
            again = Named(
                items[:, :beams], best[:, :beams], best.new_full((len(best),), -torch.inf)
            )
        pairs = zip(named, again, strict=True)
        named = Named(*(old.index_copy(0, unsure, new) for old, new in pairs))
    return named
