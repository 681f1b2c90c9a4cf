"""What a client minimises: its own loss, and what the method of the federation adds.

`LocalObjective` is called like the model it holds, so the step of every training takes it. With
FedAvg it *is* the model's own loss, and so with every method of strength 0. With others it is the
cross entropy of the model's outputs and the method's term; all terms are sums over the targets of a
part / the targets of the step, so parts add up to the step whatever it is taken in.

Read `Frozen`, a model that only answers, then `LocalObjective._term`, a line a method; formulas
stand in `fedssd` and `baselines`.

Left out: nothing. SCAFFOLD's correction of the gradient is the term ⟨c − c_i, w⟩, of which it is
the gradient, so no hook is needed.
Checked: `test_strength_zero_is_the_loss_of_the_model`, `test_parts_add_up`.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Literal, cast

import torch
from torch import Tensor, nn

from tastemaker.errors import BadInput
from tastemaker.federate import fedssd
from tastemaker.federate.baselines import (
    FedAvg,
    FedGKD,
    FedNTD,
    FedProx,
    Moon,
    Scaffold,
    contrast,
    cross_entropy,
    divergence,
    drift_correction,
    not_true_divergence,
    proximity,
)
from tastemaker.federate.fedssd import FedSSD

if TYPE_CHECKING:
    from tastemaker.seams.federating import Broadcast, Federable, Outputs, Tensors

Method = FedAvg | FedProx | FedNTD | FedGKD | Moon | Scaffold | FedSSD
"""What clients train with."""

_KEPT = 2**22
"""Numbers of a frozen model's answers that are kept over the epochs of a round; 16 MiB."""


class Frozen:
    """A model as it was, which answers and never learns.

    It answers once for a row, and in later epochs from memory where `part.rows` are known, one
    target each, and few. So a part whose inputs change from epoch to epoch has to leave its rows
    unknown. No `nn.Module`: the parameters of who holds it are not also these.
    """

    def __init__(
        self, model: nn.Module, weights: Tensors, answers: Literal["logits", "features"]
    ) -> None:
        """Copy a `Federable` and give it weights; what these lack, such as private ones, stays."""
        self._model = copy.deepcopy(model).eval().requires_grad_(False)
        self._model.load_state_dict(dict(weights), strict=False)
        self._answers, self._kept = answers, dict[int, Tensor]()

    def __call__(self, part: Any, targets: int) -> Tensor:
        """(T, K) logits or (T, H) features of the `targets` T of a part."""
        rows = [] if part.rows is None else part.rows.tolist()
        known = len(rows) == targets > 0
        if known and all(row in self._kept for row in rows):
            return torch.stack([self._kept[row] for row in rows])
        outputs = self._answer(part)
        answers = outputs.logits if self._answers == "logits" else outputs.features
        known = known and outputs.classes is None  # else others compete in the next epoch
        if known and (len(self._kept) + len(rows)) * answers.shape[1] <= _KEPT:
            self._kept.update(zip(rows, answers.unbind(), strict=True))
        return answers

    @torch.no_grad()
    def _answer(self, part: Any) -> Outputs:
        return cast("Federable", self._model).outputs(part)


class LocalObjective(nn.Module):
    """What `Trainer` takes in place of a model, for one client and round."""

    def __init__(
        self,
        model: nn.Module,
        method: Method,
        broadcast: Broadcast,
        previous: Tensors | None = None,
    ) -> None:
        """Take a model that has the weights of the broadcast, and its private ones.

        Args:
            model: A `Federable`; its parameters are all that are trained here.
            method: What is added to its loss.
            broadcast: Of this round.
            previous: What the client kept of its last round: weights of its own model with MOON,
                c_i with SCAFFOLD. None: it took part in none.

        Raises:
            BadInput: If FedSSD asks for the credibility of classes and none came.
        """
        super().__init__()
        self.model, self._method, self._broadcast = model, method, broadcast
        self._teacher: Frozen | None = None
        self._past: Frozen | None = None
        self._own: Tensors = previous or {}
        self._plain = _plain(method, broadcast, self._own)
        if isinstance(method, FedSSD) and method.asks and not broadcast.credibility:
            what = f"Round {broadcast.round} came without the credibility of classes."
            raise BadInput(what, "FedSSD", "Give the server an auxiliary set to measure it on.")
        if self._plain:
            return
        if isinstance(method, FedNTD | FedGKD | FedSSD):
            self._teacher = Frozen(model, broadcast.weights, "logits")
        if isinstance(method, Moon):
            self._teacher = Frozen(model, broadcast.weights, "features")
            self._past = Frozen(model, self._own, "features")

    def forward(self, part: Any) -> Tensor:
        """Scalar: this part's share of the loss of a step."""
        if self._plain:
            return cast("Tensor", self.model(part))
        outputs = cast("Federable", self.model).outputs(part)
        own = cross_entropy(outputs, part.target_count) if outputs.loss is None else outputs.loss
        return own + self._term(part, outputs)

    def _term(self, part: Any, outputs: Outputs) -> Tensor:
        """What the method adds to the cross entropy."""
        count, targets = int(part.target_count), len(outputs.labels)
        student, labels, known = outputs.logits, outputs.labels, self._broadcast
        parameters = dict(self.model.named_parameters())
        teacher, past = (
            student if frozen is None else frozen(part, targets)
            for frozen in (self._teacher, self._past)
        )
        match self._method:
            case FedProx(mu):
                return targets / count * proximity(parameters, known.weights, mu)
            case FedNTD(beta, temperature):
                each = not_true_divergence(student, teacher, labels, temperature)
                return beta * each.sum() / count
            case FedGKD(gamma):
                return gamma / 2 * divergence(student, teacher).sum() / count
            case Moon(mu, temperature):
                return mu * contrast(outputs.features, teacher, past, temperature).sum() / count
            case Scaffold():
                return targets / count * drift_correction(parameters, known.control, self._own)
            case FedSSD() as config:
                chosen = self._selection(teacher, outputs, config)
                competing = None if outputs.classes is None else outputs.classes >= 0
                return fedssd.distillation(
                    student, teacher, chosen, count, config.centred, competing
                )
        return student.new_zeros(())

    def _selection(self, teacher: Tensor, outputs: Outputs, config: FedSSD) -> Tensor:
        groups = fedssd.groups_of(self.model, outputs)
        count = fedssd.num_groups(self.model) or teacher.shape[1]
        credibility = torch.tensor(self._broadcast.credibility or (1.0,) * count)
        if len(credibility) != count:
            what = f"The server has {len(credibility)} classes and this model {count}."
            raise BadInput(what, f"round {self._broadcast.round}", "Train the same model on both.")
        return fedssd.selection(teacher, outputs.labels, credibility, config, groups)


def _plain(method: Method, broadcast: Broadcast, own: Tensors) -> bool:
    """Whether a method adds nothing: its strength is 0, or there is no last round to go by."""
    match method:
        case FedAvg() | FedProx(mu=0) | FedNTD(beta=0) | FedGKD(gamma=0) | FedSSD(m_max=0):
            return True
        case Moon(mu):
            return mu == 0 or not own
        case Scaffold():
            return not broadcast.control and not own
    return False
