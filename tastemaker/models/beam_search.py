"""Beam search over a trie: the likeliest items of many prompts at once, and nothing but items.

All beams of a prompt are columns of its one row, each reading the prompt and its own beginning:
keys and values of the prompt are kept once, and are neither copied nor put in order anew. At every
step the candidates are the children of the beams' nodes, so a token that leads nowhere cannot win,
however few beams have gone on.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from tastemaker.errors import BadInput
from tastemaker.models.causal import Causal, Prompt, branch
from tastemaker.models.trie import Trie


class Named(NamedTuple):
    """What was found for each of B prompts, the likeliest first."""

    items: Tensor
    """(B, k) int64 rows of items; −1 where fewer were found"""
    scores: Tensor
    """(B, k) log probabilities, by `length_penalty`; −inf where fewer were found"""
    dropped: Tensor
    """(B,) greatest log probability of a beginning that was let go, and so of any item that was;
    −inf: nothing was"""

    @property
    def certain(self) -> Tensor:
        """(B,) int64 how many of the first items are surely the likeliest of all, in their order.

        They are likelier than whatever was let go can become, for a beginning is never less likely
        than what it goes on to. It holds for log probabilities: a length penalty of 0.
        """
        return (self.scores > self.dropped[:, None]).sum(1)


@torch.no_grad()
def beam_search(
    model: Causal,
    trie: Trie,
    prompt: Prompt,
    beams: int,
    k: int,
    length_penalty: float = 1.0,
) -> Named:
    """The k likeliest items that `beams` beams find; with as many beams as items, of all items.

    Args:
        model: What speaks.
        trie: What may be said.
        prompt: What is answered, B rows.
        beams: Beginnings that are kept at each step, K.
        k: Items wanted, at most K.
        length_penalty: Power of the number of tokens that a log probability is divided by.

    Raises:
        BadInput: If there are fewer beams than items wanted.
    """
    if not 1 <= k <= beams:
        what = f"{beams} beams cannot find {k} items."
        raise BadInput(what, "beams", "Give at least as many beams as items, and at least one.")
    past, state = prompt
    nodes = torch.zeros(len(state), 1, dtype=torch.long, device=state.device)
    scores = torch.zeros(len(state), 1, device=state.device)
    reads, layers, states = past.valid[:, None], past.layers, state[:, None]
    dropped = torch.full_like(scores[:, 0], -torch.inf)
    for depth in range(trie.longest):
        on = _advanced(trie, nodes, scores, model.log_probs(states), beams)
        nodes, scores, source, lost = on
        dropped = torch.maximum(dropped, lost)
        there = depth + 1
        if there == trie.longest or (there >= trie.shortest and bool(trie.said[nodes].all())):
            break
        reads = torch.cat([_taken(reads, source), _own(nodes)], 2)
        places = (past.places[:, None] + depth).expand_as(nodes)
        x = model.embed(trie.tokens.take(nodes))
        states, layers = branch(model.body, x, places, reads, layers)
    if length_penalty:
        scores = scores / trie.depths[nodes].to(scores) ** length_penalty
    return Named(*_items(trie, nodes, scores, k), dropped)


def _advanced(
    trie: Trie, nodes: Tensor, scores: Tensor, said: Tensor, beams: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The likeliest ways on, by (B, K, V) log probabilities of what is said next.

    Returns:
        (B, K') nodes, their scores, and the beam that each comes from; and (B,) the score of the
        likeliest that was let go.
    """
    ways, there = trie.children(nodes)
    totals = said.gather(2, trie.tokens.take(ways))
    if trie.shortest < trie.longest:  # an item that has been said stays
        totals = totals.masked_fill_(trie.said[nodes][..., None], 0.0)
    totals = (
        totals.add_(scores[..., None]).masked_fill_(there.logical_not_(), -torch.inf).flatten(1)
    )
    best, chosen = totals.topk(min(beams + 1, totals.shape[1]), dim=1)
    lost = best[:, beams] if best.shape[1] > beams else torch.full_like(best[:, 0], -torch.inf)
    best, chosen = best[:, :beams], chosen[:, :beams]
    ahead = ways.flatten(1).gather(1, chosen)
    # A beam that is none stands at an item, where it goes nowhere, and stays −inf.
    ahead = ahead.masked_fill_(best == -torch.inf, trie.leaf)
    return ahead, best, chosen // ways.shape[2], lost


def _own(nodes: Tensor) -> Tensor:
    """(B, K, K) bool: each of K beams reads itself."""
    width = nodes.shape[1]
    return torch.eye(width, dtype=torch.bool, device=nodes.device).expand(len(nodes), -1, -1)


def _taken(reads: Tensor, source: Tensor) -> Tensor:
    """(B, K', C) what each beam's origin may read."""
    return reads.gather(1, source[..., None].expand(-1, -1, reads.shape[2]))


def _items(trie: Trie, nodes: Tensor, scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The items at some nodes; of those with one sequence in their order."""
    items, there = trie.named(nodes)
    totals = scores[..., None].expand(items.shape).masked_fill(~there, -torch.inf).flatten(1)
    # Stable, so that items of one sequence stay in their order.
    best, order = totals.sort(dim=1, descending=True, stable=True)
    best, order = best[:, :k], order[:, :k]
    chosen = torch.where(best == -torch.inf, -1, items.flatten(1).gather(1, order))
    missing = (0, k - chosen.shape[1])
    return F.pad(chosen, missing, value=-1), F.pad(best, missing, value=-torch.inf)
