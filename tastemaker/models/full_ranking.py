"""How likely a language model would name each item of a catalogue: all of them, exactly.

Items are taken in the order of their sequences, some at a time, and the tree of their beginnings is
read in one pass beside the prompt: a beginning that items share is read once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tastemaker.models.causal import Causal, Past, Prompt, branch
from tastemaker.models.trie import Trie

NODES = 256
"""Items whose beginnings are read in one pass: more are not faster, but take more memory."""


@dataclass(frozen=True, eq=False)
class Block:
    """M items and the n beginnings of them that are read: nodes that lead on, but for the root."""

    items: Tensor
    """(M,) int64 rows of items"""
    nodes: Tensor
    """(n,) int64 nodes, by depth"""
    reads: Tensor
    """(n, n) bool: each reads itself and what it begins with"""
    froms: Tensor
    """(M, L) int64 for each token of each item: 0 it is said by the prompt, 1 + j by beginning j"""
    tokens: Tensor
    """(M, L) int64 the tokens, 0 after the last"""
    said: Tensor
    """(M, L) bool, whether there is one"""


@torch.no_grad()
def full_ranking(
    model: Causal,
    trie: Trie,
    prompt: Prompt,
    blocks: list[Block],
    length_penalty: float = 1.0,
) -> Tensor:
    """Log probability of every item.

    Args:
        model: What speaks.
        trie: What may be said.
        prompt: What is answered, B rows.
        blocks: What `blocks_of` makes of the trie.
        length_penalty: Power of the number of tokens that a log probability is divided by.

    Returns:
        (B, I); of items with one sequence the next in their order is less by the least difference
        there is, so that ranks are those of beam search.
    """
    past, state = prompt
    scores = state.new_empty(len(state), trie.num_items, dtype=torch.float32)
    first = model.log_probs(state[:, None])
    for block in blocks:
        known = first
        if len(block.nodes):
            states = _states(model, trie, past, block)
            known = torch.cat([first, model.log_probs(states)], 1)
        rows = torch.arange(len(state), device=state.device)[:, None, None]
        said = known[rows, block.froms, block.tokens].masked_fill(~block.said, 0.0)
        scores[:, block.items] = said.sum(-1) / block.said.sum(1) ** length_penalty
    return _apart(scores, trie)


def blocks_of(trie: Trie, most: int = NODES) -> list[Block]:
    """A catalogue in parts of `most` items that are near each other, to be read one by one."""
    return list(_blocks(trie, most))


def _states(model: Causal, trie: Trie, past: Past, block: Block) -> Tensor:
    """(B, n, D) last hidden states of all beginnings of a block."""
    rows = len(past.valid)
    x = model.embed(trie.tokens[block.nodes]).expand(rows, -1, -1)
    places = past.places[:, None] + trie.depths[block.nodes] - 1
    width = len(block.nodes)
    before = past.valid[:, None].expand(-1, width, -1)
    reads = torch.cat([before, block.reads.expand(rows, -1, -1)], 2)
    return branch(model.body, x, places, reads, past.layers)[0]


def _blocks(trie: Trie, most: int) -> Iterator[Block]:
    device = trie.tokens.device
    tokens, ends, depths = (part.cpu().numpy() for part in (trie.tokens, trie.ends, trie.depths))
    longest = int(depths.max())
    paths = np.zeros((trie.num_items, longest + 1), np.int64)
    paths[:, -1] = ends
    parents = trie.parents.cpu().numpy()
    for column in range(longest - 1, -1, -1):  # backwards, so shorter ones stand on the right
        paths[:, column] = parents[paths[:, column + 1]]
    # By depth, the root first: 0 … 0 root … end becomes root … end 0 … 0.
    lengths = depths[ends]
    columns = np.arange(longest + 1) + (longest - lengths)[:, None]
    inside = columns <= longest
    paths = np.take_along_axis(paths, np.minimum(columns, longest), axis=1)
    order = np.lexsort(np.where(inside, paths, -1).T[::-1])
    for start in range(0, trie.num_items, most):
        items = order[start : start + most]
        said = inside[items, 1:]
        froms = np.where(said, paths[items, :-1], 0)
        nodes = np.unique(froms)
        nodes = nodes[nodes > 0]
        numbers = np.searchsorted(nodes, froms) + 1
        steps = (
            items,
            nodes,
            _ancestors(nodes, parents),
            np.where(froms > 0, numbers, 0),
            np.where(said, tokens[paths[items, 1:]], 0),
            said,
        )
        yield Block(*(torch.from_numpy(np.ascontiguousarray(one)).to(device) for one in steps))


def _ancestors(nodes: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """(n, n) bool, whether the second is the first or among what it begins with."""
    reads = np.eye(len(nodes), dtype=bool)
    for row, parent in enumerate(np.searchsorted(nodes, parents[nodes])):
        if parents[nodes[row]] > 0:  # parents have smaller numbers, and stand before
            reads[row] |= reads[parent]
    return reads


def _apart(scores: Tensor, trie: Trie) -> Tensor:
    """Scores by which items with one sequence are ranked in their order."""
    least = torch.finfo(scores.dtype).eps * trie.places()
    return scores - least * scores.abs().clamp(min=1)
