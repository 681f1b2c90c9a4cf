"""A small causal model over a few tokens, and what it says of each item by plain full passes."""

import numpy as np
import torch
from torch import Tensor, nn

from tastemaker.models.causal import Causal, Prompt, read
from tastemaker.models.user_llm import fresh_user_model

DIM, TOKENS = 16, 12


def small(seed: int = 0) -> Causal:
    """A model of two layers with fresh weights, sure enough of itself that scores differ."""
    torch.manual_seed(seed)
    body = fresh_user_model(DIM, 2, 2, 64, 0.0).eval()
    table = nn.Embedding(TOKENS, DIM)
    return Causal(body, table, lambda states: 0.3 * states @ table.weight.T)


def prompts(model: Causal, lengths: tuple[int, ...] = (3, 1, 5)) -> Prompt:
    """Rows of random vectors, padded on the right, as they were read; and their last states."""
    torch.manual_seed(5)
    rows, width = len(lengths), max(lengths)
    valid = torch.arange(width) < torch.tensor(lengths)[:, None]
    states, past = read(model.body, torch.randn(rows, width, DIM), valid)
    return Prompt(past, states[torch.arange(rows), torch.tensor(lengths) - 1])


@torch.no_grad()
def one_by_one(
    model: Causal, sequences: np.ndarray, lengths: tuple[int, ...] = (3, 1, 5)
) -> Tensor:
    """(B, I) log probability of every sequence, each by a pass of its own without a cache."""
    torch.manual_seed(5)
    vectors = torch.randn(len(lengths), max(lengths), DIM)
    scores = torch.zeros(len(lengths), len(sequences))
    for row, length in enumerate(lengths):
        for item, sequence in enumerate(sequences.tolist()):
            tokens = torch.tensor([token for token in sequence if token >= 0])
            x = torch.cat([vectors[row, :length], model.embed(tokens)])[None]
            states = model.body(inputs_embeds=x, use_cache=False).last_hidden_state[0]
            said = model.logits(states[length - 1 : -1]).log_softmax(-1)
            scores[row, item] = said[torch.arange(len(tokens)), tokens].sum()
    return scores


def titles(seed: int = 0, count: int = 30) -> np.ndarray:
    """(I, 5) sequences of 0 to 4 tokens and an end, with twins and beginnings of others."""
    rng = np.random.default_rng(seed)
    rows = np.full((count, 5), -1)
    for row in rows:
        length = rng.integers(0, 5)
        row[:length] = rng.integers(0, 4, length)
        row[length] = TOKENS - 1
    end = TOKENS - 1
    rows[:4] = [[1, 2, end, -1, -1], [1, 2, end, -1, -1], [1, end, -1, -1, -1], [end] + [-1] * 4]
    return rows
