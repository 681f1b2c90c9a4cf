"""The form that steers a list: which models, groups and heads there are to choose from."""

from __future__ import annotations

from dataclasses import dataclass

from tastemaker.serve.opened import Opened
from tastemaker.serve.web.tastes import Tastes


@dataclass(frozen=True)
class Choices:
    """Groups of one kind."""

    label: str
    names: tuple[tuple[str, str], ...]
    """(what is sent, what is shown)"""


@dataclass(frozen=True)
class SteeringForm:
    """What the form offers."""

    models: tuple[str, ...]
    """the one that the run recommends with first"""
    groups: tuple[Choices, ...]
    """none: nothing can be boosted"""
    diversifies: bool
    """whether the run knows which items are alike"""


def steering_form(run: Opened, tastes: Tastes) -> SteeringForm:
    """What a list of a run can be steered by.

    Args:
        run: The run.
        tastes: Its groups.
    """
    shelf, best = run.saved.shelf, run.model
    models = sorted(run.saved.models.names, key=lambda name: name != best)
    groups = [Choices("Categories", tuple((name, name) for name in tastes.names))]
    for axis, names in (shelf.heads.trained if shelf.heads else {}).items():
        heads = tuple((f"{axis}:{name}", name) for name in names)
        groups.append(Choices(f"Heads by {axis}", heads))
    held = tuple(group for group in groups if group.names)
    return SteeringForm(tuple(models), held, shelf.likeness is not None)
