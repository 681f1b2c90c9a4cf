"""A policy that is small enough to follow: a linear softmax over the candidates of each prompt.

    p(a | x) = softmax_a( log base(x, a) + θ · φ(x, a) + s η(x, a) )

θ is shared by all prompts, so that what one teaches is known to others; η is each prompt's own. It
starts as the base model, θ = η = 0. A reply is one token, which is the answer.
"""

from __future__ import annotations

import numpy.typing as npt
import torch
from torch import Tensor, nn

from tastemaker.reinforce.lean import Sampled
from tastemaker.reinforce.signals import self_certainty


class LinearPolicy(nn.Module):
    """Answers prompts by number.

    Args:
        chances: (P, A) of the base model's answers, above 0.
        features: (P, A, D) φ.
        own: s, how fast a prompt learns by itself; 0: by what it shares alone.
    """

    def __init__(self, chances: npt.ArrayLike, features: npt.ArrayLike, own: float = 0.5) -> None:
        super().__init__()
        self.base = torch.as_tensor(chances, dtype=torch.float32).log()
        self.features = torch.as_tensor(features, dtype=torch.float32)
        self.own = own
        self.shared = nn.Parameter(torch.zeros(self.features.shape[2]))
        self.each = nn.Parameter(torch.zeros_like(self.base))

    def distribution(self, prompts: Tensor) -> Tensor:
        """(G, A) log-probabilities of all candidates of G prompts."""
        learnt = self.features[prompts] @ self.shared + self.own * self.each[prompts]
        return (self.base[prompts] + learnt).log_softmax(1)

    def log_probabilities(self, prompts: Tensor, tokens: Tensor) -> Tensor:
        """(G, n, 1) of the answers (G, n, 1) that were given."""
        return self.distribution(prompts).gather(1, tokens[:, :, 0])[:, :, None]

    @torch.no_grad()
    def sample(self, prompts: Tensor, rollouts: int, draw: torch.Generator) -> Sampled:
        """Answer each of G prompts several times."""
        logs = self.distribution(prompts)
        answers = torch.multinomial(logs.exp(), rollouts, replacement=True, generator=draw)
        tokens = answers[:, :, None]
        return Sampled(
            answers=answers,
            tokens=tokens,
            mask=torch.ones_like(tokens),
            log_probabilities=self.log_probabilities(prompts, tokens),
            # One answer is one token, so all rollouts of a prompt are drawn from one distribution.
            certainty=self_certainty(logs[:, None])[:, None].expand(-1, rollouts),
            entropy=-(logs.exp() * logs).sum(1),
        )
