"""VRec's thoughts in words of people: what verifiers say of each, and how far each moved.

Nothing is computed anew: these are the numbers that the model read on with (`vrec_verifiers`),

    uncertainty h_i, entropy H_i, trust π_i, weight w, moved |r~ − r| / |r|

beside the names of the groups that verifiers find likeliest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from tastemaker.recommend.vrec_loop import Reasoned
from tastemaker.recommend.vrec_verifiers import Labels, Verdict
from tastemaker.seams import Said, Thought

LIKELIEST = 3
"""Groups that are named of each verifier, at most."""


def explained(reasoned: Reasoned, labels: Sequence[Labels]) -> list[tuple[Thought, ...]]:
    """The thoughts about B rows, each in their order.

    Args:
        reasoned: What came of thinking about them.
        labels: (M,) what each verifier says.

    Returns:
        (B,) of N thoughts each; with nothing said where nothing was checked.
    """
    rows = len(reasoned.prompt.state)
    if not reasoned.verdicts:
        return [(Thought((), 0.0, 0.0),) * len(reasoned.thoughts)] * rows
    steps = [_step(verdict, labels) for verdict in reasoned.verdicts]
    return [tuple(step[row] for step in steps) for row in range(rows)]


def _step(verdict: Verdict, labels: Sequence[Labels]) -> list[Thought]:
    """(B,) the same thought of each row."""
    said = [_said(verdict, number, label) for number, label in enumerate(labels)]
    length = verdict.thought.norm(dim=1)
    way = (verdict.verified - verdict.thought).norm(dim=1)
    # A thought of length zero has no own length to move by.
    moved = (way / length.masked_fill(length == 0, 1)).masked_fill(length == 0, 0)
    weights, shares = verdict.weight.tolist(), moved.tolist()
    return [
        Thought(tuple(of_row), weight, share)
        for *of_row, weight, share in zip(*said, weights, shares, strict=True)
    ]


def _said(verdict: Verdict, number: int, labels: Labels) -> list[Said]:
    """(B,) what one verifier says of each row."""
    names = labels.grouping.names
    # Stable: of equals the earlier group, whatever else is in the batch.
    best, groups = verdict.log_probs[number].sort(dim=1, descending=True, stable=True)
    likeliest = zip(groups[:, :LIKELIEST].tolist(), best[:, :LIKELIEST].exp().tolist(), strict=True)
    return [
        Said(
            labels.name,
            tuple((names[group], share) for group, share in zip(*of_row, strict=True)),
            *numbers,
        )
        for of_row, *numbers in zip(
            likeliest,
            verdict.uncertainty[:, number].tolist(),
            verdict.entropies[:, number].tolist(),
            verdict.gate[:, number].tolist(),
            strict=True,
        )
    ]


def considered(
    reasoned: Reasoned, labels: Sequence[Labels], items: Tensor
) -> list[list[Mapping[str, float]]]:
    """How likely the last thought makes the groups that some items are in.

    Args:
        reasoned: What came of thinking about B rows.
        labels: (M,) what each verifier says.
        items: (B, K) codes; 0 stands for none.

    Returns:
        (B,) of K each: `VERIFIER: GROUP` → probability.
    """
    found: list[list[dict[str, float]]] = [[{} for _ in row] for row in items.tolist()]
    for number, label in enumerate(labels if reasoned.verdicts else ()):
        shares = reasoned.verdicts[-1].log_probs[number].exp()
        groups = label.groups[items.to(label.groups.device)]
        held = shares[:, None].expand(-1, items.shape[1], -1).gather(2, groups.clamp(min=0))
        for row, place, at in (groups >= 0).nonzero().tolist():
            name = f"{label.name}: {label.grouping.names[int(groups[row, place, at])]}"
            found[row][place][name] = float(held[row, place, at])
    return [list(row) for row in found]
