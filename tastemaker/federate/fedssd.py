"""FedSSD: learn locally, and keep of the global model what it can be believed in.

Paper: Learning Critically: Selective Self-Distillation in Federated Learning on Non-IID Data,
https://arxiv.org/abs/2504.14694

Local training on a few classes unlearns the others. Distilling the global model that was received
prevents this, but copies its mistakes too; so it is distilled only where it is credible. The
server measures on a labelled auxiliary set how well each class is told, the client on its own
labels how sure the global model is of the truth. Read in the order of the formulas; A has a row a
true class and a column a predicted one, z_g and z_l are logits of the global and the local model:

    (1)  M_class[k]  = A[k,k] · (1 − max over j ≠ k of A[j,k])        `class_credibility`
    (2)  M_sample(x) = 1 − √(1 − p_g(x)[y])                           `sample_credibility`
    (3)  M[x,k]      = m_max · ReLU(M_class[k] · M_sample(x) − τ)     `weights`
    (4)  L_SSD       = mean over x of Σ_k (M[x,k] · (z_g[x,k] − z_l[x,k]))²    `distillation`
    (5)  L           = cross entropy + L_SSD                          `objectives.LocalObjective`

L_SSD has no gradient where the local model is the global one, and none anywhere while M is 0: below
a probability of 1 − (1 − τ)² for the true class, 0.19 by default, so an untrained model of ten
classes is never distilled. Where classes are too many for that, such as items, credibility is that
of groups of classes (`selection` with `groups`), and logits are centred, since softmax ignores a
shift of all logits and the squared difference does not.

Left out: nothing of the loss. The tables and the theorem of the paper were not available to us; the
formulas are those that public re-implementations agree on, which differ in the place of m_max alone
(`inside`). What of it is proved here: 0 ≤ L_SSD ≤ m_max² L² ‖w − w_t‖² for logits that are
L-Lipschitz in the weights.
Checked: `test_three_classes_by_hand`, `test_a_transposed_matrix_is_another_answer`,
`test_the_gradient_is_that_of_the_formula`, `test_the_term_is_bounded_by_the_distance`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import torch
from torch import Tensor, nn

from tastemaker.errors import BadInput
from tastemaker.federate.checks import within
from tastemaker.seams import Grouped

if TYPE_CHECKING:
    from tastemaker.seams import Federable, Outputs, Step


@dataclass(frozen=True)
class FedSSD:
    """How strongly the global model is distilled, and where."""

    m_max: float = 1.0
    """strength; a large one needs a smaller learning rate, 0 is FedAvg"""
    threshold: float = 0.1
    """τ, the credibility below which nothing is distilled"""
    selects: Literal["both", "class", "sample", "none"] = "both"
    """what credibility is made of: class and sample, one of them, or M = m_max everywhere"""
    inside: bool = False
    """multiply by m_max before the threshold is taken off, as some implementations do"""
    centred: bool = False
    """compare logits less their mean over the classes"""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        within("m_max", self.m_max, 0)
        within("threshold", self.threshold, 0, 1)

    @property
    def asks(self) -> bool:
        """Whether the server has to measure the credibility of classes."""
        return self.m_max > 0 and self.selects in ("both", "class")


def confusion(labels: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """How often each class was taken for each.

    Args:
        labels: (N,) int64 true class.
        predicted: (N,) int64.
        classes: K.

    Returns:
        (K, K) int64; a row is a true class, a column a predicted one.

    Raises:
        BadInput: If a label is no class.
    """
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        wrong = labels[(labels < 0) | (labels >= classes)]
        fix = f"Classes of this model are 0 to {classes - 1}; give it the data it is made for."
        raise BadInput(f"{int(wrong[0])} is no class.", "labels", fix)
    cells = torch.bincount(labels * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)


def rates(counts: Tensor) -> Tensor:
    """A: (K, K) counts by the sum of their row, float64; a class without samples is a row of 0."""
    return counts.double() / counts.sum(1, keepdim=True).clamp(min=1)


def class_credibility(rates: Tensor) -> Tensor:
    """(1): (K,) in [0, 1], recall of a class less the worst rate at which another is taken for it.

    Args:
        rates: (K, K) A; a row is a true class.
    """
    hits = rates.diagonal()
    return hits * (1 - (rates - hits.diag()).amax(0))


def sample_credibility(probability: Tensor) -> Tensor:
    """(2): (T,) in [0, 1] from the probability that the global model gives the true class.

    No gradient passes: that of the root is infinite where the probability is 1.
    """
    return 1 - (1 - probability.detach()).clamp(0, 1).sqrt()


def weights(class_credibility: Tensor, sample_credibility: Tensor, config: FedSSD) -> Tensor:
    """(3): M, (T, K) in [0, m_max (1 − τ)], or m_max where nothing is selected.

    Args:
        class_credibility: (K,), or (T, K) where not the same classes compete for each target.
        sample_credibility: (T,).
        config: What is selected by, and how strongly.
    """
    shape = (len(sample_credibility), class_credibility.shape[-1])
    if config.selects == "none":
        return sample_credibility.new_full(shape, config.m_max)
    credibility = {
        "both": sample_credibility[:, None] * class_credibility,
        "class": class_credibility.expand(shape),
        "sample": sample_credibility[:, None].expand(shape),
    }[config.selects]
    if config.inside:
        return (config.m_max * credibility - config.threshold).relu()
    return config.m_max * (credibility - config.threshold).relu()


def selection(
    teacher: Tensor,
    labels: Tensor,
    credibility: Tensor,
    config: FedSSD,
    groups: Tensor | None = None,
) -> Tensor:
    """M of the targets of a part, (T, K), from what the global model says of them.

    Args:
        teacher: (T, K) logits z_g.
        labels: (T,) int64 true class.
        credibility: (K,) M_class, or (G,) of the groups.
        config: As `weights`.
        groups: (K,) or (T, K) int64 group of each logit, where credibility is that of groups; −1
            does not compete and weighs nothing.
    """
    credibility = credibility.to(teacher)
    probability = teacher.detach().softmax(1)
    if groups is None:
        of_class = credibility
    else:
        labels = groups.expand_as(teacher).gather(1, labels[:, None])[:, 0]
        probability = grouped(probability, groups, len(credibility))
        of_class = credibility[groups.clamp(min=0)]
    true = probability.gather(1, labels[:, None])[:, 0]
    chosen = weights(of_class, sample_credibility(true), config)
    return chosen if groups is None else chosen * (groups >= 0)


def grouped(probability: Tensor, groups: Tensor, count: int) -> Tensor:
    """(T, G) probability of each group, from (T, K) of what competes and (K,) or (T, K) groups."""
    whole = probability.new_zeros(len(probability), count)
    if groups.dim() == 1:
        return whole.index_add(1, groups, probability)
    return whole.scatter_add(1, groups.clamp(min=0), probability * (groups >= 0))


def distillation(
    student: Tensor,
    teacher: Tensor,
    weights: Tensor,
    count: int,
    centred: bool = False,
    competing: Tensor | None = None,
) -> Tensor:
    """(4): scalar, Σ over targets and classes of (M (z_g − z_l))² / `count`.

    Args:
        student: (T, K) logits z_l; the gradient passes to these alone.
        teacher: (T, K) logits z_g.
        weights: (T, K) M.
        count: Targets of the whole step, of which the T are a part.
        centred: Take the mean over the classes off the logits.
        competing: (T, K) where not all do; the others have one logit and no weight. None: all.
    """
    difference = teacher.detach() - student
    if centred:
        whole = difference.shape[1] if competing is None else competing.sum(1, keepdim=True)
        difference = difference - difference.sum(1, keepdim=True) / whole
    return (weights.detach() * difference).square().sum() / count


def num_groups(model: nn.Module) -> int | None:
    """G of a model that has groups of classes."""
    return int(model.groups.max()) + 1 if isinstance(model, Grouped) else None


def groups_of(model: nn.Module, outputs: Outputs) -> Tensor | None:
    """Group of each logit of its outputs, int64: (K,), or (T, K) with −1 where some compete.

    None: each logit is a class, which is credible by itself.
    """
    classes = outputs.classes
    if not isinstance(model, Grouped):
        return None
    groups = model.groups.to(outputs.logits.device)
    return groups if classes is None else groups[classes.clamp(0)].masked_fill(classes < 0, -1)


@torch.no_grad()
def measured(model: nn.Module, steps: Iterable[Step]) -> tuple[float, ...]:
    """M_class of a model on the server's auxiliary set, of its groups where it has such.

    Args:
        model: A `Federable`; it is in its mode again afterwards.
        steps: One epoch of the auxiliary set.

    Raises:
        BadInput: If there is none, or a label that is no class of the model.
    """
    counts, size, training = None, num_groups(model), model.training
    model.eval()
    try:
        for step in steps:
            for part in step.parts(small=True):
                outputs = cast("Federable", model).outputs(part)
                scores, labels = outputs.logits, outputs.labels
                groups = groups_of(model, outputs)
                if groups is not None and size is not None:
                    labels = groups.expand_as(scores).gather(1, labels[:, None])[:, 0]
                    scores = grouped(scores.softmax(1), groups, size)
                own = confusion(labels, scores.argmax(1), scores.shape[1])
                counts = own if counts is None else counts + own
    finally:
        model.train(training)
    if counts is None:
        fix = "Give a few labelled examples of each class, which no client holds."
        raise BadInput("The auxiliary set is empty.", "the server", fix)
    return tuple(class_credibility(rates(counts)).tolist())
