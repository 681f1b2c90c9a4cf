"""Client-level differential privacy: what a published model tells of any one client is bounded.

Paper: Learning Differentially Private Recurrent Language Models, https://arxiv.org/abs/1710.06963

Each client's change is brought to a norm of at most C, all count alike, and noise is added:

    w_{t+1} = w_t + (Σ_i Δ_i min(1, C / ‖Δ_i‖) + N(0, z² C²)) / m          `private_average`

with m the number of those selected, whoever of them replied: who was lost or refused counts as no
change. So a client with and without its data is C apart in the sum, and ε follows from z, the
rounds and the share of clients in each (`spent`).

What this holds for, and what it does not. The server is trusted; what it publishes is protected,
what a client sends it is not. Everything else that a round takes from a client must be bounded or
left out: no weighting by the number of examples or by counts of rows, no clipping at a multiple of
a norm that depends on other clients, no control of SCAFFOLD. Fewer clients a round make ε smaller
only where each is drawn by itself, with the probability `share`, and nobody learns who was; where a
fixed number is drawn, ask for share 1. Statistics of normalisation layers are noised like weights,
and a variance may not stand it: keep them private.

`bucketed` and `noised` blur how often a client saw each row, where rows are averaged by counts.

Left out: secure aggregation; a clip that adapts.
Checked: `test_one_client_moves_the_mean_by_at_most_the_clip`,
`test_epsilon_is_that_of_the_closed_form`, `test_fewer_clients_a_round_spend_less`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tastemaker.errors import BadInput
from tastemaker.federate.checks import above, within
from tastemaker.models.extras import extra

if TYPE_CHECKING:
    from tastemaker.seams.federating import Reply, Tensors

_ORDERS = [1 + tenth / 10 for tenth in range(1, 100)] + [*range(11, 64), 80, 128, 256, 512, 1024]
"""α of Rényi divergences among which the one that bounds ε best is taken."""


@dataclass(frozen=True)
class PrivacyConfig:
    """How much a published model may tell of a client."""

    clip: float = 1.0
    """C, the largest norm of a client's change"""
    noise: float = 1.0
    """z, deviation of the noise on the sum of changes / C; 0 bounds nothing"""
    delta: float = 1e-5
    """δ, well below one over the number of clients"""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        above("clip", self.clip)
        within("noise", self.noise, 0)
        above("delta", self.delta)
        if self.delta >= 1:
            what = f"delta is {self.delta:g}."
            raise BadInput(what, "delta", "Give a probability far below one over the clients.")


def private_average(
    weights: Tensors,
    accepted: Sequence[Reply],
    selected: int,
    config: PrivacyConfig,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Weights of the next round, in place of `aggregation.average`.

    Args:
        weights: w_t by name. What is no quantity, such as a counter, stays.
        accepted: Replies of finite weights with the same names and shapes, no two of a client.
        selected: m, how many were asked, whether they replied or not.
        config: Clip and noise.
        generator: Of the noise, on the CPU. Who knows its seed can take the noise off again.
    """
    names = sorted(name for name, tensor in weights.items() if tensor.is_floating_point())
    before = {name: weights[name].double() for name in names}
    total = {name: torch.zeros_like(tensor) for name, tensor in before.items()}
    for reply in sorted(accepted, key=lambda reply: reply.client):
        change = {name: reply.weights[name].double() - before[name] for name in names}
        norm = math.sqrt(sum(float(tensor.square().sum()) for tensor in change.values()))
        factor = min(1.0, config.clip / norm) if norm > 0 else 1.0
        for name in names:
            total[name].add_(change[name], alpha=factor)
    found = {name: tensor.clone() for name, tensor in weights.items()}
    for name in names:
        noise = torch.randn(total[name].shape, generator=generator, dtype=torch.float64)
        moved = total[name] + config.noise * config.clip * noise
        found[name] = (before[name] + moved / selected).to(weights[name].dtype)
    return found


def spent(config: PrivacyConfig, rounds: int, share: float) -> float:
    """ε of so many published rounds at `config.delta`; infinite where there is no noise.

    Args:
        config: Noise and δ.
        rounds: Those whose model was published.
        share: Probability with which each client takes part in a round; 1 where a fixed number
            is drawn.

    Raises:
        BadInput: If the extra `federated` is not installed.
    """
    within("share", share, 0, 1)
    if rounds == 0 or share == 0:
        return 0.0
    if config.noise == 0:
        return math.inf
    with extra("federated"):
        from opacus.accountants.analysis import rdp as renyi
    each = [rounds * one for one in _of_a_round(config.noise, share)]
    with warnings.catch_warnings():  # the best order at an end is a bound too, if not the tightest
        warnings.simplefilter("ignore", UserWarning)
        epsilon, _ = renyi.get_privacy_spent(orders=_ORDERS, rdp=each, delta=config.delta)
    return max(0.0, float(epsilon))


@lru_cache
def _of_a_round(noise: float, share: float) -> tuple[float, ...]:
    """Rényi divergence of one round at each of `_ORDERS`; those of several add up."""
    from opacus.accountants.analysis import rdp as renyi

    found = renyi.compute_rdp(q=share, noise_multiplier=noise, steps=1, orders=_ORDERS)
    return tuple(map(float, found))


def bucketed(counts: Tensor) -> Tensor:
    """Counts rounded down to 0 or a power of two: how often is blurred, whether at all is not."""
    _, exponent = torch.frexp(counts.double())
    powers = torch.ldexp(torch.ones_like(exponent, dtype=torch.float64), exponent - 1)
    return torch.where(counts > 0, powers, 0).to(counts.dtype)


def noised(counts: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
    """Counts with two-sided geometric noise, not below 0: each is ε-private to one more or less.

    Args:
        counts: int64.
        epsilon: ε for one event; a client's many events add up.
        generator: Of the noise, on the CPU.
    """
    above("epsilon", epsilon)
    ways = [
        torch.empty(counts.shape, dtype=torch.float64).exponential_(epsilon, generator=generator)
        for _ in range(2)
    ]  # an exponential rounded down is geometric
    noise = ways[0].floor() - ways[1].floor()
    return (counts + noise.to(counts.dtype)).clamp(min=0)
