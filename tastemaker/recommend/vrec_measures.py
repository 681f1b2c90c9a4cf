"""How VRec's thoughts do where the next item is known: whether verifiers are right, sure, heard.

Of every thought and row: the share |r~ − r| / |r| by which it moved, how long its guidance is
beside it, |g| / |r|, how near it is to the thought before, and of each verifier whether its
likeliest group is one of the next item's. Means are over rows, however these were batched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.recommend.vrec_loop import Reasoned
from tastemaker.recommend.vrec_verifiers import Labels, Verdict
from tastemaker.seams.reasoning import CheckFacts, ReasoningFacts, StepFacts, VerifierFacts


class Checked(NamedTuple):
    """What verifiers did to one thought of B rows, in float64."""

    weight: Tensor
    """(B,) w"""
    moved: Tensor
    """(B,) |r~ − r| / |r|"""
    guidance: Tensor
    """(B,) |g| / |r|"""
    gate_entropy: Tensor
    """(B,) entropy of the gate / log M; no number where there is one verifier"""
    trust: Tensor
    """(B, M) gate"""
    uncertainty: Tensor
    """(B, M) H_i / log C_i"""
    right: Tensor
    """(B, M) 1 where the likeliest group is one of the next item's, else 0"""


class Rows(NamedTuple):
    """What is measured of B rows."""

    items: Tensor
    """(B,) next items"""
    cosines: tuple[Tensor, ...]
    """N − 1 times (B,): of each thought but the first to the one before"""
    checked: tuple[Checked, ...]
    """N, or none where nothing was checked"""
    thoughts: int
    """N"""


def rows_of(reasoned: Reasoned, labels: Sequence[Labels], items: Tensor) -> Rows:
    """Measure a batch.

    Args:
        reasoned: What came of thinking about its rows.
        labels: (M,) groups of the verifiers.
        items: (B,) what came next; rows of 0 are padding and left out.
    """
    items = items.to(reasoned.prompt.state.device)
    real = items > 0
    items, thoughts = items[real], [thought[real].double() for thought in reasoned.thoughts]
    pairs = zip(thoughts[1:], thoughts, strict=False)
    return Rows(
        items,
        tuple(F.cosine_similarity(now, before, -1) for now, before in pairs),
        tuple(_checked(verdict, real, labels, items) for verdict in reasoned.verdicts),
        len(thoughts),
    )


def _checked(verdict: Verdict, real: Tensor, labels: Sequence[Labels], items: Tensor) -> Checked:
    thought, verified, guidance, gate = (
        part[real].double()
        for part in (verdict.thought, verdict.verified, verdict.guidance, verdict.gate)
    )
    said = [log_probs[real].argmax(-1) for log_probs in verdict.log_probs]
    right = [label.holds(items, group) for label, group in zip(labels, said, strict=True)]
    length = thought.norm(dim=-1)
    # A thought of length zero has no own length to measure by.
    own = (length > 0) / length.masked_fill(length == 0, 1)
    spread = torch.special.entr(gate).sum(-1)
    most = math.log(gate.shape[1]) or math.nan
    return Checked(
        verdict.weight[real].double(),
        (verified - thought).norm(dim=-1) * own,
        guidance.norm(dim=-1) * own,
        spread / most,
        gate,
        verdict.uncertainty[real].double(),
        torch.stack(right, 1).double(),
    )


def facts_of(rows: Sequence[Rows], labels: Sequence[Labels], train: Contexts) -> ReasoningFacts:
    """Means over all rows of some batches, at least one of which has a row.

    Args:
        rows: What was measured, all of them of one model in one stage of its training.
        labels: (M,) groups of the verifiers.
        train: Training events; the group that most of them are of is what a verifier that read
            nothing would say.
    """
    items = torch.cat([batch.items for batch in rows])
    count, verified = rows[0].thoughts, bool(rows[0].checked)
    checked = [
        Checked(*map(torch.cat, zip(*(batch.checked[step] for batch in rows), strict=True)))
        for step in range(count if verified else 0)
    ]
    cosines = [
        float(torch.cat([batch.cosines[step] for batch in rows]).mean())
        for step in range(count - 1)
    ]
    asked = [_Asked.of(label, items, train) for label in labels] if verified else []
    nears = [None, *cosines][:count]
    steps = [_step(one, near, asked) for one, near in zip(checked, nears, strict=False)]
    return ReasoningFacts(
        len(items),
        tuple(steps if verified else [StepFacts(cosine=near) for near in nears]),
        tuple(
            _verifier(one, [step.right[:, m] for step in checked]) for m, one in enumerate(asked)
        ),
    )


class _Asked(NamedTuple):
    """A verifier, and what it was asked."""

    label: Labels
    known: Tensor
    """(B,) bool, whether the next item is in one of its groups"""
    usual: Tensor
    """(B,) 1 where it is in the group of most training events, else 0"""

    @classmethod
    def of(cls, label: Labels, items: Tensor, train: Contexts) -> _Asked:
        groups = label.groups[torch.from_numpy(train.items).long().to(items.device)]
        most = groups[groups >= 0].bincount(minlength=label.grouping.num_groups).argmax()
        usual = label.holds(items, most.expand(len(items)))
        return cls(label, label.known(items), usual.double())


def _step(checked: Checked, cosine: float | None, asked: Sequence[_Asked]) -> StepFacts:
    checks = []
    for place, (_, known, usual) in enumerate(asked):
        right = checked.right[known, place]
        checks.append(
            CheckFacts(
                accuracy=_mean(right),
                ahead=_interval(right - usual[known]),
                uncertainty=float(checked.uncertainty[:, place].mean()),
                trust=float(checked.trust[:, place].mean()),
            )
        )
    return StepFacts(
        cosine=cosine,
        weight=float(checked.weight.mean()),
        moved=float(checked.moved.mean()),
        guidance=float(checked.guidance.mean()),
        gate_entropy=float(checked.gate_entropy.mean()) if len(asked) > 1 else None,
        checks=tuple(checks),
    )


def _verifier(asked: _Asked, right: Sequence[Tensor]) -> VerifierFacts:
    """What is known of a verifier that was right, or not, N times (B,)."""
    known, several = asked.known, len(right) > 1
    return VerifierFacts(
        name=asked.label.name,
        classes=asked.label.grouping.num_groups,
        rows=int(known.sum()),
        majority=_mean(asked.usual[known]),
        rise=_interval((right[-1] - right[0])[known]) if several else None,
    )


def _mean(values: Tensor) -> float | None:
    return float(values.mean()) if len(values) else None


def _interval(values: Tensor) -> tuple[float, float] | None:
    """95 % interval of the mean of (B,) values, as if it were normal; None of none."""
    if not len(values):
        return None
    middle = float(values.mean())
    half = 1.96 * float(values.var(correction=0)) ** 0.5 / len(values) ** 0.5
    return middle - half, middle + half
