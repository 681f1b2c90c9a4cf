"""What FedSSD is measured against: six other local objectives, each a config and a pure function.

    FedAvg    cross entropy                                           https://arxiv.org/abs/1602.05629
    FedProx   + (μ/2) ‖w − w_t‖², eq. 2                               https://arxiv.org/abs/1812.06127
    FedNTD    + β τ² KL(p_g ‖ p_l) over the not-true classes, §4.1    https://arxiv.org/abs/2106.03097
    FedGKD    + (γ/2) KL(p_g ‖ p_l), eq. 5                            https://arxiv.org/abs/2107.00051
    MOON      + μ ℓ_con, −log of the share of e^(cos(h, h_g)/τ) in
              e^(cos(h, h_g)/τ) + e^(cos(h, h_prev)/τ), eq. 3         https://arxiv.org/abs/2103.16257
    SCAFFOLD  a step along g − c_i + c, algorithm 1                   https://arxiv.org/abs/1910.06378

z, p and h are logits, probabilities and features of a target; of the local model, of the global one
that was received (g), and of the client's own model of its last round (prev). All distributions
over classes at temperature τ. Read the configs, then a function each in the same order.

Left out: FedGKD's teacher of several past global models (ours is the last one); MOON's projection
head (a model that has one gives its output as features); a server learning rate of SCAFFOLD (1).
Checked: `test_*_is_the_dense_sum` computes each again, class by class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from tastemaker.errors import BadInput
from tastemaker.federate.checks import above, within

if TYPE_CHECKING:
    from tastemaker.seams.federating import Outputs, Tensors


@dataclass(frozen=True)
class FedAvg:
    """Train locally as ever, then average."""


@dataclass(frozen=True)
class FedProx:
    """Stay near to the global weights."""

    mu: float = 0.01
    """weight of half the squared distance; 0.001 to 1 in the paper"""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        within("mu", self.mu, 0)


@dataclass(frozen=True)
class FedNTD:
    """Keep what the global model says of the classes that are not the true one."""

    beta: float = 1.0
    """weight of the divergence"""
    temperature: float = 1.0
    """by which logits are divided"""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        within("beta", self.beta, 0)
        above("temperature", self.temperature)


@dataclass(frozen=True)
class FedGKD:
    """Keep what the global model says, all of it."""

    gamma: float = 0.2
    """twice the weight of the divergence"""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        within("gamma", self.gamma, 0)


@dataclass(frozen=True)
class Moon:
    """Have features nearer to those of the global model than to one's own of the last round."""

    mu: float = 1.0
    """weight of the contrast"""
    temperature: float = 0.5
    """by which cosines are divided"""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        within("mu", self.mu, 0)
        above("temperature", self.temperature)


@dataclass(frozen=True)
class Scaffold:
    """Take off every step how the gradient here differs from that of all clients."""


def cross_entropy(outputs: Outputs, count: int) -> Tensor:
    """Scalar, Σ over targets / `count`: the loss of a classifier, and the first term of all here.

    Args:
        outputs: Of T targets.
        count: Targets of the whole step, of which the T are a part.
    """
    return functional.cross_entropy(outputs.logits, outputs.labels, reduction="sum") / count


def proximity(parameters: Mapping[str, Tensor], anchor: Tensors, mu: float) -> Tensor:
    """FedProx: scalar, (μ/2) ‖w − w_t‖² over the parameters that are in `anchor`."""
    total = _zero(parameters)
    for name in sorted(parameters.keys() & anchor.keys()):
        total = total + (parameters[name] - anchor[name].to(total.device)).square().sum()
    return mu / 2 * total


def _zero(parameters: Mapping[str, Tensor]) -> Tensor:
    return torch.zeros((), device=next(iter(parameters.values())).device)


def not_true_divergence(
    student: Tensor, teacher: Tensor, labels: Tensor, temperature: float
) -> Tensor:
    """FedNTD: (T,) τ² KL(p_g ‖ p_l) over all classes but the true one.

    Args:
        student: (T, K) logits z_l.
        teacher: (T, K) logits z_g.
        labels: (T,) int64 true class.
        temperature: τ.
    """
    others = torch.arange(student.shape[1] - 1, device=labels.device)
    others = others + (others >= labels[:, None])  # (T, K − 1), those of the other classes
    known = (teacher.detach() / temperature).gather(1, others)
    return temperature**2 * _divergence((student / temperature).gather(1, others), known)


def divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """FedGKD: (T,) KL(p_g ‖ p_l) from (T, K) logits z_l and z_g."""
    return _divergence(student, teacher.detach())


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    known = teacher.log_softmax(1)
    return (known.exp() * (known - student.log_softmax(1))).sum(1)


def contrast(features: Tensor, teacher: Tensor, previous: Tensor, temperature: float) -> Tensor:
    """MOON: (T,) −log of the share that the global model has in how near features are to both.

    Args:
        features: (T, H) of the local model.
        teacher: (T, H) of the global model.
        previous: (T, H) of the client's own model of its last round.
        temperature: τ.
    """
    near = functional.cosine_similarity(features, teacher.detach())
    far = functional.cosine_similarity(features, previous.detach())
    return functional.softplus((far - near) / temperature)


def drift_correction(parameters: Mapping[str, Tensor], control: Tensors, own: Tensors) -> Tensor:
    """SCAFFOLD: scalar ⟨c − c_i, w⟩, whose gradient is what a step is corrected by.

    Args:
        parameters: w by name.
        control: c, of all clients; empty: zeros.
        own: c_i; empty: zeros.
    """
    total = _zero(parameters)
    for sign, variates in ((1, control), (-1, own)):
        for name in sorted(parameters.keys() & variates.keys()):
            total = total + sign * (variates[name].to(total.device) * parameters[name]).sum()
    return total


def own_control(
    start: Tensors, end: Tensors, control: Tensors, own: Tensors, travelled: float
) -> dict[str, Tensor]:
    """SCAFFOLD: c_i⁺ = c_i − c + (w_t − w_i) / (S · lr), option II; `Reply.control` is c_i⁺ − c_i.

    Args:
        start: w_t, the parameters alone: what is averaged and not learned has no control.
        end: w_i after local training.
        control: c; empty: zeros.
        own: c_i; empty: zeros.
        travelled: S · lr, or the sum of the learning rates of the S local steps.
    """
    found = {}
    for name, before in start.items():
        found[name] = (before - end[name]) / travelled
        if name in own:
            found[name] = found[name] + own[name]
        if name in control:
            found[name] = found[name] - control[name]
    return found


def refuse_momentum(method: object, momentum: float) -> None:
    """SCAFFOLD's c_i is a mean gradient only after plain SGD, so with momentum it is refused.

    Raises:
        BadInput: If the method is SCAFFOLD and the momentum is not 0.
    """
    if isinstance(method, Scaffold) and momentum:
        what = f"SCAFFOLD takes plain SGD, and momentum is {momentum:g}."
        raise BadInput(what, "momentum", "Set it to 0, or choose another method.")
