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
    """(B,) greatest log probability of a beginning that was let go, and so of any item that was:
    without a length penalty, items of a score above it are surely the likeliest of all; −inf:
    nothing was"""


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
    root = torch.zeros(len(state), 1, dtype=torch.long, device=state.device)
    nodes, scores = root, torch.zeros(len(state), 1, device=state.device)
    reads, layers, states = past.valid[:, None], past.layers, state[:, None]
    places, depth = past.places[:, None], 0
    dropped = torch.full_like(scores[:, 0], -torch.inf)
    while True:
        logits = model.logits(states).float()
        nodes, scores, source, lost = _advanced(trie, nodes, scores, logits, beams)
        dropped = torch.maximum(dropped, lost)
        if bool((trie.starts[nodes] == trie.starts[nodes + 1]).all()):
            break
        width = nodes.shape[1]
        own = torch.eye(width, dtype=torch.bool, device=state.device).expand(len(nodes), -1, -1)
        reads = torch.cat([_taken(reads, source), own], 2)
        at = (places + depth).expand(-1, width)
        states, layers = branch(model.body, model.embed(trie.tokens[nodes]), at, reads, layers)
        depth += 1
    lengths = trie.depths[nodes].clamp(min=1).to(scores)
    return Named(*_items(trie, nodes, scores / lengths**length_penalty, k), dropped)


def _advanced(
    trie: Trie, nodes: Tensor, scores: Tensor, logits: Tensor, beams: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The likeliest ways on.

    Returns:
        (B, K') nodes, their scores, and the beam that each comes from; and (B,) the score of the
        likeliest that was let go.
    """
    ways, there = trie.children(nodes)
    # The children's logits less the sum over the whole vocabulary: no mask as wide as that.
    said = logits.gather(2, trie.tokens[ways]) - logits.logsumexp(2, keepdim=True)
    said = torch.where(ways == nodes[..., None], 0.0, said)  # an item that has been said stays
    totals = (scores[..., None] + said).masked_fill(~there, -torch.inf).flatten(1)
    best, chosen = totals.topk(min(beams + 1, totals.shape[1]), dim=1)
    lost = best[:, beams] if best.shape[1] > beams else torch.full_like(best[:, 0], -torch.inf)
    best, chosen = best[:, :beams], chosen[:, :beams]
    source = chosen // ways.shape[2]
    # A beam that is none stands at an item, where it goes nowhere, and stays −inf.
    ahead = ways.flatten(1).gather(1, chosen)
    ahead = torch.where(best == -torch.inf, trie.ends[0], ahead)
    return ahead, best, source, lost


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
