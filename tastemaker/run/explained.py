"""What a model thought before it answered one user, beside the answer.

Thoughts are of the neural model alone; where the blend ranks, the answer says what weight that has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from tastemaker.data.contexts import Contexts
from tastemaker.errors import BadInput
from tastemaker.run.answers import Answer
from tastemaker.run.models import Models
from tastemaker.seams import Reasoning

_WHERE = "--explain"


@dataclass(frozen=True, eq=False)
class Thinker:
    """The model of a run that thinks, ready to be asked."""

    model: Reasoning
    remark: str
    """whose thoughts these are, where another model ranks; else empty"""


def thinker_of(models: Models, name: str) -> Thinker:
    """What thinks where a model of a run ranks.

    Args:
        models: The models of the run.
        name: Of the model that ranks.

    Raises:
        BadInput: If no thought takes part in that ranking.
    """
    neural, called = models.neural, models.neural_name
    if not isinstance(neural, Reasoning):
        fix = "Leave it out, or ask a run of a model that thinks: tastemaker train vrec."
        raise BadInput(f"No model of this run has thoughts: {called} has none.", _WHERE, fix)
    if not neural.thinks:
        fix = "Leave it out, or train one that thinks: --model.thoughts 2."
        raise BadInput(f"{called} of this run was made without thoughts.", _WHERE, fix)
    weights = (models.weights or {}) if name == "blend" else {}
    if name != called and not weights.get(called):
        part = " gives no weight to it" if weights else " has none"
        what = f"{called} is the model of this run that has thoughts, and {name}{part}."
        raise BadInput(what, _WHERE, f"Add --model {called}, or leave --explain out.")
    neural.train(False)
    return Thinker(neural, _mixed(called, weights) if name != called else "")


def _mixed(called: str, weights: dict[str, float]) -> str:
    """Whose thoughts the blend has, and what they weigh in it."""
    others = [f"{name} {own:.3g}" for name, own in weights.items() if own and name != called]
    beside = f", beside {', '.join(others)}" if others else ""
    return (
        f"The blend ranks; the thoughts are those of {called}, "
        f"whose weight in it is {weights[called]:.3g}{beside}."
    )


def explained(
    answer: Answer, thinker: Thinker, past: Contexts, items: npt.NDArray[np.int64]
) -> Answer:
    """An answer to one user with what was thought.

    Args:
        answer: Without.
        thinker: What thought.
        past: One row, all that the user chose.
        items: (K,) codes of the items of the answer.
    """
    if not len(past.items):
        said = "There are no thoughts: they are about what somebody has chosen."
        return replace(answer, reason=f"{answer.reason} {said}")
    (thoughts,) = thinker.model.thoughts(past)
    codes = torch.from_numpy(items.astype(np.int64))[None]
    (found,) = thinker.model.considered(past, codes)
    shown = tuple(
        replace(item, considered=groups) for item, groups in zip(answer.items, found, strict=True)
    )
    reason = f"{answer.reason} {thinker.remark}".strip()
    return replace(answer, reason=reason, items=shown, thoughts=thoughts)
